"""Tests that unusual but valid files are read exactly and survive a round trip unchanged."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hostile.csv_files import ODD_FILES
from understudy.tables.formats import read_table, write_table


@pytest.mark.parametrize("name", ODD_FILES)
def test_unusual_file_is_read_exactly_and_survives_a_round_trip(name: str, tmp_path: Path):
    make, columns = ODD_FILES[name]
    (tmp_path / "odd.csv").write_bytes(make())
    table = read_table(tmp_path / "odd.csv")
    assert table.select(list(columns)).to_pydict() == columns
    write_table(tmp_path / "again.csv", table.to_batches(), table.schema)
    assert read_table(tmp_path / "again.csv").to_pydict() == table.to_pydict()
