"""Detect notations of numbers and dates, parse texts in a notation, and write values in a notation.

The modules of this package are imported on first use, because few columns have a notation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from understudy.lazy_members import lazy_members

if TYPE_CHECKING:
    from understudy.tables.notations.parsing import AnyNotation, parse
    from understudy.tables.notations.writing import is_applicable, write, written_batch, written_column

__all__ = ["AnyNotation", "is_applicable", "parse", "write", "written_batch", "written_column"]

__getattr__ = lazy_members(
    __name__,
    "understudy.tables.notations.parsing:AnyNotation",
    "understudy.tables.notations.parsing:parse",
    "understudy.tables.notations.writing:is_applicable",
    "understudy.tables.notations.writing:write",
    "understudy.tables.notations.writing:written_batch",
    "understudy.tables.notations.writing:written_column",
)
