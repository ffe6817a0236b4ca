"""Columns of differences and ratios, which are drawn like other columns but are not part of sampled rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy.typing as npt
import pyarrow as pa

from understudy.synthesizers.entities.fitting import FittedTable
from understudy.synthesizers.entities.groups import Entities
from understudy.synthesizers.entities.rules import restrict_rules, rules_beyond_repeats
from understudy.synthesizers.rules import (
    Rules,
    add_measured,
    find_rules,
    with_used_levels,
    without_rare_values,
)
from understudy.synthesizers.rules.columns import Columns
from understudy.synthesizers.rules.differences import Difference
from understudy.tables.schema import Column, ColumnKind, TableSchema
from understudy.transformers.array_reader import ArrayReader, require
from understudy.transformers.base import ArrowArray, Codes, Json, Subjects, Transformer
from understudy.transformers.generated.transformer import GeneratedTransformer
from understudy.transformers.labels import LabelTransformer
from understudy.transformers.numeric import NumericTransformer
from understudy.transformers.table import TableTransformer, load_transformer
from understudy.transformers.table_fitting import declared_subjects, fit_column

# Maximum number of differences, and maximum number of ratios, that a file may contain.
N_DIFFERENCES_MAX = 64


@dataclass(frozen=True, eq=False, repr=False)
class DrawnTable:
    """A table with its rules and entities, and columns that are drawn but are not part of sampled rows.

    Columns of differences, ratios, sizes and typical values follow the table's columns. `sizes` contains the
    names of the columns that store sizes or typical values. `profiles` maps each column of typical values to
    the column that it describes. `counted_by` contains the subject of each row, for columns with values that
    are counted by subject. `seen_by` maps each other hidden column to the row columns that may depend on it.
    """

    rows: pa.Table
    transformer: TableTransformer
    codes: list[Codes]
    rules: Rules
    entities: Entities
    sizes: tuple[str, ...] = ()
    profiles: Mapping[int, int] = field(default_factory=dict)
    counted_by: Mapping[str, Subjects] = field(default_factory=dict)
    seen_by: Mapping[int, frozenset[int]] = field(default_factory=dict)


def learned_columns(table: TableTransformer) -> TableSchema | None:
    """Return the schema of the learned columns, or None if all columns are generated.

    Only learned columns have rules.
    """
    pairs = zip(table.schema.columns, table.columns, strict=True)
    learned = tuple(column for column, t in pairs if not isinstance(t, GeneratedTransformer))
    return TableSchema(columns=learned) if learned else None


def add_difference_columns(rows: pa.Table, columns: FittedTable) -> DrawnTable:
    """Find the rules of the learned columns, and add the differences and ratios to draw."""
    table, codes, entities = columns.transformer, columns.codes, columns.entities
    schema = learned_columns(table)
    if schema is None:
        return DrawnTable(rows, table, codes, Rules(table.schema), entities)
    learned = rows.select(schema.names)
    searched = Columns(learned, schema)
    found = rules_beyond_repeats(find_rules(learned, schema, searched), rows, entities, columns.found)
    subjects = declared_subjects(rows, table.schema)
    owners_of = {name: columns.subjects_of.get(name, subjects) for name in schema.names}
    counted_by = {name: own for name, own in owners_of.items() if own is not None}
    found = without_rare_values(found, learned, counted_by)
    # A label is decoded from the level of its code, so value-level rules of label columns are redundant.
    pairs = zip(table.schema.names, table.columns, strict=True)
    labels = {name for name, transformer in pairs if isinstance(transformer, LabelTransformer)}
    found = replace(found, value_rules=found.value_rules.without(labels))
    rules = add_measured(found, learned, searched)
    rules = restrict_rules(rules, entities, table.schema.names)
    rules = replace(rules, value_rules=with_used_levels(rules.value_rules))
    if not rules.measured:
        return DrawnTable(rows, table, codes, rules, entities, counted_by=counted_by)
    arrays = learned.combine_chunks().to_batches()[0].columns
    measured = rules.measure(dict(zip(schema.names, arrays, strict=True)))
    targets = {own.name: own.target for own in rules.measured}
    fitted = {}
    for name, array in measured.items():
        own_subjects = columns.subjects_of.get(targets[name], subjects)
        fitted[name] = fit_column(rules.schema.column(name), pa.chunked_array([array]), own_subjects)
        rows = rows.append_column(rules.schema.to_arrow().field(name), array)
    inner = with_columns(table, {name: transformer for name, (transformer, _) in fitted.items()})
    place = {name: j for j, name in enumerate(table.schema.names)}
    owners = {
        len(place) + i: entities.group_of[place[targets[name]]]
        for i, name in enumerate(fitted)
        if place[targets[name]] in entities.group_of
    }
    drawn_codes = codes + [own for _, own in fitted.values()]
    return DrawnTable(rows, inner, drawn_codes, rules, entities.extend(owners), counted_by=counted_by)


def difference_column(name: str) -> Column:
    """Return the schema entry of a difference column."""
    return Column(name=name, kind=ColumnKind.integer, arrow_type="int64", nullable=True)


def ratio_column(name: str) -> Column:
    """Return the schema entry of a ratio column."""
    return Column(name=name, kind=ColumnKind.decimal, arrow_type="double", nullable=True)


def with_columns(table: TableTransformer, measured: dict[str, Any]) -> TableTransformer:
    """Return the transformer of a table, extended by difference, size or ratio columns."""
    columns = table.schema.columns + tuple(
        (ratio_column if pa.types.is_floating(transformer.arrow_type) else difference_column)(name)
        for name, transformer in measured.items()
    )
    schema = table.schema.model_copy(update={"columns": columns})
    return replace(table, schema=schema, columns=table.columns + tuple(measured.values()))


def typical_differences(rules: Rules, table: TableTransformer, n: int) -> dict[str, ArrowArray]:
    """Return, for each difference and each ratio, n copies of the lower bound of its middle bin."""
    typical: dict[str, ArrowArray] = {}
    for measured in rules.measured:
        transformer = table.columns[table.schema.names.index(measured.name)]
        assert isinstance(transformer, NumericTransformer)
        starts = transformer.spans()[0]
        middle = starts[len(starts) // 2] if len(starts) else pa.scalar(0, starts.type)
        typical[measured.name] = pa.repeat(middle, n)
    return typical


def differences_to_arrays(
    differences: tuple[Difference, ...], table: TableTransformer
) -> tuple[Json, dict[str, npt.NDArray[Any]]]:
    """Return the columns of differences as JSON and arrays, under ``difference_<i>.<name>``."""
    entries: list[Json] = []
    arrays: dict[str, npt.NDArray[Any]] = {}
    for i, own in enumerate(differences):
        manifest, parts = table.columns[table.schema.names.index(own.name)].to_arrays()
        entries.append({"name": own.name, "target": own.target, "base": own.base, "column": manifest})
        arrays |= {f"difference_{i}.{name}": array for name, array in parts.items()}
    return {"differences": entries}, arrays


def differences_from_arrays(
    reader: ArrayReader, table: TableTransformer
) -> tuple[tuple[Difference, ...], TableTransformer]:
    """Return the differences that `differences_to_arrays` converted, and the table with their columns.

    Model files from earlier versions do not contain difference columns.

    Raises
    ------
    InvalidInput
        If a value is missing, has an unexpected type, or contradicts the table.
    """
    entries = reader.manifest.get("differences", [])
    require(isinstance(entries, list) and len(entries) <= N_DIFFERENCES_MAX, "differences are not a list")
    schema = learned_columns(table)
    names = set() if schema is None else set(schema.names)
    differences = []
    transformers: dict[str, Any] = {}
    for i, entry in enumerate(entries):
        own = reader.part(entry, f"difference_{i}.")
        name, target, base = own.text("name"), own.text("target"), own.text("base")
        is_new = 0 < len(name) <= 255 and name not in {*table.schema.names, *transformers}
        require(is_new and {target, base} <= names and target != base, "a difference has the wrong columns")
        transformers[name] = load_measured(own, difference_column(name), target, table)
        differences.append(Difference(name, target, base))
    return tuple(differences), with_columns(table, transformers)


def load_measured(own: ArrayReader, column: Column, target: str, table: TableTransformer) -> Transformer:
    """Return the transformer of a measured column. The target is a numeric column of the table.

    Raises
    ------
    InvalidInput
        If the target or the measured column is not numeric.
    """
    own_transformer = table.columns[table.schema.names.index(target)]
    require(isinstance(own_transformer, NumericTransformer), "a derived column is not numeric")
    part = own.part(own.manifest.get("column"), own.prefix)
    transformer = load_transformer(column, part)
    require(isinstance(transformer, NumericTransformer), "a difference is not numeric")
    require(transformer.n_codes > getattr(transformer, "has_missing", False), "a difference has no value")
    return transformer
