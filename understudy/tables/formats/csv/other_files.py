"""Reject files that are not delimited text, with a remedy for each kind of file."""

from __future__ import annotations

import codecs
import re

from understudy.errors import InvalidInput

# Magic bytes of file types that are often uploaded by mistake, with a remedy for each type.
_OTHER_FILES: tuple[tuple[bytes, str], ...] = (
    (b"PAR1", "a Parquet file. Specify the format `parquet`"),
    (b"\x89PNG", "a PNG image. Upload a CSV file"),
    (b"\xff\xd8\xff", "a JPEG image. Upload a CSV file"),
    (b"GIF8", "a GIF image. Upload a CSV file"),
    (b"%PDF", "a PDF document. Export the table as CSV"),
    (b"ARROW1", "an Arrow file. Specify the format `arrow`"),
    (b"FEA1", "a Feather version 1 file. Export it as Parquet"),
    (b"SQLite format 3\x00", "an SQLite database. Export the table as CSV"),
    (b"\x7fELF", "an executable program. Upload a CSV file"),
    (b"\xd0\xcf\x11\xe0", "an old Office document. Save the sheet as CSV"),
    (b"\x89HDF", "an HDF5 file. Export the table as CSV or Parquet"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive. Extract the table, or compress it with gzip"),
    (b"Rar!", "a RAR archive. Extract the table, or compress it with gzip"),
    (b"Obj\x01", "an Avro file. Export the table as Parquet"),
    (b"ORC", "an ORC file. Export the table as Parquet"),
    (b"$FL", "an SPSS file. Export the table as CSV or Parquet"),
    (b"<stata_dta>", "a Stata file. Export the table as CSV or Parquet"),
    (b"RDX", "an R data file. Export the table as CSV or Parquet"),
    (b"\x80\x04\x95", "a Python pickle. Export the table as CSV or Parquet"),
    (b"{\\rtf", "an RTF document. Export the table as CSV"),
)
_MARKUP = re.compile(rb"<(?:[!?]|[a-z][a-z0-9:_-]*(?:\s[^<>]*)?/?>)", re.IGNORECASE)
_CLEAR_MARKUP = (b"<!", b"<?", b"<html")
_SQL_COMMENT = re.compile(rb"\s*(?:--[^\n]*\n|/\*.*?\*/;?|#[^\n]*\n)", re.DOTALL)
_SQL = re.compile(
    rb"\s*(?:create\s+(?:table|database|schema|or\s)|insert\s+into\s|drop\s+table\s|replace\s+into\s"
    rb"|begin(?:\s+transaction)?\s*;|start\s+transaction|set\s+[\w@. ]+=|pragma\s|use\s+[`\w]+\s*;"
    rb"|lock\s+tables|alter\s+table\s|copy\s+[\w.\"]+\s*\()",
    re.IGNORECASE,
)


def check_kind(start: bytes) -> None:
    """Check that a file does not begin like a file of another kind.

    Raises
    ------
    InvalidInput
        If the file is of another known kind (code unreadable_file).
    """
    for mark, kind in _OTHER_FILES:
        if start.startswith(mark):
            raise _unreadable(kind)
    if start.startswith(b"PK\x03\x04"):
        raise _unreadable(_kind_of_archive(start))
    text = start.removeprefix(codecs.BOM_UTF8).lstrip()
    if _MARKUP.match(text) and (b"</" in text or b"/>" in text or text[:5].lower().startswith(_CLEAR_MARKUP)):
        raise _unreadable("HTML or XML. Export the table as CSV")
    if text.startswith((b"{", b"[{", b"[\n", b"[\r\n", b"[ ")):
        raise _unreadable("JSON. Specify the format `jsonl`")
    if _is_sql(text):
        raise _unreadable("SQL. Load it into a database, and export the table as CSV")


def _kind_of_archive(start: bytes) -> str:
    if b"mimetypeapplication/vnd.oasis" in start[:200]:
        return "an OpenDocument spreadsheet. Save the sheet as CSV or .xlsx"
    if b"[Content_Types].xml" in start or b"xl/" in start or b"_rels/" in start:
        return "a workbook. Specify the format `xlsx`, or save the sheet as CSV"
    return "a ZIP archive. Extract the table, or compress it with gzip"


def _is_sql(text: bytes) -> bool:
    position = 0
    while comment := _SQL_COMMENT.match(text, position):
        position = comment.end()
    return _SQL.match(text, position) is not None and b";" in text


def _unreadable(kind: str) -> InvalidInput:
    return InvalidInput(f"The file is not CSV but {kind}.", code="unreadable_file")
