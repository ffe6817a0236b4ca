"""Broken or malicious workbooks: name -> (expected error code, function that returns the bytes)."""

from __future__ import annotations

import codecs
import io
import random
import struct
import zipfile
from collections.abc import Callable, Iterator

from tests.hostile import workbooks
from tests.hostile.workbooks import (
    archive,
    listing,
    parts,
    relationships,
    row,
    sheet,
    styles,
    table,
    workbook,
)

_GOOD = table(row(2, "1", "2"))
_TYPE = ' t="str"'


def _whole() -> bytes:
    return workbook(_GOOD)


def _cut(numerator: int, denominator: int) -> bytes:
    data = _whole()
    return data[: len(data) * numerator // denominator]


def _cell(attributes: str, content: str = "<v>1</v>") -> Callable[[], bytes]:
    """Return a function that makes a workbook with the given cell in its second row."""
    return lambda: workbook(table(f'<row r="2"><c r="A2"><v>1</v></c><c {attributes}>{content}</c></row>'))


def _without(name: str) -> bytes:
    return archive({key: content for key, content in parts(_GOOD).items() if key != name})


def _with(name: str, content: workbooks.Content) -> bytes:
    return archive(parts(_GOOD) | {name: content})


def _many_rows() -> Iterator[bytes]:
    yield f"<worksheet><sheetData>{workbooks.HEADER}".encode()
    for _ in range(300):
        yield b"<row><c><v>1</v></c></row>" * 10_000
    yield b"</sheetData></worksheet>"


def _endless(piece: bytes, size: int, start: bytes = b"<worksheet>") -> Iterator[bytes]:
    yield start
    for _ in range(size // len(piece) // 1_000):
        yield piece * 1_000


def _shared_bomb() -> bytes:
    """Return a file of 100 KB that expands to 200 GB: a text of 1 MB in 200,000 cells."""
    cells = "".join(f'<row r="{n}"><c t="s"><v>0</v></c></row>' for n in range(2, 200_002))
    return workbook(table(cells), sharedStrings=workbooks.shared_strings(f"<t>{'x' * 1_000_000}</t>"))


def _wide_bomb() -> bytes:
    """Return one row that expands to two gigabytes."""
    names = "".join(f'<c t="str"><v>c{n}</v></c>' for n in range(2_000))
    cells = '<c t="s"><v>0</v></c>' * 2_000
    rows = sheet(f"<row>{names}</row><row>{cells}</row>")
    return workbook(rows, sharedStrings=workbooks.shared_strings(f"<t>{'x' * 1_000_000}</t>"))


_LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
_LAUGHING = f'<!DOCTYPE w [<!ENTITY l0 "lol">{_LAUGHS}]><worksheet><sheetData/>&l9;</worksheet>'


def _entity(declaration: str) -> Callable[[], bytes]:
    return lambda: workbook(f"<!DOCTYPE w [{declaration}]>" + _GOOD.replace("<v>1</v>", "<v>&x;</v>"))


def _duplicated() -> bytes:
    data = archive(parts(_GOOD) | {"xl/worksheets/sheet2.xml": _GOOD})
    return data.replace(b"sheet2.xml", b"sheet1.xml")


def _overlapping() -> bytes:
    """Return an archive with a directory that gives the second part the position of the first part."""
    data = bytearray(_whole())
    first = data.index(b"PK\1\2")
    second = data.index(b"PK\1\2", first + 1)
    data[second + 42 : second + 46] = data[first + 42 : first + 46]
    return bytes(data)


def _nested() -> bytes:
    """Return an archive with a directory that declares that the first part contains all others."""
    data = bytearray(_whole())
    first = data.index(b"PK\1\2")
    data[first + 20 : first + 24] = struct.pack("<L", first - 100)
    return bytes(data)


def _flagged(bit: int) -> bytes:
    data = bytearray(_whole())
    position = -1
    while (position := data.find(b"PK\1\2", position + 1)) >= 0:
        data[position + 8] |= bit
    return bytes(data)


def _declaring(n_parts: int, n_bytes: int | None = None) -> bytes:
    data = bytearray(_whole())
    end = data.rindex(b"PK\5\6")
    data[end + 8 : end + 12] = struct.pack("<HH", n_parts, n_parts)
    if n_bytes is not None:
        data[end + 12 : end + 16] = struct.pack("<L", n_bytes)
    return bytes(data)


def _many_parts() -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as file:
        for n in range(100_000):
            file.writestr(f"{n}", b"")
    return sink.getvalue()


def _noisy() -> bytes:
    data = bytearray(_whole())
    start = data.index(b"sheet1.xml") + 12
    data[start : start + 60] = random.Random(1).randbytes(60)  # noqa: S311 - noise, not a secret
    return bytes(data)


def _header(*names: str) -> Callable[[], bytes]:
    cells = "".join(f"<c{_TYPE}><v>{name}</v></c>" for name in names)
    return lambda: workbook(sheet(f"<row>{cells}</row><row><c><v>1</v></c></row>"))


_LISTED_SHEET = '<sheet name="S" sheetId="1" r:id="worksheet"/>'

FILES: dict[str, tuple[str, Callable[[], bytes]]] = {
    # Other kinds of files
    "no bytes": ("empty_file", lambda: b""),
    "csv": ("unreadable_file", lambda: b"a,b\n1,2\n"),
    "old .xls or password-protected workbook": (
        "unreadable_file",
        lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(5_000),
    ),
    "web page": ("unreadable_file", lambda: b"<html><table><tr><td>1</td></tr></table></html>"),
    "xml spreadsheet of Excel 2003": (
        "unreadable_file",
        lambda: b'\xef\xbb\xbf<?xml version="1.0"?><Workbook/>',
    ),
    "parquet": ("unreadable_file", lambda: b"PAR1" + bytes(100)),
    "empty zip": ("unreadable_file", lambda: archive({})),
    "zip archive of other files": ("unreadable_file", lambda: archive({"a.txt": "hello"})),
    "ods": (
        "unreadable_file",
        lambda: archive({"mimetype": "application/vnd.oasis", "content.xml": "<x/>"}),
    ),
    "docx": ("unreadable_file", lambda: _with("xl/workbook.xml", "<document/>")),
    "xlsb": (
        "unreadable_file",
        lambda: archive(
            {"_rels/.rels": relationships(officeDocument="xl/workbook.bin"), "xl/workbook.bin": "x"}
        ),
    ),
    # Damaged archives
    "magic bytes only": ("unreadable_file", lambda: b"PK\3\4"),
    "truncated after a quarter": ("unreadable_file", lambda: _cut(1, 4)),
    "truncated in the middle": ("unreadable_file", lambda: _cut(1, 2)),
    "truncated in the directory": ("unreadable_file", lambda: _cut(9, 10)),
    "truncated at the last byte": ("unreadable_file", lambda: _whole()[:-1]),
    "start missing": ("unreadable_file", lambda: b"PK" + _whole()[100:]),
    "noise in the sheet": ("unreadable_file", _noisy),
    "one changed bit in the sheet": (
        "unreadable_file",
        lambda: archive(parts(_GOOD), zipfile.ZIP_STORED).replace(b"<v>1</v>", b"<v>7</v>"),
    ),
    "overlapping parts": ("unreadable_file", _overlapping),
    "nested parts": ("unreadable_file", _nested),
    "several parts with the same name": ("unreadable_file", _duplicated),
    "parts whose names differ only in case": (
        "unreadable_file",
        lambda: _with("XL/Workbook.XML", "<workbook/>"),
    ),
    "absolute name": ("unreadable_file", lambda: _with("/etc/passwd", "x")),
    "name with ..": ("unreadable_file", lambda: _with("xl/../../x.xml", "x")),
    "name with backslashes": ("unreadable_file", lambda: _with("..\\x.xml", "x")),
    "name with a drive letter": ("unreadable_file", lambda: _with("C:x.xml", "x")),
    "encrypted parts": ("unreadable_file", lambda: _flagged(1)),
    "bzip2": ("unreadable_file", lambda: archive(parts(_GOOD), zipfile.ZIP_BZIP2)),
    "declares no parts": ("unreadable_file", lambda: _declaring(0)),
    "declares a directory of 4 GiB": ("too_large", lambda: _declaring(8, 2**32 - 2)),
    "declares 65,534 parts": ("too_large", lambda: _declaring(65_534)),
    "100,000 parts": ("too_large", _many_parts),
    "zip64 end record that declares 4 GiB": (
        "too_large",
        lambda: workbooks.with_end64(_whole(), n_bytes=2**32),
    ),
    "zip64 end record at another position": (
        "unreadable_file",
        lambda: workbooks.with_end64(_whole(), place=0),
    ),
    "zip64 end record missing": (
        "unreadable_file",
        lambda: b"PK\3\4PK\6\7" + bytes(16) + b"PK\5\6" + b"\1" * 16 + bytes(2),
    ),
    # Missing and invalid parts
    "no relationships": ("unreadable_file", lambda: _without("_rels/.rels")),
    "no workbook part": ("unreadable_file", lambda: _without("xl/workbook.xml")),
    "workbook without relationships": ("unreadable_file", lambda: _without("xl/_rels/workbook.xml.rels")),
    "no sheet part": ("unreadable_file", lambda: _without(workbooks.SHEET)),
    "no sheets": ("unreadable_file", lambda: _with("xl/workbook.xml", listing())),
    "sheet without a part": (
        "unreadable_file",
        lambda: _with("xl/workbook.xml", listing('<sheet name="S" r:id="x"/>')),
    ),
    "sheet outside the file": (
        "unreadable_file",
        lambda: _with(
            "xl/_rels/workbook.xml.rels",
            relationships(worksheet="file:///etc/passwd").replace(" Target", ' TargetMode="External" Target'),
        ),
    ),
    "sheet with a path above the archive": (
        "unreadable_file",
        lambda: _with("xl/_rels/workbook.xml.rels", relationships(worksheet="../../../../etc/passwd")),
    ),
    "chart as the only sheet": (
        "unreadable_file",
        lambda: _with("xl/_rels/workbook.xml.rels", relationships(chartsheet="worksheets/sheet1.xml")),
    ),
    "sheet part that is not a sheet": ("unreadable_file", lambda: workbook("<chartsheet/>")),
    "60,000 sheets": ("unreadable_file", lambda: _with("xl/workbook.xml", listing(_LISTED_SHEET * 60_000))),
    "140,000 cell styles": (
        "unreadable_file",
        lambda: workbook(
            _GOOD, styles=styles().replace('<xf numFmtId="0"/>', '<xf numFmtId="0"/>' * 140_000)
        ),
    ),
    # Malicious XML
    "billion laughs": ("unreadable_file", lambda: workbook(_LAUGHING)),
    "document type": ("unreadable_file", lambda: workbook("<!DOCTYPE worksheet>" + _GOOD)),
    "external document type": (
        "unreadable_file",
        lambda: workbook('<!DOCTYPE w SYSTEM "http://127.0.0.1:9/x.dtd">' + _GOOD),
    ),
    "external entity": ("unreadable_file", _entity('<!ENTITY x SYSTEM "file:///etc/passwd">')),
    "internal entity": ("unreadable_file", _entity('<!ENTITY x "1">')),
    "entities in the shared strings": (
        "unreadable_file",
        lambda: workbook(_GOOD, sharedStrings='<!DOCTYPE s [<!ENTITY x "y">]><sst><si><t>&x;</t></si></sst>'),
    ),
    "undeclared entity": ("unreadable_file", lambda: workbook(_GOOD.replace("<v>1</v>", "<v>&x;</v>"))),
    "16 million nested elements": (
        "unreadable_file",
        lambda: workbook(_endless(b"<a>", 48_000_000)),
    ),
    "rows within rows": ("unreadable_file", lambda: workbook(_endless(b"<row>", 1_000_000))),
    "cells within cells": ("unreadable_file", lambda: workbook(table('<row r="2"><c><c/></c></row>'))),
    "values within values": ("unreadable_file", _cell('r="B2"', "<v><v>1</v></v>")),
    "a cell outside a row": ("unreadable_file", lambda: workbook(table('<c r="A2"><v>1</v></c>'))),
    "a million element names": (
        "unreadable_file",
        lambda: workbook(sheet("".join(f"<x{n}/>" for n in range(1_000_000)))),
    ),
    "a million attribute names": (
        "unreadable_file",
        lambda: workbook(sheet("".join(f'<x y{n}=""/>' for n in range(1_000_000)))),
    ),
    "an attribute of 50 MB": (
        "too_large",
        lambda: workbook(_endless(b"x" * 1_000, 50_000_000, start=b'<worksheet a="')),
    ),
    "a comment of 50 MB": (
        "too_large",
        lambda: workbook(_endless(b"x" * 1_000, 50_000_000, start=b"<worksheet><!--")),
    ),
    "truncated xml": ("unreadable_file", lambda: workbook(_GOOD[:-20])),
    "zero byte": ("unreadable_file", lambda: workbook(_GOOD.replace("<v>2</v>", "<v>\0</v>"))),
    "zero character": ("unreadable_file", lambda: workbook(_GOOD.replace("<v>2</v>", "<v>&#0;</v>"))),
    "invalid utf-8": ("unreadable_file", lambda: workbook(_GOOD.encode().replace(b"<v>2", b"<v>\xff"))),
    "unknown encoding": ("unreadable_file", lambda: workbook('<?xml version="1.0" encoding="x-y"?>' + _GOOD)),
    "codec that is not a text encoding": (
        "unreadable_file",
        lambda: workbook('<?xml version="1.0" encoding="zlib"?>' + _GOOD),
    ),
    "lone surrogate in utf-16": (
        "unreadable_file",
        lambda: workbook(
            codecs.BOM_UTF16_LE + _GOOD.encode("utf-16-le").replace(b"2\0<\0/\0v", b"\0\xd8<\0/\0v")
        ),
    ),
    # Bombs
    "200 MB of spaces": ("too_large", lambda: workbook(_endless(b" " * 1_000, 200_000_000))),
    "3 million rows": ("too_many_rows", lambda: workbook(_many_rows())),
    "the same 1 MB text in 200,000 cells": ("too_large", _shared_bomb),
    "a row of 2 GB": ("too_large", _wide_bomb),
    "shared strings with only spaces": (
        "too_large",
        lambda: workbook(_GOOD, sharedStrings=_endless(b" " * 1_000, 200_000_000, start=b"<sst>")),
    ),
    "a cell of 10 MB": ("too_large", _cell('r="B2" t="str"', f"<v>{'x' * 10_000_000}</v>")),
    "a shared string of 10 MB": (
        "too_large",
        lambda: workbook(_GOOD, sharedStrings=workbooks.shared_strings(f"<t>{'x' * 10_000_000}</t>")),
    ),
    "a number of 3 million digits": ("too_large", _cell('r="B2"', f"<v>{'1' * 3_000_000}</v>")),
    # Misplaced cells and rows
    "negative column": ("unreadable_file", _cell('r="-A2"')),
    "reference without a row": ("unreadable_file", _cell('r="B"')),
    "reference without a column": ("unreadable_file", _cell('r="2"')),
    "reference to another row": ("unreadable_file", _cell('r="B12"')),
    "reference in lower case": ("unreadable_file", _cell('r="b2"')),
    "the same cell twice": ("unreadable_file", _cell('r="A2"')),
    "cells out of order": (
        "unreadable_file",
        lambda: workbook(table('<row r="2"><c r="B2"><v>1</v></c><c r="A2"><v>1</v></c></row>')),
    ),
    "column after XFD": ("too_many_columns", _cell('r="XFE2"')),
    "column of many letters": ("unreadable_file", _cell(f'r="{"A" * 10_000}2"')),
    "rows out of order": ("unreadable_file", lambda: workbook(table(row(3, "1") + row(2, "1")))),
    "the same row twice": ("unreadable_file", lambda: workbook(table(row(2, "1") + row(2, "1")))),
    "row zero": ("unreadable_file", lambda: workbook(sheet('<row r="0"/>'))),
    "negative row": ("unreadable_file", lambda: workbook(sheet('<row r="-1"/>'))),
    "row of a hundred digits": ("unreadable_file", lambda: workbook(sheet(f'<row r="{"9" * 100}"/>'))),
    "row after the last possible row": ("too_many_rows", lambda: workbook(table(row(1_048_577, "1")))),
    "a cell outside the header": (
        "ragged_rows",
        lambda: workbook(table('<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')),
    ),
    "only XFD1048576": (
        "no_rows",
        lambda: workbook(sheet('<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')),
    ),
    "a title above the table": (
        "ragged_rows",
        lambda: workbook(sheet(f"<row><c{_TYPE}><v>Report</v></c></row>" + row(3, "1", "2"))),
    ),
    # Cells with a value that does not match the cell type
    "shared string that does not exist": ("unreadable_file", _cell('r="B2" t="s"')),
    "negative index of a shared string": ("unreadable_file", _cell('r="B2" t="s"', "<v>-1</v>")),
    "index of a shared string that is not a number": ("unreadable_file", _cell('r="B2" t="s"', "<v>1_0</v>")),
    "unknown type": ("unreadable_file", _cell('r="B2" t="x"')),
    "boolean that is neither true nor false": ("unreadable_file", _cell('r="B2" t="b"', "<v>2</v>")),
    "number that is text": ("unreadable_file", _cell('r="B2"', "<v>x</v>")),
    "number that is NaN": ("unreadable_file", _cell('r="B2"', "<v>NaN</v>")),
    "number with an underscore": ("unreadable_file", _cell('r="B2"', "<v>1_000</v>")),
    "style that does not exist": ("unreadable_file", _cell('r="B2" s="7"')),
    "negative style": ("unreadable_file", _cell('r="B2" s="-1"')),
    "style of a hundred digits": ("unreadable_file", _cell(f'r="B2" s="{"9" * 100}"')),
    # Headers
    "empty sheet": ("empty_file", lambda: workbook(sheet(""))),
    "rows without cells": ("empty_file", lambda: workbook(sheet("<row/>" * 10))),
    "only styled cells without values": (
        "empty_file",
        lambda: workbook(sheet('<row><c r="A1" s="0"/></row>')),
    ),
    "header only": ("no_rows", lambda: workbook(table(""))),
    "header and blank rows": ("no_rows", lambda: workbook(table('<row r="2"><c r="A2"/></row>'))),
    "error value as a name": (
        "no_rows",
        lambda: workbook(
            sheet(f'<row><c{_TYPE}><v>a</v></c><c t="e"><v>#N/A</v></c><c{_TYPE}><v>c</v></c></row>')
        ),
    ),
    "merged header": (
        "no_rows",
        lambda: workbook(
            sheet(
                f"<row><c{_TYPE}><v>a</v></c><c/><c{_TYPE}><v>b</v></c></row>",
                after='<mergeCells><mergeCell ref="A1:B1"/></mergeCells>',
            )
        ),
    ),
    "name with a zero character": ("invalid_header", _header("a", "x_x0000_")),
    "2,001 columns": ("too_many_columns", _header(*(f"c{n}" for n in range(2_001)))),
    "20,000 columns": ("too_many_columns", _header(*(f"c{n}" for n in range(20_000)))),
}
