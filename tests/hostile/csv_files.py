"""Broken CSV files: name -> (expected error code, function that returns the bytes); and unusual files."""

from __future__ import annotations

import codecs
import gzip
import io
import random
import zipfile
from collections.abc import Callable
from datetime import date

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


def _zip_bomb() -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("table.csv", bytes(10_000_000))
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
    "one line ending": ("empty_file", lambda: b"\n"),
    "blank lines": ("empty_file", lambda: b"\r\n\n  \n\t\n"),
    "byte order mark only": ("empty_file", lambda: codecs.BOM_UTF8),
    "utf-16 byte order mark only": ("empty_file", lambda: codecs.BOM_UTF16_LE),
    "header only": ("no_rows", lambda: b"a,b,c\n"),
    "header without line ending": ("no_rows", lambda: b"a,b,c"),
    "header and blank lines": ("no_rows", lambda: b"a,b,c\n\n\n"),
    "one column name and no rows": ("no_rows", lambda: b"a\n"),
    "100,000 duplicate names": ("too_many_columns", lambda: b"a," * 100_000 + b"a\n"),
    "lines below a title that may be names or data": (
        "invalid_header",
        lambda: b"Towns\nof the world\nname,country\n" + b"Oslo,Norway\n" * 9,
    ),
    "second line that may be a header row or data": (
        "invalid_header",
        lambda: b"town,sights,\na,b,c\n" + b"x,y,z\n" * 9,
    ),
    "all names empty": ("invalid_header", lambda: b",,\n1,2,3\n"),
    "2,000 equal names": ("no_rows", lambda: b"a," * 1_999 + b"a\n"),
    "names of 4 KB": ("no_rows", lambda: (b"x" * 4_096 + b",") * 50 + b"b\n"),
    "2,000 empty names": ("invalid_header", lambda: b"," * 1_999 + b"\n"),
    "only delimiters": ("invalid_header", lambda: b",,,\n" * 100),
    "only tabs and spaces": ("empty_file", lambda: b"\t \n \t\n"),
    "only quotation marks": ("invalid_header", lambda: b'""\n""\n'),
    "last row too long": ("ragged_rows", lambda: b"a,b,c\n" + _ROW * 5_000 + b"1,2,3,4\n"),
    "row too short": ("ragged_rows", lambda: b"a,b,c\n" + _ROW + b"1,2\n" + _ROW),
    "row too long": ("ragged_rows", lambda: b"a,b,c\n" + _ROW + b"1,2,3,4\n" + _ROW),
    "truncated in the last row": ("ragged_rows", lambda: b"a,b,c\n" + _ROW + b"1,2"),
    "every row longer than the header": ("ragged_rows", lambda: b"a,b,c\n" + b"0,1,2,3\n" * 50),
    "short row after 200,000 rows": ("ragged_rows", lambda: b"a,b,c\n" + _ROW * 200_000 + b"1\n"),
    "unquoted delimiter in text": ("ragged_rows", lambda: b"name,n\nDoe, Jane,1\nRoe,2\n"),
    "1 MB of quotes": ("ragged_rows", lambda: b"a,b\n" + b'"' * 1_000_000 + b"\n"),
    "quote never closed": ("unclosed_quote", lambda: b'a,b\n1,"x\n2,y\n3,z\n'),
    "quote closed too early": ("unclosed_quote", lambda: b'a,b\n1,"x"y\n2,z\n'),
    "quote never closed in the header": ("unclosed_quote", lambda: b'"a,b\n1,2\n3,4\n'),
    "odd number of quotes": ("unclosed_quote", lambda: b"a,b\n" + b'"' * 1_000_001 + b"\n"),
    "backslash before quote": ("unclosed_quote", lambda: b'a,b\n1,"say \\"x\\" now"\n'),
    "utf-8 and latin-1": ("wrong_encoding", lambda: "é,n\n".encode() + b"caf\xe9,1\n"),
    "latin-1 after 300,000 lines of utf-8": (
        "wrong_encoding",
        lambda: "é,n\n".encode() + b"cafe,1\n" * 300_000 + b"caf\xe9,1\n",
    ),
    "latin-1 after a utf-8 byte order mark": (
        "wrong_encoding",
        lambda: codecs.BOM_UTF8 + b"a,b\n1,caf\xe9\n",
    ),
    "neither utf-8 nor windows-1252": ("wrong_encoding", lambda: b"a,b\n1,\xb0\xb1\x81\x8d\n"),
    "surrogate in utf-8": ("wrong_encoding", lambda: b"a,b\n1,\xed\xa0\x80\n"),
    "truncated in a character": ("wrong_encoding", lambda: "a,b\n1,é".encode()[:-1]),
    "utf-16 truncated in a character": ("wrong_encoding", lambda: "a,b\n1,é\n".encode("utf-16")[:-1]),
    "utf-16 of odd length without byte order mark": (
        "wrong_encoding",
        lambda: "a,b\n1,2\n".encode("utf-16-le")[:-1],
    ),
    "lone surrogate in utf-16": ("wrong_encoding", lambda: codecs.BOM_UTF16_LE + b"a\0\n\0\x00\xd8\n\0"),
    "utf-32 truncated in a character": ("wrong_encoding", lambda: "a,b\n1,2\n".encode("utf-32")[:-2]),
    "utf-32 byte order mark before utf-8": ("wrong_encoding", lambda: codecs.BOM_UTF32_LE + b"a,b\n1,2\n"),
    "utf-16 followed by utf-8": ("unreadable_file", lambda: "a,b\n1,2\n".encode("utf-16-le") + b"3,4\n" * 50),
    "zero byte": ("unreadable_file", lambda: b"a,b\n1,x\0y\n"),
    "zero byte in the last line": ("unreadable_file", lambda: b"a,b\n" + b"1,2\n" * 500_000 + b"\0"),
    "only zero bytes": ("unreadable_file", lambda: bytes(10_000)),
    "random bytes": ("unreadable_file", lambda: _random(seed=1)),
    "random bytes without zeros": ("unreadable_file", lambda: _random(seed=2, without=b"\0")),
    "png": ("unreadable_file", lambda: b"\x89PNG\r\n\x1a\n" + _random(seed=3)),
    "pdf": ("unreadable_file", lambda: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"),
    "xlsx": ("unreadable_file", _xlsx),
    "gzip bomb": ("unreadable_file", lambda: gzip.compress(bytes(10_000_000))),
    "parquet": ("unreadable_file", _parquet),
    "json": ("unreadable_file", lambda: b'[{"a": 1, "b": 2}]'),
    "sqlite": ("unreadable_file", lambda: b"SQLite format 3\0" + bytes(4096)),
    "zip bomb": ("unreadable_file", _zip_bomb),
    "old office document": ("unreadable_file", lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512)),
    "program": ("unreadable_file", lambda: b"\x7fELF\x02\x01\x01" + bytes(100)),
    "jpeg": ("unreadable_file", lambda: b"\xff\xd8\xff\xe0" + _random(seed=4)),
    "json object": ("unreadable_file", lambda: b'\n{"a": [1, 2]}\n'),
    "web page after utf-8 byte order mark": ("unreadable_file", lambda: codecs.BOM_UTF8 + b"<html>\n"),
    "web page": ("unreadable_file", lambda: b"\n<!DOCTYPE html><html>Not found</html>\n"),
    "xml": ("unreadable_file", lambda: b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY y "z">]>'),
    "cell of 3 MB": ("unreadable_file", lambda: b"a,b\n1," + b"x" * 3_000_000 + b"\n"),
    "quoted cell of 3 MB": ("unreadable_file", lambda: b'a,b\n1,"' + b"x" * 3_000_000 + b'"\n'),
    "cell of 10 MB": ("unreadable_file", lambda: b"a,b\n1," + b"x" * 10_000_000 + b"\n"),
    "quoted cell of 10 MB over many lines": (
        "unclosed_quote",
        lambda: b'a,b\n1,"' + (b"x" * 99 + b"\n") * 100_000 + b'"\n',
    ),
    "first line of 3 MB": ("unreadable_file", lambda: b"x" * 3_000_000),
    "100,000 empty names": ("too_many_columns", lambda: b"," * 99_999 + b"\n"),
    "100,000 equal names": ("too_many_columns", lambda: b"a," * 99_999 + b"a\n"),
    "2,001 columns": ("too_many_columns", lambda: _wide_header(2_001)),
    "a million columns": ("too_many_columns", lambda: _wide_header(1_000_000)),
    "two lines of ten million commas": ("too_many_columns", lambda: (b"," * 10_000_000 + b"\n") * 2),
}

