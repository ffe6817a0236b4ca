"""Tests for evidence packs over HTTP and their verification with `understudy verify`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.api.conftest import get, submit
from understudy.cli.application import run

Json = dict[str, Any]


@pytest.fixture
def files(
    client: TestClient,
    ready_dataset: Json,
    run_jobs: Callable[[], int],
    tmp_path: Path,
) -> dict[str, Path]:
    """Sample, evaluate, and download the pack and the two tables."""
    job = submit(client, kind="train", dataset_id=ready_dataset["id"], seed=7)
    run_jobs()
    model = get(client, f"/v1/jobs/{job['id']}")["result"]["model_id"]
    job = submit(client, kind="sample", model_id=model, n_rows=150, seed=1)
    run_jobs()
    sample = get(client, f"/v1/jobs/{job['id']}")["result"]["dataset_id"]
    named = {"dataset_id": ready_dataset["id"], "synthetic_dataset_id": sample}
    job = submit(client, kind="evaluate", target="age", seed=3, **named)
    run_jobs()
    report = get(client, f"/v1/jobs/{job['id']}")["result"]["report_id"]
    paths = {}
    for name, path in {
        "pack.zip": f"/v1/reports/{report}/evidence",
        "real.parquet": f"/v1/datasets/{ready_dataset['id']}/content",
        "synthetic.parquet": f"/v1/datasets/{sample}/content",
    }.items():
        paths[name] = tmp_path / name
        paths[name].write_bytes(client.get(path).content)
    return paths


def test_pack_is_verified_and_its_numbers_are_recomputed(
    client: TestClient, files: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    key = get(client, "/v1/project")["signing_key"]
    data = ["--real", str(files["real.parquet"]), "--synthetic", str(files["synthetic.parquet"])]
    # Discard earlier log messages from the service, because they are not part of the output.
    capsys.readouterr()
    status = run(["verify", str(files["pack.zip"]), *data, "--public-key", key["public_key"], "--json"])
    verified = json.loads(capsys.readouterr().out)
    assert status == 0
    assert verified["recomputed"]["is_equal"]
    assert (verified["key_id"], verified["is_expected_key"]) == (key["key_id"], True)
    assert verified["report_id"].startswith("rpt_")
    assert verified["is_same_software"]


def test_the_pack_of_a_report_always_has_the_same_bytes(client: TestClient, files: dict[str, Path]) -> None:
    report = get(client, "/v1/reports")["data"][0]["id"]
    again = client.get(f"/v1/reports/{report}/evidence")
    assert again.content == files["pack.zip"].read_bytes()
    unchanged = client.get(f"/v1/reports/{report}/evidence", headers={"If-None-Match": again.headers["ETag"]})
    assert unchanged.status_code == 304


def test_the_key_of_another_project_is_not_accepted(
    other_client: TestClient, files: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    key = get(other_client, "/v1/project")["signing_key"]["public_key"]
    capsys.readouterr()
    assert run(["verify", str(files["pack.zip"]), "--public-key", key, "--json"]) == 2
    assert json.loads(capsys.readouterr().err)["code"] == "invalid_signature"


def test_data_that_differ_from_the_pack_are_detected(
    files: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    swapped = ["--real", str(files["synthetic.parquet"]), "--synthetic", str(files["synthetic.parquet"])]
    assert run(["verify", str(files["pack.zip"]), *swapped]) == 6
    assert "these tables are not the evaluated ones: real, holdout" in " ".join(
        capsys.readouterr().out.split()
    )


def test_pack_contains_the_parameters_of_all_jobs(files: dict[str, Path]) -> None:
    from understudy.evaluation.evidence.pack import EVIDENCE, read_pack

    evidence = json.loads(read_pack(files["pack.zip"]).files[EVIDENCE])
    assert {kind: parameters["seed"] for kind, parameters in evidence["parameters"].items()} == {
        "train": 7,
        "sample": 1,
        "evaluate": 3,
    }
    assert evidence["split"] == {"seed": 7, "holdout_fraction": 0.2, "by": "row"}
    assert set(evidence["tables"]) == {"real", "synthetic", "holdout"}


def test_a_pack_of_another_project_is_not_found(
    client: TestClient, other_client: TestClient, files: Json
) -> None:
    report = get(client, "/v1/reports")["data"][0]["id"]
    assert other_client.get(f"/v1/reports/{report}/evidence").status_code == 404
