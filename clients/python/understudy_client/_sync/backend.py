"""Functions with which the synchronous client pauses and runs functions. It needs no threads."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import TypeVar

from understudy_client.sources import Source

T = TypeVar("T")


def sleep(seconds: float) -> None:
    """Wait for the given time."""
    time.sleep(seconds)


def in_thread(function: Callable[[], T]) -> T:
    """Run a function."""
    return function()


def readable_source(source: Source | Mapping[str, Source], _: ExitStack) -> Source | Mapping[str, Source]:
    """Return the source, which can be read as it is."""
    return source
