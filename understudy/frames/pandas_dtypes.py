"""Conversion between pandas dtypes and their names."""

from __future__ import annotations

import contextlib
import re
from datetime import timedelta, timezone
from typing import Any, Literal, cast

import numpy as np
import pandas as pd
import pyarrow as pa
from pandas.api.types import pandas_dtype

Unit = Literal["s", "ms", "us", "ns"]
CATEGORY = "category"
OBJECT = "object"
MASKED = frozenset(
    {
        *("Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64"),
        *("Float32", "Float64", "boolean"),
    }
)
# Default dtype of strings: `str` since pandas 3, `object` in earlier pandas versions.
USUAL_TEXT = "str[pyarrow]" if int(pd.__version__.partition(".")[0]) >= 3 else OBJECT

_PLAIN = re.compile(r"bool|u?int(8|16|32|64)|float(16|32|64)|(datetime|timedelta)64\[(s|ms|us|ns)\]")
_TEXT = re.compile(r"(str|string)\[(python|pyarrow)\]")
_ZONED = re.compile(r"datetime64\[(s|ms|us|ns), ([\w/+:-]+)\]")
_ARROW = re.compile(r"arrow\[(.+)\]")
_OFFSET = re.compile(r"([+-])(\d\d):(\d\d)")


def name_text_dtype(dtype: pd.StringDtype) -> str:
    """Return the name of a string dtype including its storage, which pandas omits."""
    storage: str = dtype.storage
    # Before version 2.3, pandas had a third string storage that represents missing values as NaN.
    has_nan = storage == "pyarrow_numpy" or dtype.na_value is not pd.NA
    storage = storage.partition("_")[0]
    return f"{'str' if has_nan else 'string'}[{storage}]"


def name_zoned_dtype(dtype: pd.DatetimeTZDtype) -> str | None:
    """Return the name of a timestamp dtype with a time zone, or None if the time zone has no name."""
    try:
        zone = pa.lib.tzinfo_to_string(dtype.tz)
    except (ValueError, NotImplementedError):
        return None
    name = f"datetime64[{dtype.unit}, {zone}]"
    return name if _ZONED.fullmatch(name) else None


def name_arrow_dtype(type_: pa.DataType) -> str:
    """Return a unique name for an `ArrowDtype` because pandas uses `string[pyarrow]` for two dtypes."""
    return f"arrow[{type_}]"


def arrow_type_of(name: str) -> str | None:
    """Return the Arrow type in the name of an `ArrowDtype`, or None for other dtypes."""
    match = _ARROW.fullmatch(name)
    return match[1] if match else None


def zone_of(name: str) -> str | None:
    """Return the time zone in the name of a timestamp dtype, or None for other dtypes."""
    match = _ZONED.fullmatch(name)
    return match[2] if match else None


def parse_dtype(name: str) -> Any:  # Any: dtypes of numpy and pandas have no common class
    """Return the dtype with the given name, or None if it is unsupported or its time zone is unknown."""
    if _PLAIN.fullmatch(name) or name in MASKED or name == OBJECT:
        return pandas_dtype(name)
    if match := _TEXT.fullmatch(name):
        return _text_dtype(match[1], match[2])
    if match := _ZONED.fullmatch(name):
        # For an unknown time zone, the exception depends on the version of pandas.
        with contextlib.suppress(ValueError, TypeError, KeyError):
            return pd.DatetimeTZDtype(cast(Unit, match[1]), _parse_zone(match[2]))
    return None


def _text_dtype(name: str, storage: str) -> Any:  # Any: see `parse_dtype`
    if name == "string":
        return pd.StringDtype(storage)
    if USUAL_TEXT == OBJECT:
        return np.dtype(object)
    return pd.StringDtype(storage, na_value=np.nan)


def _parse_zone(text: str) -> Any:  # Any: the name of a zone, or an offset as a `timezone`
    match = _OFFSET.fullmatch(text)
    if match is None:
        return text
    offset = timedelta(hours=int(match[2]), minutes=int(match[3]))
    return timezone(-offset if match[1] == "-" else offset)
