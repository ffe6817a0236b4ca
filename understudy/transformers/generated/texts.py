"""Operations on columns of text: capitalize, choose and join."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

from understudy.transformers.base import ArrowArray, ArrowColumn, Mask

Int64s = npt.NDArray[np.int64]
# `Any` is needed because the stubs of these functions do not support types that are only known at run time.
pc: Any = pyarrow.compute


def distinct_values(values: ArrowColumn | ArrowArray) -> ArrowArray:
    """Return the distinct values of a column."""
    distinct: ArrowArray = pc.unique(values)
    return distinct


def capitalized(texts: ArrowArray) -> ArrowArray:
    """Return the texts with a capital first letter."""
    capitals: ArrowArray = pc.utf8_capitalize(texts)
    return capitals


def choose(condition: Mask, yes: Any, no: Any) -> ArrowArray:  # `Any` is an array or a single value.
    """Return `yes` for rows that satisfy the condition, and `no` for all others."""
    chosen: ArrowArray = pc.if_else(pa.array(condition), yes, no)
    return chosen


def gather(parts: Sequence[ArrowArray], places: Sequence[Int64s]) -> ArrowArray:
    """Return the values of several parts of the rows in the order of the rows.

    Parameters
    ----------
    parts : sequence of array
        Values of each part.
    places : sequence of array
        Positions of the rows of each part.
    """
    values: list[ArrowArray] = [pa.array([], pa.large_string()), *parts]
    order = np.argsort(np.concatenate([np.zeros(0, np.int64), *places]), kind="stable")
    return pa.concat_arrays(values).take(pa.array(order, pa.int64()))


def join(parts: Sequence[ArrowArray | str], separator: str) -> ArrowArray:
    """Join the texts of each row. A part can be a single text for all rows."""
    written = [pa.scalar(part, pa.large_string()) if isinstance(part, str) else part for part in parts]
    joined: ArrowArray = pc.binary_join_element_wise(*written, pa.scalar(separator, pa.large_string()))
    return joined


def join_runs(words: ArrowArray, starts: Int64s, separator: str) -> ArrowArray:
    """Join each run of words into one text. The last entry of `starts` is the total number of words."""
    runs: Any = pa.LargeListArray.from_arrays(pa.array(starts, pa.int64()), words)
    joined: ArrowArray = pc.binary_join(runs, pa.scalar(separator, pa.large_string()))
    return joined
