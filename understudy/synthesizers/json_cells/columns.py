"""Replace a table's JSON columns with columns of their values, and restore the JSON text in samples."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from understudy.errors import InvalidInput
from understudy.parameters.constraints import SamplingConstraints
from understudy.synthesizers.json_cells.constraints import translate
from understudy.synthesizers.json_cells.learning import Learner, Placed
from understudy.synthesizers.json_cells.parsing import ABSENT_VALUE, ParsedColumn, parse_column, parse_texts
from understudy.synthesizers.json_cells.structure import DEPTH_MAX, Node
from understudy.synthesizers.json_cells.styles import Style
from understudy.synthesizers.json_cells.unpacking import unpack
from understudy.synthesizers.json_cells.writing import Writer
from understudy.synthesizers.number_texts import NumberColumn, learn_number_column
from understudy.tables.arrow_types import parse_arrow_type
from understudy.tables.inference import infer_table
from understudy.tables.notations.writing import written_column
from understudy.tables.schema import GENERATED_KINDS, Column, ColumnKind, TableSchema
from understudy.tables.validation import conform
from understudy.transformers.array_reader import refuse, require
from understudy.transformers.base import MIN_SUPPORT, ArrowArray, ArrowColumn, Json, Subjects
from understudy.transformers.table_fitting import declared_subjects

# Maximum length of a column name, excluding the characters that make the name unique.
_NAME_LENGTH_MAX = 200
# Minimum share of rows with a rare level. A category with a lower share is not split.
_RARE_SHARE_MIN = 0.02

_KINDS = frozenset({ColumnKind.text, ColumnKind.identifier, ColumnKind.category})


class JsonColumn(BaseModel):
    """A JSON column, and the columns that replace it in the learned table.

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


