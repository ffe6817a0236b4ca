"""Convert dictionary and view columns to plain columns, and check their texts, using bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from understudy.errors import InvalidInput, TooLarge
from understudy.tables.formats.scan import MEBIBYTE, ReadLimits

# Maximum size of the text in a batch of plain columns. A dictionary can repeat one long text in an unlimited
# number of rows.
_BATCH_TEXT_BYTES_MAX = 32 * MEBIBYTE
_VIEW_BYTES = 16


@contextmanager
def translated(detail: str) -> Iterator[None]:
    """Translate parser errors into `InvalidInput`, except for memory errors and operating system errors."""
    try:
        yield
    except (pa.ArrowMemoryError, InvalidInput):
        raise
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        # The cause is suppressed because the parser's message may contain values.
        raise InvalidInput(detail, code="unreadable_file") from None


def small_batches(batch: pa.RecordBatch, limits: ReadLimits) -> Iterator[pa.RecordBatch]:
    """Split a batch so that its texts do not exceed the size limit when converted to plain columns.

    Raises
    ------
    TooLarge
        If a text exceeds `cell_bytes_max`.
    """
    text_bytes = sum(
        _text_bytes(name, column, limits)
        for name, column in zip(batch.schema.names, batch.columns, strict=True)
    )
    n_parts = min(batch.num_rows, 1 + text_bytes // _BATCH_TEXT_BYTES_MAX)
    rows = -(-batch.num_rows // max(1, n_parts))
    for start in range(0, batch.num_rows, max(1, rows)):
        yield batch.slice(start, rows)


def _text_bytes(name: str, column: pa.Array[Any], limits: ReadLimits) -> int:
    texts = column.dictionary if isinstance(column, pa.DictionaryArray) else column
    if not (_is_text(texts.type) or pa.types.is_string_view(texts.type)) or len(texts) == 0:
        return 0
    lengths = _lengths(texts)
    if (pc.max(lengths).as_py() or 0) > limits.cell_bytes_max:
        raise TooLarge(
            f"Column {name!r} contains a text value of more than {limits.cell_bytes_max:,} bytes. "
            "Shorten the text, or remove the column."
        )
    if isinstance(column, pa.DictionaryArray):
        lengths = pc.take(lengths, column.indices)
    return pc.sum(lengths).as_py() or 0


def _lengths(texts: Any) -> Any:
    """Return the length of each text in bytes.

    Arrow does not provide a kernel for the length of a view. The first four bytes of a view contain its
    length.
    """
    if not pa.types.is_string_view(texts.type):
        return pc.binary_length(texts).cast(pa.int64())
    start = texts.offset * _VIEW_BYTES
    views = np.frombuffer(texts.buffers()[1], np.uint8)[start : start + len(texts) * _VIEW_BYTES]
    lengths = pa.array(views.view(np.int32).reshape(-1, 4)[:, 0].astype(np.int64))
    return pc.if_else(texts.is_valid(), lengths, 0)


def materialize_batch(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Convert the columns of a batch to plain columns with the types of the schema.

    Raises
    ------
    InvalidInput
        If a text is not valid UTF-8 (code wrong_encoding).
    """
    columns = [
        _dense_column(name, column, type_)
        for name, column, type_ in zip(schema.names, batch.columns, schema.types, strict=True)
    ]
    return pa.record_batch(columns, schema=schema)


def _dense_column(name: str, column: pa.Array[Any], type_: pa.DataType) -> pa.Array[Any]:
    if isinstance(column, pa.DictionaryArray):
        values = column.dictionary
        if _is_text(type_):
            _check_text(name, values)
        if values.type != type_:
            column = pa.DictionaryArray.from_arrays(column.indices, values.cast(type_))
        column = column.dictionary_decode()
    elif _is_text(type_):
        _check_text(name, column)
    return column if column.type == type_ else column.cast(type_)


def _is_text(type_: pa.DataType) -> bool:
    return pa.types.is_string(type_) or pa.types.is_large_string(type_)


def _check_text(name: str, column: pa.Array[Any]) -> None:
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        raise InvalidInput(
            f"Column {name!r} is declared as text but contains bytes that are not valid UTF-8. Encode it as "
            "UTF-8.",
            code="wrong_encoding",
        ) from None
