"""Cast Arrow arrays, and locate values that do not fit the new type.

Text can also be cast to times of day, which Arrow itself does not support.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc


def cast(array: pa.Array[Any], target: pa.DataType) -> pa.Array[Any]:
    """Return the array cast to another type.

    Raises
    ------
    pyarrow.ArrowInvalid, pyarrow.ArrowNotImplementedError
        If a value does not fit the type. The message contains the value, so the caller must not show the
        message to users.
    """
    if pa.types.is_time(target) and (pa.types.is_string(array.type) or pa.types.is_large_string(array.type)):
        texts: Any = array
        moments: pa.Array[Any] = pc.binary_join_element_wise("1970-01-01", texts, " ")
        return moments.cast(pa.timestamp("ns")).cast(target)
    return array.cast(target)


def typed_value(value: bool | int | float | str, type_: pa.DataType) -> pa.Array[Any]:
    """Return an array of the given type that contains a single JSON value.

    Raises
    ------
    ValueError
        If the value does not fit the type. The message does not contain the value.
    """
    # A decimal is parsed from text. A float would only approximate its digits, and Arrow converts an integer
    # only to decimal types that can store every integer of its type.
    given = repr(value) if pa.types.is_decimal(type_) and not isinstance(value, bool | str) else value
    try:
        typed = cast(pa.array([given]), type_)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError, OverflowError):
        raise ValueError(f"a value does not fit {type_}") from None
    if typed.null_count:
        raise ValueError(f"a value does not fit {type_}")
    return typed


def count_unfit(array: pa.Array[Any], target: pa.DataType, n_max: int) -> int:
    """Return the number of values that do not fit a type, up to n_max."""
    return len(find_unfit(array, target, n_max))


def find_unfit(array: pa.Array[Any], target: pa.DataType, n_max: int) -> list[int]:
    """Return the positions of the first n_max values that do not fit a type.

    Arrow reports only the first value that does not fit, so the array is halved until each such value is
    located.
    """
    try:
        cast(array, target)
    except pa.ArrowNotImplementedError:
        return list(range(min(len(array), n_max)))
    except pa.ArrowInvalid:
        if len(array) == 1:
            return [0]
        half = len(array) // 2
        first = find_unfit(array.slice(0, half), target, n_max)
        if len(first) == n_max:
            return first
        second = find_unfit(array.slice(half), target, n_max - len(first))
        return first + [half + position for position in second]
    return []
