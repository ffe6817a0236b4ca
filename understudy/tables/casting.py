"""Arrow's casts, with the one from text to times of day that it lacks; and the count of what does not fit."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc


def cast(array: pa.Array[Any], target: pa.DataType) -> pa.Array[Any]:
    """Return the array as another type.

    Raises
    ------
    pyarrow.ArrowInvalid, pyarrow.ArrowNotImplementedError
        If a value does not fit. The message holds the value: it must go no further.
    """
    if pa.types.is_time(target) and (pa.types.is_string(array.type) or pa.types.is_large_string(array.type)):
        texts: Any = array
        moments: pa.Array[Any] = pc.binary_join_element_wise("1970-01-01", texts, " ")
        return moments.cast(pa.timestamp("ns")).cast(target)
    return array.cast(target)


def count_unfit(array: pa.Array[Any], target: pa.DataType, n_max: int) -> int:
    """Count the values that do not fit by halving, up to n_max: Arrow names only the first."""
    try:
        cast(array, target)
    except pa.ArrowNotImplementedError:
        return min(len(array), n_max)
    except pa.ArrowInvalid:
        if len(array) == 1:
            return 1
        half = len(array) // 2
        n = count_unfit(array.slice(0, half), target, n_max)
        return n if n == n_max else n + count_unfit(array.slice(half), target, n_max - n)
    return 0
