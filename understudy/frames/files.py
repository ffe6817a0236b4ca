"""The pandas format of samples if the real table was read from a file. This module does not import pandas."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from understudy.frames.frame_format import ColumnFormat, FrameFormat


def file_format(columns: Iterable[tuple[str, pa.DataType, bool]]) -> FrameFormat:
    """Return the format of columns, each given as a tuple (name, type, has_missing).

    Only integer and boolean columns are listed because their dtype must not depend on whether a sample
    contains missing values.
    """
    formats = {
        name: form
        for name, type_, has_missing in columns
        if (form := whole_format(type_, has_missing=has_missing)) is not None
    }
    return FrameFormat(library="pandas", columns=formats)


def whole_format(type_: pa.DataType, *, has_missing: bool) -> ColumnFormat | None:
    """Return the format of an integer or boolean column, or None for other types."""
    if pa.types.is_boolean(type_):
        return ColumnFormat(dtype="boolean" if has_missing else "bool")
    if not pa.types.is_integer(type_):
        return None
    name = str(type_)
    return ColumnFormat(dtype=name.replace("uint", "UInt").replace("int", "Int") if has_missing else name)
