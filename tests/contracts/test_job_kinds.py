"""Contract tests for all job kinds."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv
import pytest
from pydantic import BaseModel

from understudy.errors import InvalidInput, NotFound, UnderstudyError
from understudy.job_kinds import KINDS, parse_parameters
from understudy.parameters.policy import POLICIES
from understudy.progress import no_progress
from understudy.work.run import run_work

Json = dict[str, Any]

ROOT = Path(__file__).parents[2]

DATASET, MODEL = "ds_" + "0" * 26, "mdl_" + "0" * 26
INGEST_CONTEXT = {
    "rows_max": 1000,
    "columns_max": 10,
    "roles": [{"upload": "upload_1", "table": "table_1", "rejects": "rejects_1"}],
    "parts": {},
}
# These are the resolved parameters that the work receives.
PARAMETERS: dict[str, Json] = {
    "ingest": {"kind": "ingest", "dataset_id": DATASET, "tables": [{"name": "t", "format": "csv"}]},
    "train": {
        "kind": "train",
        "dataset_id": DATASET,
        "synthesizer": {"name": "tree_chain"},
        "seed": 3,
        "name": "m",
    },
    "sample": {"kind": "sample", "model_id": MODEL, "n_rows": 50, "seed": 2**63 - 1, "name": "s"},
    "sample_shard": {
        "kind": "sample_shard",
        "model_id": MODEL,
        "sample": {"kind": "sample", "model_id": MODEL, "n_rows": 50, "seed": 5, "name": "s"},
        "start": 20,
        "n_rows": 10,
    },
    "impute": {
        "kind": "impute",
        "model_id": MODEL,
        "dataset_id": DATASET,
        "n_draws": 2,
        "seed": 2**63 - 1,
        "name": "i",
    },
    "evaluate": {
        "kind": "evaluate",
        "dataset_id": DATASET,
        "synthetic_dataset_id": DATASET,
        "policy": "standard",
        "seed": 0,
    },
    "probe": {"kind": "probe", "labels": {"team": "a"}},
}


# The work of these kinds uses no input files and no context.
WITHOUT_INPUTS = ("probe",)


class Bench:
    """A test bench that runs the work of each job kind on the result files of earlier kinds."""

    def __init__(self, folder: Path, table: pa.Table) -> None:
        self.folder = folder
        source = folder / "source.csv"
        pacsv.write_csv(table, source)
        self.inputs: dict[str, dict[str, Path]] = {kind: {} for kind in WITHOUT_INPUTS}
        self.contexts: dict[str, Json] = {kind: {} for kind in WITHOUT_INPUTS}
        self.inputs["ingest"] = {"upload_1": source}
        self.contexts["ingest"] = INGEST_CONTEXT
        ingested = self.run("ingest", "first")
        table_path = ingested["files"]["table_1"]
        (facts,) = ingested["facts"]["tables"]
        schema = {"tables": {"t": facts["schema"]}}
        findings = {"tables": {"t": facts["findings"]}}
        roles = {"t": "table_1"}
        self.inputs["train"] = {"table": table_path}
        self.contexts["train"] = {"schema": schema, "findings": findings}
        self.inputs["sample"] = {"model": self.run("train", "first")["files"]["model"]}
        self.contexts["sample"] = {"schema": schema, "roles": roles}
        self.inputs["sample_shard"], self.contexts["sample_shard"] = (
            self.inputs["sample"],
            self.contexts["sample"],
        )
        self.inputs["impute"] = {**self.inputs["sample"], "table": table_path}
        self.contexts["impute"] = {"schema": schema, "roles": roles, "n_rows": 2 * table.num_rows}
        synthetic = self.run("sample", "first")["files"]["table_1"]
        self.inputs["evaluate"] = {"real": table_path, "synthetic": synthetic}
        self.contexts["evaluate"] = {
            "schema": schema,
            "findings": findings,
            "split": {"seed": 3, "holdout_fraction": 0.2},
            "trained_schema": schema,
            "sources": {},
            "made_by": {},
            "gate_policy": POLICIES["standard"].model_dump(mode="json"),
        }

    def run(self, kind: str, name: str) -> Json:
        """Run the work, and return the facts that it reports and the paths of its files."""
        folder = self.folder / kind / name
        folder.mkdir(parents=True)
        result = run_work(self.payload(kind, self.inputs[kind]), folder, no_progress)
        assert json.loads(json.dumps(result)) == result
        return {
            "files": {role: folder / file for role, file in result["files"].items()},
            "facts": result["facts"],
        }

    def payload(self, kind: str, inputs: Mapping[str, Path]) -> Json:
        """Return the payload that the worker would send to the sandbox."""
        paths = {role: str(path) for role, path in inputs.items()}
        return KINDS[kind].payload(PARAMETERS[kind], paths, self.contexts[kind])


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, small_table: pa.Table) -> Bench:
    return Bench(tmp_path_factory.mktemp("bench"), small_table)


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_every_kind_is_tested(bench):
    assert set(PARAMETERS) == set(bench.inputs) == set(bench.contexts) == set(KINDS)
    assert all(KINDS[name].name == name for name in KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_parameters_survive_a_round_trip_through_json(kind):
    parameters = parse_parameters(PARAMETERS[kind])
    assert isinstance(parameters, BaseModel)
    assert parse_parameters(json.loads(parameters.model_dump_json())) == parameters


@pytest.mark.parametrize("kind", KINDS)
def test_unknown_parameter_is_rejected_without_its_value(kind):
    with pytest.raises(InvalidInput, match="/surplus: ") as caught:
        parse_parameters({**PARAMETERS[kind], "surplus": "a secret"})
    assert caught.value.code == "invalid_parameters"
    assert caught.value.pointer == "/surplus"
    assert "secret" not in caught.value.detail


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in WITHOUT_INPUTS])
def test_missing_input_fails_with_an_error_code(kind, bench, tmp_path):
    gone = dict.fromkeys(bench.inputs[kind], tmp_path / "gone")
    with pytest.raises(NotFound) as caught:
        run_work(bench.payload(kind, gone), tmp_path, no_progress)
    assert caught.value.code == "not_found"


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in WITHOUT_INPUTS])
def test_input_with_a_flipped_bit_is_rejected_as_corrupt(kind, bench, tmp_path):
    sha256s = {role: sha256(path) for role, path in bench.inputs[kind].items()}
    damaged = dict(bench.inputs[kind])
    role, path = next(iter(damaged.items()))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    damaged[role] = tmp_path / path.name
    damaged[role].write_bytes(content)
    with pytest.raises(UnderstudyError) as caught:
        run_work({**bench.payload(kind, damaged), "sha256s": sha256s}, tmp_path, no_progress)
    assert caught.value.code == "artifact_corrupt"


@pytest.mark.parametrize("kind", KINDS)
def test_work_produces_the_same_bytes_for_the_same_parameters_and_does_not_change_its_inputs(kind, bench):
    before = {path: sha256(path) for path in bench.inputs[kind].values()}
    first, second = bench.run(kind, "one"), bench.run(kind, "two")
    assert {role: sha256(path) for role, path in first["files"].items()} == {
        role: sha256(path) for role, path in second["files"].items()
    }
    assert first["facts"] == second["facts"]
    assert {path: sha256(path) for path in bench.inputs[kind].values()} == before


@pytest.mark.parametrize("kind", KINDS)
def test_work_leaves_no_files_except_its_results(kind, bench):
    files = bench.run(kind, "tidy")["files"]
    assert set((bench.folder / kind / "tidy").iterdir()) == set(files.values())


@pytest.mark.parametrize("kind", ["train", "sample", "impute"])
def test_progress_reports_contain_phases_and_fractions(kind, bench, tmp_path):
    reported: list[tuple[str, float]] = []

    def progress(phase: str, fraction: float, **_: int | None) -> None:
        reported.append((phase, fraction))

    run_work(bench.payload(kind, bench.inputs[kind]), tmp_path, progress)
    assert reported
    assert all(0 <= fraction <= 1 for _, fraction in reported)


def test_constrained_sample_reports_the_number_of_rows_of_each_group(bench, tmp_path):
    conditions = [
        {"where": {"city": {"equals": city}}, "n_rows": n} for city, n in (("Oslo", 20), ("Rome", 5))
    ]
    payload = bench.payload("sample", bench.inputs["sample"])
    payload["parameters"] = {**PARAMETERS["sample"], "conditions": conditions, "n_rows": 22, "offset": 3}
    facts = run_work(payload, tmp_path, no_progress)["facts"]
    assert facts["n_rows"] == {"t": 22}
    assert [group["n_rows"] for group in facts["groups"]] == [17, 5]


@pytest.mark.parametrize("kind", KINDS)
def test_kind_is_documented_in_the_api_reference(kind):
    assert f"`{kind}`" in (ROOT / "docs" / "reference" / "http-api.md").read_text()


def test_error_for_an_unknown_kind_lists_the_known_kinds():
    with pytest.raises(InvalidInput, match=", ".join(KINDS)) as caught:
        parse_parameters({"kind": "guess"})
    assert caught.value.code == "unknown_kind"
