"""Rows of reports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import delete as delete_rows
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from understudy import ids
from understudy.db import pages
from understudy.db.jobs import MakingJob
from understudy.db.orm import Report
from understudy.db.pages import ANY_TIME, CreatedBetween
from understudy.errors import NotFound

Json = dict[str, Any]


@dataclass(frozen=True)
class ReportFilters:
    """Filters for listing reports. `dataset_id` matches the real or the synthetic dataset.

    Fields that are None or empty have no effect.
    """

    dataset_id: UUID | None = None
    labels: Mapping[str, str] | None = None
    created: CreatedBetween = ANY_TIME


@dataclass(frozen=True)
class NewReport:
    """A new report from an `evaluate` job.

    Parameters
    ----------
    tables : list of Json
        Pairs of compared tables: {"real": name, "synthetic": name}.
    """

    dataset_id: UUID
    synthetic_dataset_id: UUID
    tables: list[Json]
    summary: Json
    verdict: Json


def add(session: Session, job: MakingJob, new: NewReport) -> Report:
    """Add a report."""
    report = Report(
        id=ids.new_id(), project_id=job.project_id, job_id=job.id, labels=dict(job.labels), **vars(new)
    )
    session.add(report)
    session.flush()
    return report


def get(session: Session, project_id: UUID, report_id: UUID) -> Report:
    """Return a report, or raise `NotFound`."""
    report = session.scalar(select(Report).where(Report.id == report_id, Report.project_id == project_id))
    if report is None:
        raise NotFound(
            f"Report {ids.to_text('report', report_id)} does not exist in this project. "
            "Check the ID and the project of the API key."
        )
    return report


def lock(session: Session, project_id: UUID, report_id: UUID) -> Report:
    """Lock and return a report, or raise `NotFound`."""
    report = get(session, project_id, report_id)
    session.refresh(report, with_for_update=True)
    return report


def set_labels(session: Session, report: Report, labels: Mapping[str, str]) -> None:
    """Replace the labels of a locked report."""
    report.labels = dict(labels)
    session.flush()


def of_job(session: Session, project_id: UUID, job_id: UUID) -> UUID | None:
    """Return the ID of the report that a job created, if it exists."""
    return session.scalar(select(Report.id).where(Report.project_id == project_id, Report.job_id == job_id))


def page(
    session: Session,
    project_id: UUID,
    *,
    filters: ReportFilters | None = None,
    after: UUID | None = None,
    limit: int = 50,
) -> pages.Page[Report, UUID]:
    """Return reports, newest first."""
    filters = filters or ReportFilters()
    statement = select(Report).where(Report.project_id == project_id)
    if filters.dataset_id is not None:
        statement = statement.where(_is_about([filters.dataset_id]))
    if filters.labels:
        statement = statement.where(Report.labels.contains(dict(filters.labels)))
    statement = filters.created.narrow(statement, Report.created_at)
    return pages.newest_first(session, statement, Report.id, after=after, limit=limit)


def about(session: Session, project_id: UUID, dataset_ids: Iterable[UUID]) -> list[Report]:
    """Lock and return the reports that use any of these datasets as the real or synthetic dataset."""
    statement = select(Report).where(Report.project_id == project_id, _is_about(list(dataset_ids)))
    return list(session.scalars(statement.with_for_update()))


def delete(session: Session, project_id: UUID, report_ids: Iterable[UUID]) -> None:
    """Delete reports."""
    session.execute(
        delete_rows(Report).where(Report.project_id == project_id, Report.id.in_(list(report_ids)))
    )


def _is_about(dataset_ids: list[UUID]) -> Any:  # `Any` is an SQL condition.
    return or_(Report.dataset_id.in_(dataset_ids), Report.synthetic_dataset_id.in_(dataset_ids))
