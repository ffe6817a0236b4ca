"""Columns of JSON text, and the columns of values that replace them in the learned table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from understudy.errors import InvalidInput
from understudy.synthesizers.json_cells.cells import JsonCells
from understudy.synthesizers.json_cells.parsing import ABSENT_VALUE, parse_texts
from understudy.synthesizers.json_cells.structure import DEPTH_MAX, Node
from understudy.synthesizers.json_cells.styles import Style
from understudy.synthesizers.json_cells.unpacking import unpack
from understudy.synthesizers.json_cells.writing import Writer
from understudy.synthesizers.number_texts import NumberColumn
from understudy.tables.arrow_types import parse_arrow_type
from understudy.tables.schema import Column, TableSchema
from understudy.transformers.array_reader import refuse, require
from understudy.transformers.base import ArrowArray, ArrowColumn


class JsonColumn(BaseModel):
    """A JSON column and the columns of values that replace it in the learned table.

    Parameters
    ----------
    column : Column
        The column that contains the JSON text.
    root : Node
        Structure of the JSON values.
    columns : tuple of Column
        Columns that contain the values from the JSON text.
    n_keys_left_out : int
        Number of keys that are not learned, because too few rows contain these keys.
    n_invalid : int
        Number of strings that are not JSON.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    manifest_key: ClassVar[str] = "json_cells"
    form_names: ClassVar[tuple[str, ...]] = ()

    column: Column
    root: Node
    style: Style
    columns: tuple[Column, ...]
    n_keys_left_out: int = Field(ge=0)
    n_invalid: int = Field(ge=0)

    @property
    def is_whole(self) -> bool:
        """Whether the columns match the structure. Model files are not trusted."""
        return self.root.depth <= DEPTH_MAX + 1 and _is_whole(self)

    def split(self, values: ArrowColumn) -> Iterator[tuple[str, ArrowArray]]:
        """Yield the columns of the values."""
        parsed = parse_texts(values, self.style)
        is_missing = pa.array([value is ABSENT_VALUE for value in parsed])
        for part, array in unpack(self.root, parsed):
            yield part, pc.if_else(is_missing, pa.scalar(None, array.type), array)

    def texts(self, columns: Mapping[str, ArrowArray], n_rows: int) -> ArrowArray:
        """Return the JSON text, built from the values of the columns."""
        texts: Any = Writer(self.style, columns, n_rows).texts(self.root)
        if not self.column.nullable:
            texts = pc.fill_null(texts, "[]" if self.root.type == "array" else "{}")
        array: ArrowArray = texts.cast(parse_arrow_type(self.column.arrow_type))
        return array

    def message(self) -> str:
        """Return a sentence for the model card."""
        return _message(self)


CellColumn = JsonColumn | NumberColumn


def json_cells_from_manifest(manifest: Mapping[str, Any], schema: TableSchema) -> JsonCells:
    """Return the columns that `to_manifest` converted. Model files from earlier versions have none.

    Raises
    ------
    InvalidInput
        If a column is not valid, or contradicts the schema.
    """
    columns: list[CellColumn] = []
    kinds: tuple[type[CellColumn], ...] = (JsonColumn, NumberColumn)
    for kind in kinds:
        key = kind.manifest_key
        entries = manifest.get(key, [])
        require(isinstance(entries, list), f"{key} is not a list")
        try:
            columns += [kind.model_validate(entry) for entry in entries]
        except (ValidationError, RecursionError, InvalidInput) as error:
            raise refuse(f"a column in {key} is not valid") from error
    for own in columns:
        require(own.column in schema.columns, "a column whose texts are split does not exist")
        require(own.is_whole, "the structure of a column's texts does not match its columns")
    cells = JsonCells(schema, {own.column.name: own for own in columns})
    names = cells.split_schema.names
    require(len(set(names)) == len(names) and len(cells.columns) == len(columns), "a column exists twice")
    return cells


def _is_whole(own: JsonColumn) -> bool:
    types = {column.name: column.arrow_type for column in own.columns}
    names = own.root.columns()
    if sorted(names) != sorted(types):
        return False
    for node in own.root.nodes():
        expected = {
            "integer": "int64",
            "number": "double",
            "array": "int64",
            "boolean": "bool",
            "json": "string",
        }
        if node.type not in ("object", "null") and node.column is None:
            return False
        if node.column is not None and types[node.column] != expected.get(node.type, types[node.column]):
            return False
        if node.state is not None and types[node.state] != "string":
            return False
    return True


def _message(own: JsonColumn) -> str:
    message = (
        f"Column {own.column.name!r} contains JSON. Its values are learned as {len(own.columns)} columns."
    )
    if own.n_invalid:
        texts = "1 text is" if own.n_invalid == 1 else f"{own.n_invalid:,} texts are"
        message += f" {texts} not valid JSON and therefore counted as missing."
    if own.n_keys_left_out:
        keys = "1 key is" if own.n_keys_left_out == 1 else f"{own.n_keys_left_out:,} keys are"
        message += f" {keys} left out because too few rows have them or because they may identify a person."
    return message
