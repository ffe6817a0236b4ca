"""What is done with columns of text: choosing, joining."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

from understudy.transformers.base import ArrowArray, ArrowColumn, Mask

Int64s = npt.NDArray[np.int64]
# Any: the stubs of these functions know no type that is given at run time.
pc: Any = pyarrow.compute


def distinct_values(values: ArrowColumn) -> ArrowArray:
    """Return the values that occur, each once."""
    distinct: ArrowArray = pc.unique(values)
    return distinct


def capitalized(texts: ArrowArray) -> ArrowArray:
    """Return the texts with capital first letters."""
    capitals: ArrowArray = pc.utf8_capitalize(texts)
    return capitals


def choose(condition: Mask, yes: Any, no: Any) -> ArrowArray:  # Any: arrays or single values
    """Return one or the other, row by row."""
    chosen: ArrowArray = pc.if_else(pa.array(condition), yes, no)
    return chosen


def join(parts: Sequence[ArrowArray | str], separator: str) -> ArrowArray:
    """Return the texts of each row, joined; a part may be one text for all rows."""
    written = [pa.scalar(part, pa.large_string()) if isinstance(part, str) else part for part in parts]
    joined: ArrowArray = pc.binary_join_element_wise(*written, pa.scalar(separator, pa.large_string()))
    return joined


def join_runs(words: ArrowArray, starts: Int64s, separator: str) -> ArrowArray:
    """Return one text for each run of words; the last start is the number of words."""
    runs: Any = pa.LargeListArray.from_arrays(pa.array(starts, pa.int64()), words)
    joined: ArrowArray = pc.binary_join(runs, pa.scalar(separator, pa.large_string()))
    return joined
