"""Tests for the report commands: evaluate with its options, and verify."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pyarrow.parquet as pq
import pytest

from tests.unit.evaluation.people import people
from understudy.cli.application import run
from understudy.evaluation.report_schema import report_schema

HARSH = {"name": "harsh", "thresholds": [{"metric": "column_shapes", "fail": 1.0}]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a real, a synthetic and a held-out table, a policy and a list of queries."""
    path = tmp_path_factory.mktemp("reports")
    for seed, name in enumerate(("real", "synthetic", "holdout"), start=1):
        pq.write_table(people(200, seed=seed), path / f"{name}.parquet")
    (path / "harsh.json").write_text(json.dumps(HARSH))
    queries = [{"aggregate": "mean", "column": "height", "group_by": ["town"]}]
    (path / "queries.json").write_text(json.dumps(queries))
    return path


def evaluate(folder: Path, *options: str) -> int:
    tables = [str(folder / "real.parquet"), str(folder / "synthetic.parquet")]
    return run(["evaluate", *tables, *options])


def test_json_output_is_a_valid_report(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--holdout", str(folder / "holdout.parquet"), "--target", "is_member", "--protected", "town"]
    options += ["--sensitive", "visits", "--queries", str(folder / "queries.json"), "--policy", "public"]
    assert evaluate(folder, *options, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator(report_schema()).validate(report)
    assert report["verdict"]["policy"] == "public"
    reasons = {scores["name"]: scores["synthetic"].get("reason") for scores in report["metrics"]}
    assert (reasons["queries"], reasons["base_rates"]) == (None, None)


def test_gate_option_changes_the_exit_status_after_a_failed_check(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    policy = ["--policy", str(folder / "harsh.json")]
    assert evaluate(folder, *policy) == 0
    assert evaluate(folder, *policy, "--gate") == 6
    assert "Column shapes" in capsys.readouterr().out


def test_evidence_pack_is_written_and_verified_and_recomputed(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pack, key = folder / "pack.zip", folder / "key.pem"
    holdout = ["--holdout", str(folder / "holdout.parquet")]
    assert evaluate(folder, *holdout, "--evidence", str(pack), "--signing-key", str(key)) == 0
    tables = ["--real", str(folder / "real.parquet"), "--synthetic", str(folder / "synthetic.parquet")]
    capsys.readouterr()
    assert run(["verify", str(pack), *tables, *holdout]) == 0
    assert "All scores were recomputed from the data and equal those in the report" in capsys.readouterr().out
    assert run(["verify", str(pack)]) == 0
    assert "Scores were not recomputed. To recompute them" in capsys.readouterr().out
    assert run(["verify", str(pack), *tables]) == 6
    assert "also used --holdout" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--policy", "lenient"], "unknown_policy"),
        (["--policy", "nowhere.json"], "not_found"),
        (["--target", "weight"], "unknown_column"),
        (["--evidence", "pack.zip"], "invalid_parameters"),
        (["-o", "report.pdf"], "unknown_format"),
        (["--canaries", "synthetic.parquet"], "schema_mismatch"),
        (["--queries", "harsh.json"], "invalid_parameters"),
        (["--queries", "real.parquet"], "invalid_parameters"),
    ],
)
def test_invalid_option_prints_a_json_problem(
    folder: Path,
    options: list[str],
    code: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(folder)
    assert evaluate(folder, *options, "--json") in (2, 3)
    problem = json.loads(capsys.readouterr().err)
    assert problem["code"] == code
    assert not (folder / "pack.zip.partial").exists()


def test_canaries_planted_by_fit_are_scored(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model, rows = folder / "model", folder / "rows.parquet"
    fit = ["fit", str(folder / "real.parquet"), "-o", str(model), "--canaries", "20", "--seed", "1"]
    assert run([*fit, "--json"]) == 0
    canaries = json.loads(capsys.readouterr().out)["canaries"]
    assert pq.read_table(canaries).num_rows == 40
    assert run(["sample", str(model), "-n", "200", "--seed", "2", "-o", str(rows)]) == 0
    capsys.readouterr()
    tables = [str(folder / "real.parquet"), str(rows)]
    assert run(["evaluate", *tables, "--canaries", canaries, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    scored = next(scores for scores in report["metrics"] if scores["name"] == "canaries")
    assert 0 <= scored["synthetic"]["score"] <= 1
