"""Conversion of users' datasets: one frame or file, or a mapping of table names to frames or files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from understudy.errors import InvalidInput
from understudy.frames.frame_format import DatasetFormat, FrameFormat, Library
from understudy.frames.libraries import Frame, read_frame, write_frame
from understudy.tables.names import DEFAULT_NAME, table_name

# Any: one frame, or a mapping of names to frames.
Frames = Any


@dataclass(frozen=True)
class FrameDataset:
    """Arrow tables of a dataset, and the format of the original data."""

    tables: dict[str, pa.Table]
    form: DatasetFormat


def read_dataset(data: Frames, *, name: str | None = None) -> FrameDataset:
    """Return the tables of a frame, a file or a mapping.

    Parameters
    ----------
    data : frame, path or mapping of table names to these
        The user's dataset.
    name : str, optional
        Name of the table if the data is not a mapping. Default: the file name, or `table`.

    Raises
    ------
    InvalidInput
        If a mapping has no table, if a name is not a string, or if a table cannot be synthesized.
    """
    is_mapping = isinstance(data, Mapping)
    frames: Mapping[Any, Frame] = data if is_mapping else {name or _name_of(data): data}
    if not frames:
        raise InvalidInput(
            "The mapping contains no table. Add a table, with its name as the key.", code="invalid_parameters"
        )
    for key in frames:
        if not isinstance(key, str) or not key:
            raise InvalidInput(
                f"A table name is empty or not a string (type {type(key).__name__}). Use a "
                "non-empty string as the key.",
                code="invalid_parameters",
            )
    read = {key: read_frame(frame) for key, frame in frames.items()}
    form = DatasetFormat(tables={key: form for key, (_, form) in read.items()}, is_mapping=is_mapping)
    return FrameDataset({key: table for key, (table, _) in read.items()}, form)


def only_table_name(data: Frames) -> str | None:
    """Return the name of the only table, or None if a mapping has several tables or none."""
    if isinstance(data, Mapping):
        return next(iter(data)) if len(data) == 1 else None
    return _name_of(data)


def _name_of(frame: Frame) -> str:
    return table_name(Path(frame).stem) if isinstance(frame, str | Path) else DEFAULT_NAME


def write_dataset(tables: Mapping[str, pa.Table], form: DatasetFormat, library: Library | None) -> Frames:
    """Return tables in the format of a dataset: one frame, or a dict of frames if the data was a mapping.

    Parameters
    ----------
    tables : mapping of table name to pyarrow.Table
        Tables to convert.
    form : DatasetFormat
        Format of the original data.
    library : {"pandas", "polars", "arrow"}, optional
        Library of the frames. Default: the library of the original data.
    """
    forms = {name: form.tables.get(name, FrameFormat()) for name in tables}
    frames = {name: write_frame(table, forms[name], frames=library) for name, table in tables.items()}
    return frames if form.is_mapping else next(iter(frames.values()))
