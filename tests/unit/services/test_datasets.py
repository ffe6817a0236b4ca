from __future__ import annotations

import hashlib
from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.rows import made_dataset, new_job, new_model, new_report, upload_csv
from understudy import ids
from understudy.db import artifacts, claims, dataset_tables, datasets, jobs, leases, models, reports
from understudy.db.artifacts import NewArtifact
from understudy.db.orm import Dataset, Job, Model, Report
from understudy.errors import Conflict, NotFound, StorageFull, TooManyRequests
from understudy.job_queue import ListQueue
from understudy.parameters.train import TrainParameters
from understudy.resources import Resources
from understudy.services.api_keys import Caller
from understudy.services.artifacts import StoredTable, open_artifact, stream_table
from understudy.services.blob_keys import make_key
from understudy.services.datasets import (
    NewDataset,
    delete_dataset,
)
from understudy.services.jobs import cancel_job, retry_job, submit_job
from understudy.services.models import delete_model
from understudy.services.rescue import rescue_jobs
from understudy.settings import Settings
from understudy.storage import LocalStore

CSV = b"city,age\n" + b"".join(b"Oslo,%d\nRome,%d\n" % (age, age + 1) for age in range(20, 60))
RunJobs = Callable[[], int]


def upload(resources: Resources, caller: Caller, data: bytes = CSV) -> tuple[Dataset, Job]:
    """Upload a table in the same way as the route."""
    return upload_csv(resources, caller.project_id, data, NewDataset("people", {"a": "b"}))


def read(resources: Resources, caller: Caller, dataset: Dataset) -> Dataset:
    with resources.sessions() as session:
        return datasets.get(session, caller.project_id, dataset.id)


def blobs(resources: Resources) -> list[str]:
    return [key.rpartition("/")[2] for key in resources.store.keys("")]


def test_dataset_is_ready_after_its_job(
    resources: Resources, caller: Caller, run_jobs: RunJobs, queue: ListQueue
) -> None:
    dataset, job = upload(resources, caller)
    assert (dataset.state, job.state, queue.n_rings) == ("pending", "queued", 1)

    assert run_jobs() == 1

    ready = read(resources, caller, dataset)
    with resources.sessions() as session:
        (table,) = dataset_tables.all_of(session, ready)
    assert (ready.state, table.name, table.n_rows, table.n_columns) == ("ready", "people", 80, 2)
    # The raw upload is deleted after use.
    assert blobs(resources) == ["table_1.parquet"]


def test_downloaded_table_equals_the_uploaded_table(
    resources: Resources, caller: Caller, run_jobs: RunJobs
) -> None:
    dataset, job = upload(resources, caller)
    run_jobs()
    with resources.sessions() as session:
        artifact = artifacts.get(session, caller.project_id, job.id, "table_1")

    lines = b"".join(stream_table(StoredTable(resources, [artifact]), "csv")).splitlines()
    with open_artifact(resources, artifact) as file:
        assert hashlib.sha256(file.read()).digest() == artifact.sha256
    assert len(lines) == 81
    assert dataset.job_id == job.id


def test_error_of_an_invalid_table_is_stored_with_the_dataset(
    resources: Resources, caller: Caller, run_jobs: RunJobs
) -> None:
    dataset, job = upload(resources, caller, b"a,b\n1,2\n3\n")
    run_jobs()

    failed = read(resources, caller, dataset)
    assert (failed.state, failed.error_code) == ("failed", "ragged_rows")
    # The upload is kept so that the job can be retried.
    assert blobs(resources) == ["upload_1.csv"]
    assert retry_job(resources, caller.project_id, job.id).round == 2
    assert read(resources, caller, dataset).state == "pending"


def test_cancellation_of_an_ingest_is_stored_with_the_dataset(resources: Resources, caller: Caller) -> None:
    dataset, job = upload(resources, caller)

    cancel_job(resources, caller.project_id, job.id)

    assert read(resources, caller, dataset).error_code == "cancelled"


def test_expiry_of_an_ingest_is_stored_with_the_dataset(resources: Resources, caller: Caller) -> None:
    dataset, _ = upload(resources, caller)
    with resources.sessions.begin() as session:
        session.execute(text("update jobs set expires_at = clock_timestamp()"))

    rescue_jobs(resources)

    assert read(resources, caller, dataset).error_code == "expired"


