"""Rules for repeating failed requests: which requests, how often, and after which pause."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx2

from understudy_client.calls import Call
from understudy_client.errors import ApiError, ConnectionFailed, api_error

REPEATED_STATUSES = frozenset({429, 502, 503, 504, 507})
# A gateway sends these statuses if it has received no response from the service, which may have processed the
# request.
LOST_RESPONSE_STATUSES = frozenset({502, 504})
REPEATED_CODES = frozenset({"idempotency_in_progress"})
# This quota is freed only when the caller completes or deletes an upload, so waiting does not help.
LASTING_CODES = frozenset({"too_many_uploads"})
# These errors are raised before anything is sent, and another try would fail in the same way.
PERMANENT_ERRORS = (httpx2.UnsupportedProtocol, httpx2.LocalProtocolError)


class DeadlineExceeded(Exception):
    """The deadline of a request has passed. The cause is the error of the last try."""


@dataclass(frozen=True)
class Retries:
    """Policy for requests that fail because of the connection or because the service is overloaded.

    The pauses grow exponentially with random jitter. The service can ask for a longer pause in `Retry-After`.

    Parameters
    ----------
    tries_max : int
        Maximum number of consecutive failed tries. With the default, these tries take about three minutes.
    pause_seconds : float
        Longest pause before the second try, in seconds.
    pause_seconds_max : float
        Longest pause before any other try, in seconds.
    retry_after_seconds_max : float
        Longest pause that the service can ask for, in seconds. If it asks for more, the error is raised.
    """

    tries_max: int = 12
    pause_seconds: float = 0.5
    pause_seconds_max: float = 30.0
    retry_after_seconds_max: float = 120.0
    rng: random.Random = field(default_factory=random.SystemRandom, repr=False)

    def pause_before(self, n_failures: int, asked_seconds: float | None = None) -> float:
        """Return the pause in seconds after a number of consecutive failures."""
        longest = min(self.pause_seconds * 2.0 ** (n_failures - 1), self.pause_seconds_max)
        # Clients that were refused at the same time must not repeat their requests at the same time.
        return (asked_seconds or 0.0) + longest * self.rng.uniform(0.5, 1.0)


class Tries:
    """The failed tries of one request.

    Parameters
    ----------
    deadline : float, optional
        Time of the monotonic clock at which the tries end, even if the policy allows more.
    """

    def __init__(self, call: Call[Any], retries: Retries, deadline: float | None = None) -> None:
        self._call = call
        self._retries = retries
        self._deadline = deadline
        self._n_failures = 0
        self._is_response_lost = False

    def reset(self) -> None:
        """Reset the number of failures, because the transfer has made progress."""
        self._n_failures = 0

    def is_done_by_lost_try(self, status: int) -> bool:
        """Return whether a 404 means that an earlier try deleted the resource but its response was lost."""
        return self._is_response_lost and self._call.method == "DELETE" and status == 404

    def after_lost_connection(self, error: Exception, *, is_sent: bool = True) -> float:
        """Return the pause before the next try.

        Raises
        ------
        ConnectionFailed
            If the request is not tried again.
        DeadlineExceeded
            If the deadline passes before the next try.
        """
        failure = ConnectionFailed(
            f"The service does not respond ({type(error).__name__}, {self._call.method} {self._call.path}). "
            "Check the URL, and check that the service is running."
        )
        if isinstance(error, PERMANENT_ERRORS):
            # The text of such an error can contain the API key.
            raise failure from None
        self._n_failures += 1
        self._is_response_lost = self._is_response_lost or is_sent
        is_repeatable = self._call.is_safe_to_repeat or not is_sent
        if self._n_failures >= self._retries.tries_max or not is_repeatable:
            raise failure from error
        return self._pause(failure)

    def after_refusal(self, status: int, headers: Mapping[str, str], content: bytes) -> float:
        """Return the pause before the next try.

        Raises
        ------
        ApiError
            If the request is not tried again.
        DeadlineExceeded
            If the deadline passes before the next try.
        """
        self._n_failures += 1
        is_lost = status in LOST_RESPONSE_STATUSES
        self._is_response_lost = self._is_response_lost or is_lost
        is_repeatable = self._call.is_safe_to_repeat or not is_lost
        error = api_error(status, headers, content)
        if self._n_failures >= self._retries.tries_max or not (is_repeatable and self._is_passing(error)):
            raise error
        return self._pause(error, error.retry_after_seconds or 0.0)

    def _pause(self, failure: Exception, asked_seconds: float = 0.0) -> float:
        """Return the pause before the next try. The last try is at the deadline."""
        pause_seconds = self._retries.pause_before(self._n_failures, asked_seconds)
        if self._deadline is None:
            return pause_seconds
        left_seconds = self._deadline - time.monotonic()
        if left_seconds <= asked_seconds:
            raise DeadlineExceeded from failure
        return min(pause_seconds, left_seconds)

    def _is_passing(self, error: ApiError) -> bool:
        asked_seconds = error.retry_after_seconds or 0.0
        is_passing = error.status in REPEATED_STATUSES or error.code in REPEATED_CODES
        is_soon = asked_seconds <= self._retries.retry_after_seconds_max
        return is_passing and is_soon and error.code not in LASTING_CODES
