"""Tests for workbooks: sheets, headers, cells, number formats and types."""

from __future__ import annotations

import codecs
import zipfile
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from tests.hostile.workbooks import (
    SHEET,
    archive,
    listing,
    parts,
    relationships,
    row,
    shared_strings,
    sheet,
    styles,
    table,
    with_end64,
    workbook,
)
from understudy.errors import InvalidInput
from understudy.tables.formats import (
    FORMATS,
    Ingested,
    ReadLimits,
    ReadOptions,
    format_for_path,
    read_table,
    write_table,
)
from understudy.tables.inference import infer_table
from understudy.tables.validation import conform


def _read(tmp_path: Path, data: bytes, **options: str) -> pa.Table:
    path = tmp_path / "table.xlsx"
    path.write_bytes(data)
    return read_table(path, options=ReadOptions(**options))


def _ingest(tmp_path: Path, data: bytes) -> Ingested:
    (tmp_path / "upload").write_bytes(data)
    return FORMATS["xlsx"].ingest(tmp_path / "upload", tmp_path / "table.parquet", ReadLimits())


def _column_sheet(*cells: str) -> str:
    """Return a sheet with a column `a`. The cells have no references, which would contain their positions."""
    rows = "".join(f'<row><c t="str"><v>x</v></c>{cell}</row>' for cell in cells)
    return sheet(f'<row><c t="str"><v>key</v></c><c t="str"><v>a</v></c></row>{rows}')


def _column(tmp_path: Path, *cells: str, codes: tuple[str, ...] = ()) -> pa.ChunkedArray:
    return _read(tmp_path, workbook(_column_sheet(*cells), styles=styles(*codes))).column("a")


def _number(value: object, style: int = 0) -> str:
    return f'<c s="{style}"><v>{value}</v></c>'


def _text(value: str) -> str:
    return f'<c t="inlineStr"><is><t>{value}</t></is></c>'


@pytest.mark.parametrize(
    ("cells", "type_", "values"),
    [
        ([_number(1), _number("-2.0"), _number("3E2")], pa.int64(), [1, -2, 300]),
        ([_number(2**53 - 1), _number(0)], pa.int64(), [2**53 - 1, 0]),
        ([_number(2**53), _number(0)], pa.float64(), [2.0**53, 0.0]),
        ([_number(1), _number("0.30000000000000004")], pa.float64(), [1.0, 0.1 + 0.2]),
        ([_number("1e309"), _number("-1e309"), _number(".5")], pa.float64(), [None, None, 0.5]),
        ([_number("1e-400"), _number("1e300")], pa.float64(), [0.0, 1e300]),
        (['<c t="b"><v>1</v></c>', '<c t="b"><v>0</v></c>'], pa.bool_(), [True, False]),
        ([_text("00501"), _text("12")], pa.string(), ["00501", "12"]),
        ([_text("2024-02-29"), _text("0001-01-01")], pa.date32(), [date(2024, 2, 29), date(1, 1, 1)]),
        ([_number(1), _text("2")], pa.int64(), [1, 2]),
        ([_number(1), _text("NA"), _text("")], pa.int64(), [1, None, None]),
        ([_text("NA"), _text(""), _text("x"), "<c/>"], pa.string(), ["NA", "", "x", None]),
        ([_number(1), _text("12345678901234567.5")], pa.string(), ["1", "12345678901234567.5"]),
        (["<c/>", "<c/>"], pa.string(), [None, None]),
        (['<c t="d"><v>2024-02-29T12:00:00</v></c>'], pa.timestamp("s"), [datetime(2024, 2, 29, 12)]),  # noqa: DTZ001
    ],
    ids=str,
)
def test_type_of_a_column_fits_all_cells(
    tmp_path: Path, cells: list[str], type_: pa.DataType, values: list[object]
):
    column = _column(tmp_path, *cells)
    assert column.type == type_
    assert column.to_pylist() == values


