"""Tests for headers with repeated or long column names."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hostile.workbooks import sheet, workbook
from understudy.tables.formats import FORMATS
from understudy.tables.formats.base import Loaded


def _csv(tmp_path: Path, header: str) -> Loaded:
    path = tmp_path / "t.csv"
    path.write_text(header + "\n" + "x,1,2\ny,3,4\nz,5,6\n")
    return FORMATS["csv"].load(path)


def _xlsx(tmp_path: Path, header: str) -> Loaded:
    path = tmp_path / "t.xlsx"
    rows = [header.split(","), ["x", "1", "2"], ["y", "3", "4"]]
    cells = ["".join(f'<c t="str"><v>{cell}</v></c>' for cell in row) for row in rows]
    path.write_bytes(workbook(sheet("".join(f"<row>{row}</row>" for row in cells))))
    return FORMATS["xlsx"].load(path)


@pytest.mark.parametrize("load", [_csv, _xlsx])
@pytest.mark.parametrize(
    ("header", "names"),
    [
        ("a,b,a", ["a", "b", "a_2"]),
        ("a,a,a", ["a", "a_2", "a_3"]),
        ("a,a,a_2", ["a", "a_3", "a_2"]),
        ("!,?,...", ["!", "?", "..."]),
    ],
)
def test_repeated_names_are_numbered(tmp_path: Path, load, header: str, names: list[str]):
    loaded = load(tmp_path, header)
    assert loaded.table.column_names == names
    assert any("the same name as an earlier column" in text for text in loaded.warnings) == ("a" in header)


@pytest.mark.parametrize("load", [_csv, _xlsx])
def test_name_of_a_thousand_characters_is_kept(tmp_path: Path, load):
    loaded = load(tmp_path, "How " + "v" * 996 + ",b,c")
    assert loaded.table.column_names[0] == "How " + "v" * 996
    assert not loaded.warnings


@pytest.mark.parametrize("load", [_csv, _xlsx])
def test_longer_names_are_shortened_and_remain_unique(tmp_path: Path, load):
    loaded = load(tmp_path, f"{'v' * 1_001},{'v' * 1_002},c")
    first, second, _ = loaded.table.column_names
    assert (len(first), len(second)) == (1_000, 1_000)
    assert first != second
    assert "Columns 1, 2 have a name of more than 1,000 characters" in loaded.warnings[0]
