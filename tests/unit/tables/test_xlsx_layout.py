"""Tests for tables in workbooks with titles, notes, units, blank columns or several header rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.hostile.workbooks import sheet, workbook
from understudy.errors import InvalidInput
from understudy.parameters.read_options import read_options
from understudy.tables.formats import FORMATS
from understudy.tables.formats.base import Loaded
from understudy.tables.formats.layout.headers import SheetRow
from understudy.tables.formats.xlsx.tables import find_notes

_COLUMNS = "ABCDEFGHIJ"
Cell = str | int | float | None
_ROWS: list[Sequence[Cell]] = [(f"shop {n % 7}", n, n + 0.5) for n in range(30)]
_HEADER: Sequence[Cell] = ("shop", "items", "amount")


def _sheet(rows: Sequence[Sequence[Cell]], first: int = 1, after: str = "") -> bytes:
    return workbook(sheet("".join(_row(first + n, cells) for n, cells in enumerate(rows)), after=after))


def _row(number: int, cells: Sequence[Cell]) -> str:
    markup = "".join(
        f'<c r="{_COLUMNS[column]}{number}" t="str"><v>{cell}</v></c>'
        if isinstance(cell, str)
        else f'<c r="{_COLUMNS[column]}{number}"><v>{cell}</v></c>'
        for column, cell in enumerate(cells)
        if cell is not None
    )
    return f'<row r="{number}">{markup}</row>' if markup else ""


def _load(tmp_path: Path, data: bytes, **options: str) -> Loaded:
    path = tmp_path / "t.xlsx"
    path.write_bytes(data)
    return FORMATS["xlsx"].load(path, options=read_options(options))


def test_plain_sheet_has_no_warnings(tmp_path: Path):
    loaded = _load(tmp_path, _sheet([_HEADER, *_ROWS]))
    assert loaded.table.column_names == list(_HEADER)
    assert loaded.warnings == []


@pytest.mark.parametrize(
    "above",
    [
        [("Sales 2024",), ()],
        [("Sales 2024",)],
        [("Sales 2024",), ("Printed:", "2024-02-01"), (), ()],
        [(None, "Sales 2024"), ()],
    ],
)
def test_rows_above_the_header_are_skipped_with_a_warning(tmp_path: Path, above: list[Sequence[Cell]]):
    loaded = _load(tmp_path, _sheet([*above, _HEADER, *_ROWS]))
    assert loaded.table.column_names == list(_HEADER)
    assert loaded.table.num_rows == 30
    assert [str(type_) for type_ in loaded.table.schema.types] == ["string", "int64", "double"]
    (warning,) = loaded.warnings
    assert f"row {len(above) + 1} was read as the header" in warning


@pytest.mark.parametrize(
    "notes",
    [
        [(), ("Source: a bank",)],
        [("Source: a bank",)],
        [("Total", None, 465.0)],
        [(None, 435, 450)],
        [(), ("x",), ("y z",)],
    ],
)
def test_rows_below_the_table_are_skipped_with_a_warning(tmp_path: Path, notes: list[Sequence[Cell]]):
    loaded = _load(tmp_path, _sheet([_HEADER, *_ROWS, *notes]))
    assert loaded.table.num_rows == 30
    (warning,) = loaded.warnings
    assert "below the table" in warning


def test_row_numbers_become_an_index_column_and_blank_columns_are_dropped(tmp_path: Path):
    rows = [(None, "a", None, "b"), *((n, n * 2, None, "x") for n in range(20))]
    loaded = _load(tmp_path, _sheet(rows))
    assert loaded.table.column_names == ["index", "a", "b"]
    assert "Column 3 has neither a name nor values" in loaded.warnings[0]
    assert "Column 1 has no name and was named 'index'" in loaded.warnings[1]


def test_merged_header_cells_are_joined_with_the_row_below(tmp_path: Path):
    merged = '<mergeCells count="1"><mergeCell ref="B1:C1"/></mergeCells>'
    rows = [("id", "Size", None), (None, "height", "weight"), *((n, n * 2, n * 3) for n in range(20))]
    loaded = _load(tmp_path, _sheet(rows, after=merged))
    assert loaded.table.column_names == ["id", "Size / height", "Size / weight"]
    (warning,) = loaded.warnings
    assert "Rows 1 to 2 were read as header rows" in warning


def test_units_below_the_header_are_skipped(tmp_path: Path):
    rows = [_HEADER, (None, "pcs", "EUR"), *_ROWS]
    loaded = _load(tmp_path, _sheet(rows))
    assert loaded.table.num_rows == 30
    assert "Row 2, directly below the header, contains units" in loaded.warnings[0]
    joined = _load(tmp_path, _sheet(rows), join_headers="true").table
    assert joined.column_names == ["shop", "items / pcs", "amount / EUR"]


def test_options_select_the_rows_and_columns(tmp_path: Path):
    rows = [
        ("Towns",),
        ("of the world",),
        ("name", "country", "old"),
        *[("Oslo", "Norway", "x")] * 9,
        ("end",),
    ]
    data = _sheet(rows)
    assert _load(tmp_path, data, header_row="3", skip_rows="13").table.num_rows == 9
    assert _load(tmp_path, data, skip_rows="1-2,13-").table.column_names == ["name", "country", "old"]
    chosen = _load(tmp_path, data, range="A3:B7").table
    assert chosen.column_names == ["name", "country"]
    assert chosen.num_rows == 4
    assert _load(tmp_path, data, range="B3:C12").table.column_names == ["country", "old"]


def test_range_can_select_one_of_two_tables_in_a_sheet(tmp_path: Path):
    rows = [("a", "b", None, "x", "y"), *((n, n, None, "p", n) for n in range(20))]
    assert _load(tmp_path, _sheet(rows, first=5), range="D5:E24").table.to_pydict() == {
        "x": ["p"] * 19,
        "y": list(range(19)),
    }


@pytest.mark.parametrize("text", ["A5", "5:9", "F1:A9", "A9:F5", "A1:ZZZZ9", ""])
def test_invalid_range_is_refused(tmp_path: Path, text: str):
    with pytest.raises(InvalidInput) as caught:
        _load(tmp_path, _sheet([_HEADER, *_ROWS]), range=text)
    assert caught.value.code == "invalid_parameters"


def test_blank_range_is_refused(tmp_path: Path):
    with pytest.raises(InvalidInput, match="`range` contains only blank cells"):
        _load(tmp_path, _sheet([_HEADER, *_ROWS]), range="E1:F9")


def test_error_about_a_possible_second_header_row_contains_the_option(tmp_path: Path):
    rows = [("town", "sights", None), ("Oslo", "fjord", "ship"), *[("Rome", "forum", "church")] * 9]
    with pytest.raises(InvalidInput, match=r"Row 2 may be a second header row.*`join_headers`"):
        _load(tmp_path, _sheet(rows))


def test_totals_rows_and_repeated_headers_within_a_sheet_are_skipped(tmp_path: Path):
    group = [*_ROWS[:10], ("Total shops", 5, None)]
    data = _sheet([_HEADER, *group, _HEADER, *group, *_ROWS[:5], ("Grand total", 99, 99.5)])
    loaded = _load(tmp_path, data)
    assert loaded.table.num_rows == 25
    assert [str(type_) for type_ in loaded.table.schema.types] == ["string", "int64", "double"]
    assert "1 repetition of the header was skipped (first in row 13)." in loaded.warnings
    assert "2 rows of totals were skipped (first in row 12)." in loaded.warnings


def test_error_about_a_second_table_below_the_first_contains_the_options(tmp_path: Path):
    data = _sheet([_HEADER, *_ROWS[:12], (), ("Visits",), ("shop", "day", "who"), *_ROWS])
    with pytest.raises(InvalidInput, match=r"Row 16 follows a blank row.*`range`.*`skip_rows`"):
        _load(tmp_path, data)
    assert _load(tmp_path, data, range="A1:C13").table.num_rows == 12
    assert _load(tmp_path, data, skip_rows="14-").table.num_rows == 12


def test_error_about_side_by_side_tables_of_different_lengths_contains_the_option(tmp_path: Path):
    beside = [(*row, None, "Bern" if n < 12 else None) for n, row in enumerate(_ROWS)]
    data = _sheet([(*_HEADER, None, "city"), *beside])
    with pytest.raises(InvalidInput, match=r"A:C down to row 31, E:E down to row 13.*`range`"):
        _load(tmp_path, data)
    assert _load(tmp_path, data, range="A1:C31").table.column_names == list(_HEADER)


def test_blank_column_within_a_table_is_dropped(tmp_path: Path):
    data = _sheet([(*_HEADER, None, "city"), *[(*row, None, "Bern") for row in _ROWS]])
    assert _load(tmp_path, data).table.column_names == [*_HEADER, "city"]


@pytest.mark.parametrize(
    ("last", "notes"),
    [
        (("Media", "5", "7", ""), None),
        (("Web", "5", "7", ""), None),
        (("Media", "5", "", ""), (10, 10)),
        (("Total (Web)", "5", "7", "x"), None),
    ],
)
def test_last_row_that_fills_all_usually_filled_columns_is_not_a_note(
    last: tuple[str, ...], notes: tuple[int, int] | None
) -> None:
    cells = [("Web", str(i), "7", "") for i in range(8)]
    rows = [SheetRow(i, i, row) for i, row in enumerate([*cells, last], 2)]
    assert find_notes(rows, 4) == notes
