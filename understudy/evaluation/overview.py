"""Summaries of a report: a table with one row per score, and a short text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from understudy.evaluation.metrics.base import Topic, UnscoredResult
from understudy.evaluation.scores import MetricScores
from understudy.evaluation.verdict import Verdict

FRAME_NUMBERS = (
    "value",
    "interval_low",
    "interval_high",
    "real",
    "independent",
    "noisy_copy",
    "best",
)


class SummaryRow(BaseModel):
    """The score of one metric and its baselines."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    label: str
    topic: Topic
    value: float | None
    interval: tuple[float, float] | None = None
    independent: float | None
    leak: float | None
    real: float | None
    best: float
    explanation: str
    reason: Annotated[str | None, Field(description="Reason for a missing value.")] = None


def summary_row(scores: MetricScores) -> SummaryRow:
    """Return the score of a metric and its baselines as one row."""
    result = scores.synthetic
    return SummaryRow(
        name=scores.name,
        label=scores.title,
        topic=scores.topic,
        value=result.score,
        interval=None if isinstance(result, UnscoredResult) else result.interval,
        independent=None if scores.independent is None else scores.independent.score,
        leak=None if scores.leak is None else scores.leak.score,
        real=None if scores.floor is None else scores.floor.score,
        best=scores.best,
        explanation=scores.summary,
        reason=result.reason if isinstance(result, UnscoredResult) else None,
    )


def frame_rows(metrics: Sequence[MetricScores], verdict: Verdict) -> list[dict[str, Any]]:
    """Return the rows for `Report.to_frame`, with their values in column order."""
    outcomes = verdict.outcomes()
    return [
        _frame_row(summary_row(scores), scores.direction, outcomes.get(scores.name)) for scores in metrics
    ]


def _frame_row(row: SummaryRow, direction: str, outcome: str | None) -> dict[str, Any]:
    low, high = row.interval or (None, None)
    return {
        "topic": row.topic,
        "name": row.name,
        "title": row.label,
        "value": row.value,
        "interval_low": low,
        "interval_high": high,
        "real": row.real,
        "independent": row.independent,
        "noisy_copy": row.leak,
        "best": row.best,
        "direction": direction,
        "outcome": outcome,
        "reason": row.reason,
    }


def describe(
    metrics: Sequence[MetricScores], verdict: Verdict, n_rows: Mapping[str, int], *, n_columns: int
) -> str:
    """Return the verdict, the sizes and the checks that did not pass as a few lines of text."""
    n_scored = sum(not isinstance(scores.synthetic, UnscoredResult) for scores in metrics)
    sizes = ", ".join(f"{n:,} {role} rows" for role, n in n_rows.items())
    lines = [
        f"Report: {verdict.outcome.upper()} under the policy {verdict.policy}",
        f"  {sizes}, {n_columns:,} columns; {n_scored} of {len(metrics)} metrics scored",
    ]
    for outcome in ("fail", "inconclusive", "warn"):
        titles = [check.title for check in verdict.checks if check.outcome == outcome]
        lines += [f"  {outcome}: {', '.join(titles)}"] if titles else []
    return "\n".join([*lines, "  Details: .to_frame(), .save('report.html')"])
