"""Detect numbers and dates in the text columns of typed formats, such as Parquet."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from understudy.parameters.read_options import ReadOptions
from understudy.progress import no_progress
from understudy.tables.formats.csv.column_types import ColumnType, cast_column, trimmed_values
from understudy.tables.formats.csv.messages import describe
from understudy.tables.formats.csv.resolution import clues_of, resolve
from understudy.tables.formats.scan import Reading, Scan
from understudy.tables.notation import NumberNotation, field_metadata
from understudy.tables.notations.detection import detect
from understudy.tables.notations.writing import is_plain

# Number of rows at the beginning of a file that are searched for text columns with a notation.
_N_ROWS_EXAMINED = 2_000

# Only empty text always counts as missing. Other words count as missing only if they are part of the
# notation.
_NO_WORDS = ("",)

OpenScan = Callable[[], AbstractContextManager[Scan]]
ScanFile = Callable[[Path, Reading], AbstractContextManager[Scan]]


def with_typed_texts(scan_file: ScanFile) -> ScanFile:
    """Wrap a function that opens a file so that it also detects numbers and dates in text columns."""

    @contextmanager
    def scan_typed(path: Path, reading: Reading) -> Iterator[Scan]:
        silent = replace(reading, progress=no_progress)
        types = _detect_in_texts(lambda: scan_file(path, silent), silent)
        with scan_file(path, reading) as scan:
            yield _with_types(scan, types) if types else scan

    return scan_typed


def with_typed_columns(table: pa.Table) -> tuple[pa.Table, dict[str, str]]:
    """Return an in-memory table with text columns converted to the detected types, and notes about columns.

    All words for missing values are added to the notation, because later only the notation determines how the
    texts are parsed.
    """
    options, notes = ReadOptions(), {}
    texts = [field.name for field in table.schema if _is_text(field.type)]
    for name in _with_notation(table.slice(0, _N_ROWS_EXAMINED), texts, options):
        column = table.column(name).cast(pa.string())
        values = partial(trimmed_values, column.chunks, _NO_WORDS)
        type_ = resolve(ColumnType(pa.string(), is_complete=False), values, clues_of(name, options), name)
        if type_.note:
            notes[name] = type_.note
        if is_detected(type_):
            field = pa.field(name, type_.arrow_type, metadata=field_metadata(type_.notation))
            chunks = [
                cast_column(chunk, type_.arrow_type, missing=_NO_WORDS, notation=type_.notation)
                for chunk in column.chunks
            ]
            make: Any = pa.chunked_array  # Any: the stubs do not accept types known only at run time.
            place = table.column_names.index(name)
            table = table.set_column(place, field, make(chunks, type_.arrow_type))
    return table, notes


def _detect_in_texts(open_scan: OpenScan, reading: Reading) -> dict[str, ColumnType]:
    """Return the types of the text columns that contain numbers or dates, by name.

    Plain numbers in a text column remain text, because the author of the file chose this type.
    """
    with open_scan() as scan:
        candidates = _candidates(scan, reading)
    if not candidates:
        return {}
    path = reading.scratch / "texts.arrow"
    with open_scan() as scan:
        _stage(path, scan, candidates)
    types = {
        name: resolve(
            ColumnType(pa.string(), is_complete=False),
            partial(_texts, path, index),
            clues_of(name, reading.options),
            name,
        )
        for index, name in enumerate(candidates)
    }
    path.unlink()
    return {name: type_ for name, type_ in types.items() if type_.is_doubtful or is_detected(type_)}


def is_detected(type_: ColumnType) -> bool:
    """Return whether the values of a text column have a notation that only text can represent."""
    notation = type_.notation
    if notation is None:
        return False
    return not (isinstance(notation, NumberNotation) and is_plain(notation) and not type_.replaced)


def _candidates(scan: Scan, reading: Reading) -> list[str]:
    texts = [field.name for field in scan.schema if _is_text(field.type)]
    first = next(iter(scan.batches), None) if texts else None
    if first is None:
        return []
    start = pa.Table.from_batches([first.slice(0, _N_ROWS_EXAMINED)])
    return _with_notation(start, texts, reading.options)


def _with_notation(start: pa.Table, texts: list[str], options: ReadOptions) -> list[str]:
    """Return the text columns that have a notation in their first values."""
    return [
        name
        for name in texts
        if detect(partial(_first_texts, start, name), clues_of(name, options)) is not None
    ]


def _first_texts(start: pa.Table, name: str) -> Iterator[pa.Array[Any]]:
    yield from trimmed_values(start.column(name).cast(pa.string()).chunks, _NO_WORDS)


def _stage(path: Path, scan: Scan, names: list[str]) -> None:
    schema = pa.schema([pa.field(name, pa.string()) for name in names])
    options = pa.ipc.IpcWriteOptions(compression="lz4", use_threads=False)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, schema, options=options) as writer:
        for batch in scan.batches:
            writer.write_batch(
                pa.record_batch([batch.column(name).cast(pa.string()) for name in names], schema=schema)
            )


def _texts(path: Path, index: int) -> Iterator[pa.Array[Any]]:
    options = pa.ipc.IpcReadOptions(included_fields=[index], use_threads=False)
    with pa.OSFile(str(path), "rb") as source, pa.ipc.open_file(source, options=options) as file:
        for number in range(file.num_record_batches):
            yield from trimmed_values([file.get_batch(number).column(0)], _NO_WORDS)


def _with_types(scan: Scan, types: Mapping[str, ColumnType]) -> Scan:
    """Return a scan with the detected types for text columns."""
    detected = {name: type_ for name, type_ in types.items() if type_.notation is not None}
    fields = [
        pa.field(
            field.name,
            detected[field.name].arrow_type,
            nullable=field.nullable or not detected[field.name].is_complete,
            metadata=field_metadata(detected[field.name].notation),
        )
        if field.name in detected
        else field
        for field in scan.schema
    ]
    messages = {name: describe(name, type_) for name, type_ in types.items()}
    return replace(
        scan,
        schema=pa.schema(fields),
        batches=_typed(scan, detected, pa.schema(fields)),
        notes={**scan.notes, **{name: each.note for name, each in messages.items() if each.note}},
        warnings=[*scan.warnings, *(warning for each in messages.values() for warning in each.warnings)],
    )


def _typed(scan: Scan, types: Mapping[str, ColumnType], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    for batch in scan.batches:
        columns = [
            cast_column(
                column.cast(pa.string()), field.type, missing=_NO_WORDS, notation=types[field.name].notation
            )
            if field.name in types
            else column
            for field, column in zip(schema, batch.columns, strict=True)
        ]
        yield pa.record_batch(columns, schema=schema)


def _is_text(type_: pa.DataType) -> bool:
    return pa.types.is_string(type_) or pa.types.is_large_string(type_)
