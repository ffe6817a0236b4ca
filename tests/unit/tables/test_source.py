"""Tests for table sources in memory and in Parquet files, and for table and file names."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from understudy.tables.names import file_stem, table_name
from understudy.tables.source import ArrowSource, ParquetSource, TableSource, read_source

TABLE = pa.table({"a": range(200_000), "b": [f"v{i % 7}" for i in range(200_000)], "c": [1.5] * 200_000})


@pytest.fixture(params=["memory", "parquet"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> TableSource:
    """Return the table as each kind of source."""
    if request.param == "memory":
        return ArrowSource(TABLE)
    pq.write_table(TABLE, tmp_path / "table.parquet")
    return ParquetSource(tmp_path / "table.parquet")


def test_schema_and_length_are_known_before_a_scan(source: TableSource) -> None:
    assert (source.schema.equals(TABLE.schema), source.n_rows) == (True, 200_000)


def test_a_source_can_be_scanned_again(source: TableSource) -> None:
    assert read_source(source).equals(TABLE)
    assert read_source(source).equals(TABLE)


def test_a_scan_returns_columns_in_the_requested_order(source: TableSource) -> None:
    assert read_source(source, ["c", "a"]).equals(TABLE.select(["c", "a"]))
    assert all(batch.schema.names == ["c", "a"] for batch in source.scan(["c", "a"]))


def test_a_scan_returns_all_rows_in_order(source: TableSource) -> None:
    assert sum(batch.num_rows for batch in source.scan(["a"])) == 200_000


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        ("people", "people"),
        ("", "table"),
        (None, "table"),
        (" \x00 ", "table"),
        ("a\tb", "a b"),
        ("x" * 300, "x" * 255),
    ],
)
def test_file_names_become_table_names(stem: str | None, name: str) -> None:
    assert table_name(stem) == name


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("orders_2", "orders_2"),
        ("Straße", "7-Stra-e"),
        ('../a"b', "7-a-b"),
        ("顧客", "7"),
        (".hidden", "7-hidden"),
        ("a" * 200, f"7-{'a' * 100}"),
    ],
)
def test_a_file_is_named_after_its_table_if_the_name_is_safe(name: str, stem: str) -> None:
    assert file_stem(name, 7) == stem
