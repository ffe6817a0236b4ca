"""Tests for constrained samples and imputed tables on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from understudy.cli.application import run


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, small_table: pa.Table) -> Path:
    """Write the small table and a model of each synthesizer."""
    folder = tmp_path_factory.mktemp("files")
    pq.write_table(small_table, folder / "table.parquet")
    for synthesizer in ("tree_chain", "independent"):
        options = ["-o", str(folder / synthesizer), "--synthesizer", synthesizer, "--seed", "1"]
        assert run(["fit", str(folder / "table.parquet"), *options]) == 0
    return folder


def sampled(folder: Path, *options: str) -> pa.Table:
    """Sample from the tree chain on the command line and return the rows."""
    path = folder / "rows.parquet"
    assert run(["sample", str(folder / "tree_chain"), "-o", str(path), "--seed", "2", *options]) == 0
    return pq.read_table(path)


def test_sampled_rows_satisfy_the_conditions(folder: Path):
    rows = sampled(folder, "-n", "60", "--where", "city=Oslo", "--where", "age=40..49").to_pylist()
    assert len(rows) == 60
    assert all(row["city"] == "Oslo" and 40 <= row["age"] <= 49 for row in rows)


def test_effective_sample_size_is_reported(folder: Path, capsys: pytest.CaptureFixture[str]):
    capsys.readouterr()
    sampled(folder, "-n", "60", "--where", "city=Oslo")
    assert "group 1: 60 rows, effective sample size " in capsys.readouterr().out
    sampled(folder, "-n", "60", "--where", "city=Oslo", "--json")
    result = json.loads(capsys.readouterr().out)
    assert result["groups"][0]["n_rows"] == 60
    assert 0 <= result["groups"][0]["effective_sample_size"] <= 60
    assert isinstance(result["warnings"], list)


def test_offset_continues_the_rows_of_a_group(folder: Path):
    where = ("--where", "city=Oslo")
    whole = sampled(folder, "-n", "50", *where)
    assert sampled(folder, "-n", "20", "--offset", "30", *where).equals(whole.slice(30))


def test_rebalanced_column_has_the_requested_shares(folder: Path):
    cities = sampled(folder, "-n", "400", "--rebalance", "city:Oslo=0.9,Rome=0.1").column("city")
    # The tolerance is 5 standard deviations of a binomial share of 0.9 among 400 rows.
    assert abs(cities.to_pylist().count("Oslo") - 360) <= 30


def test_constraints_file_defines_groups_and_their_sizes(folder: Path):
    conditions = [
        {"where": {"city": {"equals": city}}, "n_rows": n} for city, n in (("Oslo", 5), ("Rome", 3))
    ]
    (folder / "constraints.json").write_text(json.dumps({"conditions": conditions}))
    cities = sampled(folder, "--constraints", str(folder / "constraints.json")).column("city").to_pylist()
    assert cities == ["Oslo"] * 5 + ["Rome"] * 3


def test_table_is_imputed_once_per_draw(folder: Path, small_table: pa.Table):
    path = folder / "complete.parquet"
    options = ["-o", str(path), "--draws", "2", "--seed", "3"]
    assert run(["impute", str(folder / "tree_chain"), str(folder / "table.parquet"), *options]) == 0
    rows = pq.read_table(path)
    assert (rows.num_rows, rows.column("age").null_count) == (2 * small_table.num_rows, 0)
    assert rows.column("id").to_pylist() == 2 * small_table.column("id").to_pylist()


def test_imputation_reports_its_seed(folder: Path, capsys: pytest.CaptureFixture[str]):
    capsys.readouterr()
    arguments = ["impute", str(folder / "tree_chain"), str(folder / "table.parquet"), "-o"]
    assert run([*arguments, str(folder / "one.parquet"), "--json"]) == 0
    seed = json.loads(capsys.readouterr().out)["seed"]
    assert run([*arguments, str(folder / "two.parquet"), "--seed", str(seed)]) == 0
    assert (folder / "one.parquet").read_bytes() == (folder / "two.parquet").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sample", "tree_chain"], "--rows"),
        (["sample", "tree_chain", "--where", "city=Oslo"], "--rows"),
        (["sample", "tree_chain", "-n", "5", "--where", "town=Oslo"], "no column 'town'"),
        (["sample", "independent", "-n", "5", "--where", "city=Oslo"], "'independent'"),
        (["impute", "independent", "table.parquet"], "'independent'"),
        (["impute", "tree_chain", "table.parquet", "--draws", "0"], "--draws"),
        (["impute", "tree_chain", "other.csv"], "lacks columns"),
    ],
)
def test_invalid_request_prints_one_line_to_stderr(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
):
    monkeypatch.chdir(folder)
    Path("other.csv").write_text("a,b\n1,2\n")
    capsys.readouterr()
    assert run([*arguments, "-o", "refused.csv"]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert message in err
    assert not Path("refused.csv").exists()