# Unusual but valid files: name -> (function that returns the bytes, the columns to compare).
ODD_FILES: dict[str, tuple[Callable[[], bytes], dict[str, list[object]]]] = {
    "names that look like code": (
        lambda: b"__proto__,constructor,'; drop table x; --,../../etc,<script>\n1,2,3,4,5\n",
        {"__proto__": [1], "constructor": [2], "'; drop table x; --": [3], "../../etc": [4], "<script>": [5]},
    ),
    "composed and decomposed name": (lambda: "é,e\u0301\n1,2\n".encode(), {"é": [1], "e\u0301": [2]}),
    "tab in a name": (lambda: b'"a\tb",c\n1,2\n', {"a\tb": [1], "c": [2]}),
    "line ending in a name": (lambda: b'"a\nb",c\n1,2\n', {"a\nb": [1], "c": [2]}),
    "right-to-left and zero-width characters": (
        lambda: "\u202ea,\u200bb\n\u202ex,\u200by\n".encode(),
        {"\u202ea": ["\u202ex"], "\u200bb": ["\u200by"]},
    ),
    "formulas": (
        lambda: b'a,b\n=1+1,@x\n+1+1,-1+1\n"=cmd|\' /C calc\'!A0","\t=1"\n',
        {"a": ["=1+1", "+1+1", "=cmd|' /C calc'!A0"], "b": ["@x", "-1+1", "\t=1"]},
    ),
    "numbers outside the range of floats": (
        lambda: b"a,b\n1e309,1\n-1e309,2\n1e-999,3\n",
        {"a": [None, None, 0.0]},
    ),
    "integer of 5,000 digits": (lambda: b"a,b\n" + b"9" * 5_000 + b",1\n", {"a": ["9" * 5_000]}),
    "years 0000 and 9999": (
        lambda: b"a,b\n0000-12-31,9999-12-31\n",
        {"a": ["0000-12-31"], "b": [date(9999, 12, 31)]},
    ),
    "nonexistent days": (lambda: b"a,b\n2023-02-29,1\n2024-13-01,2\n", {"a": ["2023-02-29", "2024-13-01"]}),
    "mixed line endings": (lambda: b"a,b\r\n1,2\r3,4\n5,6", {"a": [1, 3, 5], "b": [2, 4, 6]}),
    "a million quotation marks": (
        lambda: b'a,b\n"' + b'"' * 1_000_000 + b'",1\n',
        {"a": ['"' * 500_000], "b": [1]},
    ),
    "cell of 2 MB": (lambda: b"a,b\n" + b"x" * 2_000_000 + b",1\n", {"a": ["x" * 2_000_000]}),
    "delimiters within quotation marks": (lambda: b'a,b\n"1,2;3|4\t5",6\n', {"a": ["1,2;3|4\t5"]}),
    "control characters": (lambda: b"a,b\n" + b"plain text\x01\x1b[31m\x7f," * 1 + b"1\n", {"b": [1]}),
    "utf-16 without byte order mark": (lambda: "a,b\n1,é\n".encode("utf-16-le"), {"a": [1], "b": ["é"]}),
    "utf-32": (lambda: "a,b\n1,😀\n".encode("utf-32"), {"a": [1], "b": ["😀"]}),
    "latin-1": (lambda: b"a,b\n1,caf\xe9\n", {"a": [1], "b": ["café"]}),
    "overlong encoding": (lambda: b"a,b\n1,\xc0\xaf\n", {"b": ["À¯"]}),
    "noncharacters": (lambda: "a,b\n1,\ufffe\uffff\U0010ffff\n".encode(), {"b": ["\ufffe\uffff\U0010ffff"]}),
    "utf-8 byte order mark within the text": (lambda: "a,b\n1,\ufeffx\n".encode(), {"b": ["\ufeffx"]}),
    "2,000 columns": (
        lambda: _wide_header(2_000) + b",".join([b"1"] * 2_000) + b"\n",
        {"c0": [1], "c1999": [1]},
    ),
    "a row of missing values": (
        lambda: b"a,b\n,\nNA,null\n1,x\n",
        {"a": [None, None, 1], "b": [None, None, "x"]},
    ),
}
