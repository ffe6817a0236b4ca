"""Rows of stored models."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import delete as delete_rows
from sqlalchemy import select
from sqlalchemy.orm import Session

from understudy import ids
from understudy.db import pages
from understudy.db.jobs import MakingJob
from understudy.db.orm import Model
from understudy.db.pages import ANY_TIME, CreatedBetween
from understudy.errors import NotFound

Json = dict[str, Any]


@dataclass(frozen=True)
class ModelFilters:
    """Filters for a list of models. Fields that are None or empty do not filter."""

    dataset_id: UUID | None = None
    labels: Mapping[str, str] | None = None
    created: CreatedBetween = ANY_TIME


@dataclass(frozen=True)
class NewModel:
    """A new model from a `train` job.

    Parameters
    ----------
    dataset_schema, findings : Json
        `DatasetSchema` of the training data, and the `Findings` about it.
    tables : list of str
        Names of the tables that the model was fitted to.
    """

    dataset_id: UUID
    name: str
    synthesizer: Json
    seed: int
    holdout_fraction: float
    n_rows_trained: int
    size_bytes: int
    dataset_schema: Json
    findings: Json
    tables: list[str]
    card: Json


def add(session: Session, job: MakingJob, new: NewModel) -> Model:
    """Add a model."""
    model = Model(
        id=job.planned_id or ids.new_id(),
        project_id=job.project_id,
        job_id=job.id,
        labels=dict(job.labels),
        **vars(new),
    )
    session.add(model)
    session.flush()
    return model


def get(session: Session, project_id: UUID, model_id: UUID) -> Model:
    """Return a model, or raise `NotFound`."""
    model = session.scalar(select(Model).where(Model.id == model_id, Model.project_id == project_id))
    if model is None:
        raise _not_found(model_id)
    return model


def of_job(session: Session, project_id: UUID, job_id: UUID) -> UUID | None:
    """Return the ID of the model that a job created, if it exists."""
    return session.scalar(select(Model.id).where(Model.project_id == project_id, Model.job_id == job_id))


def lock(session: Session, project_id: UUID, model_id: UUID) -> Model:
    """Lock and return a model. No other transaction can change it or refer to it until this one ends."""
    model = session.scalar(
        select(Model).where(Model.id == model_id, Model.project_id == project_id).with_for_update()
    )
    if model is None:
        raise _not_found(model_id)
    return model


def page(
    session: Session,
    project_id: UUID,
    *,
    filters: ModelFilters | None = None,
    after: UUID | None = None,
    limit: int = 50,
) -> pages.Page[Model, UUID]:
    """Return models, newest first."""
    filters = filters or ModelFilters()
    statement = select(Model).where(Model.project_id == project_id)
    if filters.dataset_id is not None:
        statement = statement.where(Model.dataset_id == filters.dataset_id)
    if filters.labels:
        statement = statement.where(Model.labels.contains(dict(filters.labels)))
    statement = filters.created.narrow(statement, Model.created_at)
    return pages.newest_first(session, statement, Model.id, after=after, limit=limit)


def change(session: Session, model: Model, *, name: str, labels: Mapping[str, str]) -> None:
    """Replace the name and the labels of a locked model."""
    model.name = name
    model.labels = dict(labels)
    session.flush()


def trained_on(session: Session, project_id: UUID, dataset_ids: Iterable[UUID]) -> list[Model]:
    """Lock and return the models that were trained on any of these datasets."""
    statement = select(Model).where(Model.project_id == project_id, Model.dataset_id.in_(list(dataset_ids)))
    return list(session.scalars(statement.with_for_update()))


def delete(session: Session, project_id: UUID, model_ids: Iterable[UUID]) -> None:
    """Delete models. No other row may still refer to them."""
    session.execute(delete_rows(Model).where(Model.project_id == project_id, Model.id.in_(list(model_ids))))


def _not_found(model_id: UUID) -> NotFound:
    return NotFound(
        f"Model {ids.to_text('model', model_id)} does not exist in this project. "
        "Check the ID and the project of the API key."
    )
