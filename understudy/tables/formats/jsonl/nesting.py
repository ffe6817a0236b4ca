"""The structure of nested objects, as a template that consists of text and slots for columns."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from understudy.tables.json_place import read_place


@dataclass(frozen=True)
class Slot:
    """The slot of a column in a template.

    Parameters
    ----------
    is_json : bool
        Whether the values of the column are JSON text.
    is_quoted : bool
        Whether numbers are written in quotation marks.
    """

    column: int
    is_json: bool
    is_quoted: bool = False


def object_template(schema: pa.Schema) -> list[str | Slot]:
    """Return the parts of a line, which are text and slots for the values of columns."""
    tree: dict[str, Any] = {}
    for index, field in enumerate(schema):
        place = read_place(field.metadata)
        slot = Slot(
            index,
            is_json=place is not None and place.is_json,
            is_quoted=place is not None and place.is_quoted,
        )
        if place is None or not _insert(tree, place.keys, slot):
            _insert(tree, (field.name,), slot)
    parts: list[str | Slot] = []
    for part in [*_parts(tree), "\n"]:
        if isinstance(part, str) and parts and isinstance(parts[-1], str):
            parts[-1] += part
        else:
            parts.append(part)
    return parts


def _insert(tree: dict[str, Any], keys: tuple[str, ...], slot: Slot) -> bool:
    """Insert a column. Return False if its path is already in use."""
    for key in keys[:-1]:
        tree = tree.setdefault(key, {})
        if not isinstance(tree, dict):
            return False
    return tree.setdefault(keys[-1], slot) is slot


def _parts(tree: Mapping[str, Any]) -> Iterator[str | Slot]:
    opening = "{"
    for key, value in tree.items():
        yield f"{opening}{json.dumps(key, ensure_ascii=False)}:"
        if isinstance(value, dict):
            yield from _parts(value)
        else:
            yield value
        opening = ","
    yield "}"


def json_values(column: pa.Array[Any]) -> pa.Array[Any]:
    """Return single-line valid JSON unchanged, and all other texts as JSON strings."""
    encoded: Any = column.dictionary_encode()
    texts = [None if text is None else _json(text) for text in encoded.dictionary.to_pylist()]
    values: pa.Array[Any] = pa.array(texts, pa.string()).take(encoded.indices)
    return values


def _json(text: str) -> str:
    try:
        return json.dumps(json.loads(text), ensure_ascii=False) if "\n" in text else _checked(text)
    except (ValueError, RecursionError):
        return json.dumps(text, ensure_ascii=False)


def _checked(text: str) -> str:
    json.loads(text)
    return text
