"""Notations of numbers and dates: detect them, parse texts that follow them, and write values in them."""

from __future__ import annotations

from understudy.tables.notations.parsing import parse
from understudy.tables.notations.writing import write, written_batch

__all__ = ["parse", "write", "written_batch"]
