"""Use cases of datasets: upload, release and delete."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy.orm import Session

from understudy import ids
from understudy.db import artifacts, dataset_tables, datasets, jobs
from understudy.db.artifacts import NewArtifact
from understudy.db.dataset_tables import NewTable, role_of
from understudy.db.jobs import NewJob
from understudy.db.session import transaction_failpoint
from understudy.errors import Conflict, Unavailable
from understudy.failpoints import failpoint
from understudy.job_kinds.base import StoredFile
from understudy.parameters.base import STORED_APART
from understudy.parameters.ingest import FileParts, IngestParameters, IngestTable
from understudy.parameters.read_options import FormatName, ReadOptions
from understudy.resources import Resources
from understudy.services.blob_keys import make_key
from understudy.services.checks import Check, accept
from understudy.services.jobs import check_quota, find_earlier, remember
from understudy.services.lineage import check_no_descendants, delete_with_descendants, find_descendants
from understudy.services.results import discard, keys_of

if TYPE_CHECKING:
    from understudy.db.orm import Dataset, Job
    from understudy.services.api_keys import Caller


@dataclass(frozen=True)
class ArrivedFile:
    """A completely received file in the staging folder.

    Parameters
    ----------
    table_name : str
        Name of the table in the file. The name is unique among the files of the dataset.
    """

    table_name: str
    format: FormatName
    source: Path
    sha256: bytes
    size_bytes: int


@dataclass(frozen=True)
class NewDataset:
    """The properties of a dataset that are known before its files are read."""

    name: str
    labels: Mapping[str, str]
    options: ReadOptions = field(default_factory=ReadOptions)


@dataclass(frozen=True)
class NewIngest:
    """A dataset to add and the job that will read its files.

    Parameters
    ----------
    parts : tuple of FileParts
        The parts of each file, if the files were uploaded in parts.
    """

    project_id: UUID
    job_id: UUID
    dataset: NewDataset
    tables: Sequence[IngestTable]
    parts: tuple[FileParts, ...] = ()


def upload_tables(
    resources: Resources,
    project_id: UUID,
    new: NewDataset,
    files: Sequence[ArrivedFile],
    *,
    idempotency_key: str | None = None,
) -> tuple[Dataset, Job]:
    """Move received files to the store, and add the dataset and the job that will read them.

    Parameters
    ----------
    files : sequence of ArrivedFile
        Received files, which are moved out of the staging folder.
    idempotency_key : str, optional
        See `jobs.submit_job`.

    Raises
    ------
    TooManyRequests
        If the project has reached its limit of queued jobs.
    StorageFull, Unavailable
        If the files cannot be stored now.
    """
    with resources.sessions() as session:
        check_quota(resources, session, project_id)
    job_id = ids.new_id()
    tables = [IngestTable(name=file.table_name, format=file.format) for file in files]
    stored: dict[str, StoredFile] = {}
    try:
        for position, file in enumerate(files, 1):
            role = role_of("upload", position)
            key = make_key(project_id, job_id, 0, role, f".{file.format}")
            resources.store.put_file(key, file.source)
            stored[role] = StoredFile(key, file.sha256, file.size_bytes)
        with resources.sessions.begin() as session:
            job = find_earlier(session, project_id, idempotency_key)
            if job is None:
                dataset, job = add_ingest(resources, session, NewIngest(project_id, job_id, new, tables))
                _add_artifacts(session, job, stored)
                remember(session, job, idempotency_key)
            else:
                dataset = datasets.made_by(session, project_id, job.id)
            transaction_failpoint(session, "upload.before_commit")
        failpoint("upload.after_commit")
    except Unavailable:
        # The transaction may have been committed, so only the sweep may delete the blobs.
        raise
    except BaseException:
        discard(resources.store, keys_of(stored))
        raise
    if job.id != job_id:
        discard(resources.store, keys_of(stored))
    resources.queue.ring()
    return dataset, job


def _add_artifacts(session: Session, job: Job, stored: Mapping[str, StoredFile]) -> None:
    for role, file in stored.items():
        new = NewArtifact(role, 0, file.storage_key, file.sha256, file.size_bytes)
        artifacts.add(session, job.project_id, job.id, new)


def add_ingest(resources: Resources, session: Session, new: NewIngest) -> tuple[Dataset, Job]:
    """Add a pending dataset and the job that will read its files."""
    parameters = IngestParameters(
        kind="ingest",
        dataset_id=ids.to_text("dataset", ids.new_id()),
        tables=tuple(new.tables),
        parts=new.parts,
        options=new.dataset.options,
    )
    new_job = NewJob(
        job_id=new.job_id,
        project_id=new.project_id,
        kind="ingest",
        parameters=parameters.model_dump(mode="json", exclude=STORED_APART, exclude_defaults=True),
        labels=new.dataset.labels,
        ttl_seconds=resources.settings.job_ttl_seconds,
    )
    job = jobs.add(session, new_job)
    dataset_id = ids.from_text("dataset", parameters.dataset_id)
    dataset = datasets.add_pending(session, job, dataset_id=dataset_id, name=new.dataset.name)
    dataset_tables.add(session, dataset, [NewTable(table.name, table.format) for table in new.tables])
    return dataset, job


def release_dataset(resources: Resources, caller: Caller, dataset_id: UUID, reason: str) -> Dataset:
    """Release a sample from quarantine, and store the API key and the reason.

    Raises
    ------
    NotFound, Conflict
        If the dataset does not exist or is not in quarantine.
    """
    with resources.sessions.begin() as session:
        dataset = datasets.lock(session, caller.project_id, dataset_id)
        if dataset.quarantine is None:
            raise Conflict(
                f"Dataset {ids.to_text('dataset', dataset_id)} is not in quarantine. It can be used without"
                " a release.",
                code="not_quarantined",
            )
        return datasets.release(session, dataset, reason=reason, key_id=caller.key_id)


def delete_dataset(
    resources: Resources,
    project_id: UUID,
    dataset_id: UUID,
    *,
    cascade: bool = False,
    check: Check[Dataset] = accept,
) -> None:
    """Delete a dataset and its files. With `cascade`, also delete everything that was derived from it.

    Parameters
    ----------
    check : callable (session, row) -> None
        Function that raises an error if the locked row must not be deleted.

    Raises
    ------
    NotFound
        If the project has no such dataset.
    Conflict
        If `cascade` is false, and other resources were derived from the dataset or a job uses it.
    """
    with resources.sessions.begin() as session:
        dataset = datasets.lock(session, project_id, dataset_id)
        check(session, dataset)
        descendants = find_descendants(session, project_id, dataset)
        if not cascade:
            check_no_descendants(descendants)
        keys = delete_with_descendants(session, descendants)
        transaction_failpoint(session, "delete.before_commit")
    failpoint("delete.after_commit")
    discard(resources.store, keys)
