"""What is checked when a job is asked for, and what is filled in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pytest

from tests.unit.job_kinds.uploads import upload_table
from understudy.errors import Conflict, InvalidInput, NotFound, TooLarge, UnderstudyError
from understudy.job_kinds import parse_parameters
from understudy.resources import Resources
from understudy.services.api_keys import Caller
from understudy.services.jobs import submit_job, validate_job

UNKNOWN_DATASET, UNKNOWN_MODEL = "ds_" + "0" * 26, "mdl_" + "0" * 26
# Whole numbers up to there survive JavaScript.
N_SEEDS = 2**53


@dataclass
class Project:
    """A project with a dataset, and a model that was trained on it."""

    resources: Resources
    caller: Caller
    dataset_id: str
    model_id: str

    def resolve(self, kind: str, **parameters: object) -> Any:
        """Return the parameters as they would be stored."""
        asked = parse_parameters({"kind": kind, **parameters})
        return validate_job(self.resources, self.caller.project_id, asked)


@pytest.fixture
def project(resources, caller, run_jobs: Callable[[], int], small_table: pa.Table) -> Project:
    dataset_id = upload_table(resources, caller, small_table)
    run_jobs()
    parameters = parse_parameters(
        {"kind": "train", "dataset_id": dataset_id, "synthesizer": {"name": "independent"}}
    )
    job = submit_job(resources, caller.project_id, parameters)
    run_jobs()
    with resources.sessions() as session:
        job = session.merge(job, load=True)
        session.refresh(job)
        return Project(resources, caller, dataset_id, job.result["model_id"])


def test_what_was_left_open_is_chosen(project):
    train = project.resolve("train", dataset_id=project.dataset_id)
    assert (train.name, train.synthesizer.name) == ("table", "tree_chain")
    assert 0 <= train.seed < N_SEEDS
    sample = project.resolve("sample", model_id=project.model_id, n_rows=5)
    assert (sample.name, sample.offset) == ("table (synthetic)", 0)
    assert 0 <= sample.seed < N_SEEDS


def test_what_was_given_is_kept(project):
    train = project.resolve("train", dataset_id=project.dataset_id, seed=0, name="mine")
    assert (train.seed, train.name) == (0, "mine")


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        ("train", {"dataset_id": UNKNOWN_DATASET}),
        ("train", {"dataset_id": "nonsense"}),
        ("sample", {"model_id": UNKNOWN_MODEL, "n_rows": 1}),
        ("evaluate", {"dataset_id": UNKNOWN_DATASET, "synthetic_dataset_id": UNKNOWN_DATASET}),
    ],
)
def test_what_does_not_exist_is_not_found(resources, caller, kind, parameters):
    asked = parse_parameters({"kind": kind, **parameters})
    with pytest.raises(NotFound):
        validate_job(resources, caller.project_id, asked)


def test_another_projects_rows_are_not_found(project, resources, other_caller):
    for parameters in (
        {"kind": "train", "dataset_id": project.dataset_id},
        {"kind": "sample", "model_id": project.model_id, "n_rows": 1},
    ):
        with pytest.raises(NotFound):
            validate_job(resources, other_caller.project_id, parse_parameters(parameters))


def test_dataset_that_is_not_read_yet_is_a_conflict(resources, caller, small_table):
    dataset_id = upload_table(resources, caller, small_table)
    asked = parse_parameters({"kind": "train", "dataset_id": dataset_id})
    with pytest.raises(Conflict, match="still being read") as caught:
        validate_job(resources, caller.project_id, asked)
    assert caught.value.code == "not_ready"


def test_dataset_that_could_not_be_read_is_a_conflict(resources, caller, run_jobs):
    dataset_id = upload_table(resources, caller, pa.table({"a": pa.array([], pa.int64())}))
    run_jobs()
    asked = parse_parameters({"kind": "train", "dataset_id": dataset_id})
    with pytest.raises(Conflict, match="could not be read"):
        validate_job(resources, caller.project_id, asked)


def test_too_many_rows_are_refused_with_the_limit(project):
    with pytest.raises(TooLarge, match=r"100,000,000") as caught:
        project.resolve("sample", model_id=project.model_id, n_rows=100_000_001)
    assert (caught.value.code, caught.value.pointer) == ("too_many_rows", "/n_rows")


def evaluate(project: Project, **changes: object) -> Any:
    same = {"dataset_id": project.dataset_id, "synthetic_dataset_id": project.dataset_id}
    return project.resolve("evaluate", **{**same, **changes})


def test_target_must_be_a_column(project):
    assert evaluate(project, target="age").target == "age"
    with pytest.raises(InvalidInput, match="'agee'") as caught:
        evaluate(project, target="agee")
    assert caught.value.code == "unknown_column"


@pytest.mark.parametrize("role", ["synthetic_dataset_id", "holdout_dataset_id"])
def test_tables_of_other_columns_are_not_compared(project, run_jobs, role):
    other_id = upload_table(project.resources, project.caller, pa.table({"other": [1, 2, 3]}))
    run_jobs()
    with pytest.raises(UnderstudyError, match="only one of them has 'age'") as caught:
        evaluate(project, **{role: other_id})
    assert caught.value.code == "schema_mismatch"
