"""A digest of a table's content that is independent of file format, compression and chunks."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute

# Any: the stubs of these functions do not support types that are known only at run time.
pc: Any = pyarrow.compute

_INTEGERS: dict[int, pa.DataType] = {32: pa.int32(), 64: pa.int64()}


def fingerprint(table: pa.Table) -> str:
    """Return the SHA-256 of a table's column names, types and values, in order, as a hexadecimal string.

    Notes
    -----
    For each column, the digest covers the following items in order:

    1. The column's name, Arrow type and number of rows.
    2. One bit per row, which is set if the value is not missing.
    3. The values that are not missing. Numbers and times are hashed in their little-endian memory layout.
       Each boolean is hashed as one byte. Decimals are converted to text. For text, the lengths of all values
       (8 bytes each) precede the UTF-8 bytes of all values.

    All NaN values have the same hash.
    """
    digest = hashlib.sha256()
    for field, column in zip(table.schema, table.columns, strict=True):
        digest.update(f"{field.name}\0{field.type}\0{table.num_rows}\0".encode())
        digest.update(np.packbits(np.asarray(pc.is_valid(column))).tobytes())
        for part in _values(field.type, [chunk.drop_null() for chunk in column.chunks]):
            digest.update(part)
    return digest.hexdigest()


# Any: arrays of any type.
def _values(type_: pa.DataType, chunks: list[Any]) -> Iterator[bytes | memoryview]:
    is_number = pa.types.is_floating(type_) or pa.types.is_integer(type_) or pa.types.is_boolean(type_)
    if is_number or pa.types.is_temporal(type_):
        for chunk in chunks:
            yield _numbers(type_, chunk)
        return
    texts = [chunk.cast(pa.large_string()) for chunk in chunks]
    for chunk in texts:
        yield pc.binary_length(chunk).to_numpy().astype("<i8").tobytes()
    for chunk in texts:
        yield _utf8(chunk)


def _numbers(type_: pa.DataType, values: Any) -> bytes:
    if pa.types.is_temporal(type_):
        values = values.view(_INTEGERS[type_.bit_width])
    numbers = np.asarray(values.to_numpy(zero_copy_only=False))
    if pa.types.is_boolean(type_):
        numbers = numbers.astype(np.uint8)
    if pa.types.is_floating(type_):
        numbers = np.where(np.isnan(numbers), numbers.dtype.type(np.nan), numbers)
    return numbers.tobytes()


def _utf8(texts: Any) -> memoryview:
    """Return the concatenated UTF-8 bytes of all texts without copying them."""
    _, offsets, letters = texts.buffers()
    if letters is None or not len(texts):
        return memoryview(b"")
    ends = np.frombuffer(offsets, dtype=np.int64)[[texts.offset, texts.offset + len(texts)]]
    return memoryview(letters)[int(ends[0]) : int(ends[1])]
