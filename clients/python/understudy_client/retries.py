"""Decisions about repeated requests: when, how often and after which pause."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from understudy_client.calls import Call
from understudy_client.errors import ApiError, ConnectionFailed, api_error

REPEATED_STATUSES = frozenset({429, 502, 503, 504, 507})
REPEATED_CODES = frozenset({"idempotency_in_progress"})
# These quotas become free only when the caller ends something.
LASTING_CODES = frozenset({"too_many_uploads"})


@dataclass(frozen=True)
class Retries:
    """Policy for requests that fail because of the connection or the load of the service.

    The pauses grow exponentially with random jitter. The service can ask for a longer pause in `Retry-After`.

    Parameters
    ----------
    tries_max : int
        Maximum number of consecutive failed tries. With the default, they take about three minutes.
    pause_seconds : float
        Longest pause before the second try.
    pause_seconds_max : float
        Longest pause before any other try.
    retry_after_seconds_max : float
        Longest pause that the service can ask for. If it asks for more, the error is raised.
    """

    tries_max: int = 12
    pause_seconds: float = 0.5
    pause_seconds_max: float = 30.0
    retry_after_seconds_max: float = 120.0
    rng: random.Random = field(default_factory=random.SystemRandom, repr=False)

    def pause_before(self, n_failures: int, asked_seconds: float | None = None) -> float:
        """Return the pause after a number of consecutive failures."""
        longest = min(self.pause_seconds * 2.0 ** (n_failures - 1), self.pause_seconds_max)
        # Clients that were refused at the same time must not return at the same time.
        return (asked_seconds or 0.0) + longest * self.rng.uniform(0.5, 1.0)


class Tries:
    """The failed tries of one request."""

    def __init__(self, call: Call[Any], retries: Retries) -> None:
        self._call = call
        self._retries = retries
        self._n_failures = 0
        self._is_answer_lost = False

    def reset(self) -> None:
        """Forget the failures, because the answer has made progress."""
        self._n_failures = 0

    def is_done_by_lost_try(self, status: int) -> bool:
        """Return whether a 404 means that an earlier try, whose answer was lost, has deleted the resource."""
        return self._is_answer_lost and self._call.method == "DELETE" and status == 404

    def after_lost_connection(self, error: Exception, *, is_sent: bool = True) -> float:
        """Return the pause before the next try.

        Raises
        ------
        ConnectionFailed
            If there is no further try.
        """
        self._n_failures += 1
        self._is_answer_lost = self._is_answer_lost or is_sent
        is_repeatable = self._call.is_safe_to_repeat or not is_sent
        if self._n_failures >= self._retries.tries_max or not is_repeatable:
            raise ConnectionFailed(
                f"The service does not respond ({type(error).__name__}, {self._call.method} "
                f"{self._call.path}). Check the URL, and check that the service is running."
            ) from error
        return self._retries.pause_before(self._n_failures)

    def after_refusal(self, status: int, headers: Mapping[str, str], content: bytes) -> float:
        """Return the pause before the next try.

        Raises
        ------
        ApiError
            If there is no further try.
        """
        self._n_failures += 1
        error = api_error(status, headers, content)
        if self._n_failures >= self._retries.tries_max or not self._is_passing(error):
            raise error
        return self._retries.pause_before(self._n_failures, error.retry_after_seconds)

    def _is_passing(self, error: ApiError) -> bool:
        asked_seconds = error.retry_after_seconds or 0.0
        is_passing = error.status in REPEATED_STATUSES or error.code in REPEATED_CODES
        is_soon = asked_seconds <= self._retries.retry_after_seconds_max
        return is_passing and is_soon and error.code not in LASTING_CODES
