"""JSON Lines files: one object per line, with strings, numbers, true, false or null as values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from understudy.errors import InvalidInput
from understudy.parameters.read_options import ReadOptions
from understudy.tables.formats.base import Format
from understudy.tables.formats.csv.column_types import ColumnType, trimmed_values
from understudy.tables.formats.csv.messages import describe, schema_of
from understudy.tables.formats.csv.plain_notation import with_notation
from understudy.tables.formats.csv.resolution import clues_of, resolve
from understudy.tables.formats.jsonl.columns import STAGED_TYPES, Column, ValueKind, remove_absent_objects
from understudy.tables.formats.jsonl.documents import Document, json_lines
from understudy.tables.formats.jsonl.extended import has_infinite, mixture_warning, unwrapped_names
from understudy.tables.formats.jsonl.lines import check_start
from understudy.tables.formats.jsonl.numerals import decimal_type
from understudy.tables.formats.jsonl.staging import Staged
from understudy.tables.formats.jsonl.writing import jsonl_chunks, write_jsonl
from understudy.tables.formats.scan import Reading, Scan
from understudy.tables.formats.text_columns import is_detected
from understudy.tables.inference import check_names
from understudy.tables.json_place import place_metadata
from understudy.tables.notations.clues import Texts


@contextmanager
def scan_jsonl(path: Path, reading: Reading) -> Iterator[Scan]:
    """Open a JSON Lines file; see `Format`."""
    check_start(path)
    document = json_lines(path, reading)
    try:
        scan = _scan(document, reading)
    except InvalidInput as error:
        if document.is_copy:
            raise InvalidInput(document.explain(str(error)), code=error.code) from None
        raise
    yield scan


def _scan(document: Document, reading: Reading) -> Scan:
    staged = Staged(reading.scratch)
    staged.fill(document.path, reading)
    if staged.n_rows == 0:
        raise InvalidInput(
            "The file contains only whitespace. Upload a file with one object per line.", code="empty_file"
        )
    joined = staged.join_mixed()
    flattened = remove_absent_objects(staged.columns)
    names = unwrapped_names(staged.columns)
    check_names(list(names.values()))
    types = {
        name: _decide(replace(column, name=names[name]), partial(staged.texts, name), staged, reading.options)
        for name, column in staged.columns.items()
    }
    schema = _with_places(schema_of(types.items()), staged.columns)
    messages = {names[name]: describe(names[name], type_) for name, type_ in types.items()}
    batches = staged.batches(schema, {name: type_.notation for name, type_ in types.items()})
    return Scan(
        pa.schema([field.with_name(names[field.name]) for field in schema]),
        staged.n_rows,
        (batch.rename_columns(list(names.values())) for batch in batches),
        notes={name: document.explain(each.note) for name, each in messages.items() if each.note},
        warnings=[
            *document.warnings,
            *(mixture_warning(names[name]) for name in joined),
            *(_flattening([names[name] for name in flattened]) if reading.options.flatten is None else ()),
            *(document.explain(warning) for each in messages.values() for warning in each.warnings),
        ],
    )


def _with_places(schema: pa.Schema, columns: Mapping[str, Column]) -> pa.Schema:
    """Return the schema, with the paths of nested values in the field metadata."""
    fields = []
    for field in schema:
        metadata: dict[Any, Any] = {**(field.metadata or {}), **place_metadata(columns[field.name].place)}
        fields.append(field.with_metadata(metadata) if metadata else field)
    return pa.schema(fields)


def _flattening(names: Sequence[str]) -> Iterator[str]:
    """Yield a warning if nested values were converted to columns."""
    if names:
        shown = ", ".join(repr(name) for name in names[:5]) + (" and others" if len(names) > 5 else "")
        yield (
            f"Nested objects and arrays were read as the columns {shown}; JSON Lines output has the same "
            "nesting. Set the option `flatten` to true to avoid this message, or to false to reject nested "
            "values."
        )


def _decide(column: Column, values: Texts, staged: Staged, options: ReadOptions) -> ColumnType:
    """Return the smallest type that can represent all values of a column."""
    is_complete = column.n_values == staged.n_rows
    if column.is_quoted_number and column.name not in options.coerce and any(map(has_infinite, values())):
        note = "it contains NaN or Infinity, which a number in JSON cannot represent"
        return ColumnType(pa.string(), is_complete, note, is_doubtful=True, is_nearly=True)
    if column.kind is ValueKind.mixed:
        note = f"it contains {column.describe_mixture()}"
        mixed = ColumnType(pa.string(), is_complete, note, is_doubtful=True)
        texts = partial(_trimmed, values)
        decided = resolve(mixed, texts, clues_of(column.name, options), column.name)
        return replace(decided, is_complete=False) if decided.replaced else mixed
    if column.kind is ValueKind.numerals:
        return _decide_numerals(values, is_complete=is_complete)
    if column.kind is ValueKind.texts:
        return _decide_texts(column, values, options, is_complete=is_complete)
    type_ = STAGED_TYPES[column.kind]
    return ColumnType(pa.string() if pa.types.is_null(type_) else type_, is_complete)


def _trimmed(values: Texts) -> Iterator[pa.Array[Any]]:
    yield from trimmed_values(values(), ("",))


def _decide_numerals(values: Texts, *, is_complete: bool) -> ColumnType:
    type_ = decimal_type(values())
    if type_ is not None:
        note = "stored as decimals, because 64-bit integers and floats cannot represent all of their digits"
        return ColumnType(type_, is_complete, note)
    return ColumnType(
        pa.string(), is_complete, "it contains numbers with too many digits for a decimal", is_doubtful=True
    )


def _decide_texts(column: Column, values: Texts, options: ReadOptions, *, is_complete: bool) -> ColumnType:
    """Detect dates and numbers in text as in CSV files. A plain number in quotation marks remains text."""
    texts, clues = partial(_trimmed, values), clues_of(column.name, options)
    decided = resolve(column.profile.decide(), texts, clues, column.name)
    if is_detected(decided):
        return replace(decided, is_complete=is_complete and decided.is_complete)
    if pa.types.is_temporal(decided.arrow_type):
        return ColumnType(decided.arrow_type, is_complete and decided.is_complete, decided.note)
    if column.is_quoted_number and not pa.types.is_string(decided.arrow_type):
        written = with_notation(decided, texts, clues)
        return replace(written, is_complete=is_complete and decided.is_complete)
    if pa.types.is_string(decided.arrow_type):
        return replace(decided, is_complete=is_complete, odd_rows=())
    return ColumnType(pa.string(), is_complete, "values in quotation marks are kept as text")


JSONL = Format(
    name="jsonl",
    summary="JSON Lines in UTF-8; one object per line, with strings, numbers, true, false and null as values",
    suffixes=(".jsonl", ".ndjson", ".json"),
    media_type="application/x-ndjson",
    scan=scan_jsonl,
    write=write_jsonl,
    chunks=jsonl_chunks,
    options=frozenset(("decimal", "thousands", "date_order", "coerce", "flatten")),
)
