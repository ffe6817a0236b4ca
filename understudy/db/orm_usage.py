"""The tables of usage by day."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from understudy.db.orm import Base

ZERO = text("0")


class UsageMeasures:
    """The measured quantities, as columns of both tables."""

    # Jobs that ended, without shards.
    n_jobs: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    # CPU time of all attempts, including those that failed.
    cpu_seconds: Mapped[float] = mapped_column(server_default=ZERO)
    rows_uploaded: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    # Rows of samples, imputations and live rows.
    rows_sampled: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    # Size of all stored files, including files that were deleted later.
    bytes_written: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)


class UsageRecord(UsageMeasures, Base):
    """Usage that has not been added to its day yet. Triggers write the records (migration 0017)."""

    __tablename__ = "usage_records"
    __table_args__ = (Index("usage_records_project_id_day_idx", "project_id", "day"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    day: Mapped[date]


class UsageDay(UsageMeasures, Base):
    """The usage of a project on a day (UTC). It is kept as long as the project exists."""

    __tablename__ = "usage_days"

    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
