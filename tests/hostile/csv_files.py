"""CSV files that are none: name -> (expected code, function that makes the bytes)."""

from __future__ import annotations

import codecs
import gzip
import io
import random
import zipfile
from collections.abc import Callable

import pyarrow as pa
import pyarrow.parquet as pq


def _random(*, seed: int, without: bytes = b"") -> bytes:
    noise = random.Random(seed).randbytes(20_000)  # noqa: S311 - noise, not a secret
    return noise.translate(None, without)


def _xlsx() -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
    return sink.getvalue()


def _parquet() -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table({"a": [1]}), sink)
    return sink.getvalue()


def _wide_header(n_columns: int) -> bytes:
    return ",".join(f"c{index}" for index in range(n_columns)).encode() + b"\n"


_ROW = b"1,2,3\n"

FILES: dict[str, tuple[str, Callable[[], bytes]]] = {
    "no bytes": ("empty_file", lambda: b""),
    "one line end": ("empty_file", lambda: b"\n"),
    "blank lines": ("empty_file", lambda: b"\r\n\n  \n\t\n"),
    "byte order mark only": ("empty_file", lambda: codecs.BOM_UTF8),
    "utf-16 mark only": ("empty_file", lambda: codecs.BOM_UTF16_LE),
    "header only": ("no_rows", lambda: b"a,b,c\n"),
    "header without line end": ("no_rows", lambda: b"a,b,c"),
    "header and blank lines": ("no_rows", lambda: b"a,b,c\n\n\n"),
    "one name, no rows": ("no_rows", lambda: b"a\n"),
    "duplicate names": ("invalid_header", lambda: b"a,b,a\n1,2,3\n"),
    "100,000 duplicate names": ("too_many_columns", lambda: b"a," * 100_000 + b"a\n"),
    "empty name": ("invalid_header", lambda: b"a,,c\n1,2,3\n"),
    "empty last name": ("invalid_header", lambda: b"a,b,\n1,2,\n"),
    "all names empty": ("invalid_header", lambda: b",,\n1,2,3\n"),
    "blank name": ("invalid_header", lambda: b"a,  ,c\n1,2,3\n"),
    "name of 256 characters": ("invalid_header", lambda: b"x" * 256 + b",b\n1,2\n"),
    "row too short": ("ragged_rows", lambda: b"a,b,c\n" + _ROW + b"1,2\n" + _ROW),
    "row too long": ("ragged_rows", lambda: b"a,b,c\n" + _ROW + b"1,2,3,4\n" + _ROW),
    "cut in the last row": ("ragged_rows", lambda: b"a,b,c\n" + _ROW + b"1,2"),
    "every row longer than the header": ("ragged_rows", lambda: b"a,b,c\n" + b"0,1,2,3\n" * 50),
    "short row after 200,000": ("ragged_rows", lambda: b"a,b,c\n" + _ROW * 200_000 + b"1\n"),
    "unquoted delimiter in text": ("ragged_rows", lambda: b"name,n\nDoe, Jane,1\nRoe,2\n"),
    "two megabytes of quotes": ("ragged_rows", lambda: b"a,b\n" + b'"' * 1_000_000 + b"\n"),
    "quote never closed": ("unclosed_quote", lambda: b'a,b\n1,"x\n2,y\n3,z\n'),
    "quote closed too early": ("unclosed_quote", lambda: b'a,b\n1,"x"y\n2,z\n'),
    "quote in the header never closed": ("unclosed_quote", lambda: b'"a,b\n1,2\n3,4\n'),
    "odd number of quotes": ("unclosed_quote", lambda: b"a,b\n" + b'"' * 1_000_001 + b"\n"),
    "backslash before quote": ("unclosed_quote", lambda: b'a,b\n1,"say \\"x\\" now"\n'),
    "latin-1": ("wrong_encoding", lambda: "name,n\ncafé,1\n".encode("latin-1")),
    "latin-1 far in": ("wrong_encoding", lambda: b"name,n\n" + b"cafe,1\n" * 300_000 + b"caf\xe9,1\n"),
    "lone continuation byte": ("wrong_encoding", lambda: b"a,b\n1,\x80\n"),
    "overlong encoding": ("wrong_encoding", lambda: b"a,b\n1,\xc0\xaf\n"),
    "surrogate in utf-8": ("wrong_encoding", lambda: b"a,b\n1,\xed\xa0\x80\n"),
    "cut in a character": ("wrong_encoding", lambda: "a,b\n1,é".encode()[:-1]),
    "utf-16 cut in a character": ("wrong_encoding", lambda: "a,b\n1,é\n".encode("utf-16")[:-1]),
    "lone surrogate in utf-16": ("wrong_encoding", lambda: codecs.BOM_UTF16_LE + b"a\0\n\0\x00\xd8\n\0"),
    "utf-32": ("wrong_encoding", lambda: "a,b\n1,2\n".encode("utf-32")),
    "utf-16 without mark": ("unreadable_file", lambda: "a,b\n1,2\n".encode("utf-16-le")),
    "zero byte": ("unreadable_file", lambda: b"a,b\n1,x\0y\n"),
    "zero byte far in": ("unreadable_file", lambda: b"a,b\n" + b"1,2\n" * 500_000 + b"\0"),
    "only zero bytes": ("unreadable_file", lambda: bytes(10_000)),
    "random bytes": ("unreadable_file", lambda: _random(seed=1)),
    "random bytes without zeros": ("unreadable_file", lambda: _random(seed=2, without=b"\0")),
    "png": ("unreadable_file", lambda: b"\x89PNG\r\n\x1a\n" + _random(seed=3)),
    "pdf": ("unreadable_file", lambda: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"),
    "xlsx": ("unreadable_file", _xlsx),
    "gzip bomb": ("unreadable_file", lambda: gzip.compress(bytes(10_000_000))),
    "parquet": ("unreadable_file", _parquet),
    "json": ("unreadable_file", lambda: b'[{"a": 1, "b": 2}]'),
    "web page": ("unreadable_file", lambda: b"\n<!DOCTYPE html><html>Not found</html>\n"),
    "xml": ("unreadable_file", lambda: b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY y "z">]>'),
    "cell of 3 MB": ("unreadable_file", lambda: b"a,b\n1," + b"x" * 3_000_000 + b"\n"),
    "quoted cell of 3 MB": ("unreadable_file", lambda: b'a,b\n1,"' + b"x" * 3_000_000 + b'"\n'),
    "first line of 3 MB": ("unreadable_file", lambda: b"x" * 3_000_000),
    "2,001 columns": ("too_many_columns", lambda: _wide_header(2_001)),
    "a million columns": ("too_many_columns", lambda: _wide_header(1_000_000)),
    "two lines of ten million commas": ("too_many_columns", lambda: (b"," * 10_000_000 + b"\n") * 2),
}
