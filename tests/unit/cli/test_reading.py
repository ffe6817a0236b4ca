"""Tests for the table reading options in every command that reads tables."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from understudy.cli.application import run
from understudy.parameters.read_options import ReadOptions

ROWS = "".join(f"{row},5;0{row % 9 + 1}/02/2024;{'x' if row % 2 else 'y'}\n" for row in range(400))
EUROPEAN = "a;b;c\n" + ROWS + "1;2\n"
OPTIONS = ["--delimiter", ";", "--date-order", "month_first", "--bad-rows", "skip"]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Write a table with a bad row and return its path."""
    path = tmp_path / "table.csv"
    path.write_text(EUROPEAN)
    return path


def test_fit_applies_reading_options_and_lists_skipped_rows(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    model, rows, rejects = tmp_path / "model", tmp_path / "rows.parquet", tmp_path / "rejects.csv"
    fit = ["fit", str(table), "-o", str(model), "--synthesizer", "independent", *OPTIONS]
    assert run([*fit, "--rejects", str(rejects)]) == 0
    assert rejects.read_text() == f'"file","line","column","reason"\n"{table}",402,,"too_few_fields"\n'
    assert "table.csv: 1 of 401 rows could not be read and was skipped." in capsys.readouterr().err
    assert run(["sample", str(model), "-n", "10", "-o", str(rows)]) == 0
    assert pq.read_schema(rows).types == [pa.float64(), pa.date32(), pa.string()]


def test_options_apply_only_to_files_whose_format_accepts_them(table: Path, tmp_path: Path):
    model, rows, rejects = tmp_path / "model", tmp_path / "rows.parquet", tmp_path / "rejects.parquet"
    assert run(["fit", str(table), "-o", str(model), "--synthesizer", "independent", *OPTIONS]) == 0
    assert run(["sample", str(model), "-n", "400", "-o", str(rows)]) == 0
    assert run(["evaluate", str(table), str(rows), *OPTIONS, "--rejects", str(rejects)]) == 0
    assert pq.read_table(rejects).column("line").to_pylist() == [402]


def test_option_that_applies_to_none_of_the_files_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    pq.write_table(pa.table({"a": [1, 2]}), tmp_path / "t.parquet")
    assert (
        run(["fit", str(tmp_path / "t.parquet"), "-o", str(tmp_path / "m"), "--quote", "none", "--json"]) == 2
    )
    assert json.loads(capsys.readouterr().err)["code"] == "invalid_parameters"


def test_file_of_skipped_rows_is_empty_if_no_row_is_skipped(tmp_path: Path):
    (tmp_path / "t.csv").write_text("a,b\n" + "1,x\n2,y\n" * 20)
    rejects = tmp_path / "rejects.parquet"
    command = ["fit", str(tmp_path / "t.csv"), "-o", str(tmp_path / "m"), "--synthesizer", "independent"]
    assert run([*command, "--rejects", str(rejects)]) == 0
    assert pq.read_table(rejects).num_rows == 0


@pytest.mark.parametrize("command", ["fit", "impute", "evaluate"])
def test_every_command_that_reads_tables_has_every_reading_option(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("COLUMNS", "200")
    run([command, "--help"])
    help_text = capsys.readouterr().out
    names = [f"--{name.replace('_', '-')} " for name in ReadOptions.model_fields]
    assert [name for name in names if name not in help_text] == []
    assert "--rejects" in help_text
