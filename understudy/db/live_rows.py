"""The query that decides whether a response with live rows may continue."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from understudy.db.orm import CLOCK, ApiKey, Dataset, Model, Project


@dataclass(frozen=True)
class Reading:
    """The model whose rows are read, and the API key that reads them."""

    project_id: UUID
    model_id: UUID
    key_id: UUID


def may_continue(session: Session, reading: Reading) -> bool:
    """Return whether the key is valid, the model exists, and the gate of the project allows its live rows."""
    is_held = exists().where(
        Dataset.project_id == reading.project_id,
        Dataset.model_id == reading.model_id,
        Dataset.quarantine.is_not(None),
    )
    statement = (
        select(Model.id)
        .join(Project, Project.id == Model.project_id)
        .join(ApiKey, ApiKey.project_id == Project.id)
        .where(
            Model.id == reading.model_id,
            Model.project_id == reading.project_id,
            Project.gate != "until_reviewed",
            ApiKey.id == reading.key_id,
            ApiKey.revoked_at.is_(None),
            or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > CLOCK),
            ~is_held,
        )
    )
    return session.scalar(statement) is not None
