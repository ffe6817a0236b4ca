"""Find the columns that may contain JSON text. This check rules out most text columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from understudy.transformers.base import MIN_SUPPORT, ArrowColumn

# Minimum share of rows with a rare level. A category is not split below this share.
RARE_SHARE_MIN = 0.02
# Number of strings that are examined before all strings are parsed.
_N_EXAMINED = 20
_OBJECT_OR_ARRAY = r"^\s*(?s:\{.*\}|\[.*\])\s*$"


def may_be_json(values: ArrowColumn) -> bool:
    """Return whether the first strings of a column have the form of JSON objects or arrays."""
    if not (pa.types.is_string(values.type) or pa.types.is_large_string(values.type)):
        return False
    if len(values) - values.null_count < MIN_SUPPORT:
        return False
    return are_structured(values.drop_null().slice(0, _N_EXAMINED), 1.0)


def are_common(values: ArrowColumn) -> bool:
    """Return whether nearly all rows contain a string that is frequent enough to be learned as a level."""
    counts = np.asarray(pc.value_counts(values.drop_null()).field("counts"))
    return bool(counts[counts < MIN_SUPPORT].sum() < RARE_SHARE_MIN * counts.sum())


def are_structured(texts: Any, share_min: float) -> bool:  # Any: an array, or a column of several arrays
    """Return whether enough strings have the form of JSON objects or arrays."""
    share: Any = pc.mean(pc.match_substring_regex(texts, _OBJECT_OR_ARRAY).cast(pa.float64()))
    return bool(share.as_py() >= share_min)
