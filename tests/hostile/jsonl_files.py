"""Broken JSON Lines files: name -> (expected error code, function that returns the bytes)."""

from __future__ import annotations

import codecs
import json
import random
from collections.abc import Callable

import pyarrow as pa

_ROW = b'{"a": 1, "b": "x"}\n'
# These rows do not all fit into the first block, so the fast path reads the lines that follow.
_MANY = _ROW * 10_000


def _arrow() -> bytes:
    sink = pa.BufferOutputStream()
    table = pa.table({"a": [1]})
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def _keys(n: int) -> bytes:
    return json.dumps({f"k{index}": index for index in range(n)}).encode() + b"\n"


def _noise() -> bytes:
    return random.Random(1).randbytes(20_000)  # noqa: S311 - noise, not a secret


FILES: dict[str, tuple[str, Callable[[], bytes]]] = {
    "no bytes": ("empty_file", lambda: b""),
    "blank lines": ("empty_file", lambda: b"\n \r\n\t\n"),
    "byte order mark only": ("empty_file", lambda: codecs.BOM_UTF8),
    "objects without keys": ("no_columns", lambda: b"{}\n{}\n"),
    "200,000 objects without keys, then one with keys": ("no_columns", lambda: b"{}\n" * 200_000 + _ROW),
    "empty array": ("no_rows", lambda: b"[]"),
    "array of numbers": ("unreadable_file", lambda: b"[1, 2]\n"),
    "array of 20 MB that is not closed": ("unreadable_file", lambda: b"[" + b'{"a": 1},' * 2_000_000),
    "array with a trailing comma": ("unreadable_file", lambda: b'[\n{"a": 1},\n]\n'),
    "array, then an object": ("unreadable_file", lambda: b'[{"a": 1}]\n{"a": 2}\n'),
    "one document that is not closed": ("unreadable_file", lambda: b'{\n  "a": 1,\n  "b": "x"\n'),
    "array with a long element": ("too_large", lambda: b'[{"a": "' + b"x" * 9_000_000 + b'"}]'),
    "document with two arrays of objects": ("unreadable_file", lambda: b'{"a": [{"x": 1}], "b": [{"x": 1}]}'),
    "table by columns": ("unreadable_file", lambda: b'{"a": [1, 2, 3], "b": [4, 5, 6]}'),
    "one document over several lines, after many lines": (
        "unreadable_file",
        lambda: _MANY + b'{"a": 1,\n"b": "x"}\n',
    ),
    "two objects on one line": ("unreadable_file", lambda: b'{"a": 1}{"a": 2}\n'),
    "two objects on one line, after many lines": ("unreadable_file", lambda: _MANY + b'{"a": 1} {"a": 2}\n'),
    "comma after each line": ("unreadable_file", lambda: b'{"a": 1},\n{"a": 2},\n'),
    "array in a line": ("unreadable_file", lambda: _ROW + b"[1, 2]\n"),
    "number in a line": ("unreadable_file", lambda: _ROW + b"5\n"),
    "csv": ("unreadable_file", lambda: b"a,b\n1,2\n"),
    "arrow": ("unreadable_file", _arrow),
    "single quotes": ("unreadable_file", lambda: b"{'a': 1}\n"),
    "trailing comma": ("unreadable_file", lambda: b'{"a": 1,}\n'),
    "trailing comma, after many lines": ("unreadable_file", lambda: _MANY + b'{"a": 1,}\n'),
    "comment": ("unreadable_file", lambda: b'{"a": 1} // one\n'),
    "leading zero": ("unreadable_file", lambda: b'{"a": 007}\n'),
    "line feed in a text": ("unreadable_file", lambda: b'{"a": "x\ny"}\n'),
    "tab in a text": ("unreadable_file", lambda: b'{"a": "x\ty"}\n'),
    "truncated in the last line": ("unreadable_file", lambda: _ROW + b'{"a": 1, "b'),
    "truncated in the last line, after many lines": ("unreadable_file", lambda: _MANY + b'{"a": 1, "b'),
    "NaN": ("unreadable_file", lambda: b'{"a": NaN}\n'),
    "NaN after many lines": ("unreadable_file", lambda: b'{"a": 1.5}\n' * 10_000 + b'{"a": NaN}\n'),
    "-Infinity after many lines": (
        "unreadable_file",
        lambda: b'{"a": 1.5}\n' * 10_000 + b'{"a": -Infinity}\n',
    ),
    "duplicate key": ("unreadable_file", lambda: b'{"a": 1, "a": 2}\n'),
    "duplicate key, once escaped": ("unreadable_file", lambda: b'{"a": 1, "\\u0061": 1}\n'),
    "duplicate key, after many lines": ("unreadable_file", lambda: _MANY + b'{"a": 1, "a": 1, "b": "x"}\n'),
    "duplicate key without a value, after many lines": (
        "unreadable_file",
        lambda: _MANY + b'{"a": null, "a": null}\n',
    ),
    "zero byte": ("unreadable_file", lambda: b'{"a": "x\0"}\n'),
    "zero byte after many lines": ("unreadable_file", lambda: _MANY + b"\0\n" + _ROW),
    "only zero bytes": ("unreadable_file", lambda: bytes(10_000)),
    "random bytes": ("unreadable_file", _noise),
    "utf-16": ("wrong_encoding", lambda: '{"a": 1}\n'.encode("utf-16")),
    "utf-32": ("wrong_encoding", lambda: '{"a": 1}\n'.encode("utf-32")),
    "utf-16 without byte order mark": ("unreadable_file", lambda: '{"a": 1}\n'.encode("utf-16-le")),
    "latin-1": ("wrong_encoding", lambda: '{"a": "caf\xe9"}\n'.encode("latin-1")),
    "latin-1 after many lines": ("wrong_encoding", lambda: _MANY + b'{"a": 1, "b": "caf\xe9"}\n'),
    "surrogate in utf-8": ("wrong_encoding", lambda: b'{"a": "\xed\xa0\x80"}\n'),
    "lone surrogate": ("wrong_encoding", lambda: b'{"a": "\\ud800"}\n'),
    "lone surrogate after many lines": ("wrong_encoding", lambda: _MANY + b'{"b": "\\udc00"}\n'),
    "lone surrogate in a key": ("wrong_encoding", lambda: b'{"\\ud800": 1}\n'),
    "empty key": ("invalid_header", lambda: b'{"": 1}\n'),
    "blank key": ("invalid_header", lambda: b'{" ": 1}\n'),
    "key of 1,001 characters": ("invalid_header", lambda: b'{"' + b"x" * 1_001 + b'": 1}\n'),
    "array in a column": ("unsupported_column", lambda: _ROW + b'{"a": [1]}\n'),
    "objects and numbers in a column": ("unsupported_column", lambda: b'{"a": {"b": 1}}\n{"a": 1}\n'),
    "flat and nested key of one name": ("unreadable_file", lambda: b'{"a": {"b": 1}}\n{"a.b": 1}\n'),
    "arrays and text in a column": ("unsupported_column", lambda: b'{"a": [1]}\n{"a": "x"}\n'),
    "empty array after many lines": ("unsupported_column", lambda: _MANY + b'{"a": []}\n'),
    "100,000 nested arrays": (
        "unsupported_column",
        lambda: b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}\n",
    ),
    "100,000 nested objects, after many lines": (
        "unsupported_column",
        lambda: _MANY + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"\n",
    ),
    "2,001 keys": ("too_many_columns", lambda: _keys(2_001)),
    "a million keys": ("too_large", lambda: _keys(1_000_000)),
    "300,000 keys": ("too_many_columns", lambda: _keys(300_000)),
    "different key on each line": (
        "too_many_columns",
        lambda: b"".join(b'{"k%d": 1}\n' % index for index in range(100_000)),
    ),
    "text of 3 MB": ("too_large", lambda: b'{"a": "' + b"x" * 3_000_000 + b'"}\n'),
    "text of 3 MB, after many lines": ("too_large", lambda: _MANY + b'{"b": "' + b"x" * 3_000_000 + b'"}\n'),
    "number of 3 MB": ("too_large", lambda: b'{"a": ' + b"1" * 3_000_000 + b"}\n"),
    "line of 10 MB": ("too_large", lambda: _ROW + b'{"a": "' + b"x" * 10_000_000 + b'"}\n'),
    "line with 10 MB of spaces": ("too_large", lambda: _ROW + b" " * 10_000_000 + b"\n"),
}
