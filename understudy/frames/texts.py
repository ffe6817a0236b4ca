"""Text columns that a schema reads as numbers or dates."""

from __future__ import annotations

import pyarrow as pa

from understudy.frames.frame_format import ColumnFormat, FrameFormat
from understudy.tables.schema import TableSchema


def with_texts(form: FrameFormat, given: pa.Schema, schema: TableSchema) -> FrameFormat:
    """Return the format with the names of the text columns that the schema stores as another type.

    Parameters
    ----------
    given : pyarrow.Schema
        Column types of the frame when it was read.
    """
    texts = tuple(
        column.name
        for column in schema.columns
        if column.notation is not None
        and _is_text(type_ := given.field(column.name).type)
        and column.arrow_type != str(type_)
    )
    large = {
        name: ColumnFormat(dtype="large_string")
        for name in texts
        if form.library == "arrow" and pa.types.is_large_string(given.field(name).type)
    }
    return form.model_copy(update={"texts": texts, "columns": {**form.columns, **large}})


def _is_text(type_: pa.DataType) -> bool:
    return pa.types.is_string(type_) or pa.types.is_large_string(type_)
