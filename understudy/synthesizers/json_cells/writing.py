"""Build JSON text from the columns of its structure."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from understudy.synthesizers.json_cells.structure import ABSENT, NULL, Node
from understudy.synthesizers.json_cells.styles import Style
from understudy.transformers.base import ArrowArray
from understudy.transformers.generated.texts import join, pc

_TEXT = pa.large_string()


@dataclass(frozen=True)
class Writer:
    """Writer that builds the JSON text of many rows at once.

    Parameters
    ----------
    style : Style
        Style of the JSON text.
    columns : mapping of str to pyarrow.Array
        Columns of the structure.
    n_rows : int
        Number of rows.
    """

    style: Style
    columns: Mapping[str, ArrowArray]
    n_rows: int

    def texts(self, node: Node) -> ArrowArray:
        """Return the text of a node for each row. The text of an absent value is missing."""
        texts = self._present(node)
        if node.is_null:
            texts = pc.fill_null(texts, self.style.null)
        if node.state is None:
            return texts
        state = self.columns[node.state]
        nothing, null = pa.scalar(None, _TEXT), pa.scalar(self.style.null, _TEXT)
        known = pc.if_else(pc.fill_null(pc.equal(state, ABSENT), False), nothing, texts)
        chosen: ArrowArray = pc.if_else(pc.fill_null(pc.equal(state, NULL), False), null, known)
        return chosen

    def _present(self, node: Node) -> ArrowArray:
        if node.type == "object":
            return self._object(node)
        if node.type == "null":
            nulls: ArrowArray = pa.repeat(pa.scalar(self.style.null, _TEXT), self.n_rows)
            return nulls
        assert node.column is not None
        values: Any = self.columns[node.column]
        if node.type == "array":
            return self._array(node, values)
        if node.type in ("text", "json"):
            return _mapped(values, self._quoted if node.type == "text" else self._written)
        if node.type == "boolean":
            true, false = self.style.booleans
            texts: ArrowArray = pc.if_else(values, pa.scalar(true, _TEXT), pa.scalar(false, _TEXT))
            return texts
        return values.cast(_TEXT) if pa.types.is_integer(values.type) else _written_numbers(values, node)

    def _object(self, node: Node) -> ArrowArray:
        parts = []
        for key, member in node.members:
            start = f"{self.style.between_items}{self._quoted(key)}{self.style.after_key}"
            parts.append(pc.fill_null(join([start, self.texts(member)], ""), ""))
        return self._enclosed("{", parts, "}")

    def _array(self, node: Node, lengths: Any) -> ArrowArray:
        parts = []
        for i, item in enumerate(node.items):
            part = join([self.style.between_items, self.texts(item)], "")
            is_long = pc.fill_null(pc.greater(lengths, i), False)
            parts.append(pc.if_else(is_long, pc.fill_null(part, ""), ""))
        whole = self._enclosed("[", parts, "]")
        array: ArrowArray = pc.if_else(lengths.is_valid(), whole, pa.scalar(None, _TEXT))
        return array

    def _enclosed(self, opening: str, parts: list[Any], closing: str) -> ArrowArray:
        if not parts:
            empty: ArrowArray = pa.repeat(pa.scalar(opening + closing, _TEXT), self.n_rows)
            return empty
        inner = pc.utf8_slice_codeunits(join(parts, ""), len(self.style.between_items))
        return join([opening, inner, closing], "")

    def _quoted(self, text: str) -> str:
        return self.style.write(text)

    def _written(self, text: str) -> str:
        """Return the text of a value that is stored as JSON. Text that is not JSON becomes a string."""
        try:
            return self.style.write(json.loads(text))
        except (ValueError, RecursionError):
            return self._quoted(text)


def _mapped(values: ArrowArray, write: Callable[[str], str]) -> ArrowArray:
    encoded: Any = values.cast(_TEXT).dictionary_encode()
    texts = pa.array([write(text) for text in encoded.dictionary.to_pylist()], _TEXT)
    mapped: ArrowArray = texts.take(encoded.indices)
    return mapped


def _written_numbers(values: Any, node: Node) -> ArrowArray:
    numbers = np.asarray(values.to_numpy(zero_copy_only=False), np.float64)
    distinct, place = np.unique(np.round(numbers, node.decimals), return_inverse=True)
    texts = pa.array([_number_text(number, node) for number in distinct.tolist()], _TEXT)
    return texts.take(pa.array(place.ravel(), pa.int64(), mask=np.isnan(numbers)))


def _number_text(number: float, node: Node) -> str:
    if not np.isfinite(number):
        return "null"
    if number.is_integer() and (node.has_integers or node.decimals == 0):
        return str(int(number))
    return f"{number:.{node.decimals}f}" if node.is_fixed else repr(number)
