"""Tests for dates written as serial numbers, as in workbooks."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from understudy.tables.formats import read_table, write_table

SERIALS = [45_000 + 37 * i % 900 for i in range(40)]


def _read(path: Path, header: str, values: list[int]) -> pa.Table:
    path.write_text(f"{header},x\n" + "".join(f"{value},1\n" for value in values), encoding="utf-8")
    return read_table(path)


@pytest.mark.parametrize("header", ["date", "Order Date", "Datum", "DOB"])
def test_serial_numbers_under_a_date_header_are_dates_and_are_written_back(tmp_path: Path, header: str):
    table = _read(tmp_path / "a.csv", header, SERIALS)
    assert table[header].to_pylist() == [date(1899, 12, 30) + timedelta(days) for days in SERIALS]
    write_table(tmp_path / "b.csv", table.to_batches(), table.schema)
    assert (tmp_path / "b.csv").read_text(encoding="utf-8").splitlines()[1:3] == ["45000,1", "45037,1"]


@pytest.mark.parametrize(
    ("header", "values"),
    [
        ("zip", SERIALS),
        ("price", SERIALS),
        ("date", [91_000 + i for i in range(40)]),
        ("date", [10_100 + i for i in range(40)]),
        ("update", SERIALS),
    ],
)
def test_other_five_digit_numbers_stay_numbers(tmp_path: Path, header: str, values: list[int]):
    assert _read(tmp_path / "a.csv", header, values).schema.field(header).type == pa.int64()