def test_rejected_upload_leaves_nothing_behind(
    resources: Resources, caller: Caller, settings: Settings
) -> None:
    upload(resources, caller)
    object.__setattr__(resources, "settings", settings.model_copy(update={"queued_jobs_max": 1}))

    with pytest.raises(TooManyRequests):
        upload(resources, caller)

    assert len(blobs(resources)) == 1


def test_upload_without_storage_space_adds_no_row(resources: Resources, caller: Caller) -> None:
    class FullStore(LocalStore):
        def put_file(self, key: str, path: object) -> None:
            raise StorageFull("Full.")

    object.__setattr__(resources, "store", FullStore(resources.scratch_folder / "full"))

    with pytest.raises(StorageFull):
        upload(resources, caller)

    with resources.sessions() as session:
        assert datasets.page(session, caller.project_id).rows == []


def test_name_and_labels_can_be_changed_independently(resources: Resources, caller: Caller) -> None:
    dataset, _ = upload(resources, caller)

    with resources.sessions.begin() as session:
        renamed = datasets.rename(session, caller.project_id, dataset.id, name="flights", labels=None)
    with resources.sessions.begin() as session:
        relabelled = datasets.rename(session, caller.project_id, dataset.id, name=None, labels={})

    assert (renamed.name, renamed.labels, renamed.version) == ("flights", {"a": "b"}, 2)
    assert (relabelled.name, relabelled.labels, relabelled.version) == ("flights", {}, 3)


def test_pending_dataset_is_deleted_with_its_job(
    resources: Resources, caller: Caller, run_jobs: RunJobs
) -> None:
    dataset, job = upload(resources, caller)

    delete_dataset(resources, caller.project_id, dataset.id)

    assert run_jobs() == 0
    assert blobs(resources) == []
    with resources.sessions() as session:
        assert jobs.get(session, caller.project_id, job.id).state == "cancelled"
    with pytest.raises(NotFound):
        read(resources, caller, dataset)


def test_dataset_that_is_deleted_during_its_ingest_is_not_recreated(
    resources: Resources, caller: Caller, run_jobs: RunJobs
) -> None:
    dataset, job = upload(resources, caller)
    with resources.sessions.begin() as session:
        claimed = claims.claim(session, claims.Claimant("w", "1", ("ingest",)), lease_seconds=60)
    assert claimed is not None
    assert claimed.lease_token is not None

    delete_dataset(resources, caller.project_id, dataset.id)

    with resources.sessions.begin() as session:
        assert leases.is_cancel_requested(session, job.id, claimed.lease_token)
        with pytest.raises(NotFound):
            datasets.set_ready(
                session, caller.project_id, dataset.id, relationship_candidates=[], locale="en"
            )


@pytest.fixture
def descendants(resources: Resources, caller: Caller) -> tuple[Dataset, Model, Dataset, Report]:
    """Add a dataset, a model, a sample, and a report that compares both datasets, each with a file."""
    dataset, job = upload(resources, caller)
    cancel_job(resources, caller.project_id, job.id)
    with resources.sessions.begin() as session:
        job = _job_with_file(session, resources, caller, "model")
        model = models.add(session, job, new_model(dataset.id))
        job = _job_with_file(session, resources, caller, "table_1")
        sample = datasets.add_made(session, job, made_dataset(model.id))
        job = _job_with_file(session, resources, caller, "report_json")
        report = reports.add(session, job, new_report(dataset.id, sample.id))
    return dataset, model, sample, report


def _job_with_file(session: Session, resources: Resources, caller: Caller, role: str) -> Job:
    job = jobs.add(session, new_job(caller.project_id))
    path = resources.staging_folder / role
    path.write_bytes(b"x")
    key = make_key(caller.project_id, job.id, 1, role, "")
    resources.store.put_file(key, path)
    artifacts.add(session, caller.project_id, job.id, NewArtifact(role, 1, key, b"", 1))
    return job


Descendants = tuple[Dataset, Model, Dataset, Report]


def rest(resources: Resources, caller: Caller) -> tuple[int, int, int]:
    """Return the numbers of datasets, models and reports."""
    with resources.sessions() as session:
        return (
            len(datasets.page(session, caller.project_id).rows),
            len(models.page(session, caller.project_id).rows),
            len(reports.page(session, caller.project_id).rows),
        )


