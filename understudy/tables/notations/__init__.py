"""Detect notations of numbers and dates, parse texts in a notation, and write values in a notation."""

from __future__ import annotations

from understudy.tables.notations.parsing import parse
from understudy.tables.notations.writing import write, written_batch

__all__ = ["parse", "write", "written_batch"]
