"""Split the columns of a table that contain JSON text, or text with numbers and units."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np
import pyarrow as pa

from understudy.synthesizers.json_cells.cells import JsonCells
from understudy.synthesizers.json_cells.columns import CellColumn, JsonColumn
from understudy.synthesizers.json_cells.learning import Learner, Placed
from understudy.synthesizers.json_cells.parsing import ParsedColumn, parse_column
from understudy.synthesizers.json_cells.screening import are_common
from understudy.synthesizers.json_cells.structure import Node
from understudy.synthesizers.json_cells.unpacking import unpack
from understudy.synthesizers.number_texts import learn_number_column
from understudy.tables.inference import infer_table
from understudy.tables.schema import GENERATED_KINDS, Column, ColumnKind, TableSchema
from understudy.tables.validation import conform
from understudy.transformers.base import ArrowColumn, Subjects
from understudy.transformers.table_fitting import declared_subjects

# Maximum length of a column name, excluding the characters that make the name unique.
_NAME_LENGTH_MAX = 200


def split_columns(
    rows: pa.Table, schema: TableSchema, candidates: Iterable[Column]
) -> tuple[JsonCells, pa.Table]:
    """Return the candidates that are split, and the rows with the values from these columns."""
    names = set(schema.names)
    subjects = declared_subjects(rows, schema)
    found: dict[str, CellColumn] = {}
    parts: dict[str, pa.Table] = {}
    for column in candidates:
        values = rows.column(column.name)
        parsed = parse_column(values)
        if parsed is not None:
            split = _split_column(column, parsed, names, subjects)
        elif column.kind is ColumnKind.identifier:
            # Inference never classifies quantities as identifiers, so the user must have declared the kind.
            continue
        else:
            split = _split_numbers(column, values, names, subjects)
        if split is None:
            continue
        is_plain = all(own.kind not in GENERATED_KINDS for own in split[0].columns)
        if not (column.kind is ColumnKind.category and is_plain and are_common(values)):
            found[column.name], parts[column.name] = split
            names |= {own.name for own in found[column.name].columns}
    cells = JsonCells(schema, found)
    return cells, _replaced(rows, parts, cells) if found else rows


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
    """Return the table with strings converted to dates and numbers, and the schema of its columns."""
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
        node.column: ColumnKind.category if are_common(table.column(node.column)) else ColumnKind.text
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
