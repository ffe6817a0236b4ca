"""A uvicorn server that stops in steps, so that a load balancer and its clients lose no request.

    signal ─ not ready, long polls and streams end ─ pause ─ no new connections ─ grace period
    ─ late requests get 503 ─ exit

A second signal skips the rest of the pause and the grace period.
"""

from __future__ import annotations

import asyncio
import socket
import time
from types import FrameType
from typing import Any

import uvicorn

from app.stopping import Stopping

# Time in seconds for interrupted requests to send their error before all connections are closed.
INTERRUPTED_SECONDS = 2.0
TICK_SECONDS = 0.05


class StoppingServer(uvicorn.Server):
    """A server for an application with a `Stopping` object in its state.

    Parameters
    ----------
    config : uvicorn.Config
        Configuration without `proxy_headers`, which would wrap the application.
    pause_seconds : float
        Time between the signal and the refusal of new connections. A load balancer must detect within this
        time that the process is not ready.
    grace_seconds : float
        Time within which requests in progress must end after the pause.
    """

    def __init__(self, config: uvicorn.Config, *, pause_seconds: float, grace_seconds: float) -> None:
        config.timeout_graceful_shutdown = int(grace_seconds + INTERRUPTED_SECONDS) + 1
        super().__init__(config)
        self._pause_seconds = pause_seconds
        self._grace_seconds = grace_seconds
        self._n_signals = 0
        self._asked_at = 0.0

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Count the signal. The event loop detects it within a tick."""
        self._n_signals += 1

    async def on_tick(self, counter: int) -> bool:
        """Return True when the pause after the first signal has ended."""
        if self._n_signals and not self._asked_at:
            self._asked_at = time.monotonic()
            self._stopping.begin()
        has_paused = time.monotonic() >= self._asked_at + self._pause_seconds
        if self._asked_at and (has_paused or self._n_signals > 1):
            self.should_exit = True
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close the listening sockets, and end the requests within the grace period."""
        self._stopping.begin()
        interrupter = asyncio.create_task(self._interrupt_late_requests())
        await super().shutdown(sockets)
        interrupter.cancel()

    @property
    def _stopping(self) -> Stopping:
        # `Any` is the application, whose state has no type.
        app: Any = self.config.loaded_app
        stopping: Stopping = app.state.stopping
        return stopping

    async def _interrupt_late_requests(self) -> None:
        ends_at = time.monotonic() + self._grace_seconds
        while time.monotonic() < ends_at and self._n_signals < 2:
            await asyncio.sleep(TICK_SECONDS)
        self._stopping.interrupt()
        await asyncio.sleep(INTERRUPTED_SECONDS)
        for connection in list(self.server_state.connections):
            # A client that does not read would keep the connection open.
            if connection.transport is not None:
                connection.transport.abort()
