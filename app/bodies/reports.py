"""Bodies of reports; the report itself is `understudy.evaluation.report.Report`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field

from app.bodies.base import Body, Json, Page, Timestamp
from understudy import ids

if TYPE_CHECKING:
    from understudy.db import orm


class FailedCheck(Body):
    """A check that a sample did not pass."""

    metric: Annotated[str, Field(examples=["membership_distance"])]
    outcome: Annotated[str, Field(description="`fail`, `warn` or `inconclusive`.")]
    sentence: str


class VerdictSummary(Body):
    """A report's verdict, in short."""

    outcome: Annotated[Literal["pass", "warn", "fail"], Field(examples=["pass"])]
    sentence: str
    policy: Annotated[str, Field(examples=["standard"])]
    policy_version: str
    checks: Annotated[list[FailedCheck], Field(description="Those that ask for a closer look.")]


class ComparedTables(Body):
    """A real and a synthetic table that a report compares."""

    real: Annotated[str, Field(examples=["flights"])]
    synthetic: Annotated[str, Field(examples=["flights"])]


class ReportSummary(Body):
    """Scores of a synthetic against a real dataset, in short; `GET /v1/reports/{id}` has all."""

    id: Annotated[str, Field(examples=["rpt_01kaz7p4s8h6y0b4c2e7f9g1jk"])]
    dataset_id: Annotated[str, Field(description="The real dataset.")]
    synthetic_dataset_id: str
    tables: Annotated[list[ComparedTables], Field(description="The tables that are compared.")]
    job_id: str
    verdict: Annotated[VerdictSummary | None, Field(description="By the policy that was asked for.")] = None
    summary: Annotated[Json, Field(description="The headline scores.")]
    created_at: Timestamp

    @classmethod
    def of(cls, row: orm.Report) -> Self:
        """Return the body of a row."""
        return cls(
            id=ids.to_text("report", row.id),
            dataset_id=ids.to_text("dataset", row.dataset_id),
            synthetic_dataset_id=ids.to_text("dataset", row.synthetic_dataset_id),
            tables=[ComparedTables(**pair) for pair in row.tables],
            job_id=ids.to_text("job", row.job_id),
            verdict=None if row.verdict is None else VerdictSummary(**row.verdict),
            summary=row.summary,
            created_at=row.created_at,
        )


class ReportPage(Page):
    """A page of reports, newest first."""

    data: list[ReportSummary]
