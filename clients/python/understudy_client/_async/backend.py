"""Functions with which the asynchronous client pauses and runs blocking functions in threads."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Mapping
from contextlib import ExitStack
from functools import partial
from typing import TypeVar

import anyio
from anyio.to_thread import run_sync

from understudy_client.sources import Source, temporary_path

T = TypeVar("T")


async def sleep(seconds: float) -> None:
    """Wait for the given time."""
    await anyio.sleep(seconds)


async def in_thread(function: Callable[[], T]) -> T:
    """Run a function that reads or writes files without blocking the event loop."""
    return await run_sync(function)


async def readable_source(
    source: Source | AsyncIterable[bytes] | Mapping[str, Source], temporary: ExitStack
) -> Source | Mapping[str, Source]:
    """Return a source that can be read in a thread. An asynchronous stream is written to a file first."""
    if not isinstance(source, AsyncIterable):
        return source
    path = temporary_path(temporary)
    with path.open("wb") as output:
        async for chunk in source:
            await in_thread(partial(output.write, chunk))
    return path
