"""Pauses and work in threads of the synchronous client, which needs no threads."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import TypeVar

from understudy_client.sources import Source

T = TypeVar("T")


def sleep(seconds: float) -> None:
    """Wait."""
    time.sleep(seconds)


def in_thread(function: Callable[[], T]) -> T:
    """Run a function."""
    return function()


def readable_source(source: Source | Mapping[str, Source], _: ExitStack) -> Source | Mapping[str, Source]:
    """Return the source, which can be read as it is."""
    return source
