"""New subjects for canaries. None of these subjects occurs in the table."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute

from understudy.errors import InvalidInput

# `Any` is used for columns of any type. It is also used for Arrow's compute functions, because their stubs do
# not support types that are only known at run time.
pc: Any = pyarrow.compute
Arrow: TypeAlias = Any

PREFIX = "canary"


def with_fresh_subjects(made: pa.Table, table: pa.Table, subject: Sequence[str]) -> pa.Table:
    """Return the canaries with a new, distinct subject for each canary.

    If a subject consists of several columns, only one of these columns gets new values.

    Raises
    ------
    InvalidInput
        If no column of the subject can represent enough new values.
    """
    for name in subject:
        values = _fresh_values(table.column(name), made.num_rows)
        if values is not None:
            return made.set_column(made.column_names.index(name), made.schema.field(name), values)
    if subject:
        raise InvalidInput(
            f"The subject columns cannot store the {made.num_rows} new subjects that the canaries need. "
            "Request fewer canaries, or choose other columns as the subject."
        )
    return made


def _fresh_values(column: Arrow, n: int) -> Arrow | None:
    type_ = column.type
    if pa.types.is_string(type_) or pa.types.is_large_string(type_):
        return _fresh_texts(column, n)
    if pa.types.is_floating(type_) or pa.types.is_decimal(type_):
        most = pc.max(pc.ceil(column.cast(pa.float64()))).as_py() or 0
        to_value = Decimal if pa.types.is_decimal(type_) else float
        return _array([to_value(int(most) + 1 + i) for i in range(n)], type_)
    if pa.types.is_integer(type_):
        return _fresh_integers(column, n, type_)
    if pa.types.is_temporal(type_):
        stored_as = pa.int32() if type_.bit_width == 32 else pa.int64()
        return _fresh_integers(column.cast(stored_as), n, stored_as, to=type_)
    return None


def _fresh_texts(column: Arrow, n: int) -> Arrow:
    prefix = PREFIX
    while pc.any(pc.starts_with(column, prefix)).as_py():
        prefix += "-"
    return pa.array([f"{prefix}{i}" for i in range(n)], column.type)


def _fresh_integers(
    column: Arrow, n: int, type_: pa.DataType, *, to: pa.DataType | None = None
) -> Arrow | None:
    ends = pc.min_max(column).as_py()
    low, high = ends["min"] or 0, ends["max"] or 0
    # `Any` is used because the stubs do not specify a type. At run time, it is always an integer type.
    dtype: Any = type_.to_pandas_dtype()
    limits = np.iinfo(dtype)
    if high + n <= limits.max:
        return pa.array(range(high + 1, high + 1 + n), type_).cast(to or type_)
    if low - n >= limits.min:
        return pa.array(range(low - n, low), type_).cast(to or type_)
    return None


def _array(values: Sequence[float | Decimal], type_: pa.DataType) -> Arrow | None:
    try:
        return pa.array(values, type_)
    except pa.ArrowInvalid:
        # The decimal type has too few digits for the new values. Another column of the subject may have
        # enough digits.
        return None
