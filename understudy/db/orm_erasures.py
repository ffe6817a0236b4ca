"""The table of blobs that are still to be deleted."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from understudy.db.orm import CLOCK, Base


class Erasure(Base):
    """A key prefix for blobs that must be deleted because their job or upload was erased."""

    __tablename__ = "erasures"

    prefix: Mapped[str] = mapped_column(primary_key=True)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    job_id: Mapped[UUID | None] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(server_default=CLOCK)
