"""Idempotency keys whose requests have ended in this process without a stored response.

If the database does not respond when a request ends, its key stays reserved. Another process must then assume
that the request is still running, but this process knows that it has ended.
"""

from __future__ import annotations

import time
from uuid import UUID

from understudy.services.idempotency import TAKE_OVER_AFTER

LEFT_MAX = 10_000
# Another process can take over a key after `TAKE_OVER_AFTER`. Before this time, no other request has the key.
SECONDS_MAX = TAKE_OVER_AFTER.total_seconds() - 5


class LeftKeys:
    """The keys with the times at which their requests began. Only the event loop uses them."""

    def __init__(self) -> None:
        self._began: dict[tuple[UUID, str], float] = {}

    def add(self, project_id: UUID, key: str, began: float) -> None:
        """Add a key. If there are too many keys, the oldest is forgotten."""
        self._began[project_id, key] = began
        if len(self._began) > LEFT_MAX:
            del self._began[next(iter(self._began))]

    def pop(self, project_id: UUID, key: str) -> bool:
        """Remove a key, so that only one request takes it over. Return whether it can be taken over."""
        began = self._began.pop((project_id, key), None)
        return began is not None and time.monotonic() - began < SECONDS_MAX