def test_error_for_deleting_a_dataset_with_descendants_lists_the_descendants(
    resources: Resources, caller: Caller, descendants: Descendants
) -> None:
    dataset, model, sample, report = descendants

    with pytest.raises(Conflict) as caught:
        delete_dataset(resources, caller.project_id, dataset.id)

    assert caught.value.code == "in_use"
    for noun, row in (("model", model), ("dataset", sample), ("report", report)):
        assert ids.to_text(noun, row.id) in caught.value.detail
    assert rest(resources, caller) == (2, 1, 1)
    assert len(blobs(resources)) == 4


def test_cascade_deletes_the_descendants_of_a_dataset_and_their_files(
    resources: Resources, caller: Caller, descendants: Descendants
) -> None:
    delete_dataset(resources, caller.project_id, descendants[0].id, cascade=True)

    assert rest(resources, caller) == (0, 0, 0)
    assert blobs(resources) == []


def test_model_with_samples_is_deleted_only_by_a_cascade(
    resources: Resources, caller: Caller, descendants: Descendants
) -> None:
    with pytest.raises(Conflict):
        delete_model(resources, caller.project_id, descendants[1].id)

    delete_model(resources, caller.project_id, descendants[1].id, cascade=True)

    assert rest(resources, caller) == (1, 0, 0)


@pytest.fixture
def completed(resources: Resources, caller: Caller, descendants: Descendants) -> Dataset:
    """Add an imputation of the sample, computed with the model."""
    with resources.sessions.begin() as session:
        job = _job_with_file(session, resources, caller, "completed")
        return datasets.add_made(session, job, made_dataset(descendants[1].id, descendants[2].id))


@pytest.mark.parametrize("source", [0, 2])
def test_imputation_is_deleted_with_its_source(
    resources: Resources, caller: Caller, descendants: Descendants, completed: Dataset, source: int
) -> None:
    with pytest.raises(Conflict) as caught:
        delete_dataset(resources, caller.project_id, descendants[source].id)
    assert caught.value.detail.count(ids.to_text("dataset", completed.id)) == 1

    delete_dataset(resources, caller.project_id, descendants[source].id, cascade=True)
    with resources.sessions() as session, pytest.raises(NotFound):
        datasets.get(session, caller.project_id, completed.id)


def test_imputation_is_deleted_with_its_model(
    resources: Resources, caller: Caller, descendants: Descendants, completed: Dataset
) -> None:
    delete_model(resources, caller.project_id, descendants[1].id, cascade=True)

    assert rest(resources, caller) == (1, 0, 0)


def test_sample_with_a_report_is_not_deleted_without_a_cascade(
    resources: Resources, caller: Caller, descendants: Descendants
) -> None:
    with pytest.raises(Conflict) as caught:
        delete_dataset(resources, caller.project_id, descendants[2].id)

    assert ids.to_text("report", descendants[3].id) in caught.value.detail


def test_dataset_used_by_a_job_is_deleted_only_by_a_cascade_that_cancels_the_job(
    resources: Resources, caller: Caller, run_jobs: RunJobs
) -> None:
    dataset, _ = upload(resources, caller)
    run_jobs()
    parameters = TrainParameters(kind="train", dataset_id=ids.to_text("dataset", dataset.id))
    job = submit_job(resources, caller.project_id, parameters)

    with pytest.raises(Conflict) as caught:
        delete_dataset(resources, caller.project_id, dataset.id)
    assert ids.to_text("job", job.id) in caught.value.detail

    delete_dataset(resources, caller.project_id, dataset.id, cascade=True)
    with resources.sessions() as session:
        assert jobs.get(session, caller.project_id, job.id).state == "cancelled"


def rename(resources: Resources, caller: Caller, dataset_id: UUID) -> None:
    with resources.sessions.begin() as session:
        datasets.rename(session, caller.project_id, dataset_id, name="mine", labels=None)


def test_caller_of_another_project_deletes_nothing(
    resources: Resources, caller: Caller, other_caller: Caller, descendants: Descendants
) -> None:
    dataset, model, _, _ = descendants
    with pytest.raises(NotFound):
        delete_dataset(resources, other_caller.project_id, dataset.id, cascade=True)
    with pytest.raises(NotFound):
        delete_model(resources, other_caller.project_id, model.id, cascade=True)
    with pytest.raises(NotFound):
        rename(resources, other_caller, dataset.id)

    assert rest(resources, caller) == (2, 1, 1)
