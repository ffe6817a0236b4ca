"""The table of workers."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Mapped, mapped_column

from understudy.db.orm import CLOCK, Base


class Worker(Base):
    """A worker in the installation, with the time of its last heartbeat."""

    __tablename__ = "workers"

    name: Mapped[str] = mapped_column(primary_key=True)
    code_version: Mapped[str]
    concurrency: Mapped[int]
    # Names of the queues that the worker serves.
    queues: Mapped[list[str]] = mapped_column(server_default=text("'{default}'"))
    draining: Mapped[bool] = mapped_column(server_default=text("false"))
    started_at: Mapped[datetime] = mapped_column(server_default=CLOCK)
    seen_at: Mapped[datetime] = mapped_column(server_default=CLOCK)
