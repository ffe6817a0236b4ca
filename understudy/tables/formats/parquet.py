"""Read Apache Parquet files with pyarrow. Rows and bytes are counted during decoding."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from understudy.errors import InvalidInput
from understudy.tables.arrow_types import known_metadata
from understudy.tables.formats.base import Format
from understudy.tables.formats.canonical import batch_rows, check_columns, check_rows, write_parquet
from understudy.tables.formats.materialize import materialize_batch, small_batches, translated
from understudy.tables.formats.scan import MEBIBYTE, Reading, ReadLimits, Scan
from understudy.tables.formats.text_columns import with_typed_texts
from understudy.tables.inference import check_names, storable_type
from understudy.tables.text_style import known_style

_FOOTER_BYTES_MAX = 64 * MEBIBYTE
_DAMAGED = "The Parquet file is damaged: its content cannot be decoded. Export it again."


@contextmanager
def scan_parquet(path: Path, reading: Reading) -> Iterator[Scan]:
    """Open a Parquet file; see `Format`."""
    limits = reading.limits
    reading.progress("checking", 0.0)
    _check_ends(path)
    with _open(path, limits) as file:
        with translated(_DAMAGED):
            schema = _canonical_schema(_declared_schema(file))
        n_rows = file.metadata.num_rows
        check_rows(n_rows, limits)
        if n_rows == 0:
            raise InvalidInput("The table has no rows. Upload a table with at least one row.", code="no_rows")
        yield Scan(schema, n_rows, _batches(file, schema, limits))


def _check_ends(path: Path) -> None:
    """Check the magic bytes at both ends and the length of the footer, before a parser reads the file."""
    size = path.stat().st_size
    if size == 0:
        raise InvalidInput("The file is empty. Upload a file with at least one row.", code="empty_file")
    with path.open("rb") as file:
        start = file.read(4)
        file.seek(max(0, size - 8))
        end = file.read(8)
    if start == b"PARE":
        raise _unreadable("The Parquet file is encrypted. Decrypt it before you upload it.")
    if start != b"PAR1":
        raise _unreadable(
            "The file is not Parquet: it does not start with `PAR1`. "
            "Set `format` to the file's actual format, or correct its suffix."
        )
    if size < 12 or end[4:] != b"PAR1":
        raise _unreadable("The Parquet file is truncated: its footer is missing. Upload it again.")
    if int.from_bytes(end[:4], "little") > min(size - 12, _FOOTER_BYTES_MAX):
        raise _unreadable(
            "The footer of the Parquet file is damaged or larger than 64 MiB. Export the file again."
        )


def _open(path: Path, limits: ReadLimits) -> pq.ParquetFile:
    """Open the file with dictionaries for text columns, so that a repeated text is in memory only once."""
    with translated(_DAMAGED):
        metadata = pq.read_metadata(path)
        check_columns(metadata.num_columns, limits)
        columns = [metadata.schema.column(index) for index in range(metadata.num_columns)]
        return pq.ParquetFile(
            path,
            metadata=metadata,
            read_dictionary=[c.path for c in columns if c.logical_type.type == "STRING"],
            page_checksum_verification=True,
            pre_buffer=False,  # buffering would load a whole row group into memory
            buffer_size=MEBIBYTE,
        )


def _unreadable(detail: str) -> InvalidInput:
    return InvalidInput(detail, code="unreadable_file")


def _declared_schema(file: pq.ParquetFile) -> pa.Schema:
    """Return the original Arrow schema of the file, including time units that Parquet does not support.

    Parquet does not have a type for seconds or 64-bit dates. pyarrow stores the original schema in the file,
    but reads these columns with the next finer unit.
    """
    # `file.schema_arrow` is not used because it contains the dictionary types that `_open` requests.
    schema = file.metadata.schema.to_arrow_schema()
    stored_schema = (file.metadata.metadata or {}).get(b"ARROW:schema")
    if stored_schema is None:
        return schema
    written = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(stored_schema)))
    if written.names != schema.names:
        return schema
    return pa.schema(
        [
            pa.field(
                field.name,
                original.type if _is_coarser(original.type, field.type) else field.type,
                nullable=field.nullable,
                metadata=original.metadata,
            )
            for field, original in zip(schema, written, strict=True)
        ],
        metadata=known_style(written.metadata),
    )


def _is_coarser(written: pa.DataType, read: pa.DataType) -> bool:
    if pa.types.is_date64(written):
        return pa.types.is_date32(read)
    if pa.types.is_time32(written):
        return pa.types.is_time32(read)
    return (
        pa.types.is_timestamp(written)
        and pa.types.is_timestamp(read)
        and (written.unit, read.unit) == ("s", "ms")
        and written.tz == read.tz
    )


def _canonical_schema(source: pa.Schema) -> pa.Schema:
    check_names(source.names)
    return pa.schema(
        [
            pa.field(
                f.name,
                storable_type(f.name, f.type),
                nullable=f.nullable,
                metadata=known_metadata(f.metadata),
            )
            for f in source
        ],
        metadata=known_style(source.metadata),
    )


def _batches(file: pq.ParquetFile, schema: pa.Schema, limits: ReadLimits) -> Iterator[pa.RecordBatch]:
    rows = batch_rows(len(schema))
    with translated(_DAMAGED):
        for batch in file.iter_batches(batch_size=rows, use_threads=False):
            for part in small_batches(batch, limits):
                yield materialize_batch(part, schema)


PARQUET = Format(
    name="parquet",
    summary="Apache Parquet; flat columns of numbers, text, booleans, dates, times and durations",
    suffixes=(".parquet", ".pq"),
    media_type="application/vnd.apache.parquet",
    scan=with_typed_texts(scan_parquet),
    write=write_parquet,
    options=frozenset(("decimal", "thousands", "date_order", "coerce")),
)
