"""Bodies of report summaries; the full report is `understudy.evaluation.report.Report`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field

from app.bodies.base import Body, Json, Page, Timestamp
from understudy import ids
from understudy.evaluation.report import Report

if TYPE_CHECKING:
    from understudy.db import orm


class FailedCheck(Body):
    """A check that a sample did not pass."""

    metric: Annotated[str, Field(examples=["membership_distance"])]
    outcome: Annotated[str, Field(description="Outcome of the check: `fail`, `warn` or `inconclusive`.")]
    sentence: str


class VerdictSummary(Body):
    """Summary of a report's verdict."""

    outcome: Annotated[Literal["pass", "warn", "fail"], Field(examples=["pass"])]
    sentence: str
    policy: Annotated[str, Field(examples=["standard"])]
    policy_version: str
    checks: Annotated[
        list[FailedCheck], Field(description="Checks with the outcome `fail`, `warn` or `inconclusive`.")
    ]


class ComparedTables(Body):
    """Names of a real and a synthetic table that a report compares."""

    real: Annotated[str, Field(examples=["flights"])]
    synthetic: Annotated[str, Field(examples=["flights"])]


class ReportSummary(Body):
    """Summary of a report. `GET /v1/reports/{report_id}` returns all scores."""

    id: Annotated[str, Field(examples=["rpt_01kaz7p4s8h6y0b4c2e7f9g1jk"])]
    dataset_id: Annotated[str, Field(description="ID of the real dataset.")]
    synthetic_dataset_id: Annotated[str, Field(description="ID of the synthetic dataset.")]
    tables: Annotated[list[ComparedTables], Field(description="Pairs of compared tables.")]
    job_id: str
    verdict: Annotated[VerdictSummary | None, Field(description="Verdict under the requested policy.")] = None
    summary: Annotated[Json, Field(description="Scores of the most important metrics.")]
    labels: dict[str, str]
    created_at: Timestamp

    @classmethod
    def of(cls, row: orm.Report) -> Self:
        """Return the response body for a database row."""
        return cls(
            id=ids.to_text("report", row.id),
            dataset_id=ids.to_text("dataset", row.dataset_id),
            synthetic_dataset_id=ids.to_text("dataset", row.synthetic_dataset_id),
            tables=[ComparedTables(**pair) for pair in row.tables],
            job_id=ids.to_text("job", row.job_id),
            verdict=None if row.verdict is None else VerdictSummary(**row.verdict),
            summary=row.summary,
            labels=row.labels,
            created_at=row.created_at,
        )


class EvaluationReport(Report):
    """A stored report with all its scores."""

    id: Annotated[str, Field(examples=["rpt_01kaz7p4s8h6y0b4c2e7f9g1jk"])]
    dataset_id: Annotated[str, Field(description="ID of the real dataset.")]
    synthetic_dataset_id: Annotated[str, Field(description="ID of the synthetic dataset.")]
    job_id: Annotated[str, Field(description="ID of the job that created the report.")]
    labels: dict[str, str]
    created_at: Timestamp


class ReportPage(Page):
    """A page of reports, newest first."""

    data: list[ReportSummary]
