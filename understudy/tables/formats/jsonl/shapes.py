"""Decide which part of a JSON object is a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from understudy.errors import InvalidInput

# Minimum number of rows for an object to be considered a table that is stored by columns or by row labels.
_ROWS_MIN = 3
_DEPTH_MAX = 4
_SHOWN = 5


def table_of(arrays: Sequence[str], others: Mapping[str, Any]) -> str | None:
    """Return the key of the table in an object, or None if the object is a single row.

    Parameters
    ----------
    arrays : sequence of str
        Keys that have arrays of objects as values.
    others : mapping of str
        All other keys and values.

    Raises
    ------
    InvalidInput
        If it is unclear where the table is, or if the object stores it by columns (code unreadable_file).
    """
    if len(arrays) > 1:
        shown = ", ".join(repr(key[:100]) for key in arrays[:_SHOWN])
        more = f" and {len(arrays) - _SHOWN:,} more" if len(arrays) > _SHOWN else ""
        raise InvalidInput(
            f"The JSON document has several arrays of objects: {shown}{more}. Save one of them as a file, "
            "for example with `jq '.KEY'`.",
            code="unreadable_file",
        )
    if arrays:
        return arrays[0]
    if any(_contains_rows(value) for value in others.values()):
        raise InvalidInput(
            "The file is a single JSON object, and an object within it contains an array of objects. Save "
            "this array to a file, for example with `jq '.KEY.KEY'`.",
            code="unreadable_file",
        )
    if _is_stored_by_columns(others):
        raise InvalidInput(
            "The file is a single JSON object that appears to store a table by columns or by row labels. "
            "Write one object per row; in pandas, use `to_json(orient='records')`.",
            code="unreadable_file",
        )
    return None


def _contains_rows(value: Any, depth: int = 0) -> bool:
    if not isinstance(value, dict) or depth > _DEPTH_MAX:
        return False
    return any(_is_rows(member) or _contains_rows(member, depth + 1) for member in value.values())


def _is_rows(value: Any) -> bool:
    return isinstance(value, list) and len(value) > 1 and all(isinstance(row, dict) for row in value)


def _is_stored_by_columns(members: Mapping[str, Any]) -> bool:
    values = list(members.values())
    if isinstance(members.get("columns"), list) and isinstance(members.get("data"), list):
        return True
    if not values:
        return False
    if all(isinstance(value, list) for value in values):
        lengths = set(map(len, values))
        return len(lengths) == 1 and min(lengths) >= _ROWS_MIN
    if all(isinstance(value, dict) for value in values):
        keys = {tuple(value) for value in values}
        return len(keys) == 1 and max(len(values), *map(len, keys)) >= _ROWS_MIN and len(values) > 1
    return False
