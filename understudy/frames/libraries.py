"""The registry of frame libraries, and functions that detect the library of an object.

The module of the object's class identifies the library, so the library need not be imported.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, get_args

import pyarrow as pa

from understudy.errors import InvalidInput
from understudy.frames.files import file_format
from understudy.frames.frame_format import FrameFormat, Library
from understudy.tables.formats import read_table
from understudy.tables.inference import storable_type
from understudy.tables.notations.writing import written_column

# Any: a frame of any library, or a path. The libraries must not be imported only for their types.
Frame = Any

# Remedies for unsupported classes, by package and class name.
_REFUSED = {
    ("polars", "LazyFrame"): "Collect it first: frame.collect().",
    ("polars", "Series"): "Convert it to a frame: series.to_frame().",
    ("pandas", "Series"): "Convert it to a frame: series.to_frame().",
}


@dataclass(frozen=True)
class FrameLibrary:
    """A frame library, and its module with the functions `read` and `write`.

    `read(frame)` returns an Arrow table and its format, and `write(table, form)` returns a frame.
    """

    name: Library
    module: str

    def read(self, frame: Frame) -> tuple[pa.Table, FrameFormat]:
        """Convert a frame to an Arrow table, and return the table and the format of the frame."""
        table, form = import_module(self.module).read(frame)
        return table, form

    def write(self, table: pa.Table, form: FrameFormat) -> Frame:
        """Return a table as a frame with the given format."""
        return import_module(self.module).write(table, form)


LIBRARIES: dict[Library, FrameLibrary] = {
    library.name: library
    for library in (
        FrameLibrary("pandas", "understudy.frames.pandas_frames"),
        FrameLibrary("polars", "understudy.frames.polars_frames"),
        FrameLibrary("arrow", "understudy.frames.arrow_frames"),
    )
}


def read_frame(frame: Frame) -> tuple[pa.Table, FrameFormat]:
    """Return the Arrow table of a frame or a file, and the format of its samples.

    Raises
    ------
    InvalidInput
        If the object is not a table, has no rows, or has columns that cannot be synthesized.
    """
    if isinstance(frame, str | Path):
        table = read_table(Path(frame))
        missing = [column.null_count > 0 for column in table.columns]
        form = file_format(zip(table.column_names, table.schema.types, missing, strict=True))
    else:
        table, form = LIBRARIES[_library_of(frame)].read(frame)
        for field in table.schema:
            storable_type(field.name, field.type)
    if table.num_rows == 0:
        raise InvalidInput("The table has no rows. Pass a table with at least one row.", code="no_rows")
    return table, form


def write_frame(table: pa.Table, form: FrameFormat, *, frames: Library | None = None) -> Frame:
    """Return a table as a frame with the given format, or as a frame of another library.

    Raises
    ------
    InvalidInput
        If the library is unknown or not installed, or the format does not fit the table.
    """
    library = frames or form.library
    if library not in LIBRARIES:
        raise InvalidInput(
            f"The frame library {library!r} is not supported. Choose one of {', '.join(get_args(Library))}.",
            code="invalid_parameters",
        )
    kept = form if library == form.library else FrameFormat(library=library)
    plain = _with_texts(_without_dictionaries(table), form.texts)
    try:
        return LIBRARIES[library].write(plain, kept)
    # Exceptions that pandas, polars and Arrow raise if the format in a model file does not fit the table.
    except (ValueError, TypeError, NotImplementedError, OverflowError, pa.ArrowException) as error:
        raise InvalidInput(
            "The model file is damaged: its dtypes do not fit its columns. Save the model again with "
            "Model.save, or choose another library for samples with Model.with_format.",
            code="invalid_model_file",
        ) from error


def _with_texts(table: pa.Table, names: Sequence[str]) -> pa.Table:
    """Return the table with the given columns converted to text in their notation."""
    for index, field in enumerate(table.schema):
        if field.name in names:
            texts = written_column(table.column(index), field)
            table = table.set_column(index, pa.field(field.name, texts.type), texts)
    return table


def _without_dictionaries(table: pa.Table) -> pa.Table:
    types = [type_.value_type if pa.types.is_dictionary(type_) else type_ for type_ in table.schema.types]
    fields = [field.with_type(type_) for field, type_ in zip(table.schema, types, strict=True)]
    return table.cast(pa.schema(fields))


def _library_of(frame: Frame) -> Library:
    names = {(class_.__module__.partition(".")[0], class_.__name__) for class_ in type(frame).__mro__}
    for name, remedy in _REFUSED.items():
        if name in names:
            raise InvalidInput(f"A {name[0]} {name[1]} is not a table. {remedy}", code="invalid_parameters")
    if ("pandas", "DataFrame") in names:
        return "pandas"
    if ("polars", "DataFrame") in names:
        return "polars"
    if hasattr(frame, "__arrow_c_stream__") or hasattr(frame, "__arrow_c_array__"):
        return "arrow"
    raise InvalidInput(
        f"An object of type {type(frame).__name__} is not a table. Pass a pandas or polars DataFrame, an "
        "Arrow table, the path of a file, or a mapping of table names to these.",
        code="invalid_parameters",
    )
