"""Distinct texts with their counts, and regular expression matches in texts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

from understudy.tables.placeholders import find_placeholders

Int64s = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
# A quoted alias, because Arrow's classes accept no type arguments at run time.
ArrowArray: TypeAlias = "pa.Array[Any]"
# Any: the stubs of these functions do not support types that are known only at run time.
pc: Any = pyarrow.compute


@dataclass(frozen=True)
class CountedTexts:
    """Distinct texts with their counts."""

    distinct: ArrowArray
    counts: Int64s

    @property
    def n(self) -> int:
        """The number of non-missing values."""
        return int(self.counts.sum())

    def count(self, is_match: Mask) -> int:
        """Return the number of values that have one of the distinct texts selected by a mask."""
        return int(self.counts[is_match].sum())

    def share(self, pattern: str) -> float:
        """Return the share of values that contain a match of a regular expression."""
        return self.count(find_matches(self.distinct, pattern)) / max(self.n, 1)


def find_matches(texts: ArrowArray, pattern: str) -> Mask:
    """Return a mask of the texts that contain a match of a regular expression."""
    is_match: Mask = pc.match_substring_regex(texts, pattern).to_numpy(zero_copy_only=False)
    return is_match


def lengths_of(texts: ArrowArray) -> Int64s:
    """Return the number of characters of each text."""
    lengths: Int64s = pc.utf8_length(texts).to_numpy(zero_copy_only=False).astype(np.int64)
    return lengths


def count_words(texts: ArrowArray) -> Int64s:
    """Return the number of words in each text. Words are separated by whitespace."""
    n_words: Int64s = pc.count_substring_regex(texts, r"\S+").to_numpy(zero_copy_only=False).astype(np.int64)
    return n_words


def without_placeholders(texts: CountedTexts) -> CountedTexts:
    """Return the texts without placeholders such as `unknown`."""
    kept = ~find_placeholders(texts.distinct)
    return texts if kept.all() else CountedTexts(texts.distinct.filter(pa.array(kept)), texts.counts[kept])
