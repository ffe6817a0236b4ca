"""Conversion of pandas columns to Arrow. Errors for unsupported columns suggest a conversion."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from understudy.errors import InvalidInput
from understudy.frames.arrow_frames import read_categories, texts_of
from understudy.frames.frame_format import Categories, ColumnFormat, Missing
from understudy.frames.pandas_dtypes import (
    CATEGORY,
    MASKED,
    OBJECT,
    name_arrow_dtype,
    name_text_dtype,
    name_zoned_dtype,
)

ArrowColumn: TypeAlias = "pa.ChunkedArray[Any]"
# Any: a Series of any dtype. The stubs accept only a fixed list of types.
Series = Any
Objects = npt.NDArray[np.object_]

_PLAIN_KINDS = "biufMm"
_REMEDIES: tuple[tuple[str, str], ...] = (
    ("period", "Convert it with .dt.to_timestamp()."),
    ("interval", "Convert it with .astype(str), or label the bins with pd.cut(…, labels=…)."),
    ("Sparse", "Convert it with .sparse.to_dense()."),
    ("complex", "Store the real and the imaginary part as two columns."),
    ("float128", "Convert it with .astype('float64')."),
    ("datetime64", "Convert it to a named time zone, for example with .dt.tz_convert('UTC')."),
)
_REMEDY = "Drop the column, or convert it to numbers, strings, dates or booleans."
_OBJECT_REMEDIES: dict[str, str] = {
    **dict.fromkeys(("Timestamp", "datetime64"), "Convert it with pd.to_datetime."),
    **dict.fromkeys(("Timedelta", "timedelta64"), "Convert it with pd.to_timedelta."),
    "Period": "Convert it with pd.PeriodIndex(…).to_timestamp().",
    **dict.fromkeys(
        ("list", "tuple", "ndarray", "set"), "Move each item to a row with .explode(), or to a column."
    ),
    "dict": "Move each key to a column with pd.json_normalize.",
}
# Maps each type of object to its name in error messages and its Arrow type. The Arrow type is None if Arrow
# infers it from the values.
_OBJECT_TYPES: dict[type, tuple[str, pa.DataType | None]] = {
    str: ("str", pa.string()),
    np.str_: ("str", pa.string()),
    bool: ("bool", pa.bool_()),
    np.bool_: ("bool", pa.bool_()),
    int: ("int", pa.int64()),
    **{type_: ("int", pa.int64()) for type_ in (np.int8, np.int16, np.int32, np.int64)},
    float: ("float", pa.float64()),
    **{type_: ("float", pa.float64()) for type_ in (np.float16, np.float32, np.float64)},
    date: ("date", pa.date32()),
    time: ("time", pa.time64("us")),
    timedelta: ("timedelta", pa.duration("us")),
    datetime: ("datetime", None),
    Decimal: ("Decimal", None),
}


def read_column(name: str, values: Series) -> tuple[ArrowColumn, ColumnFormat]:
    """Return a column as an Arrow array, and its format.

    Raises
    ------
    InvalidInput
        If the dtype or the objects of the column cannot be synthesized.
    """
    dtype = values.dtype
    if isinstance(dtype, np.dtype):
        if dtype.kind == "O":
            return _read_objects(name, values)
        if dtype.kind in _PLAIN_KINDS and dtype.itemsize <= 8:
            return _read_plain(values)
    elif (read := next((read for type_, read in _READERS if isinstance(dtype, type_)), None)) is not None:
        return read(name, values)
    elif str(dtype) in MASKED:
        return _chunked(values.array.__arrow_array__()), ColumnFormat(dtype=str(dtype))
    raise _unsupported(name, str(dtype))


def _chunked(array: Any) -> ArrowColumn:
    return array if isinstance(array, pa.ChunkedArray) else pa.chunked_array([array])


def _unsupported(name: str, dtype: str) -> InvalidInput:
    remedy = next((remedy for start, remedy in _REMEDIES if dtype.startswith(start)), _REMEDY)
    word = dtype.split("[", maxsplit=1)[0]
    return InvalidInput(
        f"Column {name!r} is of dtype {word}, which cannot be synthesized. {remedy}",
        code="unsupported_column",
    )


def _read_plain(values: Series) -> tuple[ArrowColumn, ColumnFormat]:
    array = values.to_numpy()
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    # No copy is made except for booleans, which Arrow packs. NaN and NaT become missing values.
    return _chunked(pa.array(array, from_pandas=True)), ColumnFormat(dtype=array.dtype.name)


def _read_zoned(name: str, values: Series) -> tuple[ArrowColumn, ColumnFormat]:
    dtype_name = name_zoned_dtype(values.dtype)
    if dtype_name is None:
        raise _unsupported(name, str(values.dtype))
    unit, zone = values.dtype.unit, pa.lib.tzinfo_to_string(values.dtype.tz)
    array = pa.array(values.to_numpy(dtype=f"M8[{unit}]"), pa.timestamp(unit))
    return _chunked(array.cast(pa.timestamp(unit, zone))), ColumnFormat(dtype=dtype_name)


def _read_text(name: str, values: Series) -> tuple[ArrowColumn, ColumnFormat]:
    try:
        array = values.array.__arrow_array__()
    except UnicodeEncodeError:
        raise _not_utf8(name) from None
    return _chunked(array), ColumnFormat(dtype=name_text_dtype(values.dtype))


def _not_utf8(name: str) -> InvalidInput:
    return InvalidInput(
        f"Column {name!r} contains a string that cannot be encoded as UTF-8. Replace its lone surrogates.",
        code="unsupported_column",
    )


def _read_arrow(name: str, values: Series) -> tuple[ArrowColumn, ColumnFormat]:
    array = _chunked(values.array.__arrow_array__())
    dtype = name_arrow_dtype(array.type)
    if len(dtype) > 255:  # Only nested types have longer names.
        raise _unsupported(name, str(array.type).partition("<")[0])
    return array, ColumnFormat(dtype=dtype, categories=read_categories(array))


def _read_categorical(name: str, values: Series) -> tuple[ArrowColumn, ColumnFormat]:
    codes = values.cat.codes.to_numpy()
    column, form = read_column(name, pd.Series(values.cat.categories))
    categories = column.combine_chunks()
    index = pa.array(codes, mask=codes < 0)
    is_ordered = bool(values.cat.ordered)
    listed = Categories(values=tuple(texts_of(categories)), is_ordered=is_ordered, dtype=form.dtype)
    array = pa.DictionaryArray.from_arrays(index, categories, ordered=is_ordered)
    return _chunked(array), ColumnFormat(dtype=CATEGORY, categories=listed)


_READERS: tuple[tuple[type, Callable[[str, Series], tuple[ArrowColumn, ColumnFormat]]], ...] = (
    (pd.CategoricalDtype, _read_categorical),
    (pd.StringDtype, _read_text),
    (pd.DatetimeTZDtype, _read_zoned),
    (pd.ArrowDtype, _read_arrow),
)


def _read_objects(name: str, values: Series) -> tuple[ArrowColumn, ColumnFormat]:
    objects = values.to_numpy()
    is_missing = pd.isna(objects)
    form = ColumnFormat(dtype=OBJECT, missing=_missing_marker(objects, is_missing))
    types = set(map(type, objects[~is_missing]))
    if not types:
        return pa.chunked_array([pa.nulls(len(objects), pa.string())]), form
    _check_zones(name, objects[~is_missing], types)
    type_ = _common_type(name, types)
    try:
        return _chunked(pa.array(objects, type_, mask=is_missing)), form
    except UnicodeEncodeError:
        raise _not_utf8(name) from None
    except (pa.ArrowException, OverflowError, ValueError, TypeError):
        # The cause is dropped because its message contains a value.
        word = _OBJECT_TYPES[next(iter(types))][0]
        raise InvalidInput(
            f"Column {name!r} has {word} objects that Arrow cannot store together, for example because some "
            "are too large. Convert the column to a dtype that can store all of its values, such as "
            "`float64` or `str`.",
            code="unsupported_column",
        ) from None


def _check_zones(name: str, objects: Objects, types: set[type]) -> None:
    """Raise an error for datetimes in several time zones, or for a mix with and without a time zone."""
    if not all(issubclass(type_, datetime) for type_ in types):
        return
    # Time zones are compared as strings because equal zones of different libraries are not equal objects.
    zones = {str(point.tzinfo) for point in objects}
    if len(zones) > 1:
        raise InvalidInput(
            f"Column {name!r} has times in several time zones, or some times with and some without a time "
            "zone. Convert them to one time zone: pd.to_datetime(…, utc=True).",
            code="unsupported_column",
        )


def _missing_marker(objects: Objects, is_missing: npt.NDArray[np.bool_]) -> Missing | None:
    """Return the name of the first missing-value marker, or None if no value is missing.

    The name is `"None"`, `"nan"`, `"NA"` or `"NaT"`.
    """
    if not is_missing.any():
        return None
    first = objects[is_missing.argmax()]
    # A Decimal NaN is replaced by None.
    if first is None or isinstance(first, Decimal):
        return "None"
    return "NA" if first is pd.NA else "NaT" if first is pd.NaT else "nan"


def _common_type(name: str, types: set[type]) -> pa.DataType | None:
    """Return the Arrow type of objects of the given types, or None if Arrow infers it from the values."""
    known = {_OBJECT_TYPES[type_] for type_ in types if type_ in _OBJECT_TYPES}
    words = {word for word, _ in known} | {type_.__name__ for type_ in types if type_ not in _OBJECT_TYPES}
    if len(words) > 1:
        first, second = sorted(words)[:2]
        raise InvalidInput(
            f"Column {name!r} has objects of different types, such as {first} and {second}. "
            "Convert them to one type, for example with .astype(str) or pd.to_numeric.",
            code="unsupported_column",
        )
    if not known:
        word = words.pop()
        remedy = _OBJECT_REMEDIES.get(word, "Convert the column with .astype(str), or drop it.")
        raise InvalidInput(
            f"Column {name!r} has objects of type {word}, which cannot be synthesized. {remedy}",
            code="unsupported_column",
        )
    return known.pop()[1]
