"""Tests for tables of fixed width, for rows of widths and types, and for rows of totals at the end."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from understudy.parameters.read_options import ReadOptions
from understudy.tables.formats import FORMATS
from understudy.tables.formats.base import Loaded

ITEMS = ("Bolt M8", "Nut", "Washer big", "Hex key")
ROWS = [(str(i + 1), ITEMS[i % 4], "NS"[i % 2], f"{3 * i}.50") for i in range(40)]
NAMES = ("id", "item", "side", "price")
WIDTHS = (5, 12, 4, 8)


def load(tmp_path: Path, text: str) -> Loaded:
    path = tmp_path / "t.txt"
    path.write_text(text)
    return FORMATS["csv"].load(path, options=ReadOptions())


def drawn(rows: Sequence[Sequence[str]], gap: str, *, is_right: bool = True) -> list[str]:
    return [
        gap.join(
            cell.rjust(width) if is_right and i in (0, 3) else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, WIDTHS, strict=True))
        ).rstrip()
        for row in rows
    ]


@pytest.mark.parametrize("gap", [" ", "   "])
@pytest.mark.parametrize("mark", ["-", "="])
@pytest.mark.parametrize(("before", "after"), [([], []), (["", ""], ["", "(40 rows affected)"])])
def test_columns_below_a_ruler_are_separated(
    tmp_path: Path, gap: str, mark: str, before: list[str], after: list[str]
) -> None:
    ruler = gap.join(mark * width for width in WIDTHS)
    head, *body = drawn([NAMES, *ROWS], gap)
    loaded = load(tmp_path, "\n".join([*before, head, ruler, *body, *after]) + "\n")
    assert loaded.table.column_names == list(NAMES)
    assert loaded.table["item"].to_pylist() == [row[1] for row in ROWS]
    assert loaded.table["price"].to_pylist() == [float(row[3]) for row in ROWS]
    assert any(f"the ruler in line {len(before) + 2}" in warning for warning in loaded.warnings)


def test_columns_are_separated_at_blanks_that_all_lines_share(tmp_path: Path) -> None:
    loaded = load(tmp_path, "\n".join(drawn([NAMES, *ROWS], "  ")) + "\n")
    assert loaded.table["item"].to_pylist() == [row[1] for row in ROWS]
    assert "fixed width" in loaded.warnings[0]


def test_text_with_runs_of_spaces_is_not_cut(tmp_path: Path) -> None:
    words = "".join(f"{'x' * (i % 7 + 1)}  is {'y' * (i % 5 + 1)}  in {i}\n" for i in range(40))
    loaded = load(tmp_path, "some long note\n" + words)
    assert loaded.table.num_columns == 1
    assert loaded.warnings


@pytest.mark.parametrize("code", ["USGS", "5s", "12d"])
def test_row_of_widths_and_types_below_the_header_is_skipped(tmp_path: Path, code: str) -> None:
    rows = "".join(f"{code}\t0{i % 3 + 1646500}\t2023-01-{i % 28 + 1:02}\t{i}\n" for i in range(40))
    loaded = load(tmp_path, "# some remark\nagency\tsite\tday\tflow\n5s\t15s\t20d\t14n\n" + rows)
    assert loaded.table.column_names == ["agency", "site", "day", "flow"]
    assert [str(field.type) for field in loaded.table.schema][1:] == ["string", "date32[day]", "int64"]
    assert any("Line 3" in warning for warning in loaded.warnings)


@pytest.mark.parametrize(
    "last",
    [
        *("Total:,,990,12.5", "Grand total,,990,12.5", "TOTAL GENERAL,,990,12.5", "Summe,,990,12.5"),
        *("Total (40 rows),,990,12.5", ",Total,990,12.5", ",Summe:,990,12.5", "Average,,990,12.5"),
        *("Mittelwert,,990,12.5", "Total général,,990,12.5", "Net total,,990,12.5", "合計,,990,12.5"),
    ],
)
def test_totals_row_at_the_end_is_skipped_and_its_line_number_is_reported(tmp_path: Path, last: str) -> None:
    rows = "".join(f"{row[1]},{row[2]},{row[0]},{row[3]}\n" for row in ROWS)
    loaded = load(tmp_path, f"item,side,n,price\n{rows}{last}\n")
    assert loaded.table.num_rows == len(ROWS)
    assert any("ine 42" in warning for warning in loaded.warnings)


@pytest.mark.parametrize(
    ("head", "row", "last"),
    [
        ("channel,n,sales,note", "Web {0},{0},7,", "Media,5,7,"),
        ("region,country,n", "Area {0},DE,{0}", "Total (France),FR,55"),
        ("type,n,note", "Average,{},", "Average,9,"),
    ],
)
def test_last_row_is_kept_if_it_fills_the_columns_that_other_rows_fill(
    tmp_path: Path, head: str, row: str, last: str
) -> None:
    rows = "".join(f"{row.format(i)}\n" for i in range(40))
    assert load(tmp_path, f"{head}\n{rows}{last}\n").table.num_rows == 41


def test_durations_below_the_header_are_read_as_rows(tmp_path: Path) -> None:
    rows = "".join(f"{i + 10}s,{i % 7}s\n" for i in range(20))
    assert load(tmp_path, f"cpu,mem\n{rows}").table.num_rows == 20


@pytest.mark.parametrize("gap", [",  ", " ,  "])
def test_padded_fields_between_commas_are_not_cut(tmp_path: Path, gap: str) -> None:
    lines = drawn([NAMES, *ROWS], gap)
    loaded = load(tmp_path, "\n".join(lines) + "\n")
    assert [name.strip() for name in loaded.table.column_names] == list(NAMES)
    assert not any("fixed width" in warning for warning in loaded.warnings)


def test_lines_are_split_in_the_same_way_when_they_are_examined_and_cut(tmp_path: Path) -> None:
    lines = drawn([NAMES, *ROWS], "  ")
    loaded = load(tmp_path, "\n".join(line.replace("Washer big", "Washer\u2028big") for line in lines) + "\n")
    assert loaded.table["side"].to_pylist() == [row[2] for row in ROWS]
    old = load(tmp_path, "\r".join(lines) + "\r")
    assert (old.table.num_rows, old.table.num_columns) == (len(ROWS), 1)


def test_complete_rows_with_the_label_average_are_kept(tmp_path: Path) -> None:
    rows = "".join(f"{('High', 'Average', 'Low')[i % 3]},{i}\n" for i in range(41))
    assert load(tmp_path, f"grade,n\n{rows}").table.num_rows == 41
