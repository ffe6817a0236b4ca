"""Write CSV files according to RFC 4180, in UTF-8, with single line feeds and quoted text.

The quotation marks distinguish empty text (`""`) and the text `NA` from a missing value, which is an empty
field.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.csv

from understudy.progress import Progress, no_progress
from understudy.tables.formats.canonical import atomic_path


def write_csv(
    path: Path,
    batches: Iterable[pa.RecordBatch],
    schema: pa.Schema,
    *,
    progress: Progress = no_progress,
    rows_total: int | None = None,
) -> int:
    """Write batches to a file and return the number of rows. A path that ends in `.tsv` gets tabs.

    The file appears at its path only when it is complete. Memory does not grow with the number of rows.
    """
    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    n_rows = 0
    with atomic_path(path) as part, part.open("wb") as file:
        file.write(_header(schema, delimiter))
        for batch in batches:
            file.write(_rows(batch, delimiter))
            n_rows += batch.num_rows
            fraction = n_rows / rows_total if rows_total else 0.0
            progress("writing", fraction, rows_done=n_rows, rows_total=rows_total)
    return n_rows


def csv_chunks(batches: Iterable[pa.RecordBatch], schema: pa.Schema, delimiter: str = ",") -> Iterator[bytes]:
    """Yield the bytes of a CSV file: the header, then the rows of each batch."""
    yield _header(schema, delimiter)
    for batch in batches:
        yield _rows(batch, delimiter)


def _header(schema: pa.Schema, delimiter: str) -> bytes:
    names = (name.replace('"', '""') for name in schema.names)
    return (delimiter.join(f'"{name}"' for name in names) + "\n").encode()


def _rows(batch: pa.RecordBatch, delimiter: str) -> bytes:
    sink = pa.BufferOutputStream()
    columns = [column.cast(_written_type(column.type)) for column in batch.columns]
    options = pa.csv.WriteOptions(include_header=False, delimiter=delimiter, batch_size=16_384)
    pa.csv.write_csv(pa.record_batch(columns, names=batch.schema.names), sink, options)
    return sink.getvalue().to_pybytes()


def _written_type(type_: pa.DataType) -> pa.DataType:
    """Return the type to cast to before writing, which is an integer for durations and date32 for date64."""
    if pa.types.is_duration(type_):
        return pa.int64()
    if pa.types.is_date64(type_):
        return pa.date32()
    return type_
