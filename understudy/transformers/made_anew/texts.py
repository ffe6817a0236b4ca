"""What is done with columns of text: counting, finding, joining."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

from understudy.transformers.base import ArrowArray, ArrowColumn, Mask

Int64s = npt.NDArray[np.int64]
# Any: the stubs of these functions know no type that is given at run time.
pc: Any = pyarrow.compute


@dataclass(frozen=True)
class CountedTexts:
    """The distinct texts of a column with their counts."""

    distinct: ArrowArray
    counts: Int64s

    @property
    def n(self) -> int:
        """How many values are present."""
        return int(self.counts.sum())

    def share_once(self) -> float:
        """Return the share of values that nobody else has."""
        return int((self.counts == 1).sum()) / max(self.n, 1)

    def share(self, pattern: str) -> float:
        """Return the share of values that a regular expression finds something in."""
        return float(self.counts[finds(self.distinct, pattern)].sum()) / max(self.n, 1)


def count_texts(values: ArrowColumn) -> CountedTexts:
    """Count the values of a column of text."""
    counted = pc.value_counts(values.drop_null().cast(pa.large_string()))
    counts = counted.field("counts").to_numpy(zero_copy_only=False).astype(np.int64)
    return CountedTexts(counted.field("values"), counts)


def distinct_values(values: ArrowColumn) -> ArrowArray:
    """Return the values that occur, each once."""
    distinct: ArrowArray = pc.unique(values)
    return distinct


def finds(texts: ArrowArray, pattern: str) -> Mask:
    """Return in which texts a regular expression finds something."""
    found: Mask = pc.match_substring_regex(texts, pattern).to_numpy(zero_copy_only=False)
    return found


def lengths_of(texts: ArrowArray) -> Int64s:
    """Return how many characters each text has."""
    lengths: Int64s = pc.utf8_length(texts).to_numpy(zero_copy_only=False).astype(np.int64)
    return lengths


def count_words(texts: ArrowArray) -> Int64s:
    """Return how many words, parted by blanks, each text has."""
    n_words: Int64s = pc.count_substring_regex(texts, r"\S+").to_numpy(zero_copy_only=False).astype(np.int64)
    return n_words


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
