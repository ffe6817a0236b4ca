"""Tests that the database of the CSV parser is locked down."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from understudy.tables.formats.csv.parsing import open_session


@pytest.mark.parametrize(
    "statement",
    [
        "FROM read_csv('{other}')",
        "FROM read_csv('{source}/../other.csv')",
        "FROM read_text('/etc/hostname')",
        "FROM glob('/*')",
        "COPY (SELECT 1) TO '{other}'",
        "COPY (SELECT 1) TO '{source}'",
        "ATTACH '{other}.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "FROM read_csv('http://127.0.0.1:9/x.csv')",
        "SET memory_limit = '64GB'",
        "SET enable_external_access = true",
        "SET lock_configuration = false",
    ],
)
def test_forbidden_statement_is_rejected(statement: str, tmp_path: Path):
    source, other, scratch = tmp_path / "source.csv", tmp_path / "other.csv", tmp_path / "scratch"
    scratch.mkdir()
    for path in (source, other):
        path.write_text("a\n1\n")
    with open_session(source, scratch) as session:
        assert session.execute(f"FROM read_csv('{source}')").fetchall() == [(1,)]
        with pytest.raises(duckdb.Error):
            session.execute(statement.format(source=source, other=other)).fetchall()


def test_exceeding_the_memory_limit_raises_a_memory_error(tmp_path: Path):
    # A list of 2 GB is a single value, which DuckDB cannot move to disk.
    query = "SELECT length(list(repeat('x', 1000) || i)) FROM range(2000000) t(i)"
    with pytest.raises(MemoryError), open_session(tmp_path / "source.csv", tmp_path) as session:
        session.execute(query).fetchall()
