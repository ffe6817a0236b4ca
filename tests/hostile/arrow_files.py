"""Broken or unsupported Arrow files: name -> (expected error code, function that returns the bytes)."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from decimal import Decimal

import pyarrow as pa

_TABLE = pa.table({"a": list(range(1_000)), "b": [f"text {index % 7}" for index in range(1_000)]})
_COMPRESSED = pa.ipc.IpcWriteOptions(compression="zstd")
_LEGACY = pa.ipc.IpcWriteOptions(use_legacy_format=True, metadata_version=pa.ipc.MetadataVersion.V4)
_NEVER_MISSING = pa.schema([pa.field("a", pa.int64(), nullable=False)])


def _file(table: pa.Table = _TABLE, options: pa.ipc.IpcWriteOptions | None = None) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema, options=options) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def _stream(table: pa.Table = _TABLE, options: pa.ipc.IpcWriteOptions | None = None) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def _column(array: pa.Array) -> Callable[[], bytes]:
    return lambda: _file(pa.table([array], names=["a"]))


def _field(type_: pa.DataType, metadata: dict[str, str]) -> Callable[[], bytes]:
    schema = pa.schema([pa.field("a", type_, metadata=metadata)])
    return lambda: _file(pa.table([pa.array([1, 2], type_)], schema=schema))


def _replaced(data: bytes, old: bytes, new: bytes, *, last: bool = False) -> bytes:
    """Replace either the first or the last occurrence of a byte sequence."""
    at = data.rindex(old) if last else data.index(old)
    return data[:at] + new + data[at + len(new) :]


def _numbers(*numbers: int) -> bytes:
    return struct.pack(f"<{len(numbers)}q", *numbers)


def _tensor() -> bytes:
    sink = pa.BufferOutputStream()
    pa.ipc.write_tensor(pa.Tensor.from_numpy(pa.array([1, 2]).to_numpy()), sink)
    return sink.getvalue().to_pybytes()


def _schema_twice() -> bytes:
    schema = _TABLE.schema.serialize().to_pybytes()
    return schema + _stream()


def _footer_length(length: int) -> bytes:
    return _file()[:-10] + struct.pack("<i", length) + b"ARROW1"


def _wrong_footer() -> bytes:
    """Return a file with two batches and a footer that lists the first batch twice."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, _TABLE.schema) as writer:
        writer.write_table(_TABLE, max_chunksize=500)
    data = sink.getvalue().to_pybytes()
    footer = len(data) - 10 - int.from_bytes(data[-10:-6], "little")
    start = data.rindex(b"ARROW1") - 4 - 2 * 24
    blocks = next(at for at in range(footer, start + 1) if data[at : at + 4] == b"\x02\0\0\0") + 4
    return data[: blocks + 24] + data[blocks : blocks + 24] + data[blocks + 48 :]


def _offsets(*offsets: int) -> bytes:
    """Return a file with three strings of two bytes each, with the given offsets."""
    data = _file(pa.table({"a": ["ab", "cd", "ef"]}))
    return _replaced(data, struct.pack("<4i", 0, 2, 4, 6), struct.pack("<4i", *offsets))


def _index(index: int) -> bytes:
    """Return a file with four dictionary-encoded strings. The last string has the given index."""
    texts = pa.array(["xx", "yy", "xx", "yy"]).dictionary_encode()
    indices, damaged = struct.pack("<4i", 0, 1, 0, 1), struct.pack("<4i", 0, 1, 0, index)
    return _replaced(_file(pa.table({"a": texts})), indices, damaged)


def _dictionary_bomb() -> bytes:
    text = pa.DictionaryArray.from_arrays(pa.array([0] * 100_000, pa.int32()), pa.array(["x" * 10_000_000]))
    return _file(pa.table({"a": text}), _COMPRESSED)


def _views(n_rows: int, size: int) -> bytes:
    """Return a file in which all rows are views of the same long string."""
    view = struct.pack("<i4sii", size, b"xxxx", 0, 0)
    buffers = [None, pa.py_buffer(view * n_rows), pa.py_buffer(b"x" * size)]
    return _file(pa.table([pa.Array.from_buffers(pa.string_view(), n_rows, buffers)], names=["a"]))


def _overwritten(data: bytes, start: int, length: int) -> bytes:
    damaged = bytearray(data)
    damaged[start : start + length] = random.Random(1).randbytes(length)  # noqa: S311 - noise, not a secret
    return bytes(damaged)


