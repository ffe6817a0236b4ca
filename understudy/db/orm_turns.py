"""The table of periodic tasks that one worker at a time performs."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from understudy.db.orm import Base


class Turn(Base):
    """A periodic task. Its holder performs it until `held_until` passes without a renewal."""

    __tablename__ = "turns"
    __table_args__ = (CheckConstraint("(holder is null) = (held_until is null)", name="holder"),)

    name: Mapped[str] = mapped_column(primary_key=True)
    holder: Mapped[UUID | None]
    held_until: Mapped[datetime | None]
    # The last key that the unfinished pass has processed.
    position: Mapped[str] = mapped_column(server_default=text("''"))
    completed_at: Mapped[datetime | None]
