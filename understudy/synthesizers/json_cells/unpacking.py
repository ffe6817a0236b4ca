"""Split the values of a JSON column into one column for each path in their structure."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa

from understudy.synthesizers.json_cells.parsing import ABSENT_VALUE
from understudy.synthesizers.json_cells.structure import ABSENT, NULL, PRESENT, Node
from understudy.transformers.base import ArrowArray


def unpack(node: Node, values: list[Any]) -> Iterator[tuple[str, ArrowArray]]:
    """Yield the name and the values of each column of a node and of the nodes below it.

    A value counts as absent if its type differs from the type of its node.
    """
    present = [value if _fits(value, node) else ABSENT_VALUE for value in values]
    if node.state is not None:
        states = [
            _state(value, is_present=own is not ABSENT_VALUE)
            for value, own in zip(values, present, strict=True)
        ]
        yield node.state, pa.array(states, pa.string())
    if node.column is not None:
        yield node.column, _column(node, present)
    for key, member in node.members:
        yield from unpack(member, [_member(value, key) for value in present])
    for i, item in enumerate(node.items):
        yield from unpack(item, [_item(value, i) for value in present])


def _state(value: object, *, is_present: bool) -> str:
    return PRESENT if is_present else NULL if value is None else ABSENT


def _member(value: Any, key: str) -> Any:  # Any: JSON
    return ABSENT_VALUE if value is ABSENT_VALUE else value.get(key, ABSENT_VALUE)


def _item(value: Any, i: int) -> Any:  # Any: JSON
    return ABSENT_VALUE if value is ABSENT_VALUE or len(value) <= i else value[i]


def _fits(value: object, node: Node) -> bool:
    if value is None or value is ABSENT_VALUE:
        return False
    if node.type == "object":
        return isinstance(value, dict)
    if node.type == "array":
        return isinstance(value, list)
    if node.type == "text":
        return isinstance(value, str)
    if node.type == "json" or isinstance(value, bool):
        return node.type in ("json", "boolean")
    if node.type == "integer":
        return isinstance(value, int) and -(2**63) <= value < 2**63
    # Larger integers, and infinite numbers such as 1e999, count as absent.
    is_finite = isinstance(value, int | float) and abs(value) <= sys.float_info.max
    return node.type == "number" and is_finite


def _column(node: Node, present: list[Any]) -> ArrowArray:
    read: dict[str, tuple[Callable[[Any], Any], pa.DataType]] = {
        "array": (lambda value: min(len(value), len(node.items)), pa.int64()),
        "integer": (int, pa.int64()),
        "number": (float, pa.float64()),
        "boolean": (bool, pa.bool_()),
        "text": (_storable, pa.string()),
        "json": (_json_text, pa.string()),
    }
    of, type_ = read[node.type]
    values = [None if value is ABSENT_VALUE else of(value) for value in present]
    column: ArrowArray = pa.array(values, type_)
    return column


def _json_text(value: Any) -> str:  # Any: JSON
    return _storable(json.dumps(value, ensure_ascii=False, default=str))


def _storable(text: str) -> str:
    """Return the text without lone surrogates, which cannot be stored."""
    return text.encode("utf-8", "replace").decode()
