"""The view model of the summary: all scores with their baselines, grouped by topic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from understudy.evaluation.metrics.base import Topic, UnscoredResult
from understudy.evaluation.page import formatting
from understudy.evaluation.page.charts.scale import Scale, draw_scale, others
from understudy.evaluation.page.elements import About, Chapter, about
from understudy.evaluation.scores import MetricScores
from understudy.evaluation.verdict import Outcome

if TYPE_CHECKING:
    from understudy.evaluation.report import Report

TOPICS: dict[Topic, tuple[str, str]] = {
    "fidelity": ("Fidelity", "How similar are the synthetic rows to the real rows?"),
    "usefulness": ("Usefulness", "Can the synthetic rows replace the real rows in models and queries?"),
    "bias": ("Bias and fairness", "Do the synthetic rows add inequality between groups?"),
    "privacy": ("Privacy", "Do the synthetic rows reveal information about the training rows?"),
}


@dataclass(frozen=True)
class Scored:
    """The score of a metric and its baselines."""

    value: str
    interval: str
    scale: Scale
    references: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class MetricRow:
    """One metric. `reason` explains a missing score and is empty otherwise."""

    title: str
    summary: str
    about: About
    outcome: Outcome | None
    scored: Scored | None
    reason: str


@dataclass(frozen=True)
class TopicTable:
    """The metrics of one topic."""

    title: str
    question: str
    rows: Sequence[MetricRow]


@dataclass(frozen=True)
class SummaryView:
    """One table per topic."""

    topics: Sequence[TopicTable]


def view(report: Report) -> SummaryView:
    """Return one table for each topic that has metrics."""
    outcomes = report.verdict.outcomes()
    tables = [
        TopicTable(
            title,
            question,
            [_row(scores, outcomes.get(scores.name)) for scores in report.metrics if scores.topic == topic],
        )
        for topic, (title, question) in TOPICS.items()
    ]
    return SummaryView([table for table in tables if table.rows])


def _row(scores: MetricScores, outcome: Outcome | None) -> MetricRow:
    result = scores.synthetic
    if isinstance(result, UnscoredResult):
        return MetricRow(scores.title, scores.summary, about(scores), outcome, None, result.reason)
    scored = Scored(
        value=formatting.score(result.score, scores.name),
        interval=formatting.half_width(result.interval),
        scale=draw_scale(scores),
        references=[
            (label, formatting.score(value, scores.name)) for label, value in _baselines(scores).items()
        ],
    )
    return MetricRow(scores.title, scores.summary, about(scores), outcome, scored, "")


def _baselines(scores: MetricScores) -> dict[str, float | None]:
    drawn = others(scores)
    return {
        "Real rows": None if scores.floor is None else scores.floor.score,
        "Independent": drawn["independent"],
        "Noisy copy": drawn["leak"],
    }


CHAPTER = Chapter("summary", "Summary", view)
