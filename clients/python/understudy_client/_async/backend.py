"""Pauses and work in threads of the asynchronous client."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import anyio
from anyio.to_thread import run_sync

T = TypeVar("T")


async def sleep(seconds: float) -> None:
    """Wait."""
    await anyio.sleep(seconds)


async def in_thread(function: Callable[[], T]) -> T:
    """Run a function that reads or writes files without blocking the event loop."""
    return await run_sync(function)