FILES: dict[str, tuple[str, Callable[[], bytes]]] = {
    "no bytes": ("empty_file", lambda: b""),
    "csv": ("unreadable_file", lambda: b"a,b\n1,2\n"),
    "parquet": ("unreadable_file", lambda: b"PAR1" + bytes(100) + b"PAR1"),
    "feather of version 1": ("unreadable_file", lambda: b"FEA1" + bytes(100) + b"FEA1"),
    "stream in the format before Arrow 0.15": ("unreadable_file", lambda: _stream(options=_LEGACY)),
    "magic bytes only": ("unreadable_file", lambda: b"ARROW1"),
    "both magic strings only": ("unreadable_file", lambda: b"ARROW1\0\0ARROW1"),
    "magic bytes without a footer": ("unreadable_file", lambda: b"ARROW1\0\0\0\0\0\0ARROW1"),
    "end missing": ("unreadable_file", lambda: _file()[:-1]),
    "half missing": ("unreadable_file", lambda: _file()[: len(_file()) // 2]),
    "stream, half missing": ("unreadable_file", lambda: _stream()[: len(_stream()) // 2]),
    "stream marker only": ("unreadable_file", lambda: b"\xff\xff\xff\xff"),
    "stream that ends immediately": ("unreadable_file", lambda: b"\xff\xff\xff\xff\0\0\0\0"),
    "stream with 2 GiB of metadata": (
        "unreadable_file",
        lambda: b"\xff\xff\xff\xff\xff\xff\xff\x7f" + bytes(99),
    ),
    "stream with metadata of negative length": ("unreadable_file", lambda: b"\xff" * 8 + bytes(99)),
    "stream with metadata of zeros": ("unreadable_file", lambda: b"\xff\xff\xff\xff\x08\0\0\0" + bytes(8)),
    "footer of 2 GiB": ("unreadable_file", lambda: _footer_length(2**31 - 1)),
    "footer of length 0": ("unreadable_file", lambda: _footer_length(0)),
    "footer of negative length": ("unreadable_file", lambda: _footer_length(-5)),
    "footer too short": ("unreadable_file", lambda: _footer_length(50)),
    "footer lists a batch twice": ("unreadable_file", _wrong_footer),
    "noise in the schema": ("unreadable_file", lambda: _overwritten(_file(), 24, 60)),
    "noise in the schema of a stream": ("unreadable_file", lambda: _overwritten(_stream(), 16, 60)),
    "tensor": ("unreadable_file", _tensor),
    "schema twice": ("unreadable_file", _schema_twice),
    "no batches": ("no_rows", lambda: _stream(_TABLE.slice(0, 0))),
    "declares a negative number of rows": (
        "unreadable_file",
        lambda: _replaced(_stream(), _numbers(1_000), _numbers(-1_000)),
    ),
    "declares more rows than it contains": (
        "unreadable_file",
        lambda: _replaced(_stream(), _numbers(1_000), _numbers(1_001)),
    ),
    "column with fewer rows than its batch": (
        "unreadable_file",
        lambda: _replaced(_stream(), _numbers(1_000, 0), _numbers(999, 0), last=True),
    ),
    "buffer after the body": (
        "unreadable_file",
        lambda: _replaced(_stream(), _numbers(0, 8_000), _numbers(2**40, 8_000)),
    ),
    "buffer of negative length": (
        "unreadable_file",
        lambda: _replaced(_stream(), _numbers(0, 8_000), _numbers(0, -8_000)),
    ),
    "buffer shorter than its rows": (
        "unreadable_file",
        lambda: _replaced(_stream(), _numbers(0, 8_000), _numbers(0, 80)),
    ),
    "compressed buffer that declares an exbibyte": (
        "too_large",
        lambda: _replaced(_stream(options=_COMPRESSED), _numbers(8_000), _numbers(2**60)),
    ),
    "compressed buffer of negative length": (
        "unreadable_file",
        lambda: _replaced(_stream(options=_COMPRESSED), _numbers(8_000), _numbers(-2)),
    ),
    "compressed buffer that declares too few bytes": (
        "unreadable_file",
        lambda: _replaced(_stream(options=_COMPRESSED), _numbers(8_000), _numbers(4_000)),
    ),
    "text with decreasing offsets": ("unreadable_file", lambda: _offsets(0, 4, 2, 6)),
    "text with negative offsets": ("unreadable_file", lambda: _offsets(-4, 2, 4, 6)),
    "text with offsets outside the buffer": ("unreadable_file", lambda: _offsets(0, 2, 4, 1_000_000)),
    "text that is not valid utf-8": (
        "wrong_encoding",
        lambda: _replaced(_file(pa.table({"a": ["ab"]})), b"ab\0", b"\xff\xfe\0"),
    ),
    "index outside the dictionary": ("unreadable_file", lambda: _index(2)),
    "negative index": ("unreadable_file", lambda: _index(-1)),
    "one text of 10 MB in 100,000 rows": ("too_large", _dictionary_bomb),
    "100,000 views of a text of 3 MB": ("too_large", lambda: _views(100_000, 3_000_000)),
    "60 million empty rows": ("too_many_rows", lambda: _file(pa.table({"a": pa.nulls(60_000_000)}))),
    "no columns": ("no_columns", lambda: _file(_TABLE.select([]))),
    "duplicate names": ("invalid_header", lambda: _file(_TABLE.rename_columns(["a", "a"]))),
    "empty name": ("invalid_header", lambda: _file(_TABLE.rename_columns(["a", ""]))),
    "list": ("unsupported_column", _column(pa.array([[1, 2], [3]]))),
    "struct": ("unsupported_column", _column(pa.array([{"x": 1}]))),
    "union": (
        "unsupported_column",
        _column(pa.UnionArray.from_sparse(pa.array([0], pa.int8()), [pa.array([1])])),
    ),
    "run-end encoded": ("unsupported_column", _column(pa.RunEndEncodedArray.from_arrays([9], [1]))),
    "binary view": ("unsupported_column", _column(pa.array([b"x"], pa.binary_view()))),
    "interval": ("unsupported_column", _column(pa.array([(1, 2, 3)], pa.month_day_nano_interval()))),
    "decimal of 50 digits": ("unsupported_column", _column(pa.array([Decimal(1)], pa.decimal256(50, 2)))),
    "uuid": ("unsupported_column", _column(pa.array([bytes(16)], pa.uuid()))),
    "unknown extension type": (
        "unsupported_column",
        _field(pa.int64(), {"ARROW:extension:name": "example.kind", "ARROW:extension:metadata": ""}),
    ),
    "missing value in a column that is not nullable": (
        "unsupported_column",
        lambda: _file(pa.Table.from_arrays([pa.array([1, None])], schema=_NEVER_MISSING)),
    ),
    "2,001 columns": (
        "too_many_columns",
        lambda: _file(pa.table({f"c{index}": [1] for index in range(2_001)})),
    ),
}
