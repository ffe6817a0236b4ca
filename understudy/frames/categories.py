"""Categories of data frame columns: their effect on column kinds, and which of them a model stores."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from understudy.frames.arrow_frames import parse_texts
from understudy.frames.frame_format import Categories, ColumnFormat, FrameFormat
from understudy.tables.arrow_types import parse_arrow_type
from understudy.tables.inference import storable_type
from understudy.tables.schema import GENERATED_KINDS, Column, ColumnKind, TableSchema
from understudy.transformers.base import MIN_SUPPORT

_NUMBERS = frozenset(
    {
        *(ColumnKind.integer, ColumnKind.float, ColumnKind.decimal),
        *(ColumnKind.date, ColumnKind.time, ColumnKind.timestamp, ColumnKind.duration),
    }
)


def apply_categories(schema: TableSchema, form: FrameFormat) -> TableSchema:
    """Return a schema that assigns the kind `category` to numeric columns with categories.

    Otherwise, a model would sample numbers between the categories.
    """
    columns = tuple(
        column.model_copy(update={"kind": ColumnKind.category})
        if column.kind in _NUMBERS and _has_categories(form, column.name)
        else column
        for column in schema.columns
    )
    return schema.model_copy(update={"columns": columns})


def _has_categories(form: FrameFormat, name: str) -> bool:
    return name in form.columns and form.columns[name].categories is not None


def retain_categories(
    form: FrameFormat, given: pa.Schema, table: pa.Table, schema: TableSchema
) -> FrameFormat:
    """Return the format without the categories that a model must not store.

    A category with 1 to `MIN_SUPPORT` - 1 rows is removed because the model also suppresses it. All
    categories of generated columns are removed. Ordered categories, levels declared in the schema, and
    categories without rows are kept, because they are declarations. If the schema assigns another type to a
    column, the column gets the usual dtype of that type.

    Parameters
    ----------
    form : FrameFormat
        Format of the frame.
    given : pyarrow.Schema
        Column types of the frame when it was read.
    table : pyarrow.Table
        Rows that the model learns from, with the columns of the schema.
    schema : TableSchema
        Schema of the table.
    """
    kept = {}
    for name, column_form in form.columns.items():
        column = schema.column(name)
        if name in form.texts:
            kept[name] = column_form
        elif str(storable_type(name, given.field(name).type)) != column.arrow_type:
            kept[name] = ColumnFormat(dtype="", label=column_form.label)
        elif column_form.categories is None:
            kept[name] = column_form
        else:
            values = _retained(column_form.categories, table, column, schema.subject)
            categories = column_form.categories.model_copy(update={"values": values})
            kept[name] = column_form.model_copy(update={"categories": categories})
    return form.model_copy(update={"columns": kept})


def _retained(
    categories: Categories, table: pa.Table, column: Column, subject: tuple[str, ...]
) -> tuple[str, ...]:
    if column.kind in GENERATED_KINDS:
        return ()
    if categories.is_ordered:
        return categories.values
    given = parse_texts(categories.values, parse_arrow_type(column.arrow_type))
    is_rare = pc.is_in(given, value_set=_rare_values(table, column.name, subject))
    declared = set() if column.domain is None else {str(level) for level in column.domain.levels}
    return tuple(
        text
        for text, rare in zip(categories.values, is_rare.to_pylist(), strict=True)
        if not rare or text in declared
    )


def _rare_values(table: pa.Table, name: str, subject: tuple[str, ...]) -> pa.Array[Any]:
    """Return the values that occur in fewer than `MIN_SUPPORT` rows, or subjects if a subject is declared."""
    columns = list(dict.fromkeys((name, *subject)))
    rows = table.select(columns)
    if subject:
        rows = rows.group_by(columns).aggregate([])
    # `Any` is needed because the stubs do not declare the struct type for values and counts.
    counted: Any = rows.column(name).value_counts()
    rare: pa.Array[Any] = counted.field("values").filter(
        pc.less(counted.field("counts"), pa.scalar(MIN_SUPPORT))
    )
    return rare
