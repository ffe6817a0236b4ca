"""Conversion of Arrow tables. Dictionaries, string views and small decimals are preserved."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from understudy.errors import InvalidInput
from understudy.frames.frame_format import Categories, ColumnFormat, FrameFormat
from understudy.tables.casting import cast

_DICTIONARY = re.compile(r"dictionary<values=.+, indices=(u?int(?:8|16|32|64)), ordered=([01])>")
_SMALL_DECIMAL = re.compile(r"decimal(32|64)\((\d+), (-?\d+)\)")
_INDEX_TYPES = {
    str(type_): type_
    for type_ in (
        *(pa.int8(), pa.int16(), pa.int32(), pa.int64()),
        *(pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()),
    )
}


def read(frame: Any) -> tuple[pa.Table, FrameFormat]:  # Any: every object with an Arrow stream is accepted.
    """Return the table and the format of an Arrow object."""
    table = frame if isinstance(frame, pa.Table) else pa.table(frame)
    formats = {
        field.name: ColumnFormat(dtype=str(field.type), categories=read_categories(table.column(i)))
        for i, field in enumerate(table.schema)
        if _is_encoded(field.type)
    }
    return _without_views(table), FrameFormat(library="arrow", columns=formats)


def _without_views(table: pa.Table) -> pa.Table:
    """Return a table with string views cast to strings because few Arrow functions support views."""
    columns = [column.cast(pa.string()) if _is_view(column.type) else column for column in table.columns]
    fields = [field.with_type(column.type) for field, column in zip(table.schema, columns, strict=True)]
    return pa.table(columns, schema=pa.schema(fields))


def _is_view(type_: pa.DataType) -> bool:
    return pa.types.is_string_view(type_.value_type if pa.types.is_dictionary(type_) else type_)


def write(table: pa.Table, form: FrameFormat) -> pa.Table:
    """Return the table with the column types of the format."""
    columns = [
        encode(column, form.columns[name]) if name in form.columns else column
        for name, column in zip(table.column_names, table.columns, strict=True)
    ]
    fields = [
        pa.field(field.name, column.type, nullable=field.nullable)
        for field, column in zip(table.schema, columns, strict=True)
    ]
    return pa.table(columns, schema=pa.schema(fields))


def _is_encoded(type_: pa.DataType) -> bool:
    """Return whether columns of a type are stored as another type; see `storable_type`."""
    kinds = (
        *(pa.types.is_dictionary, pa.types.is_null, pa.types.is_string_view),
        *(pa.types.is_decimal32, pa.types.is_decimal64),
    )
    return any(is_kind(type_) for is_kind in kinds)


def read_categories(column: pa.ChunkedArray[Any]) -> Categories | None:
    """Return the categories of an ordered dictionary, or None for other columns."""
    if not (pa.types.is_dictionary(column.type) and column.type.ordered and column.num_chunks):
        return None
    first: Any = column.unify_dictionaries().chunk(0)
    return Categories(values=tuple(texts_of(first.dictionary)), is_ordered=True)


def texts_of(values: pa.Array[Any]) -> list[str]:
    """Return categories as strings. `parse_texts` converts the strings back to the same values."""
    return [str(text) for text in values.cast(pa.string()).to_pylist()]


def parse_texts(texts: Sequence[str], type_: pa.DataType) -> pa.Array[Any]:
    """Convert the strings of categories to values.

    Raises
    ------
    InvalidInput
        If the strings cannot be converted, because the column now has another type.
    """
    try:
        return cast(pa.array(texts, pa.string()), type_)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        # The cause is dropped because Arrow's message contains a value.
        raise InvalidInput(
            f"The categories of a column do not fit its type {type_}. Correct the column's type in the "
            "schema.",
            code="invalid_parameters",
        ) from None


def encode(column: pa.ChunkedArray[Any], form: ColumnFormat) -> pa.ChunkedArray[Any]:
    """Convert a column to the Arrow type of its format."""
    if match := _DICTIONARY.fullmatch(form.dtype):
        return _encode_dictionary(column, _INDEX_TYPES[match[1]], match[2] == "1", form.categories)
    if form.dtype == "string_view":
        return column.cast(pa.string_view())
    if form.dtype == "large_string":
        return column.cast(pa.large_string())
    if form.dtype == "null":
        return pa.chunked_array([pa.nulls(len(column))]) if column.null_count == len(column) else column
    if match := _SMALL_DECIMAL.fullmatch(form.dtype):
        make = pa.decimal32 if match[1] == "32" else pa.decimal64
        return column.cast(make(int(match[2]), int(match[3])))
    return column


def _encode_dictionary(
    column: pa.ChunkedArray[Any], index_type: pa.DataType, is_ordered: bool, categories: Categories | None
) -> pa.ChunkedArray[Any]:
    values, index = index_by_category(column, categories)
    # A generated column may have more distinct values than the index type can represent.
    with contextlib.suppress(pa.ArrowInvalid):
        index = index.cast(index_type)
    chunks = [pa.DictionaryArray.from_arrays(chunk, values, ordered=is_ordered) for chunk in index.chunks]
    # Any: the stubs reject non-literal flags and some dictionary types.
    make_type: Any = pa.dictionary
    return pa.chunked_array(chunks, make_type(index.type, values.type, ordered=is_ordered))


def index_by_category(
    column: pa.ChunkedArray[Any], categories: Categories | None
) -> tuple[pa.Array[Any], pa.ChunkedArray[Any]]:
    """Return the categories of a column, and the position of each value's category.

    Values that are not among the given categories are appended. Generated columns have such values.

    Returns
    -------
    values : pyarrow.Array of shape (n_categories,)
        Categories in their given order.
    index : pyarrow.ChunkedArray of int32, of shape (n,)
        Position of each value, or null for a missing value.
    """
    unique: Any = column.unique()
    values: pa.Array[Any] = pc.drop_null(unique)
    if categories is not None:
        given = parse_texts(categories.values, column.type)
        is_new = pc.invert(pc.is_in(values, value_set=given))
        values = pa.concat_arrays([given, values.filter(is_new)])
    index: Any = pc.index_in(column, value_set=values)
    return values, index
