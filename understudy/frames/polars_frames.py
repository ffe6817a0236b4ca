"""Conversion of polars DataFrames through Arrow. polars is imported only to create a frame."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from understudy.errors import InvalidInput
from understudy.frames import arrow_frames
from understudy.frames.frame_format import FrameFormat

if TYPE_CHECKING:
    import polars as pl

ENUM, CATEGORICAL, NULL = "Enum", "Categorical", "Null"


def read(frame: pl.DataFrame) -> tuple[pa.Table, FrameFormat]:
    """Convert a frame to an Arrow table, and return the table and the format of the frame."""
    table, form = arrow_frames.read(frame.to_arrow())
    named = {
        name: column.model_copy(update={"dtype": _name_dtype(table.schema.field(name).type)})
        for name, column in form.columns.items()
    }
    return table, FrameFormat(library="polars", columns=named)


def _name_dtype(type_: pa.DataType) -> str:
    if not pa.types.is_dictionary(type_):
        return NULL
    return ENUM if type_.ordered else CATEGORICAL


def write(table: pa.Table, form: FrameFormat) -> pl.DataFrame:
    """Return a table as a frame with the given format.

    Raises
    ------
    InvalidInput
        If polars is not installed.
    """
    try:
        polars: Any = import_module("polars")
    except ModuleNotFoundError as error:
        raise InvalidInput(
            "The samples of the model are polars frames, but polars is not installed. Install polars, or "
            "choose another library with Model.with_format('pandas').",
            code="invalid_parameters",
        ) from error
    frame: pl.DataFrame = polars.from_arrow(table)
    dtypes: dict[str, Any] = {}
    for name, column in form.columns.items():
        if column.dtype == CATEGORICAL:
            dtypes[name] = polars.Categorical
        elif column.dtype == NULL and frame[name].null_count() == len(frame):
            dtypes[name] = polars.Null
        elif column.dtype == ENUM:
            values, _ = arrow_frames.index_by_category(table.column(name), column.categories)
            dtypes[name] = polars.Enum(values.to_pylist())
    written: pl.DataFrame = polars.DataFrame.cast(frame, dtypes)
    return written
