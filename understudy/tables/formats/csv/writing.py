"""Write CSV files according to RFC 4180, in UTF-8, with single line feeds and quoted text.

A missing value is an empty field, or a word for missing values that the notation of the column contains.
Quotation marks distinguish it from empty text (`""`) and from the text `NA`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from understudy.progress import Progress, no_progress
from understudy.tables.formats.canonical import atomic_path
from understudy.tables.notation import PlainNotation, read_metadata
from understudy.tables.notations import written_batch
from understudy.tables.notations.writing import with_words

# Large strings are used because many long texts can exceed 2 GiB.
_TEXT = pa.large_string()
# The text of a whole batch would occupy much memory while a slow client reads it.
_PIECE_ROWS = 8_192


def write_csv(
    path: Path,
    batches: Iterable[pa.RecordBatch],
    schema: pa.Schema,
    *,
    progress: Progress = no_progress,
    rows_total: int | None = None,
) -> int:
    """Write batches to a file and return the number of rows. In `.tsv` files, the delimiter is a tab.

    The file appears at its path only when it is complete. Memory does not grow with the number of rows.
    """
    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    n_rows = 0
    with atomic_path(path) as part, part.open("wb") as file:
        file.write(_header(schema, delimiter))
        for batch in batches:
            file.write(_rows(batch, schema, delimiter))
            n_rows += batch.num_rows
            fraction = n_rows / rows_total if rows_total else 0.0
            progress("writing", fraction, rows_done=n_rows, rows_total=rows_total)
    return n_rows


def csv_chunks(batches: Iterable[pa.RecordBatch], schema: pa.Schema, delimiter: str = ",") -> Iterator[bytes]:
    """Yield the bytes of a CSV file: the header, then the rows of each batch in pieces."""
    yield _header(schema, delimiter)
    for batch in batches:
        for start in range(0, batch.num_rows, _PIECE_ROWS):
            yield _rows(batch.slice(start, _PIECE_ROWS), schema, delimiter)


def _header(schema: pa.Schema, delimiter: str) -> bytes:
    names = (name.replace('"', '""') for name in schema.names)
    return (delimiter.join(f'"{name}"' for name in names) + "\n").encode()


def _rows(batch: pa.RecordBatch, schema: pa.Schema, delimiter: str) -> bytes:
    written = written_batch(batch, schema)
    plain = {index: notation for index, field in enumerate(schema) if (notation := _plain(field))}
    if written is not batch or plain:
        return _joined_rows(written, batch.schema, plain, delimiter)
    sink = pa.BufferOutputStream()
    columns = [column.cast(_written_type(column.type)) for column in batch.columns]
    options = pa.csv.WriteOptions(include_header=False, delimiter=delimiter, batch_size=16_384)
    pa.csv.write_csv(pa.record_batch(columns, names=batch.schema.names), sink, options)
    return sink.getvalue().to_pybytes()


def _plain(field: pa.Field[Any]) -> PlainNotation | None:
    """Return the notation of a field if it only determines how missing values are written."""
    notation = read_metadata(field.metadata)
    return notation if isinstance(notation, PlainNotation) else None


def _joined_rows(
    written: pa.RecordBatch, schema: pa.Schema, plain: Mapping[int, PlainNotation], delimiter: str
) -> bytes:
    """Return the rows of a batch in which some columns have a notation. Quote values only if necessary."""
    fields: list[Any] = []
    for index, (column, type_) in enumerate(zip(written.columns, schema.types, strict=True)):
        texts = column.cast(_written_type(column.type)).cast(_TEXT)
        if column.type != type_:
            texts = _quoted_if_needed(texts, delimiter)
        elif _is_text(type_):
            texts = _quoted(texts)
        if index in plain:
            # Words for missing values are not quoted, which distinguishes them from text.
            texts = with_words(texts, plain[index])
        fields += [texts, pa.scalar(delimiter, _TEXT)]
    fields[-1] = pa.scalar("\n", _TEXT)
    lines: Any = pc.binary_join_element_wise(
        *fields, pa.scalar("", _TEXT), null_handling="replace", null_replacement=""
    )
    data: bytes = lines.buffers()[2].slice(0, pc.sum(pc.binary_length(lines)).as_py() or 0).to_pybytes()
    return data


def _quoted_if_needed(texts: Any, delimiter: str) -> Any:
    has_special = pc.match_substring_regex(texts, f'["\r\n{re.escape(delimiter)}]')
    return pc.if_else(has_special, _quoted(texts), texts) if pc.any(has_special).as_py() else texts


def _quoted(texts: Any) -> Any:
    mark = pa.scalar('"', _TEXT)
    escaped = pc.replace_substring(texts, '"', '""')
    return pc.binary_join_element_wise(mark, escaped, mark, pa.scalar("", _TEXT))


def _is_text(type_: pa.DataType) -> bool:
    return pa.types.is_string(type_) or pa.types.is_large_string(type_)


def _written_type(type_: pa.DataType) -> pa.DataType:
    """Return the type that is written: an integer for durations, and date32 for date64."""
    if pa.types.is_duration(type_):
        return pa.int64()
    if pa.types.is_date64(type_):
        return pa.date32()
    return type_
