"""Learn the structure of a column's JSON values. At least k rows share each part of the structure."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from understudy.synthesizers.json_cells.parsing import ABSENT_VALUE
from understudy.synthesizers.json_cells.structure import (
    DEPTH_MAX,
    N_COLUMNS_ARRAY_MAX,
    N_COLUMNS_MAX,
    Node,
    NodeType,
)
from understudy.transformers import generated
from understudy.transformers.base import MIN_SUPPORT, Subjects

# Minimum share of values with the most frequent type. Below this share, the values are learned as strings.
_SHARE_OF_TYPE_MIN = 0.95
# Maximum number of distinct arrays, and minimum share of rows whose array enough other rows share. Within
# these limits, arrays are learned as a whole.
_N_ARRAYS_MAX, _SHARED_MIN = 200, 0.9

_INT64 = range(-(2**63), 2**63)

# Function that returns an unused column name for a path.
NewName = Callable[[str], str]


@dataclass(frozen=True)
class Placed:
    """Values at one path in the JSON text, with the row of each value. Absent values are included."""

    rows: npt.NDArray[np.int64]
    values: list[Any]

    def where(self, keep: Sequence[bool]) -> Placed:
        """Return the values that the mask selects."""
        mask = np.asarray(keep, np.bool_)
        return Placed(self.rows[mask], [v for v, is_kept in zip(self.values, keep, strict=True) if is_kept])

    def members(self, key: str) -> Placed:
        """Return the values of a key in JSON objects."""
        return Placed(self.rows, [value.get(key, ABSENT_VALUE) for value in self.values])

    def items(self, place: int) -> Placed:
        """Return the items of arrays at a position."""
        return Placed(self.rows, [value[place] for value in self.values])


class Learner:
    """Learner that finds the structure of values as a tree of nodes.

    Parameters
    ----------
    new_name : callable
        Function that returns an unused column name.
    subjects : array of shape (n_rows,), optional
        Subject of each row. If given, support counts subjects instead of rows.
    """

    def __init__(self, new_name: NewName, subjects: Subjects | None) -> None:
        self._new_name = new_name
        self._subjects = subjects
        self.n_keys_left_out = 0

    def node(
        self, placed: Placed, path: str, n_columns_max: int = N_COLUMNS_MAX, depth: int = 0
    ) -> Node | None:
        """Return the node for the given values, or None if fewer than k rows have values of the same type."""
        types = [_type_of(value) if _is_value(value) else None for value in placed.values]
        by_type: Counter[NodeType] = Counter(type_ for type_ in types if type_ is not None)
        if depth >= DEPTH_MAX:
            return None
        if not by_type:
            return self._null(placed, path)
        type_ = _choose_type(by_type)
        present = placed.where([own == type_ or (type_ == "json" and own is not None) for own in types])
        if not self._is_shared(present.rows):
            return None
        state, is_null = self._state(placed, type_, path)
        node = self._of_type(type_, present, path, n_columns_max, depth)
        return None if node is None else node.model_copy(update={"state": state, "is_null": is_null})

    def _null(self, placed: Placed, path: str) -> Node | None:
        """Return the node for a key that is null wherever it exists."""
        if not self._is_shared(placed.where([value is None for value in placed.values]).rows):
            return None
        is_complete = all(value is None for value in placed.values)
        state = None if is_complete else self._new_name(f"{path} (state)")
        return Node(type="null", state=state, is_null=True)

    def _state(self, placed: Placed, type_: NodeType, path: str) -> tuple[str | None, bool]:
        """Return the name of the state column, or None, and whether missing values are written as null."""
        nulls = placed.where([value is None for value in placed.values]).rows
        absent = placed.where([value is ABSENT_VALUE for value in placed.values]).rows
        is_both = self._is_shared(nulls) and self._is_shared(absent)
        is_incomplete = len(nulls) + len(absent) > 0
        if is_both or (type_ == "object" and is_incomplete):
            return self._new_name(f"{path} (state)"), len(nulls) > len(absent)
        return None, len(nulls) > len(absent)

    def _of_type(
        self, type_: NodeType, present: Placed, path: str, n_columns_max: int, depth: int
    ) -> Node | None:
        if type_ == "object":
            return self._object(present, path, n_columns_max, depth)
        if type_ == "array":
            return self._array(present, path, min(n_columns_max, N_COLUMNS_ARRAY_MAX), depth)
        if type_ == "number":
            return _number(present.values, self._new_name(path))
        return Node(type=type_, column=self._new_name(path))

    def _object(self, present: Placed, path: str, n_columns_max: int, depth: int) -> Node | None:
        n_rows_of = Counter(key for value in present.values for key in value)
        members: list[tuple[str, Node]] = []
        n_left = n_columns_max
        for key in _ordered_keys(present.values):
            n = n_rows_of[key]
            usable = n >= MIN_SUPPORT and n_left > 0 and _is_usable(key)
            own = present.members(key) if usable else None
            member = None if own is None else self.node(own, f"{path}.{key}", n_left, depth + 1)
            if member is None:
                self.n_keys_left_out += 1
                continue
            members.append((key, member))
            n_left -= len(member.columns())
        return Node(type="object", members=tuple(members)) if members else None

    def _array(self, present: Placed, path: str, n_columns_max: int, depth: int) -> Node | None:
        as_text = Node(type="json", column=self._new_name(path))
        if depth and self._are_shared_as_a_whole(present):
            return as_text
        lengths = np.array([len(value) for value in present.values])
        items: list[Node] = []
        n_left = n_columns_max - 1
        for i in range(int(lengths.max(initial=0))):
            if not self._is_shared(present.rows[lengths > i]):
                break
            own = present.where((lengths > i).tolist()).items(i)
            item = self.node(own, f"{path}[{i}]", n_left, depth + 1)
            n_left -= len(item.columns()) if item is not None else 0
            if item is None or n_left < 0:
                return as_text if depth else None
            items.append(item)
        name = self._new_name(f"{path} (length)")
        return Node(type="array", column=name, items=tuple(items))

    def _are_shared_as_a_whole(self, arrays: Placed) -> bool:
        texts = Counter(json.dumps(value) for value in arrays.values)
        n_shared = sum(n for n in texts.values() if n >= MIN_SUPPORT)
        return len(texts) <= _N_ARRAYS_MAX and n_shared >= _SHARED_MIN * len(arrays.values)

    def _is_shared(self, rows: npt.NDArray[np.int64]) -> bool:
        units = rows if self._subjects is None else self._subjects[rows]
        return len(np.unique(units)) >= MIN_SUPPORT


def _ordered_keys(objects: list[dict[Any, Any]]) -> list[Any]:
    """Return the keys of all objects. Each key follows its predecessor in the first object with the key."""
    keys: list[Any] = []
    known: set[Any] = set()
    for own in objects:
        if known.issuperset(own):
            continue
        place = 0
        for key in own:
            if key not in known:
                keys.insert(place, key)
                known.add(key)
            place = keys.index(key) + 1
    return keys


def _is_usable(key: object) -> bool:
    """Return whether a key can be part of a column's name, which cannot contain a lone surrogate."""
    is_text = isinstance(key, str) and not any("\ud800" <= c <= "\udfff" for c in key)
    return is_text and not generated.may_identify(str(key))