@dataclass(frozen=True)
class JsonCells:
    """The split columns of a table, which contain JSON text, or text with numbers and units.

    Parameters
    ----------
    schema : TableSchema
        Schema of the table.
    columns : mapping of str to CellColumn
        Columns that are split, by name.
    """

    schema: TableSchema
    columns: Mapping[str, CellColumn]

    @property
    def split_schema(self) -> TableSchema:
        """Schema of the table, with columns of values instead of JSON columns."""
        columns: list[Column] = []
        for column in self.schema.columns:
            own = self.columns.get(column.name)
            columns += [column] if own is None else own.columns
        return self.schema.model_copy(update={"columns": tuple(columns)})

    def split(self, rows: pa.Table) -> pa.Table:
        """Return rows with the values from JSON text instead of the text.

        If text is missing or is not JSON, its values are missing.
        """
        if not self.columns:
            return rows
        arrays: dict[str, Any] = {
            name: rows.column(name) for name in rows.column_names if name not in self.columns
        }
        for name, own in self.columns.items():
            arrays |= dict(own.split(rows.column(name)))
        names = self.split_schema.names
        return conform(pa.table([arrays[name] for name in names], names=names), self.split_schema)

    def join(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield batches with JSON text instead of its values."""
        return (self._joined(batch) for batch in batches) if self.columns else iter(batches)

    def _joined(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        fields = {field.name: field for field in self.split_schema.to_arrow()}
        own_columns = dict(zip(batch.schema.names, batch.columns, strict=True))
        arrays = [
            own_columns[column.name]
            if column.name not in self.columns
            else _texts(self.columns[column.name], own_columns, fields, batch.num_rows)
            for column in self.schema.columns
        ]
        schema = self.schema.to_arrow()
        is_nullable = {
            field.name: field.nullable or a.null_count > 0 for field, a in zip(schema, arrays, strict=True)
        }
        schema = pa.schema([field.with_nullable(is_nullable[field.name]) for field in schema])
        return pa.RecordBatch.from_arrays(arrays, schema=schema)

    def restore(self, batches: Iterable[pa.RecordBatch], rows: pa.Table) -> Iterator[pa.RecordBatch]:
        """Yield batches with JSON text instead of its values. JSON text that `rows` contains is kept.

        The batches contain all rows, several times if there are several draws.
        """
        begin = 0
        for batch in self.join(batches):
            columns = []
            for name, column in zip(batch.schema.names, batch.columns, strict=True):
                if name in self.columns:
                    given = rows.column(name).slice(begin, len(batch)).combine_chunks()
                    column = pc.if_else(given.is_valid(), given, column)
                columns.append(column)
            begin = (begin + len(batch)) % max(rows.num_rows, 1)
            yield pa.RecordBatch.from_arrays(columns, schema=batch.schema)

    def translate(self, constraints: SamplingConstraints) -> SamplingConstraints:
        """Return constraints on the columns of values; see `translate`."""
        if not self.columns:
            return constraints
        return translate(constraints, self.columns)

    @property
    def inner_columns(self) -> list[Column]:
        """The columns that replace the split columns. Constraints can name these columns."""
        return [column for own in self.columns.values() for column in own.columns]

    @property
    def form_columns(self) -> list[str]:
        """The names of the columns that contain the forms of text with numbers and units."""
        return [own.form_column.name for own in self.columns.values() if isinstance(own, NumberColumn)]

    def messages(self) -> list[str]:
        """Return a sentence for the model card about each column."""
        return [column.message() for column in self.columns.values()]

    def to_manifest(self) -> Json:
        """Return the structure of the columns as JSON."""
        entries: Json = {}
        for column in self.columns.values():
            key = "json_cells" if isinstance(column, JsonColumn) else "number_texts"
            entries.setdefault(key, []).append(column.model_dump(mode="json"))
        return entries


def json_cells_from_manifest(manifest: Mapping[str, Any], schema: TableSchema) -> JsonCells:
    """Return the columns that `to_manifest` converted. Model files from earlier versions have none.

    Raises
    ------
    InvalidInput
        If a column is not valid, or contradicts the schema.
    """
    columns: list[CellColumn] = []
    kinds: tuple[tuple[str, type[CellColumn]], ...] = (
        ("json_cells", JsonColumn),
        ("number_texts", NumberColumn),
    )
    for key, kind in kinds:
        entries = manifest.get(key, [])
        require(isinstance(entries, list), f"{key} is not a list")
        try:
            columns += [kind.model_validate(entry) for entry in entries]
        except (ValidationError, RecursionError, InvalidInput) as error:
            raise refuse(f"a column in {key} is not valid") from error
    for own in columns:
        require(own.column in schema.columns, "a split column does not exist")
        require(own.is_whole, "the structure of a split column does not match its parts")
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


def find_json_cells(rows: pa.Table, schema: TableSchema) -> tuple[JsonCells, pa.Table]:
    """Return the split columns of a table, and the rows with the values from these columns.

    A category is not split if enough rows share each of its levels, unless the levels are JSON with values
    that identify people or things.
    """
    names = set(schema.names)
    roles = {*schema.primary_key, *schema.subject, *schema.order_by}
    subjects = declared_subjects(rows, schema)
    found: dict[str, CellColumn] = {}
    parts: dict[str, pa.Table] = {}
    for column in schema.columns:
        if column.kind not in _KINDS or column.domain is not None or column.name in roles:
            continue
        values = rows.column(column.name)
        parsed = parse_column(values)
        if parsed is not None:
            split = _split_column(column, parsed, names, subjects)
        elif column.kind is ColumnKind.identifier:
            # Inference does not classify quantities as identifiers, so the user declared the kind.
            continue
        else:
            split = _split_numbers(column, values, names, subjects)
        if split is None:
            continue
        is_plain = all(own.kind not in GENERATED_KINDS for own in split[0].columns)
        if not (column.kind is ColumnKind.category and is_plain and _are_common(values)):
            found[column.name], parts[column.name] = split
            names |= {own.name for own in found[column.name].columns}
    cells = JsonCells(schema, found)
    return cells, _replaced(rows, parts, cells) if found else rows


def _are_common(values: ArrowColumn) -> bool:
    """Return whether nearly all rows contain a string that enough rows share."""
    counts = np.asarray(pc.value_counts(values.drop_null()).field("counts"))
    return bool(counts[counts < MIN_SUPPORT].sum() < _RARE_SHARE_MIN * counts.sum())


def _namer(names: set[str]) -> Callable[[str], str]:
    """Return a function that returns unused column names."""
    taken = set(names)

    def new_name(path: str) -> str:
        name = path[:_NAME_LENGTH_MAX]
        while name in taken:
            name += "_"
        taken.add(name)
        return name

    return new_name


def _split_numbers(
    column: Column, values: ArrowColumn, names: set[str], subjects: Subjects | None
) -> tuple[CellColumn, pa.Table] | None:
    found = learn_number_column(column, values, _namer(names), subjects)
    return None if found is None else (found, pa.table(dict(found.split(values))))


def _split_column(
    column: Column, parsed: ParsedColumn, names: set[str], subjects: Subjects | None
) -> tuple[CellColumn, pa.Table] | None:
    learner = Learner(_namer(names), subjects)
    root = learner.node(Placed(np.arange(len(parsed.values)), parsed.values), column.name)
    if root is None or not root.columns():
        return None
    table, columns = _typed(root, pa.table(dict(unpack(root, parsed.values))))
    found = JsonColumn(
        column=column,
        root=root,
        style=parsed.style,
        columns=columns,
        n_keys_left_out=learner.n_keys_left_out,
        n_invalid=parsed.n_invalid,
    )
    return found, table


def _typed(root: Node, table: pa.Table) -> tuple[pa.Table, tuple[Column, ...]]:
    """Return the table with dates and numbers instead of strings, and the schema of the table's columns."""
    texts = [node.column for node in root.nodes() if node.type == "text" and node.column is not None]
    if texts:
        # Local import: the module loads all file formats, and few tables have JSON columns.
        from understudy.tables.formats.text_columns import with_typed_columns

        typed, _ = with_typed_columns(table.select(texts))
        for field in typed.schema:
            if typed.column(field.name).null_count == table.column(field.name).null_count:
                table = table.set_column(
                    table.column_names.index(field.name), field, typed.column(field.name)
                )
    inferred = infer_table(table).schema
    kinds = {node.state: ColumnKind.category for node in root.nodes()}
    kinds |= {node.column: ColumnKind.integer for node in root.nodes() if node.type == "array"}
    kinds |= {
        node.column: ColumnKind.category if _are_common(table.column(node.column)) else ColumnKind.text
        for node in root.nodes()
        if node.type == "json" and node.column is not None
    }
    columns = [
        column.model_copy(update={"kind": kinds.get(column.name, column.kind), "nullable": True})
        for column in inferred.columns
    ]
    return table, tuple(columns)


def _replaced(rows: pa.Table, parts: Mapping[str, pa.Table], cells: JsonCells) -> pa.Table:
    arrays = {name: rows.column(name) for name in rows.column_names}
    for table in parts.values():
        arrays |= dict(zip(table.column_names, table.columns, strict=True))
    schema = cells.split_schema
    table = pa.table([arrays[name] for name in schema.names], names=schema.names)
    return conform(table, schema)


def _texts(
    own: CellColumn, columns: Mapping[str, ArrowArray], fields: Mapping[str, Any], n_rows: int
) -> ArrowArray:
    written: dict[str, ArrowArray] = {}
    for column in own.columns:
        values = pa.chunked_array([columns[column.name]])
        written[column.name] = written_column(values, fields[column.name]).combine_chunks()
    return own.texts(written, n_rows)
