"""Conversion of Arrow columns to pandas, with their original dtype or the usual dtype of their Arrow type."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from understudy.frames.arrow_frames import encode, index_by_category
from understudy.frames.files import whole_format
from understudy.frames.frame_format import ColumnFormat
from understudy.frames.pandas_dtypes import (
    CATEGORY,
    OBJECT,
    USUAL_TEXT,
    arrow_type_of,
    parse_dtype,
    zone_of,
)

ArrowColumn: TypeAlias = "pa.ChunkedArray[Any]"
# Any: numpy arrays and pandas extension arrays have no common class.
PandasArray = Any

_MISSING: dict[str | None, object] = {"nan": np.nan, "NA": pd.NA, "NaT": pd.NaT, "None": None, None: None}


def usual_format(type_: pa.DataType, *, has_missing: bool) -> ColumnFormat:
    """Return the dtype that pandas would choose for a column, except that integers remain integers."""
    if (whole := whole_format(type_, has_missing=has_missing)) is not None:
        return whole
    if pa.types.is_floating(type_):
        return ColumnFormat(dtype=str(np.dtype(type_.to_pandas_dtype())))
    if pa.types.is_timestamp(type_):
        return ColumnFormat(dtype=f"datetime64[{type_.unit}{f', {type_.tz}' if type_.tz else ''}]")
    if pa.types.is_duration(type_):
        return ColumnFormat(dtype=f"timedelta64[{type_.unit}]")
    is_text = pa.types.is_string(type_) or pa.types.is_large_string(type_)
    return ColumnFormat(dtype=USUAL_TEXT if is_text else OBJECT)


def write_column(column: ArrowColumn, form: ColumnFormat) -> PandasArray:
    """Return the values of a column with the dtype of its format, as a writeable array."""
    if (arrow_type := arrow_type_of(form.dtype)) is not None:
        inner = form.model_copy(update={"dtype": arrow_type})
        return pd.arrays.ArrowExtensionArray(encode(column, inner))
    if form.dtype == CATEGORY:
        return _write_categories(column, form)
    dtype = parse_dtype(form.dtype)
    if dtype is None:
        return _write_usual(column, form)
    if dtype == np.dtype(object):
        return _write_objects(column, _MISSING[form.missing])
    if zone_of(form.dtype) is not None:
        moments = pd.DatetimeIndex(column.cast(pa.timestamp(dtype.unit)).to_numpy())
        return moments.tz_localize("UTC").tz_convert(dtype.tz).array
    if not isinstance(dtype, np.dtype):
        return dtype.__from_arrow__(column)
    if dtype.kind in "biu" and column.null_count > 0:
        return _write_usual(column, form)
    return _writeable(column.to_numpy())


def _write_usual(column: ArrowColumn, form: ColumnFormat) -> PandasArray:
    usual = usual_format(column.type, has_missing=column.null_count > 0)
    # If the formats are equal, pandas does not support the time zone. An Arrow array preserves its name.
    return pd.arrays.ArrowExtensionArray(column) if usual == form else write_column(column, usual)


def _writeable(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the array, or a copy if it is a view of Arrow's read-only memory."""
    return array if array.flags.writeable else array.copy()


def _write_categories(column: ArrowColumn, form: ColumnFormat) -> PandasArray:
    values, index = index_by_category(column, form.categories)
    name = OBJECT if form.categories is None else form.categories.dtype
    categories = pd.Index(write_column(pa.chunked_array([values]), ColumnFormat(dtype=name)))
    is_ordered = form.categories is not None and form.categories.is_ordered
    codes = index.fill_null(pa.scalar(-1, pa.int32())).to_numpy()
    return pd.Categorical.from_codes(codes, dtype=pd.CategoricalDtype(categories, ordered=is_ordered))


def _write_objects(column: ArrowColumn, missing: object) -> PandasArray:
    """Return Python objects, using fast conversions for dates and strings."""
    if pa.types.is_date(column.type):
        objects = column.cast(pa.date32()).to_numpy().astype(object)
    elif pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        objects = _writeable(column.to_numpy())
    else:
        objects = np.empty(len(column), object)
        objects[:] = column.to_pylist()
    if missing is not None and column.null_count > 0:
        objects[column.is_null().to_numpy()] = missing
    # The dtype is explicit because pandas would otherwise convert the objects to strings or timestamps.
    return pd.Series(objects, dtype=object)
