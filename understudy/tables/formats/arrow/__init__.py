"""Read Arrow IPC files (Feather) and streams with pyarrow. Every batch is checked before use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

from understudy.errors import InvalidInput
from understudy.tables.arrow_types import known_metadata
from understudy.tables.formats.arrow.framing import Layout, read_layout
from understudy.tables.formats.arrow.writing import arrow_chunks, write_arrow
from understudy.tables.formats.base import Format
from understudy.tables.formats.canonical import batch_rows, check_rows
from understudy.tables.formats.materialize import materialize_batch, small_batches, translated
from understudy.tables.formats.scan import Reading, ReadLimits, Scan
from understudy.tables.formats.text_columns import with_typed_texts
from understudy.tables.inference import check_names, storable_type

_DAMAGED = "The Arrow file is damaged: its content cannot be decoded. Export it again."
_EXTENSION = b"ARROW:extension:name"


@contextmanager
def scan_arrow(path: Path, reading: Reading) -> Iterator[Scan]:
    """Open an Arrow file or stream; see `Format`."""
    limits = reading.limits
    reading.progress("checking", 0.0)
    layout = read_layout(path, limits)
    check_rows(layout.n_rows, limits)
    with pa.OSFile(str(path), "rb") as file:
        file.seek(layout.start)
        options = pa.ipc.IpcReadOptions(use_threads=False)
        with translated(_DAMAGED):
            reader = pa.ipc.open_stream(file, options=options)
            schema = _canonical_schema(reader.schema)
        if layout.n_rows == 0:
            raise InvalidInput("The table has no rows. Upload a table with at least one row.", code="no_rows")
        yield Scan(schema, layout.n_rows, _batches(reader, layout, schema, limits))


def _canonical_schema(source: pa.Schema) -> pa.Schema:
    check_names(source.names)
    return pa.schema(
        [
            pa.field(
                f.name,
                _canonical_type(f),
                nullable=f.nullable,
                metadata=known_metadata(f.metadata),
            )
            for f in source
        ]
    )


def _canonical_type(field: pa.Field[Any]) -> pa.DataType:
    if _EXTENSION in (field.metadata or {}):
        # The meaning of the values is unknown without the definition of the extension type.
        raise InvalidInput(
            f"Column {field.name!r} has an extension type, which is not supported. Remove the column, or "
            "store it as numbers, text, dates or booleans.",
            code="unsupported_column",
        )
    return storable_type(field.name, field.type)


def _batches(
    reader: pa.ipc.RecordBatchStreamReader, layout: Layout, schema: pa.Schema, limits: ReadLimits
) -> Iterator[pa.RecordBatch]:
    rows = batch_rows(len(schema))
    with translated(_DAMAGED):
        # Read only the batches that the layout lists, because a footer may follow the last batch.
        for _ in layout.batches:
            batch = reader.read_next_batch()
            batch.validate()
            _check(batch, is_dictionary=True)
            for start in range(0, batch.num_rows, rows):
                for part in small_batches(batch.slice(start, rows), limits):
                    # Validate only after the batch is split, because validation reads a shared text once for
                    # each view that refers to it.
                    _check(part, is_dictionary=False)
                    yield _complete(materialize_batch(part, schema))


def _check(batch: pa.RecordBatch, *, is_dictionary: bool) -> None:
    """Check every offset, length, index and text, either in dictionary columns or in all other columns."""
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        if isinstance(column, pa.DictionaryArray) is not is_dictionary:
            continue
        try:
            column.validate(full=True)
        except pa.ArrowInvalid as error:
            if "UTF8" not in str(error):
                raise
            raise InvalidInput(
                f"Column {name!r} is declared as text but contains bytes that are not valid UTF-8. "
                "Encode it as UTF-8.",
                code="wrong_encoding",
            ) from None


def _complete(batch: pa.RecordBatch) -> pa.RecordBatch:
    for field, column in zip(batch.schema, batch.columns, strict=True):
        if column.null_count > 0 and not field.nullable:
            raise InvalidInput(
                f"Column {field.name!r} is declared non-nullable but contains missing values. "
                "Declare it nullable, or replace the missing values.",
                code="unsupported_column",
            )
    return batch


ARROW = Format(
    name="arrow",
    summary="Arrow IPC file (Feather) or stream; flat columns of the types that Parquet supports",
    suffixes=(".arrow", ".feather", ".ipc", ".arrows"),
    media_type="application/vnd.apache.arrow.file",
    scan=with_typed_texts(scan_arrow),
    write=write_arrow,
    chunks=arrow_chunks,
    options=frozenset(("decimal", "thousands", "date_order", "coerce")),
)