@pytest.mark.parametrize(
    ("code", "number", "value"),
    [
        ("yyyy\\-mm\\-dd", 45351, date(2024, 2, 29)),
        ("d/m/yy;@", 61, date(1900, 3, 1)),
        ("[$-409]mmm\\-yy", 59, date(1900, 2, 28)),
        ("mmmm", 1, date(1900, 1, 1)),
        ("dddd", 2958465, date(9999, 12, 31)),
        ("yyyy\\-mm\\-dd", 45351.5, datetime(2024, 2, 29, 12)),  # noqa: DTZ001
        ("dd.mm.yyyy hh:mm", 45351, datetime(2024, 2, 29)),  # noqa: DTZ001
        ("yyyy hh:mm:ss.000", 45351.25 + 1 / 86_400_000, datetime(2024, 2, 29, 6, 0, 0, 1000)),  # noqa: DTZ001
        ("h:mm AM/PM", 0.75, time(18)),
        ("mm:ss", 0.5 - 1e-12, time(12)),
        ("hh:mm:ss", 1.5, datetime(1900, 1, 1, 12)),  # noqa: DTZ001
        ("[h]:mm:ss", 1.5, timedelta(hours=36)),
        ("[mm]:ss", -0.25, timedelta(hours=-6)),
        ("0.00", 45351, 45351),
        ("General", 45351, 45351),
        ("#,##0.00 &quot;days&quot;", 1.5, 1.5),
        ("[Red]0\\d", 2, 2),
        ("[$kr-414] 0", 2, 2),
        ("0_);(0)", 3, 3),
    ],
)
def test_number_format_determines_the_kind_of_a_number(
    tmp_path: Path, code: str, number: float, value: object
):
    assert _column(tmp_path, _number(number, 1), codes=(code,)).to_pylist() == [value]


@pytest.mark.parametrize("number", [0, 0.5, -1, 60, 60.5, 2958466, 1e10, 1e300])
def test_nonexistent_dates_are_read_as_missing_and_counted(tmp_path: Path, number: float):
    data = workbook(_column_sheet(_number(number, 1), _number(45351, 1)), styles=styles("yyyy\\-mm\\-dd"))
    assert _ingest(tmp_path, data).warnings == [
        "Column 'a': 1 nonexistent date was replaced with a missing value."
    ]
    assert read_table(tmp_path / "table.parquet").column("a").to_pylist() == [None, date(2024, 2, 29)]


def test_date_system_of_1904_is_supported(tmp_path: Path):
    found = parts(_column_sheet(_number(0, 1), _number(43889, 1)), styles=styles("yyyy\\-mm\\-dd"))
    found["xl/workbook.xml"] = listing(
        '<sheet name="S" r:id="worksheet"/>', properties='<workbookPr date1904="1"/>'
    )
    column = _read(tmp_path, archive(found)).column("a")
    assert column.to_pylist() == [date(1904, 1, 1), date(2024, 2, 29)]


def test_dates_mixed_with_timestamps_are_read_as_timestamps(tmp_path: Path):
    codes = ("yyyy\\-mm\\-dd", "yyyy\\-mm\\-dd hh:mm")
    column = _column(tmp_path, _number(45351, 1), _number(45351.5, 2), "<c/>", codes=codes)
    assert column.type == pa.timestamp("s")
    assert column.to_pylist() == [datetime(2024, 2, 29), datetime(2024, 2, 29, 12), None]  # noqa: DTZ001


def test_mixed_column_is_text_and_the_warning_contains_row_numbers(tmp_path: Path):
    cells = [_number(1), _number(45351, 1), _text("x"), _number(2.5)]
    ingested = _ingest(tmp_path, workbook(_column_sheet(*cells), styles=styles("yyyy\\-mm\\-dd")))
    assert ingested.warnings == [
        "Column 'a' is text: it contains numbers (2, first in row 2), dates (1, first in row 3) and text "
        "(1, first in row 4)."
    ]
    assert read_table(tmp_path / "table.parquet").column("a").to_pylist() == ["1", "2024-02-29", "x", "2.5"]


def test_error_values_and_formulas_without_results_are_read_as_missing_and_counted(tmp_path: Path):
    cells = [
        '<c t="e"><v>#N/A</v></c>',
        '<c t="e"><f>1/0</f><v>#DIV/0!</v></c>',
        "<c><f>A1+1</f></c>",
        "<c><f>A1+1</f><v>7</v></c>",
        "<c t=\"str\"><f>cmd|'/c calc'!A1</f><v>8</v></c>",
        '<c t="str"><f>""</f><v></v></c>',
    ]
    ingested = _ingest(tmp_path, workbook(_column_sheet(*cells)))
    assert ingested.warnings == [
        "Column 'a': 2 error values (such as #N/A) were replaced with missing values.",
        "Column 'a': 1 formula without a stored result was replaced with a missing value.",
    ]
    assert read_table(tmp_path / "table.parquet").column("a").to_pylist() == [None, None, None, 7, 8, None]


