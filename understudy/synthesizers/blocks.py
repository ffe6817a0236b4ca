"""Sampling of long tables in ordered blocks of rows, on several threads and in constant memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import pyarrow as pa

from understudy.synthesizers.contexts import SampleContext, check_cancelled
from understudy.transformers.base import RowNumbers, consecutive_rows

N_ROWS_BLOCK = 65_536

T = TypeVar("T")

# Function that returns the rows with the given numbers.
DrawBlock = Callable[[RowNumbers], pa.RecordBatch]


def draw_blocks(
    draw: DrawBlock, n_rows: int, offset: int, *, context: SampleContext
) -> Iterator[pa.RecordBatch]:
    """Yield the rows ``offset … offset + n_rows - 1`` in order, in blocks of at most `N_ROWS_BLOCK` rows."""
    end = offset + n_rows
    blocks = (
        consecutive_rows(first, min(N_ROWS_BLOCK, end - first)) for first in range(offset, end, N_ROWS_BLOCK)
    )
    return map_in_order(draw, blocks, context=context, is_small=n_rows <= N_ROWS_BLOCK)


def map_in_order(
    work: Callable[[T], pa.RecordBatch], items: Iterable[T], *, context: SampleContext, is_small: bool = False
) -> Iterator[pa.RecordBatch]:
    """Yield the result of `work` for each item, in order. At most `n_threads` results are buffered.

    Parameters
    ----------
    is_small : bool
        Whether the work is too small for several threads, and therefore runs on the caller's thread.
    """
    if context.n_threads == 1 or is_small:
        for item in items:
            check_cancelled(context.is_cancelled)
            yield work(item)
        return
    with ThreadPoolExecutor(context.n_threads) as pool:
        pending: deque[Future[pa.RecordBatch]] = deque()
        for item in items:
            check_cancelled(context.is_cancelled)
            pending.append(pool.submit(work, item))
            if len(pending) > context.n_threads:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
