"""Functions that build valid and invalid workbooks from their parts."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Iterable, Mapping

_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
SHEET = "xl/worksheets/sheet1.xml"
HEADER = '<row r="1"><c r="A1" t="str"><v>a</v></c><c r="B1" t="str"><v>b</v></c></row>'

Content = str | bytes | Iterable[bytes]


def sheet(rows: str, *, before: str = "", after: str = "") -> str:
    """Return a worksheet part with the given rows."""
    return f'<worksheet xmlns="{_MAIN}">{before}<sheetData>{rows}</sheetData>{after}</worksheet>'


def table(rows: str) -> str:
    """Return a worksheet part with the columns a and b."""
    return sheet(HEADER + rows)


def row(number: int, *cells: str) -> str:
    """Return a row of numbers, starting in column A."""
    markup = (f'<c r="{"ABCDEFGH"[index]}{number}"><v>{cell}</v></c>' for index, cell in enumerate(cells))
    return f'<row r="{number}">{"".join(markup)}</row>'


def relationships(**targets: str) -> str:
    """Return a part with relationships. Each keyword is both the kind and the ID of a relationship."""
    links = "".join(
        f'<Relationship Id="{kind}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for kind, target in targets.items()
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{links}</Relationships>'


def listing(*sheets: str, properties: str = "") -> str:
    """Return the part that lists the sheets of a workbook."""
    start = f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">{properties}'
    return f"{start}<sheets>{''.join(sheets)}</sheets></workbook>"


def parts(sheet_part: Content, **others: Content | None) -> dict[str, Content]:
    """Return the parts of a workbook. Keyword arguments, such as `sharedStrings`, set parts in `xl/`."""
    content: dict[str, Content] = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"/>',
        "_rels/.rels": relationships(officeDocument="xl/workbook.xml"),
        "xl/workbook.xml": listing('<sheet name="S" sheetId="1" r:id="worksheet"/>'),
        "xl/_rels/workbook.xml.rels": relationships(
            worksheet="worksheets/sheet1.xml", sharedStrings="sharedStrings.xml", styles="styles.xml"
        ),
        SHEET: sheet_part,
    }
    content |= {f"xl/{name}.xml": data for name, data in others.items() if data is not None}
    return content


def shared_strings(*texts: str) -> str:
    """Return a part with shared strings. Each string can contain markup."""
    return f'<sst xmlns="{_MAIN}">{"".join(f"<si>{text}</si>" for text in texts)}</sst>'


def styles(*codes: str) -> str:
    """Return a part with styles: one without a format, then one for each format code."""
    formats = "".join(f'<numFmt numFmtId="{164 + n}" formatCode="{code}"/>' for n, code in enumerate(codes))
    cells = "".join(f'<xf numFmtId="{164 + n}"/>' for n in range(len(codes)))
    return (
        f'<styleSheet xmlns="{_MAIN}"><numFmts>{formats}</numFmts>'
        '<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>'
        f'<cellXfs><xf numFmtId="0"/>{cells}</cellXfs></styleSheet>'
    )


def archive(content: Mapping[str, Content], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return an archive of parts. A part can be an iterable that exceeds the available memory."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", compression, compresslevel=9) as file:
        for name, data in content.items():
            with file.open(zipfile.ZipInfo(name), "w") if not compression else file.open(name, "w") as part:
                pieces = (
                    [data.encode() if isinstance(data, str) else data]
                    if isinstance(data, str | bytes)
                    else data
                )
                for piece in pieces:
                    part.write(piece)
    return sink.getvalue()


def with_end64(data: bytes, *, n_bytes: int | None = None, place: int | None = None) -> bytes:
    """Return an archive with a ZIP64 end record, which can declare a wrong size or position."""
    end = data.rindex(b"PK\5\6")
    n_parts, size, start = struct.unpack_from("<HLL", data, end + 10)
    size = size if n_bytes is None else n_bytes
    record = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, n_parts, n_parts, size, start)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, end if place is None else place, 1)
    return data[:end] + record + locator + data[end:]


def workbook(sheet_part: Content, **others: Content | None) -> bytes:
    """Return a complete workbook."""
    return archive(parts(sheet_part, **others))