def test_shared_and_inline_texts_can_have_runs_and_escapes(tmp_path: Path):
    shared = shared_strings(
        "<t>plain</t>",
        "<r><t>bold </t></r><r><rPr><b/></rPr><t>rest</t></r>",
        "<t>東京</t><rPh sb='0' eb='2'><t>トウキョウ</t></rPh>",
        "<t xml:space='preserve'> a_x000D_\nb_x0041_c_x005F_x0041_ </t>",
        "<t/>",
    )
    cells = [f'<c t="s"><v>{n}</v></c>' for n in range(5)]
    cells += [
        '<c t="inlineStr"><is><r><t>x</t></r><r><t>y_xD800_</t></r></is></c>',
        "<c t='str'><v>&lt;=1</v></c>",
    ]
    column = _read(tmp_path, workbook(_column_sheet(*cells), sharedStrings=shared)).column("a")
    assert column.to_pylist() == [
        *("plain", "bold rest", "東京", " a\r\nbAc_x0041_ ", "", "xy_xD800_", "<=1"),
    ]


def test_blank_rows_are_skipped_and_the_first_row_with_values_is_the_header(tmp_path: Path):
    rows = (
        '<row r="2"><c r="B2" s="0"/></row>'
        '<row r="4"><c r="C4" t="str"><v>a</v></c><c r="D4"><v>2019</v></c></row>'
        '<row r="5"/><row r="7"><c r="C7"><v>1</v></c><c r="E7" s="0"/></row>'
        '<row r="1048576"><c r="D1048576"><v>2</v></c></row>'
    )
    found = _read(tmp_path, workbook(sheet(rows, before='<dimension ref="A1:XFD1048576"/>')))
    assert found.to_pydict() == {"a": [1, None], "2019": [None, 2]}


def test_rows_and_cells_without_references_are_read(tmp_path: Path):
    rows = '<row><c t="str"><v>a</v></c><c t="str"><v>b</v></c></row><row><c/><c><v>1</v></c></row>'
    assert _read(tmp_path, workbook(sheet(rows))).to_pydict() == {"a": [None], "b": [1]}


def test_xml_in_utf16_or_with_namespace_prefixes_is_read(tmp_path: Path):
    xml = table(row(2, "1", "2"))
    utf16 = codecs.BOM_UTF16_BE + xml.encode("utf-16-be")
    prefixed = xml.replace("<", "<x:").replace("<x:/", "</x:").replace("xmlns=", "xmlns:x=")
    for data in (utf16, prefixed):
        assert _read(tmp_path, workbook(data)).to_pydict() == {"a": [1], "b": [2]}


def test_uncompressed_parts_archive_comments_and_extra_parts_are_allowed(tmp_path: Path):
    found = parts(table(row(2, "1", "2")))
    found |= {
        "xl/vbaProject.bin": b"\xd0\xcf\x11\xe0",
        "xl/externalLinks/externalLink1.xml": "<externalLink/>",
        "docProps/core.xml": "<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>",
    }
    (tmp_path / "table.xlsm").write_bytes(archive(found, zipfile.ZIP_STORED))
    with zipfile.ZipFile(tmp_path / "table.xlsm", "a") as file:
        file.comment = b"PK" * 1_000
    assert read_table(tmp_path / "table.xlsm").to_pydict() == {"a": [1], "b": [2]}


def test_zip64_end_record_is_supported(tmp_path: Path):
    data = with_end64(workbook(table(row(2, "1", "2"))))
    assert _read(tmp_path, data).to_pydict() == {"a": [1], "b": [2]}


def test_warning_contains_the_number_of_merged_areas(tmp_path: Path):
    xml = table(row(2, "1", "2")).replace(
        "</sheetData>", "</sheetData><mergeCells><mergeCell ref='A2:A3'/></mergeCells>"
    )
    (warning,) = _ingest(tmp_path, workbook(xml)).warnings
    assert "1 merged area." in warning


def _three_sheets() -> bytes:
    found = parts(table(row(2, "1", "2")))
    found["xl/workbook.xml"] = listing(
        '<sheet name="Notes" state="hidden" r:id="other"/>',
        '<sheet name="Diagram" r:id="chartsheet"/>',
        '<sheet name="Data" r:id="worksheet"/>',
        '<sheet name="Ümlaut &amp; Co" r:id="third"/>',
    )
    links = relationships(worksheet="worksheets/sheet1.xml", chartsheet="chartsheets/sheet1.xml")
    for key in ("other", "third"):
        link = relationships(worksheet=f"/xl/worksheets/{key}.xml").replace('Id="worksheet"', f'Id="{key}"')
        links = links.replace("</Relationships>", link[link.index("<Relationship ") :])
        found[f"xl/worksheets/{key}.xml"] = table(row(2, "3", "4"))
    found["xl/_rels/workbook.xml.rels"] = links
    return archive(found)


