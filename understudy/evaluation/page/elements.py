"""What the chapters are built of: tables, scores on their scales, and reasons why there is no score."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypeVar

from understudy.evaluation.metrics import METRICS
from understudy.evaluation.metrics.base import MetricResult, UnscoredResult
from understudy.evaluation.page import formatting
from understudy.evaluation.page.cells import Cell
from understudy.evaluation.page.charts.scale import Scale, draw_scale
from understudy.evaluation.scores import MetricScores

if TYPE_CHECKING:
    from understudy.evaluation.report import Report

R = TypeVar("R", bound=MetricResult)


@dataclass(frozen=True)
class Chapter:
    """A part of the page, drawn by the template of its name.

    Parameters
    ----------
    name : str
        The anchor, and the name of the template.
    link : str
        The text of the link to it: a word or two.
    view : callable (Report) -> dataclass or None
        What its template shows; None if the report has nothing for this chapter.
    """

    name: str
    link: str
    view: Callable[[Report], object | None]


@dataclass(frozen=True)
class Head:
    """The head of a column of a table.

    Parameters
    ----------
    is_number : bool
        Whether the column is aligned to the right.
    is_drawn : bool
        Whether the column holds drawings.
    is_hidden : bool
        Whether only screen readers read it.
    """

    text: str
    is_number: bool = False
    is_drawn: bool = False
    is_hidden: bool = False

    @property
    def look(self) -> str:
        """The classes of the column's cells."""
        if self.is_drawn:
            return "drawn"
        return "right number" if self.is_number else ""


@dataclass(frozen=True)
class Table:
    """A table whose first cells are the heads of their rows."""

    # Later rows of a long table are folded away.
    N_ROWS_OPEN: ClassVar[int] = 12
    N_HEADS_NARROW: ClassVar[int] = 3

    heads: Sequence[Head]
    rows: Sequence[Sequence[Cell]]

    @property
    def is_wide(self) -> bool:
        """Whether its rows become lists on a narrow screen; a narrow table scrolls instead."""
        return len(self.heads) > self.N_HEADS_NARROW


@dataclass(frozen=True)
class About:
    """The source of a metric, and the address of its documentation; both may be empty."""

    source: str
    documentation: str


@dataclass(frozen=True)
class Measured:
    """A score on its scale, for a card of its own."""

    title: str
    about: About
    summary: str
    score: str
    interval: tuple[str, str] | None
    scale: Scale


@dataclass(frozen=True)
class Reason:
    """Why a metric has no score."""

    title: str
    text: str


def numbers(*titles: str) -> tuple[Head, ...]:
    """Return the heads of columns of numbers."""
    return tuple(Head(title, is_number=True) for title in titles)


def scores_of(report: Report, metric: str) -> MetricScores | None:
    """Return a metric's scores, if the report has it."""
    return next((scores for scores in report.metrics if scores.name == metric), None)


def found(report: Report, kind: type[R]) -> tuple[MetricScores, R] | None:
    """Return the scores and the result of a metric whose results are of this kind, if it was scored."""
    metric = kind.model_fields["metric"].default
    scores = scores_of(report, metric)
    if scores is None or not isinstance(scores.synthetic, kind):
        return None
    return scores, scores.synthetic


def about(scores: MetricScores) -> About:
    """Return where a metric is defined and documented.

    Nothing is known of a metric of a later version.
    """
    metric = METRICS.get(scores.name)
    return About("", "") if metric is None else About(metric.source, metric.documentation)


def reasons(report: Report, metrics: Iterable[str]) -> tuple[Reason, ...]:
    """Return which of some metrics could not be scored, and why."""
    listed = [scores for metric in metrics if (scores := scores_of(report, metric)) is not None]
    return tuple(
        Reason(scores.title, scores.synthetic.reason)
        for scores in listed
        if isinstance(scores.synthetic, UnscoredResult)
    )


def measured(scores: MetricScores) -> Measured:
    """Return the card of a metric that was scored."""
    result = scores.synthetic
    assert not isinstance(result, UnscoredResult)
    interval = None
    if result.interval is not None:
        low, high = (formatting.score(end, scores.name) for end in result.interval)
        interval = (low, high)
    return Measured(
        title=scores.title,
        about=about(scores),
        summary=scores.summary,
        score=formatting.score(result.score, scores.name),
        interval=interval,
        scale=draw_scale(scores),
    )
