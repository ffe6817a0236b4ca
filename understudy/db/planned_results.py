"""Results of jobs whose IDs are planned, so that other jobs can refer to them before they exist."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from understudy import ids
from understudy.db import jobs
from understudy.db.orm import Job

Json = dict[str, Any]


def inputs_of(parameters: Json) -> set[UUID]:
    """Return the IDs of the datasets and the model that a job's parameters refer to."""
    model_id = parameters.get("model_id")
    models = [] if model_id is None else [ids.from_text("model", model_id)]
    return {*jobs.datasets_of(parameters), *models}


def find_planned(session: Session, project_id: UUID, row_ids: Collection[UUID]) -> set[UUID]:
    """Return the given IDs that active jobs will give to their results.

    These jobs cannot end until the transaction ends.
    """
    if not row_ids:
        return set()
    statement = select(Job.planned_id).where(
        Job.project_id == project_id, Job.planned_id.in_(row_ids), Job.state.in_(jobs.ACTIVE_STATES)
    )
    found = session.scalars(statement.order_by(Job.id).with_for_update(read=True))
    return {row_id for row_id in found if row_id is not None}


def text_ids_of(planned_ids: Iterable[UUID | None]) -> list[str]:
    """Return the text IDs that refer to planned results, which are models or datasets."""
    return [
        ids.to_text(noun, row_id)
        for row_id in planned_ids
        if row_id is not None
        for noun in ("dataset", "model")
    ]
