"""Draw a long table block by block, on all processors, in order and in constant memory."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import pyarrow as pa

from understudy.errors import InvalidInput
from understudy.transformers.base import RowNumbers, consecutive_rows

N_ROWS_BLOCK = 65_536
N_THREADS_MAX = 8

T = TypeVar("T")

# The rows of these numbers.
DrawBlock = Callable[[RowNumbers], pa.RecordBatch]


def count_threads() -> int:
    """Return how many threads are worth starting: the processors that this process may use, up to a limit."""
    n = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(n, N_THREADS_MAX)


def check_request(n_rows: int, seed: int, offset: int) -> None:
    """Raise InvalidInput if there are no such rows."""
    if not 0 <= seed < 2**64:
        raise InvalidInput("seed must be a whole number from 0 to 2**64 - 1.", code="invalid_parameters")
    if n_rows < 0 or offset < 0:
        raise InvalidInput("n_rows and offset must not be negative.", code="invalid_parameters")
    if n_rows + offset >= 2**63:
        raise InvalidInput("n_rows and offset must stay below 2**63 rows.", code="invalid_parameters")


def draw_blocks(draw: DrawBlock, n_rows: int, offset: int, *, n_threads: int) -> Iterator[pa.RecordBatch]:
    """Yield the blocks of rows ``offset … offset + n_rows - 1`` in order."""
    end = offset + n_rows
    blocks = (
        consecutive_rows(first, min(N_ROWS_BLOCK, end - first)) for first in range(offset, end, N_ROWS_BLOCK)
    )
    return map_in_order(draw, blocks, n_threads=1 if n_rows <= N_ROWS_BLOCK else n_threads)


def map_in_order(
    work: Callable[[T], pa.RecordBatch], items: Iterable[T], *, n_threads: int
) -> Iterator[pa.RecordBatch]:
    """Yield what the work makes of each item, in order; no more than a few wait to be taken."""
    if n_threads == 1:
        yield from map(work, items)
        return
    with ThreadPoolExecutor(n_threads) as pool:
        pending: deque[Future[pa.RecordBatch]] = deque()
        for item in items:
            pending.append(pool.submit(work, item))
            if len(pending) > n_threads:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
