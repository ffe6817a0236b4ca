"""Pauses and work in threads of the synchronous client, which needs no threads."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def sleep(seconds: float) -> None:
    """Wait."""
    time.sleep(seconds)


def in_thread(function: Callable[[], T]) -> T:
    """Run a function."""
    return function()
