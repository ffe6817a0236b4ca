"""Texts that occur, with their counts, and what regular expressions find in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

Int64s = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
# At run time Arrow's classes take no arguments.
ArrowArray: TypeAlias = "pa.Array[Any]"
# Any: the stubs of these functions know no type that is given at run time.
pc: Any = pyarrow.compute


@dataclass(frozen=True)
class CountedTexts:
    """Distinct texts with their counts."""

    distinct: ArrowArray
    counts: Int64s

    @property
    def n(self) -> int:
        """How many values are present."""
        return int(self.counts.sum())

    def count(self, is_so: Mask) -> int:
        """Return how many values are of the distinct texts that a mask marks."""
        return int(self.counts[is_so].sum())

    def share(self, pattern: str) -> float:
        """Return the share of values that a regular expression finds something in."""
        return self.count(finds(self.distinct, pattern)) / max(self.n, 1)


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
