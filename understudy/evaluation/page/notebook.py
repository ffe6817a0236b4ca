"""The report as an HTML table for notebooks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from understudy.evaluation.page import formatting
from understudy.evaluation.page.environment import render
from understudy.evaluation.page.outcomes import WORDS

if TYPE_CHECKING:
    from understudy.evaluation.overview import SummaryRow
    from understudy.evaluation.report import Report


@dataclass(frozen=True)
class NotebookRow:
    """One metric. `reason` explains a missing score and is empty otherwise."""

    title: str
    topic: str
    outcome: str
    numbers: tuple[str, ...]
    reason: str


def render_notebook(report: Report) -> str:
    """Return the verdict and the scores as HTML that inherits the colors of the notebook."""
    outcomes = report.verdict.outcomes()
    return render(
        "notebook.html",
        outcome=WORDS[report.verdict.outcome],
        sentence=report.verdict.sentence,
        policy=report.verdict.policy,
        rows=[
            _row(row, WORDS[outcomes[row.name]] if row.name in outcomes else "") for row in report.summary()
        ],
    )


def _row(row: SummaryRow, outcome: str) -> NotebookRow:
    interval = ""
    if row.interval is not None:
        interval = " to ".join(formatting.score(end, row.name) for end in row.interval)
    baselines = (formatting.score(score, row.name) for score in (row.real, row.independent, row.leak))
    return NotebookRow(
        title=row.label,
        topic=row.topic.capitalize(),
        outcome=outcome,
        numbers=(
            formatting.score(row.value, row.name),
            interval,
            *baselines,
            formatting.score(row.best, row.name),
        ),
        reason=row.reason or "",
    )
