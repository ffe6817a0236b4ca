"""What can be done with datasets."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy.orm import Session

from understudy import ids
from understudy.db import artifacts, datasets, jobs
from understudy.errors import Unavailable
from understudy.job_kinds.base import StoredFile
from understudy.resources import Resources
from understudy.services.blob_keys import make_key
from understudy.services.derivation import check_alone, delete_family, find_family
from understudy.services.jobs import check_quota, find_earlier, remember
from understudy.services.results import discard
from understudy.tables.reading import ReadOptions

if TYPE_CHECKING:
    from understudy.db.orm import Dataset, Job


def upload_dataset(
    resources: Resources,
    project_id: UUID,
    *,
    name: str,
    format: str,  # noqa: A002 - the glossary's word
    labels: Mapping[str, str],
    options: ReadOptions | None = None,
    source: Path,
    sha256: bytes,
    size_bytes: int,
    idempotency_key: str | None = None,
) -> tuple[Dataset, Job]:
    """Take a file that has arrived into the store, and add the dataset and the job that will read it.

    Parameters
    ----------
    options : ReadOptions, optional
        How the file is to be read.
    source : Path
        The complete file, in the staging folder; it is moved away from there.
    sha256, size_bytes : bytes, int
        Of that file.
    idempotency_key : str, optional
        As in `jobs.submit_job`.

    Raises
    ------
    TooManyRequests
        If the project has as many waiting jobs as it may.
    StorageFull, Unavailable
        If the file cannot be stored now.
    """
    with resources.sessions() as session:
        check_quota(resources, session, project_id)
    job_id = ids.new_id()
    file = StoredFile(make_key(project_id, job_id, 0, "upload", f".{format}"), sha256, size_bytes)
    resources.store.put_file(file.storage_key, source)
    try:
        with resources.sessions.begin() as session:
            job = find_earlier(session, project_id, idempotency_key)
            if job is None:
                job = _add_ingest(resources, session, project_id, job_id, format, labels, options)
                dataset = _add_dataset(session, job, name, file)
                remember(session, job, idempotency_key)
            else:
                dataset = datasets.made_by(session, project_id, job.id)
    except Unavailable:
        # Perhaps it took place: only the sweep may delete the blob.
        raise
    except BaseException:
        discard(resources.store, [file.storage_key])
        raise
    if job.id != job_id:
        discard(resources.store, [file.storage_key])
    resources.queue.ring()
    return dataset, job


def update_dataset(
    resources: Resources,
    project_id: UUID,
    dataset_id: UUID,
    *,
    name: str | None = None,
    labels: Mapping[str, str] | None = None,
) -> Dataset:
    """Change the name, the labels, or both; None leaves them as they are."""
    with resources.sessions.begin() as session:
        return datasets.rename(session, project_id, dataset_id, name=name, labels=labels)


def delete_dataset(
    resources: Resources, project_id: UUID, dataset_id: UUID, *, cascade: bool = False
) -> None:
    """Delete a dataset and its files; with `cascade` also the models, datasets and reports derived from it.

    Raises
    ------
    NotFound
        If the project has no such dataset.
    Conflict
        If something was derived from it, or a job uses it, and `cascade` is not given.
    """
    with resources.sessions.begin() as session:
        family = find_family(session, project_id, datasets.lock(session, project_id, dataset_id))
        if not cascade:
            check_alone(family)
        keys = delete_family(session, family)
    discard(resources.store, keys)


def _add_ingest(
    resources: Resources,
    session: Session,
    project_id: UUID,
    job_id: UUID,
    format: str,  # noqa: A002 - the glossary's word
    labels: Mapping[str, str],
    options: ReadOptions | None,
) -> Job:
    dataset_id = ids.to_text("dataset", ids.new_id())
    parameters: dict[str, Any] = {"kind": "ingest", "dataset_id": dataset_id, "format": format}
    if options and options.given:
        parameters["options"] = options.model_dump(mode="json", exclude_defaults=True)
    return jobs.add(
        session,
        job_id=job_id,
        project_id=project_id,
        kind="ingest",
        parameters=parameters,
        labels=labels,
        ttl_seconds=resources.settings.job_ttl_seconds,
    )


def _add_dataset(session: Session, job: Job, name: str, file: StoredFile) -> Dataset:
    artifacts.add(
        session,
        project_id=job.project_id,
        job_id=job.id,
        role="upload",
        token=0,
        storage_key=file.storage_key,
        sha256=file.sha256,
        size_bytes=file.size_bytes,
    )
    return datasets.add_pending(
        session,
        dataset_id=ids.from_text("dataset", job.parameters["dataset_id"]),
        project_id=job.project_id,
        job_id=job.id,
        name=name,
        format=job.parameters["format"],
        labels=job.labels,
    )
