"""Broken or unsupported Parquet files: name -> (expected error code, function that returns the bytes)."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq

_TABLE = pa.table({"a": list(range(1_000)), "b": [f"text {index % 7}" for index in range(1_000)]})


def _file(table: pa.Table = _TABLE, **options: object) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


def _column(array: pa.Array) -> Callable[[], bytes]:
    return lambda: _file(pa.table([array], names=["a"]))


def _overwritten(start: int, length: int) -> bytes:
    """Return a file with random bytes in a part of its pages."""
    data = bytearray(_file())
    data[start : start + length] = random.Random(1).randbytes(length)  # noqa: S311 - noise, not a secret
    return bytes(data)


def _footer_length(length: int) -> bytes:
    return _file()[:-8] + length.to_bytes(4, "little") + b"PAR1"


def _declaring(n_rows: int) -> bytes:
    """Return a file of 1,000 rows with `n_rows` in its footer. `n_rows` must be below 8,192 (two bytes)."""
    data = _file(pa.table({"a": list(range(1_000))}), store_schema=False)
    start = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    footer = data[start:].replace(_varint(1_000), _varint(n_rows), 1)
    assert footer != data[start:]
    return data[:start] + footer


def _varint(n: int) -> bytes:
    return bytes([(2 * n) & 0x7F | 0x80, (2 * n) >> 7])


def _invalid_text() -> bytes:
    buffers = [None, pa.py_buffer(b"\0\0\0\0\2\0\0\0"), pa.py_buffer(b"\xff\xfe")]
    return _file(pa.table({"a": pa.Array.from_buffers(pa.string(), 1, buffers)}))


def _dictionary_bomb() -> bytes:
    """Return a file of 1 KB that expands to a terabyte: a text of 10 MB in 100,000 rows."""
    text = pa.DictionaryArray.from_arrays(pa.array([0] * 100_000, pa.int32()), pa.array(["x" * 10_000_000]))
    return _file(pa.table({"a": text}), compression="zstd")


def _row_bomb() -> bytes:
    """Return a file of a few kilobytes that expands to 60 million equal rows."""
    group = pa.table({"a": pa.array([0], pa.int8()).take(pa.array([0] * 10_000_000, pa.int32()))})
    sink = io.BytesIO()
    with pq.ParquetWriter(sink, group.schema, compression="zstd") as writer:
        for _ in range(6):
            writer.write_table(group, row_group_size=10_000_000)
    return sink.getvalue()


def _nested(depth: int) -> pa.Array:
    type_: pa.DataType = pa.int8()
    for _ in range(depth):
        type_ = pa.list_(type_)
    return pa.nulls(2, type_)


_NAN_SCHEMA = pa.schema([pa.field("a", pa.float64(), nullable=False)])

FILES: dict[str, tuple[str, Callable[[], bytes]]] = {
    "no bytes": ("empty_file", lambda: b""),
    "not parquet": ("unreadable_file", lambda: b"a,b\n1,2\n"),
    "magic bytes only": ("unreadable_file", lambda: b"PAR1"),
    "both magic strings only": ("unreadable_file", lambda: b"PAR1PAR1"),
    "magic bytes without a footer": ("unreadable_file", lambda: b"PAR1\0\0\0\0PAR1"),
    "encrypted": ("unreadable_file", lambda: b"PARE" + _file()[4:-4] + b"PARE"),
    "end missing": ("unreadable_file", lambda: _file()[:-100]),
    "half missing": ("unreadable_file", lambda: _file()[: len(_file()) // 2]),
    "start missing": ("unreadable_file", lambda: _file()[100:]),
    "footer of 4 GiB": ("unreadable_file", lambda: _footer_length(2**32 - 1)),
    "footer of length 0": ("unreadable_file", lambda: _footer_length(0)),
    "footer too short": ("unreadable_file", lambda: _footer_length(50)),
    "footer too long": ("unreadable_file", lambda: _footer_length(len(_file()) - 12)),
    "noise in the first page": ("unreadable_file", lambda: _overwritten(4, 200)),
    "noise in a page header": ("unreadable_file", lambda: _overwritten(4, 12)),
    "noise in all pages": ("unreadable_file", lambda: _overwritten(4, len(_file()) // 2)),
    "footer declares too few rows": ("unreadable_file", lambda: _declaring(999)),
    "footer declares too many rows": ("unreadable_file", lambda: _declaring(1_001)),
    "declares no rows": ("no_rows", lambda: _declaring(0)),
    "no rows": ("no_rows", lambda: _file(_TABLE.slice(0, 0))),
    "no columns": ("no_columns", lambda: _file(_TABLE.select([]))),
    "duplicate names": ("invalid_header", lambda: _file(_TABLE.rename_columns(["a", "a"]))),
    "empty name": ("invalid_header", lambda: _file(_TABLE.rename_columns(["a", ""]))),
    "name of 1,001 characters": (
        "invalid_header",
        lambda: _file(_TABLE.rename_columns(["a", "x" * 1_001])),
    ),
    "name with a zero character": ("invalid_header", lambda: _file(_TABLE.rename_columns(["a", "x\0"]))),
    "list": ("unsupported_column", _column(pa.array([[1, 2], [3]]))),
    "struct": ("unsupported_column", _column(pa.array([{"x": 1}, {"x": 2}]))),
    "map": ("unsupported_column", _column(pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int64())))),
    "20 nested lists": ("unsupported_column", _column(_nested(20))),
    "binary": ("unsupported_column", _column(pa.array([b"x", b"\xff"]))),
    "fixed binary": ("unsupported_column", _column(pa.array([b"ab"], pa.binary(2)))),
    "large binary": ("unsupported_column", _column(pa.array([b"x"], pa.large_binary()))),
    "decimal of 50 digits": ("unsupported_column", _column(pa.array([Decimal(1)], pa.decimal256(50, 2)))),
    "uuid": ("unsupported_column", _column(pa.array([bytes(16)], pa.uuid()))),
    "json": ("unsupported_column", _column(pa.array(['{"x": 1}'], pa.json_()))),
    "dictionary of binary": ("unsupported_column", _column(pa.array([b"x", b"y"]).dictionary_encode())),
    "NaN in a column that is not nullable": (
        "unsupported_column",
        lambda: _file(pa.table([pa.array([float("nan")])], schema=_NAN_SCHEMA)),
    ),
    "text that is not valid utf-8": ("wrong_encoding", _invalid_text),
    "one text of 10 MB in 100,000 rows": ("too_large", _dictionary_bomb),
    "60 million equal rows": ("too_many_rows", _row_bomb),
    "2,001 columns": (
        "too_many_columns",
        lambda: _file(pa.table({f"c{index}": [1] for index in range(2_001)})),
    ),
}
