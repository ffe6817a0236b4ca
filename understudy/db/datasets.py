"""Rows of datasets. Every function takes a project and only accesses rows of this project."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import delete as delete_rows
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from understudy import ids
from understudy.db import pages
from understudy.db.jobs import MakingJob
from understudy.db.orm import CLOCK, Dataset
from understudy.db.pages import ANY_TIME, CreatedBetween
from understudy.errors import NotFound, PreconditionFailed

Json = dict[str, Any]


@dataclass(frozen=True)
class DatasetFilters:
    """Filters for listing datasets. Fields that are None or empty do not filter."""

    state: str | None = None
    origin: str | None = None
    model_id: UUID | None = None
    labels: Mapping[str, str] | None = None
    is_quarantined: bool | None = None
    created: CreatedBetween = ANY_TIME


@dataclass(frozen=True)
class MadeDataset:
    """A dataset that a job has created with a model.

    Parameters
    ----------
    dataset_schema, findings : Json
        Schema and findings of the model.
    source_dataset_id : UUID, optional
        The imputed dataset. None for a sample.
    """

    name: str
    model_id: UUID
    dataset_schema: Json
    findings: Json
    source_dataset_id: UUID | None = None


def add_pending(session: Session, job: MakingJob, *, dataset_id: UUID, name: str) -> Dataset:
    """Add an uploaded dataset, which is pending until its `ingest` job has ended."""
    dataset = _new_row(job, dataset_id, name, origin="upload", state="pending")
    session.add(dataset)
    session.flush()
    return dataset


def add_made(session: Session, job: MakingJob, made: MadeDataset) -> Dataset:
    """Add a dataset that is ready. The caller adds its tables."""
    origin = "sample" if made.source_dataset_id is None else "imputation"
    dataset = _new_row(job, job.planned_id or ids.new_id(), made.name, origin=origin, state="ready")
    dataset.model_id = made.model_id
    dataset.source_dataset_id = made.source_dataset_id
    dataset.locale = made.dataset_schema["locale"]
    dataset.relationships = made.dataset_schema["relationships"]
    dataset.relationship_candidates = made.findings["relationships"]
    session.add(dataset)
    session.flush()
    return dataset


def _new_row(job: MakingJob, dataset_id: UUID, name: str, *, origin: str, state: str) -> Dataset:
    return Dataset(
        id=dataset_id,
        project_id=job.project_id,
        job_id=job.id,
        origin=origin,
        state=state,
        name=name,
        labels=dict(job.labels),
    )


def get(session: Session, project_id: UUID, dataset_id: UUID) -> Dataset:
    """Return a dataset, or raise `NotFound`."""
    dataset = session.scalar(
        select(Dataset).where(Dataset.id == dataset_id, Dataset.project_id == project_id)
    )
    if dataset is None:
        raise _not_found(dataset_id)
    return dataset


def are_pending(session: Session, project_id: UUID, dataset_ids: Iterable[UUID]) -> bool:
    """Return whether any of the datasets is pending, or raise `NotFound` if one does not exist.

    No other transaction can change the state of the datasets until this transaction ends.
    """
    row_ids = sorted(set(dataset_ids))
    statement = (
        select(Dataset.id, Dataset.state)
        .where(Dataset.project_id == project_id, Dataset.id.in_(row_ids))
        .order_by(Dataset.id)
        .with_for_update(read=True)
    )
    states = dict(session.execute(statement).all())
    for row_id in row_ids:
        if row_id not in states:
            raise _not_found(row_id)
    return "pending" in states.values()


def made_by(session: Session, project_id: UUID, job_id: UUID) -> Dataset:
    """Return the dataset of a job, or raise `NotFound`."""
    dataset = session.scalar(
        select(Dataset).where(Dataset.job_id == job_id, Dataset.project_id == project_id)
    )
    if dataset is None:
        raise NotFound(
            f"Job {ids.to_text('job', job_id)} has no dataset in this project. Check the ID of the job."
        )
    return dataset


def page(
    session: Session,
    project_id: UUID,
    *,
    filters: DatasetFilters | None = None,
    after: UUID | None = None,
    limit: int = 50,
) -> pages.Page[Dataset, UUID]:
    """Return datasets, newest first."""
    filters = filters or DatasetFilters()
    statement = select(Dataset).where(Dataset.project_id == project_id)
    if filters.state is not None:
        statement = statement.where(Dataset.state == filters.state)
    if filters.origin is not None:
        statement = statement.where(Dataset.origin == filters.origin)
    if filters.model_id is not None:
        statement = statement.where(Dataset.model_id == filters.model_id)
    if filters.is_quarantined is not None:
        has_no_quarantine = Dataset.quarantine.is_(None)
        statement = statement.where(~has_no_quarantine if filters.is_quarantined else has_no_quarantine)
    if filters.labels:
        statement = statement.where(Dataset.labels.contains(dict(filters.labels)))
    statement = filters.created.narrow(statement, Dataset.created_at)
    return pages.newest_first(session, statement, Dataset.id, after=after, limit=limit)


def set_ready(
    session: Session, project_id: UUID, dataset_id: UUID, *, relationship_candidates: list[Json], locale: str
) -> Dataset:
    """Set an ingested dataset to ready, or raise `NotFound` if it was deleted in the meantime."""
    return _change(
        session,
        project_id,
        dataset_id,
        state="ready",
        relationship_candidates=relationship_candidates,
        locale=locale,
        error_code=None,
        error_detail=None,
    )


def set_failed(session: Session, project_id: UUID, dataset_id: UUID, *, code: str, detail: str) -> None:
    """Set a pending dataset to failed, with the error.

    Do nothing if the dataset was deleted in the meantime.
    """
    statement = (
        update(Dataset)
        .where(Dataset.id == dataset_id, Dataset.project_id == project_id, Dataset.state == "pending")
        .values(state="failed", error_code=code, error_detail=detail, updated_at=CLOCK)
    )
    session.execute(statement)


def reopen(session: Session, project_id: UUID, job_id: UUID) -> None:
    """Set the failed dataset of a retried job back to pending."""
    statement = (
        update(Dataset)
        .where(Dataset.job_id == job_id, Dataset.project_id == project_id, Dataset.state == "failed")
        .values(state="pending", error_code=None, error_detail=None, updated_at=CLOCK)
    )
    session.execute(statement)


def rename(
    session: Session,
    project_id: UUID,
    dataset_id: UUID,
    *,
    name: str | None,
    labels: Mapping[str, str] | None,
) -> Dataset:
    """Change the name or the labels, unless they are None, and increment the version."""
    values: Json = {"version": Dataset.version + 1}
    if name is not None:
        values["name"] = name
    if labels is not None:
        values["labels"] = dict(labels)
    return _change(session, project_id, dataset_id, **values)


def set_locale(session: Session, project_id: UUID, dataset_id: UUID, locale: str, *, version: int) -> Dataset:
    """Replace the locale of a dataset that still has the given version, and increment the version.

    Raises
    ------
    NotFound, PreconditionFailed
        If the dataset was deleted, or now has another version.
    """
    if lock(session, project_id, dataset_id).version != version:
        raise PreconditionFailed(
            f"Dataset {ids.to_text('dataset', dataset_id)} was changed by another request. Read its schema "
            "again and repeat the change."
        )
    return _change(session, project_id, dataset_id, version=version + 1, locale=locale)


def quarantine(session: Session, dataset: Dataset, reason: Json) -> None:
    """Put a sample into quarantine, and replace the reason for any earlier quarantine."""
    _change(session, dataset.project_id, dataset.id, quarantine=reason, quarantined_at=CLOCK)


def in_quarantine(session: Session, project_id: UUID, model_id: UUID) -> UUID | None:
    """Return the ID of a dataset that was created with the model and is in quarantine, or None."""
    statement = select(Dataset.id).where(
        Dataset.project_id == project_id, Dataset.model_id == model_id, Dataset.quarantine.is_not(None)
    )
    return session.scalar(statement.order_by(Dataset.id).limit(1))


def end_quarantine(session: Session, dataset: Dataset) -> None:
    """End the quarantine of a sample because its reason no longer exists."""
    _change(session, dataset.project_id, dataset.id, quarantine=None, quarantined_at=None)


def release(session: Session, dataset: Dataset, *, reason: str, key_id: UUID) -> Dataset:
    """Release a sample from quarantine, and store the key and the reason."""
    return _change(
        session,
        dataset.project_id,
        dataset.id,
        quarantine=None,
        quarantined_at=None,
        release_reason=reason,
        released_by=key_id,
        released_at=CLOCK,
    )


def lock(session: Session, project_id: UUID, dataset_id: UUID) -> Dataset:
    """Lock and return a dataset. No other transaction can change it or refer to it until this one ends."""
    dataset = session.scalar(
        select(Dataset).where(Dataset.id == dataset_id, Dataset.project_id == project_id).with_for_update()
    )
    if dataset is None:
        raise _not_found(dataset_id)
    return dataset


def uploaded(session: Session, project_id: UUID) -> list[UUID]:
    """Return the IDs of the uploaded datasets, from which all other datasets and models are derived."""
    statement = select(Dataset.id).where(Dataset.project_id == project_id, Dataset.origin == "upload")
    return list(session.scalars(statement.order_by(Dataset.id)))


def of_job(session: Session, project_id: UUID, job_id: UUID) -> UUID | None:
    """Return the ID of the dataset that a job created, if it exists."""
    statement = select(Dataset.id).where(Dataset.project_id == project_id, Dataset.job_id == job_id)
    return session.scalars(statement.limit(1)).one_or_none()


def made_from(
    session: Session, project_id: UUID, *, model_ids: Iterable[UUID], dataset_ids: Iterable[UUID]
) -> list[Dataset]:
    """Lock and return the datasets created with one of the models, or by imputing one of the datasets."""
    statement = select(Dataset).where(
        Dataset.project_id == project_id,
        Dataset.model_id.in_(list(model_ids)) | Dataset.source_dataset_id.in_(list(dataset_ids)),
    )
    return list(session.scalars(statement.with_for_update()))


def delete(session: Session, project_id: UUID, dataset_ids: Iterable[UUID]) -> None:
    """Delete datasets. No other row may still refer to them."""
    session.execute(
        delete_rows(Dataset).where(Dataset.project_id == project_id, Dataset.id.in_(list(dataset_ids)))
    )


def _change(session: Session, project_id: UUID, dataset_id: UUID, **values: Any) -> Dataset:
    statement = (
        update(Dataset)
        .where(Dataset.id == dataset_id, Dataset.project_id == project_id)
        .values(updated_at=CLOCK, **values)
        .returning(Dataset)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    dataset = session.scalar(statement)
    if dataset is None:
        raise _not_found(dataset_id)
    return dataset


def _not_found(dataset_id: UUID) -> NotFound:
    return NotFound(
        f"Dataset {ids.to_text('dataset', dataset_id)} does not exist in this project. "
        "Check the ID and the project of the API key."
    )
