"""Infer the schema of a whole table or dataset, with candidates for roles and relationships."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from understudy.tables.findings import Findings, TableFindings
from understudy.tables.inference.column_names import check_names
from understudy.tables.inference.columns import InferredColumn, changed_kind, infer_column
from understudy.tables.inference.entities import find_keys_of_people, find_texts_of_owners
from understudy.tables.inference.handles import find_handles
from understudy.tables.inference.joint_values import JointValues
from understudy.tables.inference.keys import Related, find_relationships
from understudy.tables.inference.locales import find_locale
from understudy.tables.inference.roles import find_roles
from understudy.tables.inference.subjects import Choice, choose_subject
from understudy.tables.inference.types import storable_type
from understudy.tables.inference.values import (
    Occurrence,
    Sample,
    Sampled,
    SampledFile,
    SampledTable,
    open_sampled,
    sample_array,
    sample_columns,
)
from understudy.tables.json_place import read_place
from understudy.tables.notation import read_metadata
from understudy.tables.schema import DatasetSchema, TableSchema
from understudy.tables.source import Dataset
from understudy.tables.text_style import read_style

# Values are counted in all rows for at most this number of columns. Each count reads the whole column.
N_COLUMNS_COUNTED_MAX = 16


class InferredTable(NamedTuple):
    """The schema of a table and the findings that explain the schema."""

    schema: TableSchema
    findings: TableFindings


class InferredSchema(NamedTuple):
    """The schema of a dataset and the findings that explain the schema."""

    schema: DatasetSchema
    findings: Findings


def infer_schema(data: Dataset, *, notes: Mapping[str, Mapping[str, str]] | None = None) -> InferredSchema:
    """Infer the schema of a dataset and the locale of its names.

    The findings include candidates for relationships.

    Parameters
    ----------
    notes : mapping of table name to a mapping of column name to a sentence, optional
        Additional reasons for the types of columns; see `infer_stored`.

    Raises
    ------
    InvalidInput
        If a table has no columns, if names are empty or not unique, or if a column's type cannot be stored.
    """
    with ExitStack() as stack:
        opened = {name: open_sampled(stack, source) for name, source in data.items()}
        inferred = {
            name: _infer(sampled, data[name].schema, sampled.count_missing(), (notes or {}).get(name, {}))
            for name, sampled in opened.items()
        }
        related = {
            name: Related(opened[name], schema, findings) for name, (schema, findings) in inferred.items()
        }
        relationships = tuple(find_relationships(related))
        schemas = {name: table.schema for name, table in inferred.items()}
        locale = find_locale(schemas, opened)
    return InferredSchema(
        DatasetSchema(tables=schemas, locale=locale),
        Findings(
            tables={name: table.findings for name, table in inferred.items()}, relationships=relationships
        ),
    )


def infer_table(table: pa.Table) -> InferredTable:
    """Infer the schema of a table from the names, types and values of its columns.

    Raises
    ------
    InvalidInput
        If the table has no columns, if names are empty or not unique, or if a column's type cannot be stored.

    Notes
    -----
    `nullable` has the value that the Arrow field declares, so that a table with the inferred schema has
    exactly the same type. Ingest sets it as the file does for Parquet. CSV files declare nothing, so there a
    column is nullable if and only if a value is missing.
    """
    check_names(table.column_names)
    sampled = SampledTable(table)
    return _infer(sampled, table.schema, sampled.count_missing(), {})


def infer_stored(
    path: Path, schema: pa.Schema, *, n_missing: Sequence[int], notes: Mapping[str, str] | None = None
) -> InferredTable:
    """Infer the schema of a canonical Parquet file from a sample of its rows.

    Parameters
    ----------
    schema : pyarrow.Schema
        The exact types of columns, which Parquet cannot always represent.
    n_missing : sequence of int
        The number of missing values in each column.
    notes : mapping of column name to a sentence, optional
        Additional reasons for the type of a column, which are appended to the evidence.
    """
    with SampledFile(path) as source:
        return _infer(source, schema, n_missing, notes or {})


def infer_values(name: str, values: pa.ChunkedArray[Any]) -> InferredColumn:
    """Infer a column from its name and values."""
    sample, source = sample_array(values)
    return infer_column(name, sample, partial(source.count, 0), nullable=True)


def _infer(
    source: Sampled, schema: pa.Schema, n_missing: Sequence[int], notes: Mapping[str, str]
) -> InferredTable:
    check_names(schema.names)
    types = [storable_type(field.name, field.type) for field in schema]
    samples = sample_columns(source, types, list(n_missing))
    counts = Counts(source, [sample.occurrence for sample in samples])
    inferred = [
        infer_column(
            field.name, sample, partial(counts.of, i), nullable=field.nullable, note=notes.get(field.name)
        )
        for i, (field, sample) in enumerate(zip(schema, samples, strict=True))
    ]
    inferred, subject = _infer_entities(inferred, samples, JointValues(source))
    columns = [
        column.model_copy(
            update={"notation": read_metadata(field.metadata), "json_place": read_place(field.metadata)}
        )
        for (column, _), field in zip(inferred, schema, strict=True)
    ]
    findings = TableFindings(
        columns={column.name: column_findings for column, column_findings in inferred},
        subject=None if subject is None else subject.candidate,
        **find_roles(columns, samples, counts.of),
    )
    declared = subject.candidate.columns if subject is not None and subject.is_clear else ()
    style = read_style(schema.metadata)
    return InferredTable(TableSchema(columns=tuple(columns), subject=declared, text_style=style), findings)


def _infer_entities(
    inferred: Sequence[InferredColumn], samples: Sequence[Sample], joint: JointValues
) -> tuple[list[InferredColumn], Choice | None]:
    """Change the kinds of columns based on comparisons with other columns, and choose the subject."""
    keys = find_keys_of_people([column for column, _ in inferred], samples, joint)
    after = [changed_kind(one, keys[i]) if i in keys else one for i, one in enumerate(inferred)]
    handles = find_handles([column for column, _ in after], samples, joint)
    after = [changed_kind(one, handles[i]) if i in handles else one for i, one in enumerate(after)]
    columns = [column for column, _ in after]
    subject = choose_subject(columns, samples, joint, keys)
    if subject is None or not subject.is_clear:
        return after, subject
    texts = find_texts_of_owners(columns, samples, subject.place, joint)
    return [changed_kind(one, texts[i]) if i in texts else one for i, one in enumerate(after)], subject


class Counts:
    """Counts of the values in all rows, which are computed on first use.

    After `N_COLUMNS_COUNTED_MAX` columns, values of additional columns are counted only in the sample.
    """

    def __init__(self, source: Sampled, sampled: list[Occurrence]) -> None:
        self._source = source
        self._known = {i: occurrence for i, occurrence in enumerate(sampled) if occurrence.is_whole}
        self._sampled = sampled
        self._n_counted = 0

    def of(self, index: int) -> Occurrence:
        """Return the counts of a column's values."""
        if index not in self._known:
            if self._n_counted == N_COLUMNS_COUNTED_MAX:
                return self._sampled[index]
            self._n_counted += 1
            self._known[index] = self._source.count(index)
        return self._known[index]
