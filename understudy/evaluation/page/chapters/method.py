"""The view model of the method chapter: sizes, rows, seed and versions for reproducible reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from understudy.evaluation.metrics.base import UnscoredResult
from understudy.evaluation.page import formatting
from understudy.evaluation.page.cells import Cell, Styled
from understudy.evaluation.page.elements import Chapter, Head, Table, numbers
from understudy.evaluation.scores import MetricScores
from understudy.evaluation.statistics.distributions import N_ROWS_SHOWN_MIN

if TYPE_CHECKING:
    from understudy.evaluation.report import Report


@dataclass(frozen=True)
class MethodView:
    """The sizes of the tables, the rows used by each metric, and the settings of the report."""

    sizes: Table
    used: Table
    n_rows_shown_min: int
    seed: int
    versions: str
    schema_version: str


def view(report: Report) -> MethodView:
    """Return the view model of the method."""
    sizes = [
        [
            role.capitalize(),
            formatting.count(size.n_rows),
            formatting.count(size.n_rows_used),
            formatting.NONE if size.n_subjects is None else formatting.count(size.n_subjects),
        ]
        for role, size in report.tables.items()
    ]
    used = [[scores.title, Styled(scores.name, "code"), _rows_used(scores)] for scores in report.metrics]
    return MethodView(
        sizes=Table((Head("Table"), *numbers("Rows", "Rows used", "Subjects")), sizes),
        used=Table((Head("Metric"), Head("Name"), Head("Rows")), used),
        n_rows_shown_min=N_ROWS_SHOWN_MIN,
        seed=report.seed,
        versions=", ".join(f"{name} {number}" for name, number in report.versions.items()),
        schema_version=report.schema_version,
    )


def _rows_used(scores: MetricScores) -> Cell:
    if isinstance(scores.synthetic, UnscoredResult):
        return Styled(f"not scored: {scores.synthetic.reason}", "muted")
    used = [f"{formatting.count(n)} {role.replace('_', ' ')}" for role, n in scores.synthetic.n_rows.items()]
    subjects = [f"{formatting.count(n)} {role} subjects" for role, n in scores.synthetic.n_subjects.items()]
    return ", ".join(used + subjects)


CHAPTER = Chapter("method", "Method", view)
