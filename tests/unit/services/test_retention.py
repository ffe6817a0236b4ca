from __future__ import annotations

import random
from dataclasses import replace
from typing import cast
from uuid import UUID

import pytest
from sqlalchemy import text

from tests.rows import upload_csv
from understudy import ids
from understudy.db import pipelines
from understudy.parameters.evaluate import EvaluateStage
from understudy.parameters.sample import SampleStage
from understudy.parameters.train import TrainParameters, TrainStage
from understudy.resources import Resources
from understudy.services.api_keys import Caller
from understudy.services.blob_checks import check_all_blobs, check_some_blobs
from understudy.services.jobs import submit_job
from understudy.services.pipelines import NewPipeline, create_pipeline
from understudy.services.retention import delete_expired
from understudy.settings import Settings

DAY = 86400.0
TABLES = ("datasets", "models", "jobs", "artifacts")


def with_settings(resources: Resources, **changes: object) -> Resources:
    settings = cast("Settings", resources.settings).model_copy(update=changes)
    return replace(resources, settings=settings)


def age(resources: Resources, table: str, days: int) -> None:
    column = "finished_at" if table == "jobs" else "created_at"
    statement = f"update {table} set {column} = {column} - make_interval(days => {days})"  # noqa: S608
    with resources.sessions.begin() as session:
        # Without triggers, the test can change jobs that have ended.
        session.execute(text("set local session_replication_role = replica"))
        session.execute(text(statement))


def counts(resources: Resources) -> dict[str, int]:
    with resources.sessions() as session:
        return {
            table: session.scalar(text(f"select count(*) from {table}")) or 0  # noqa: S608 - our own names
            for table in TABLES
        }


@pytest.fixture
def dataset_id(resources: Resources, caller: Caller, run_jobs) -> UUID:
    """Return a dataset that was used to train a model."""
    rows = "\n".join(f"{n},{n % 3}" for n in range(60))
    dataset, _ = upload_csv(resources, caller.project_id, f"a,b\n{rows}\n".encode())
    run_jobs()
    parameters = TrainParameters.model_validate(
        {
            "kind": "train",
            "dataset_id": ids.to_text("dataset", dataset.id),
            "synthesizer": {"name": "independent"},
        }
    )
    submit_job(resources, caller.project_id, parameters)
    run_jobs()
    assert counts(resources)["models"] == 1
    return dataset.id


def test_nothing_expires_by_default(resources: Resources, dataset_id: UUID) -> None:
    for table in ("datasets", "models", "jobs"):
        age(resources, table, 3650)

    assert delete_expired(resources) == 0
    assert counts(resources) == {"datasets": 1, "models": 1, "jobs": 2, "artifacts": 2}


def test_expired_dataset_is_deleted_with_its_model_and_files(resources: Resources, dataset_id: UUID) -> None:
    resources = with_settings(resources, retention_datasets_seconds=7 * DAY)
    assert delete_expired(resources) == 0
    age(resources, "datasets", 8)

    assert delete_expired(resources) == 1

    assert counts(resources) == {"datasets": 0, "models": 0, "jobs": 2, "artifacts": 0}
    assert list(resources.store.keys("")) == []


def test_expired_model_is_deleted_without_its_dataset(resources: Resources, dataset_id: UUID) -> None:
    resources = with_settings(
        resources, retention_datasets_seconds=70 * DAY, retention_results_seconds=7 * DAY
    )
    age(resources, "models", 8)
    age(resources, "datasets", 8)

    assert delete_expired(resources) == 1

    assert counts(resources) == {"datasets": 1, "models": 0, "jobs": 2, "artifacts": 1}


def test_job_is_deleted_only_after_its_result(resources: Resources, dataset_id: UUID) -> None:
    resources = with_settings(resources, retention_jobs_seconds=7 * DAY)
    age(resources, "jobs", 8)
    assert delete_expired(resources) == 0

    age(resources, "datasets", 8)
    resources = with_settings(resources, retention_datasets_seconds=7 * DAY)
    delete_expired(resources)

    assert counts(resources) == dict.fromkeys(TABLES, 0)


def test_jobs_of_a_pipeline_are_deleted_together(
    resources: Resources, caller: Caller, dataset_id: UUID, run_jobs
) -> None:
    new = NewPipeline(
        dataset_id=ids.to_text("dataset", dataset_id),
        train=TrainStage.model_validate({"synthesizer": {"name": "independent"}}),
        sample=SampleStage(n_rows=50),
        evaluate=EvaluateStage(target="no such column"),
    )
    stages = create_pipeline(resources, caller.project_id, new)
    run_jobs()
    age(resources, "jobs", 8)
    resources = with_settings(resources, retention_jobs_seconds=7 * DAY)
    # The evaluation failed, so it has no result, but the other jobs have.
    delete_expired(resources)
    with resources.sessions() as session:
        found = pipelines.get(session, caller.project_id, stages[0].pipeline_id)
    assert [job.state for job in found] == ["succeeded", "succeeded", "failed"]

    age(resources, "datasets", 8)
    delete_expired(with_settings(resources, retention_datasets_seconds=7 * DAY))

    assert counts(resources)["jobs"] == 0


def test_missing_and_truncated_blobs_are_found(resources: Resources, dataset_id: UUID) -> None:
    assert check_all_blobs(resources).damaged == ()
    first, second = list(resources.store.keys(""))
    resources.store.delete(first)
    path = resources.staging_folder / "short"
    path.write_bytes(b"x")
    resources.store.delete(second)
    resources.store.put_file(second, path)

    check = check_all_blobs(resources)

    assert (check.n_checked, len(check.damaged)) == (2, 2)
    assert {role for _, role in check.damaged} == {"table_1", "model"}


def test_check_of_some_blobs_finds_every_damaged_blob_of_a_small_installation(
    resources: Resources, dataset_id: UUID
) -> None:
    for key in list(resources.store.keys("")):
        resources.store.delete(key)
    rng = random.Random(1)  # noqa: S311 - not a secret

    check = check_some_blobs(resources, rng)

    assert check.n_checked == 2
    assert {role for _, role in check.damaged} == {"table_1", "model"}


def test_check_without_artifacts_finds_nothing(resources: Resources) -> None:
    rng = random.Random(1)  # noqa: S311 - not a secret
    assert check_some_blobs(resources, rng).n_checked == 0
    assert check_all_blobs(resources).n_checked == 0
