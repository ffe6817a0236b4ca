"""The limit on each project's requests per minute, and the headers that report it.

The headers follow the IETF draft `draft-ietf-httpapi-ratelimit-headers`. Each API process counts the requests
that it receives, so the limit for an installation is the limit for one process times the number of processes.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.error_handlers import problem_response
from understudy.errors import TooManyRequests
from understudy.resources import Resources
from understudy.services.api_keys import Caller

WINDOW_SECONDS = 60
# When the number of windows exceeds this limit, ended windows are removed.
WINDOWS_MAX = 10_000


@dataclass
class Window:
    """The requests from a project since the start of its current window."""

    ends_at: float
    n_requests: int = 0


class RateLimits:
    """Middleware that counts the requests of each project, and refuses those above the limit with 429."""

    def __init__(self, app: ASGIApp, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.app = app
        self._clock = clock
        self._windows: dict[UUID, Window] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        caller: Caller | None = scope.get("state", {}).get("caller")
        if scope["type"] != "http" or caller is None:
            return await self.app(scope, receive, send)
        resources: Resources = scope["app"].state.resources
        n_max = resources.limits.requests_per_minute_max
        window = self._count(caller.project_id)
        seconds_left = max(math.ceil(window.ends_at - self._clock()), 1)
        headers = {
            "RateLimit-Policy": f'"requests";q={n_max};w={WINDOW_SECONDS}',
            "RateLimit": f'"requests";r={max(n_max - window.n_requests, 0)};t={seconds_left}',
        }

        async def send_with_limits(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(headers)
            await send(message)

        if window.n_requests > n_max:
            response = problem_response(scope, _too_many(n_max, seconds_left))
            return await response(scope, receive, send_with_limits)
        await self.app(scope, receive, send_with_limits)

    def _count(self, project_id: UUID) -> Window:
        """Count a request, and return the window of its project."""
        now = self._clock()
        window = self._windows.get(project_id)
        if window is None or window.ends_at <= now:
            if len(self._windows) >= WINDOWS_MAX:
                self._windows = {key: kept for key, kept in self._windows.items() if kept.ends_at > now}
            window = self._windows[project_id] = Window(now + WINDOW_SECONDS)
        window.n_requests += 1
        return window


def _too_many(n_max: int, seconds: int) -> TooManyRequests:
    return TooManyRequests(
        f"This project has sent {n_max} requests to this server within a minute, which is the limit "
        "(requests_per_minute_max). Repeat the request after the time in Retry-After.",
        retry_after_seconds=seconds,
    )
