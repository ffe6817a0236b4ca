"""Tests that OpenDocument spreadsheets are read like workbooks, and that damaged ones are refused."""

from __future__ import annotations

import io
import tracemalloc
import zipfile
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from understudy.errors import InvalidInput
from understudy.tables.formats import FORMATS, ReadOptions, format_for_output, format_for_path
from understudy.tables.formats.base import Loaded

KIND = "application/vnd.oasis.opendocument.spreadsheet"
_NAMES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for name in ("office", "table", "text", "style")
)


def cell(value: Any, more: str = "") -> str:
    if value is None:
        return f"<table:table-cell {more}/>"
    if isinstance(value, bool):
        return f'<table:table-cell office:value-type="boolean" office:boolean-value="{str(value).lower()}"/>'
    if isinstance(value, int | float):
        kind = f'office:value-type="float" office:value="{value}"'
        return f"<table:table-cell {kind} {more}><text:p>shown</text:p></table:table-cell>"
    if isinstance(value, date):
        return f'<table:table-cell office:value-type="date" office:date-value="{value.isoformat()}"/>'
    return f'<table:table-cell office:value-type="string" {more}><text:p>{value}</text:p></table:table-cell>'


def row(*cells: Any, more: str = "") -> str:
    written = "".join(own if isinstance(own, str) and own.startswith("<") else cell(own) for own in cells)
    return f"<table:table-row {more}>{written}</table:table-row>"


def sheet(*rows: str, name: str = "S", style: str = "ta1") -> str:
    own = f'table:name="{name}" table:style-name="{style}"'
    return f"<table:table {own}><table:table-column/>{''.join(rows)}</table:table>"


def workbook(*sheets: str, kind: str = KIND, before: str = "") -> bytes:
    hidden = '<style:style style:name="ta2"><style:table-properties table:display="false"/></style:style>'
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?>{before}<office:document-content {_NAMES}>'
        f"<office:automatic-styles>{hidden}</office:automatic-styles><office:body><office:spreadsheet>"
        f"{''.join(sheets)}</office:spreadsheet></office:body></office:document-content>"
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", kind)
        archive.writestr("content.xml", content)
    return buffer.getvalue()


def load(tmp_path: Path, data: bytes, **options: Any) -> Loaded:
    path = tmp_path / "t.ods"
    path.write_bytes(data)
    return format_for_path(path).load(path, options=ReadOptions(**options))


HEADER = row("id", "name", "amount", "day", "paid")
ROWS = [row(i, f"Item {i}", i / 4, date(2024, 1, i % 28 + 1), i % 2 == 0) for i in range(30)]


def test_cells_are_read_with_their_types(tmp_path: Path) -> None:
    table = load(
        tmp_path, workbook(sheet(HEADER, *ROWS, row(None, more='table:number-rows-repeated="1048000"')))
    ).table
    assert table.column_names == ["id", "name", "amount", "day", "paid"]
    assert [str(type_) for type_ in table.schema.types] == [
        "int64",
        "string",
        "double",
        "date32[day]",
        "bool",
    ]
    last = {"id": 29, "name": "Item 29", "amount": 7.25, "day": date(2024, 1, 2), "paid": False}
    assert (table.num_rows, table.to_pylist()[-1]) == (30, last)


def test_repeated_cells_rows_and_blanks_are_expanded(tmp_path: Path) -> None:
    repeated = row(cell(7, 'table:number-columns-repeated="2"'), "x", more='table:number-rows-repeated="3"')
    blank = row(cell(None, 'table:number-columns-repeated="16384"'))
    data = workbook(sheet(row("a", "b", "c"), *(row(i, None, "y") for i in range(20)), blank, repeated))
    table = load(tmp_path, data).table
    assert table["a"].to_pylist()[-3:] == table["b"].to_pylist()[-3:] == [7, 7, 7]
    assert table.num_rows == 23