def _is_value(value: object) -> bool:
    return value is not None and value is not ABSENT_VALUE


def _type_of(value: object) -> NodeType:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, dict):
        return "object"
    if isinstance(value, list):
        return "array"
    if isinstance(value, str):
        return "text"
    is_number = isinstance(value, float) or (isinstance(value, int) and value in _INT64)
    return "number" if is_number else "json"


def _choose_type(by_type: Counter[NodeType]) -> NodeType:
    most, n = by_type.most_common(1)[0]
    n_others = by_type.total() - n
    is_clear = n_others < MIN_SUPPORT or n >= _SHARE_OF_TYPE_MIN * by_type.total()
    return most if is_clear else "json"


def _number(values: list[Any], column: str) -> Node:
    floats = [number for number in values if isinstance(number, float)]
    decimals = Counter(_decimals(number) for number in floats)
    n_max = max(decimals, default=0)
    n_whole_floats = sum(number.is_integer() for number in floats)
    if not floats:
        return Node(type="integer", column=column)
    return Node(
        type="number",
        column=column,
        decimals=n_max,
        is_fixed=len(decimals) == 1,
        has_integers=len(values) - len(floats) > n_whole_floats,
    )


def _decimals(number: float) -> int:
    text = getattr(number, "text", None) or repr(float(number))
    return min(12, len(text.partition(".")[2].lower().partition("e")[0]))
