"""Conversion of pandas DataFrames. Labels, the index and column dtypes are preserved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import pyarrow as pa

from understudy.errors import InvalidInput
from understudy.frames.frame_format import ColumnFormat, FrameFormat
from understudy.frames.pandas_reading import read_column
from understudy.frames.pandas_writing import usual_format, write_column


def read(frame: pd.DataFrame) -> tuple[pa.Table, FrameFormat]:
    """Return the frame as an Arrow table that starts with the levels of a named index, and its format.

    Raises
    ------
    InvalidInput
        If the labels, the index or a column are not supported.
    """
    if isinstance(frame.columns, pd.MultiIndex):
        raise InvalidInput(
            "The frame has several levels of column labels. Join them into one: "
            "frame.columns = ['_'.join(map(str, labels)) for labels in frame.columns].",
            code="invalid_parameters",
        )
    index = _index_columns(frame.index)
    series = [*index, *((label, values) for label, values in frame.items())]
    names = _name_columns([label for label, _ in series])
    columns, formats = [], {}
    for name, (label, values) in zip(names, series, strict=True):
        column, form = read_column(name, values)
        columns.append(column)
        formats[name] = form if label == name else form.model_copy(update={"label": int(label)})
    fields = [
        pa.field(name, column.type, nullable=column.null_count > 0)
        for name, column in zip(names, columns, strict=True)
    ]
    table = pa.table(columns, schema=pa.schema(fields))
    return table, FrameFormat(library="pandas", columns=formats, index=tuple(names[: len(index)]))


def _index_columns(index: pd.Index[Any]) -> list[tuple[Any, Any]]:
    """Return the names and values of the levels of a named index. An unnamed integer index has no levels."""
    if all(name is not None for name in index.names):
        return [(name, pd.Series(index.get_level_values(i))) for i, name in enumerate(index.names)]
    if index.nlevels == 1 and pd.api.types.is_integer_dtype(index.dtype):
        return []
    raise InvalidInput(
        "The frame's index has no name. Set frame.index.name (or names, if it has several levels) to "
        "include the index, or drop it with frame.reset_index(drop=True).",
        code="invalid_parameters",
    )


def _name_columns(labels: Sequence[Any]) -> list[str]:
    """Return a column name for each label: strings unchanged, and integers as strings."""
    names: dict[str, None] = {}
    for label in labels:
        is_number = pd.api.types.is_integer(label)
        if not (isinstance(label, str) or is_number):
            raise InvalidInput(
                f"A column label is of type {type(label).__name__}. Convert the labels to strings: "
                "frame.columns = frame.columns.map(str).",
                code="invalid_parameters",
            )
        name = str(label)
        if name in names:
            raise InvalidInput(
                f"Two columns, or the index and a column, are named {name!r}. Rename one of them.",
                code="invalid_parameters",
            )
        names[name] = None
    return list(names)


def write(table: pa.Table, form: FrameFormat) -> pd.DataFrame:
    """Return a table as a frame with the given format. The frame shares no memory with the table."""
    names = table.column_names
    formats = [
        form.columns.get(field.name) or usual_format(field.type, has_missing=column.null_count > 0)
        for field, column in zip(table.schema, table.columns, strict=True)
    ]
    arrays = {
        i: write_column(column, column_form)
        for i, (column, column_form) in enumerate(zip(table.columns, formats, strict=True))
    }
    frame = pd.DataFrame(arrays, index=pd.RangeIndex(table.num_rows), copy=False)
    labels = [_label(name, column_form) for name, column_form in zip(names, formats, strict=True)]
    levels = [names.index(name) for name in form.index if name in names]
    if levels:
        frame = frame.set_index(levels)
        frame.index.names = [labels[level] for level in levels]
    frame.columns = pd.Index([label for i, label in enumerate(labels) if i not in levels])
    return frame


def _label(name: str, form: ColumnFormat) -> str | int:
    return name if form.label is None else form.label