def test_merged_cells_below_the_header_are_counted(tmp_path: Path) -> None:
    title = row(cell("Sales", 'table:number-columns-spanned="3"'))
    covered = "<table:covered-table-cell/>"
    group = [cell(f"group {n}", 'table:number-rows-spanned="5"') for n in range(6)]
    rows = [row(covered if i % 5 else group[i // 5], i, i * 2) for i in range(30)]
    loaded = load(tmp_path, workbook(sheet(title, row("group", "n", "m"), *rows)))
    assert (loaded.table.num_rows, loaded.table["group"].null_count) == (30, 24)
    assert any("The sheet has 6 merged areas" in warning for warning in loaded.warnings)
    loaded = load(tmp_path, workbook(sheet(title, HEADER, *ROWS)))
    assert not any("merged" in warning for warning in loaded.warnings)


def test_times_texts_and_errors_are_read(tmp_path: Path) -> None:
    at = '<table:table-cell office:value-type="time" office:time-value="PT{:02}H05M09S"/>'
    text = (
        '<table:table-cell office:value-type="string"><office:annotation><text:p>note</text:p>'
        "</office:annotation><frame><text:p>image</text:p></frame><custom-shape><text:p/></custom-shape>"
        '<text:p>two<text:s text:c="2"/>spaces</text:p></table:table-cell>'
    )
    error = (
        '<table:table-cell office:value-type="string" '
        'calcext:value-type="error"><text:p>#N/A</text:p></table:table-cell>'
    )
    rows = [
        row(at.format(i % 24), text if i else error, datetime.fromisoformat(f"2024-01-01T{i % 24:02}:30:00"))
        for i in range(40)
    ]
    loaded = load(tmp_path, workbook(sheet(row("at", "text", "when"), *rows)))
    assert loaded.table["at"].to_pylist()[13] == time(13, 5, 9)
    assert loaded.table["text"].to_pylist()[:2] == [None, "two  spaces"]
    assert pa.types.is_timestamp(loaded.table["when"].type)


def test_midnights_have_the_type_of_their_column(tmp_path: Path) -> None:
    at = '<table:table-cell office:value-type="date" office:date-value="2024-01-{:02}{}"/>'
    clocks = ["", "T00:00:00", "T10:30:00"]
    rows = [
        row(at.format(i % 28 + 1, clocks[i % 2]), at.format(i % 28 + 1, clocks[i % 3])) for i in range(30)
    ]
    table = load(tmp_path, workbook(sheet(row("day", "when"), *rows))).table
    assert table["day"].to_pylist()[1] == date(2024, 1, 2)
    assert pa.types.is_timestamp(table["when"].type)
    assert [str(when) for when in table["when"].to_pylist()[1:3]] == [
        "2024-01-02 00:00:00",
        "2024-01-03 10:30:00",
    ]


@pytest.mark.parametrize("options", [{"decimal": ","}, {"thousands": "."}])
def test_typed_numbers_have_a_decimal_point_regardless_of_the_options(
    tmp_path: Path, options: dict[str, str]
) -> None:
    rows = [row(i, 1.234, "2.345,5", 1.5e-05) for i in range(30)]
    table = load(tmp_path, workbook(sheet(row("id", "typed", "text", "small"), *rows)), **options).table
    assert table.to_pylist()[3] == {"id": 3, "typed": 1.234, "text": 2345.5, "small": 1.5e-05}


def test_first_visible_sheet_is_read_unless_another_is_selected(tmp_path: Path) -> None:
    other = [
        sheet(row("a"), *(row(i) for i in range(9)), name=name, style=style)
        for name, style in (("H", "ta2"), ("B", ""))
    ]
    data = workbook(other[0], sheet(HEADER, *ROWS), other[1])
    loaded = load(tmp_path, data)
    assert loaded.table.num_columns == 5
    assert any("3 sheets" in warning for warning in loaded.warnings)
    assert load(tmp_path, data, sheet="B").table.num_rows == 9
    with pytest.raises(InvalidInput, match="'H', 'S', 'B'"):
        load(tmp_path, data, sheet="X")


def test_titles_and_totals_are_skipped_with_a_warning(tmp_path: Path) -> None:
    loaded = load(tmp_path, workbook(sheet(row("Report"), row(), HEADER, *ROWS, row("Total", None, 108.75))))
    assert loaded.table.num_rows == 30
    assert any("Lines 1 to 2 above the header" in warning for warning in loaded.warnings)
    assert any("ine 34" in warning for warning in loaded.warnings)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (workbook(sheet(HEADER, *ROWS), kind="application/vnd.oasis.opendocument.text"), "not a spreadsheet"),
        (
            workbook(sheet(HEADER, *ROWS), before='<!DOCTYPE x [<!ENTITY e "v">]>'),
            "document type or entities",
        ),
        (
            workbook(sheet(row("a", "b"), row(1, "x" * 9_999, more='table:number-rows-repeated="1048575"'))),
            "larger than",
        ),
        (
            workbook(sheet(row("a"), row(1, more='table:number-rows-repeated="99999999"'))),
            "invalid number of times",
        ),
        (workbook(sheet()), "sheet is empty"),
        (workbook(), "no sheet"),
    ],
    ids=["text document", "entities", "repeated rows", "too many rows", "empty", "no sheet"],
)
def test_other_file_types_and_malicious_files_are_refused(tmp_path: Path, data: bytes, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        load(tmp_path, data)


@pytest.mark.parametrize(
    ("repeated", "words"),
    [
        ([*[cell(None, 'table:number-columns-repeated="16384"')] * 2_000, 1], "more than 16,384 columns"),
        (["x" + '<text:s text:c="16384"/>' * 5_000], "larger than 67,108,864 bytes"),
    ],
    ids=["blank cells", "spaces"],
)
def test_repetitions_are_limited_before_they_are_expanded(
    tmp_path: Path, repeated: list[Any], words: str
) -> None:
    data = workbook(sheet(row("a"), row(*repeated)))
    tracemalloc.start()
    try:
        with pytest.raises(InvalidInput, match=words):
            load(tmp_path, data)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # Without a limit, the list of blank cells would contain 2,000 times 16,384 pointers, which is 262 MB.
    assert peak_bytes < 200_000_000


def test_option_that_does_not_apply_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="`range`"):
        load(tmp_path, workbook(sheet(HEADER, *ROWS)), range="A1:B5")


def test_opendocument_files_cannot_be_written(tmp_path: Path) -> None:
    assert format_for_path(Path("x.ods")) is FORMATS["xlsx"]
    with pytest.raises(InvalidInput, match=r"Use \.xlsx or \.csv"):
        format_for_output(Path("x.ods"))