def test_first_visible_sheet_is_read_and_other_sheets_produce_warnings(tmp_path: Path):
    ingested = _ingest(tmp_path, _three_sheets())
    assert read_table(tmp_path / "table.parquet").to_pydict() == {"a": [1], "b": [2]}
    assert [warning[:45] for warning in ingested.warnings] == [
        "The workbook has 3 sheets, and the first visi",
        "Hidden sheets that were not read: 1.",
    ]


@pytest.mark.parametrize("name", ["Notes", "Ümlaut & Co"])
def test_sheet_is_selected_by_name(tmp_path: Path, name: str):
    assert _read(tmp_path, _three_sheets(), sheet=name).to_pydict() == {"a": [3], "b": [4]}


def test_error_about_an_unknown_sheet_lists_the_sheets(tmp_path: Path):
    with pytest.raises(InvalidInput, match="Use one of its sheets: 'Notes', 'Data', 'Ümlaut & Co'") as caught:
        _read(tmp_path, _three_sheets(), sheet="data")
    assert caught.value.code == "invalid_parameters"


def test_sheet_option_is_refused_for_other_formats(tmp_path: Path):
    (tmp_path / "table.csv").write_text("a\n1\n")
    with pytest.raises(InvalidInput, match="`sheet`"):
        read_table(tmp_path / "table.csv", options=ReadOptions(sheet="S"))


def _written(tmp_path: Path, found: pa.Table) -> str:
    write_table(tmp_path / "made.xlsx", found.to_batches(), found.schema)
    with zipfile.ZipFile(tmp_path / "made.xlsx") as file:
        return file.read(SHEET).decode()


def test_text_is_never_written_as_a_formula(tmp_path: Path):
    texts = ["=1+1", "+1", "-1", "@SUM(A1)", "=cmd|'/c calc'!A1", "\t=1", "\r=1"]
    found = pa.table({"=name": texts})
    xml = _written(tmp_path, found)
    assert "<f" not in xml
    assert xml.count('t="inlineStr"') == 1 + len(texts)
    assert read_table(tmp_path / "made.xlsx").to_pydict() == found.to_pydict()


def test_characters_that_xml_does_not_allow_are_restored(tmp_path: Path):
    texts = [chr(code) for code in range(32)] + [
        "\ufffe\uffff",
        "_x0041_",
        "_x_x0041_x0042_",
        "a & <b> ]]>",
        "  ",
    ]
    found = pa.table({"a\tb_x0009_": texts})
    _written(tmp_path, found)
    assert read_table(tmp_path / "made.xlsx").to_pydict() == found.to_pydict()


def test_values_are_written_in_the_matching_excel_type(tmp_path: Path):
    found = pa.table(
        {
            "day": [date(2024, 2, 29), date(1900, 3, 1), date(9999, 12, 31)],
            "moment": pa.array([0, 1_709_251_199_999, None], pa.timestamp("ms")),
            "time": pa.array([0, 86_399, None], pa.time32("s")),
            "flag": [True, None, False],
            "n": [2**53 - 1, -(2**53), None],
        }
    )
    assert "inlineStr" not in _written(tmp_path, found.rename_columns([""] * 5)).split('<row r="2">')[1]
    _written(tmp_path, found)
    assert read_table(tmp_path / "made.xlsx").cast(found.schema).equals(found)


def test_rows_that_contain_only_missing_values_are_kept(tmp_path: Path):
    found = pa.table(
        {"a": pa.array([None, 1, None], pa.int64()), "b": pa.array([None, "x", None], pa.string())}
    )
    _written(tmp_path, found)
    assert read_table(tmp_path / "made.xlsx").equals(found)


def test_long_decimals_keep_all_their_digits(tmp_path: Path):
    unscaled = [n * 10**e + e for e in range(17) for n in (9, -123)]
    found = pa.table({"a": pa.array([Decimal(n).scaleb(-4) for n in unscaled], pa.decimal128(30, 4))})
    _written(tmp_path, found)
    assert conform(read_table(tmp_path / "made.xlsx"), infer_table(found).schema).equals(found)


def test_every_millisecond_in_the_range_of_excel_is_restored(tmp_path: Path):
    ms = [86_400_000 * day + 86_399_999 - 7 * n for n, day in enumerate(range(-25_508, 2_932_896, 997))]
    found = pa.table({"a": pa.array(ms, pa.timestamp("ms"))})
    _written(tmp_path, found)
    assert read_table(tmp_path / "made.xlsx").column("a").equals(found.column("a"))


def test_workbook_with_macros_is_read_but_cannot_be_written(tmp_path: Path):
    assert format_for_path(Path("x.XLSM")) is FORMATS["xlsx"]
    with pytest.raises(InvalidInput, match=r"\.xlsx"):
        write_table(tmp_path / "x.xlsm", [], pa.schema([pa.field("a", pa.int64())]))
