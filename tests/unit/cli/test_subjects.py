"""Tests for subjects and holdouts on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.unit.evaluation.visits import leak, visits
from understudy.cli.application import run
from understudy.tables.split import Split

SIZES = [10] * 250
SUBJECT = ("--subject", "patient")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a table, a model trained with a holdout of subjects, and leaked rows."""
    folder = tmp_path_factory.mktemp("subjects")
    table = visits(SIZES, seed=1)
    pq.write_table(table, folder / "table.parquet")
    training, _ = Split(seed=3, holdout_fraction=0.3, by="subject").divide(table, ["patient"])
    pq.write_table(leak(training, SIZES, seed=1), folder / "leaked.parquet")
    options = ("--synthesizer", "independent", "--seed", "3", "--holdout", "0.3", *SUBJECT)
    assert run(["fit", str(folder / "table.parquet"), "-o", str(folder / "model"), *options]) == 0
    return folder


def evaluated(folder: Path, capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, dict[str, str]]:
    paths = [str(folder / "table.parquet"), str(folder / "leaked.parquet")]
    assert run(["evaluate", *paths, "--json", *options]) == 0
    report = json.loads(capsys.readouterr().out)
    return report | {"checks": {check["metric"]: check["outcome"] for check in report["verdict"]["checks"]}}


def test_model_file_restores_the_holdout_of_subjects(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = evaluated(folder, capsys, "--model", str(folder / "model"))
    assert (report["unit"], report["n_subjects_shared"]) == ("subjects", 0)
    assert report["checks"]["membership_distance"] == "fail"


def test_check_of_a_holdout_that_shares_subjects_is_inconclusive(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    holdout = folder / "holdout.parquet"
    pq.write_table(visits(SIZES, seed=1, time=5).slice(0, 500), holdout)
    report = evaluated(folder, capsys, "--holdout", str(holdout), *SUBJECT)
    assert report["checks"]["holdout"] == "inconclusive"
    assert report["n_subjects_shared"] > 0


def test_holdout_check_is_inconclusive_if_the_holdout_contains_training_rows(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = evaluated(folder, capsys, "--holdout", str(folder / "table.parquet"))
    assert report["checks"]["holdout"] == "inconclusive"
    assert report["n_rows_shared"] == sum(SIZES) > report["n_rows_shared_max"]


def test_evidence_pack_is_recomputed_from_the_whole_table(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pack = str(folder / "pack.zip")
    signed = ("--evidence", pack, "--signing-key", str(folder / "key.pem"))
    evaluated(folder, capsys, "--model", str(folder / "model"), *signed)
    tables = ("--real", str(folder / "table.parquet"), "--synthetic", str(folder / "leaked.parquet"))
    assert run(["verify", pack, *tables, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["recomputed"]["is_equal"]


def test_subject_option_can_be_repeated_for_several_columns(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = visits([5] * 100, seed=1)
    clinic = pa.array(np.array(table["patient"]) % 3)
    pq.write_table(table.append_column("clinic", clinic), tmp_path / "table.parquet")
    options = ("--synthesizer", "independent", "--holdout", "0.2", *SUBJECT, "--subject", "clinic", "--json")
    assert run(["fit", str(tmp_path / "table.parquet"), "-o", str(tmp_path / "model"), *options]) == 0
    assert json.loads(capsys.readouterr().out)["holdout"]["by"] == "subject"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--subject", "nobody"), "no column 'nobody'"),
        ((*SUBJECT, *SUBJECT), "names a column twice"),
        ((*SUBJECT, "--target", "patient"), "identifies the subject"),
        (("--model", "{folder}/model", "--holdout", "{folder}/table.parquet"), "Give only one"),
    ],
)
def test_invalid_options_are_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], message: str
) -> None:
    paths = [str(folder / "table.parquet"), str(folder / "leaked.parquet")]
    assert run(["evaluate", *paths, *(option.format(folder=folder) for option in options)]) == 2
    assert message in capsys.readouterr().err


def test_model_trained_on_all_rows_has_no_holdout(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table, model = str(folder / "table.parquet"), str(folder / "whole.model")
    assert run(["fit", table, "-o", model, "--synthesizer", "independent"]) == 0
    assert run(["evaluate", table, str(folder / "leaked.parquet"), "--model", model]) == 2
    assert "there is no holdout" in capsys.readouterr().err


def test_the_inferred_subject_is_reported_and_can_be_disabled(
    folder: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    options = [str(folder / "table.parquet"), "-o", str(tmp_path / "m.model"), "--synthesizer", "independent"]
    units = {}
    for option in ([], ["--no-subject"], list(SUBJECT)):
        assert run(["fit", *options, "--json", *option]) == 0
        shown = capsys.readouterr()
        card = json.loads(shown.out)["card"]
        units[tuple(option)] = card["protection"]["unit"]
        assert ("'patient' was taken as the subject" in " ".join(shown.err.split())) is (not option)
        assert (card["subject"] is None) is (option == ["--no-subject"])
    assert units == {(): "subject", ("--no-subject",): "row", SUBJECT: "subject"}
    assert run(["fit", *options, "--no-subject", *SUBJECT]) == 2


def test_evaluation_counts_rows_if_the_subject_is_disabled(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluated(folder, capsys)["unit"] == "subjects"
    assert evaluated(folder, capsys, "--no-subject")["unit"] == "rows"
