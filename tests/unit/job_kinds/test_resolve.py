"""Tests for the checks and default values that apply when a job is created."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import pyarrow as pa
import pytest

from tests.rows import new_job
from tests.unit.job_kinds.finished import do_work, finish_next
from tests.unit.job_kinds.uploads import upload_table
from understudy import ids
from understudy.access import TableReference
from understudy.db import jobs, models
from understudy.db.models import NewModel
from understudy.errors import Conflict, InvalidInput, NotFound, TooLarge, UnderstudyError
from understudy.job_kinds import parse_parameters
from understudy.resources import Resources
from understudy.services.api_keys import Caller
from understudy.services.jobs import estimate_job, submit_job, validate_job
from understudy.services.schemas import SchemaEdit, update_schema
from understudy.tables.schema_changes import SchemaChange

UNKNOWN_DATASET, UNKNOWN_MODEL = "ds_" + "0" * 26, "mdl_" + "0" * 26
# JavaScript represents integers exactly up to this value.
N_SEEDS = 2**53


@dataclass
class Project:
    """A project with a dataset, and a model that was trained on it."""

    resources: Resources
    caller: Caller
    dataset_id: str
    model_id: str

    def resolve(self, kind: str, **parameters: object) -> Any:
        """Return the resolved parameters."""
        requested = parse_parameters({"kind": kind, **parameters})
        return validate_job(self.resources, self.caller.project_id, requested)


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory, small_table: pa.Table) -> dict[str, Any]:
    return do_work(tmp_path_factory.mktemp("work"), small_table)


@pytest.fixture
def project(resources: Resources, caller: Caller, small_table: pa.Table, work: dict[str, Any]) -> Project:
    dataset_id = upload_table(resources, caller, small_table)
    finish_next(resources, work["ingest"])
    requested = {"kind": "train", "dataset_id": dataset_id, "synthesizer": {"name": "independent"}}
    submit_job(resources, caller.project_id, parse_parameters(requested))
    model_id = finish_next(resources, work["train"])["model_id"]
    return Project(resources, caller, dataset_id, model_id)


def test_omitted_parameters_get_default_values(project):
    train = project.resolve("train", dataset_id=project.dataset_id)
    assert (train.name, train.synthesizer.name) == ("table", "tree_chain")
    assert 0 <= train.seed < N_SEEDS
    sample = project.resolve("sample", model_id=project.model_id, n_rows=5)
    assert (sample.name, sample.offset) == ("table (synthetic)", 0)
    assert 0 <= sample.seed < N_SEEDS


def test_given_parameters_are_kept(project):
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
def test_missing_resource_is_not_found(resources, caller, kind, parameters):
    requested = parse_parameters({"kind": kind, **parameters})
    with pytest.raises(NotFound):
        validate_job(resources, caller.project_id, requested)


def test_resource_of_another_project_is_not_found(project, resources, other_caller):
    for parameters in (
        {"kind": "train", "dataset_id": project.dataset_id},
        {"kind": "sample", "model_id": project.model_id, "n_rows": 1},
    ):
        with pytest.raises(NotFound):
            validate_job(resources, other_caller.project_id, parse_parameters(parameters))


def test_job_on_a_pending_dataset_is_a_conflict(resources, caller, small_table):
    dataset_id = upload_table(resources, caller, small_table)
    requested = parse_parameters({"kind": "train", "dataset_id": dataset_id})
    with pytest.raises(Conflict, match="still being read") as caught:
        validate_job(resources, caller.project_id, requested)
    assert caught.value.code == "not_ready"


def test_job_on_a_failed_dataset_is_a_conflict(resources, caller, run_jobs):
    dataset_id = upload_table(resources, caller, pa.table({"a": pa.array([], pa.int64())}))
    run_jobs()
    requested = parse_parameters({"kind": "train", "dataset_id": dataset_id})
    with pytest.raises(Conflict, match="could not be read"):
        validate_job(resources, caller.project_id, requested)


def test_error_for_too_many_rows_contains_the_limit(project):
    with pytest.raises(TooLarge, match=r"100,000,000") as caught:
        project.resolve("sample", model_id=project.model_id, n_rows=100_000_001)
    assert (caught.value.code, caught.value.pointer) == ("too_many_rows", "/n_rows")


OSLO = {"where": {"city": {"equals": "Oslo"}}, "n_rows": 30}


@pytest.fixture
def constrainable(project) -> Project:
    """Add a model that supports conditions to the project. The model needs no file, because no job runs."""
    with project.resources.sessions.begin() as session:
        plain = models.get(session, project.caller.project_id, ids.from_text("model", project.model_id))
        values = {field.name: getattr(plain, field.name) for field in fields(NewModel)}
        job = jobs.add(session, new_job(plain.project_id))
        changes = {"synthesizer": {"name": "tree_chain", "preset": "fast"}}
        model = models.add(session, job, NewModel(**values | changes))
        return replace(project, model_id=ids.to_text("model", model.id))


def sample(project: Project, **parameters: object) -> Any:
    return project.resolve("sample", model_id=project.model_id, **parameters)


def test_conditions_determine_the_number_of_rows(constrainable):
    two = [OSLO, {"where": {"age": {"minimum": 30}}, "n_rows": 20}]
    assert sample(constrainable, conditions=two).n_rows == 50
    assert sample(constrainable, conditions=two, offset=45).n_rows == 5
    assert sample(constrainable, conditions=two, offset=10, n_rows=25).n_rows == 25


@pytest.mark.parametrize(
    ("parameters", "code", "pointer"),
    [
        ({}, "invalid_parameters", "/n_rows"),
        ({"conditions": [OSLO], "n_rows": 31}, "invalid_parameters", "/n_rows"),
        ({"conditions": [OSLO], "offset": 30}, "invalid_parameters", "/offset"),
        ({"conditions": [OSLO | {"n_rows": 2**61}] * 2}, "invalid_parameters", "/conditions"),
        ({"conditions": [OSLO | {"n_rows": 60_000_000}] * 2}, "too_many_rows", "/conditions"),
        (
            {"conditions": [OSLO, {"where": {"a/b~c": {"equals": 1}}, "n_rows": 1}]},
            "unknown_column",
            "/conditions/1/where/a~1b~0c",
        ),
        (
            {"rebalance": {"column": "town", "shares": [{"value": "Oslo", "share": 1}]}, "n_rows": 5},
            "unknown_column",
            "/rebalance/column",
        ),
    ],
)
def test_error_for_an_invalid_condition_contains_a_pointer_to_it(constrainable, parameters, code, pointer):
    with pytest.raises(InvalidInput) as caught:
        sample(constrainable, **parameters)
    assert (caught.value.code, caught.value.pointer) == (code, pointer)


def test_conditions_and_shares_are_mutually_exclusive():
    rebalance = {"column": "city", "shares": [{"value": "Oslo", "share": 1}]}
    parameters = {"kind": "sample", "model_id": UNKNOWN_MODEL, "conditions": [OSLO], "rebalance": rebalance}
    with pytest.raises(InvalidInput, match="either conditions or rebalance") as caught:
        parse_parameters(parameters)
    assert caught.value.code == "invalid_parameters"


def test_model_without_support_for_constraints_is_rejected(project):
    with pytest.raises(InvalidInput, match="'independent'") as caught:
        sample(project, conditions=[OSLO])
    assert caught.value.code == "unsupported_by_synthesizer"


def test_conditions_increase_the_cost_estimate(constrainable):
    def seconds(**parameters: object) -> float:
        resolved = sample(constrainable, **parameters)
        return estimate_job(constrainable.resources, constrainable.caller.project_id, resolved).cpu_seconds

    assert seconds(conditions=[OSLO]) > 10 * seconds(n_rows=30)


def impute(project: Project, **changes: object) -> Any:
    same = {"model_id": project.model_id, "dataset_id": project.dataset_id}
    return project.resolve("impute", **{**same, **changes})


def test_imputed_dataset_is_named_after_its_source(constrainable):
    resolved = impute(constrainable)
    assert (resolved.name, resolved.n_draws) == ("table (completed)", 1)
    assert 0 <= resolved.seed < N_SEEDS


def test_model_without_support_for_imputation_is_rejected(project):
    with pytest.raises(InvalidInput, match="'independent'") as caught:
        impute(project)
    assert caught.value.code == "unsupported_by_synthesizer"


def test_dataset_without_the_columns_of_the_model_is_not_imputed(constrainable, run_jobs):
    other_id = upload_table(constrainable.resources, constrainable.caller, pa.table({"other": [1, 2, 3]}))
    run_jobs()
    with pytest.raises(InvalidInput, match="only one of them has 'age'") as caught:
        impute(constrainable, dataset_id=other_id)
    assert caught.value.code == "schema_mismatch"


def test_numbers_of_imputed_and_sampled_rows_have_the_same_limit(constrainable):
    settings = constrainable.resources.settings.model_copy(update={"sample_rows_max": 399})
    small = replace(constrainable, resources=replace(constrainable.resources, settings=settings))
    with pytest.raises(TooLarge, match="2 draws of 200 rows result in 400 rows") as caught:
        impute(small, n_draws=2)
    assert (caught.value.code, caught.value.pointer) == ("too_many_rows", "/n_draws")


def test_every_draw_increases_the_cost_estimate(constrainable):
    one, five = (
        estimate_job(
            constrainable.resources, constrainable.caller.project_id, impute(constrainable, n_draws=n)
        )
        for n in (1, 5)
    )
    assert five.cpu_seconds == pytest.approx(5 * one.cpu_seconds)
    assert five.size_bytes == 5 * one.size_bytes


def evaluate(project: Project, **changes: object) -> Any:
    same = {"dataset_id": project.dataset_id, "synthetic_dataset_id": project.dataset_id}
    return project.resolve("evaluate", **{**same, **changes})


def test_target_must_be_a_column_of_the_dataset(project):
    assert evaluate(project, target="age").target == "age"
    with pytest.raises(InvalidInput, match="'agee'") as caught:
        evaluate(project, target="agee")
    assert caught.value.code == "unknown_column"


@pytest.mark.parametrize("role", ["synthetic_dataset_id", "holdout_dataset_id"])
def test_tables_with_different_columns_cannot_be_compared(project, run_jobs, role):
    other_id = upload_table(project.resources, project.caller, pa.table({"other": [1, 2, 3]}))
    run_jobs()
    with pytest.raises(UnderstudyError, match="only one of them has 'age'") as caught:
        evaluate(project, **{role: other_id})
    assert caught.value.code == "schema_mismatch"


def test_real_table_cannot_be_its_own_holdout(project):
    with pytest.raises(InvalidInput, match="rows that the model was not trained on") as caught:
        evaluate(project, holdout_dataset_id=project.dataset_id)
    assert caught.value.pointer == "/holdout_dataset_id"


def test_model_keeps_the_schema_from_the_creation_of_its_training_job(project, resources, caller, work):
    requested = {"kind": "train", "dataset_id": project.dataset_id, "synthesizer": {"name": "independent"}}
    submit_job(resources, caller.project_id, parse_parameters(requested))
    reference = TableReference(ids.from_text("dataset", project.dataset_id))
    update_schema(resources, caller, reference, SchemaEdit(SchemaChange(subject=("id",))))
    model_id = finish_next(resources, work["train"])["model_id"]
    with resources.sessions() as session:
        model = models.get(session, caller.project_id, ids.from_text("model", model_id))
    assert model.dataset_schema["tables"]["table"]["subject"] == []
