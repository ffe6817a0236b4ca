"""The building blocks of chapters: tables, metric cards, and reasons for missing scores."""

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
    """A section of the page, rendered by the template of the same name.

    Parameters
    ----------
    name : str
        The HTML anchor and the name of the template.
    link : str
        The text of the navigation link, one or two words.
    view : callable (Report) -> dataclass or None
        A function that returns the view model of the template, or None if the report has no data for it.
    """

    name: str
    link: str
    view: Callable[[Report], object | None]


@dataclass(frozen=True)
class Head:
    """The header of a table column.

    Parameters
    ----------
    is_number : bool
        Whether the column contains numbers, which are right-aligned.
    is_drawn : bool
        Whether the column contains charts.
    is_hidden : bool
        Whether the header is visible to screen readers only.
    """

    text: str
    is_number: bool = False
    is_drawn: bool = False
    is_hidden: bool = False

    @property
    def look(self) -> str:
        """The CSS classes for the column's cells."""
        if self.is_drawn:
            return "drawn"
        return "right number" if self.is_number else ""


@dataclass(frozen=True)
class Table:
    """A table in which the first cell of each row is the row header."""

    # Number of rows that a long table shows before it is expanded.
    N_ROWS_OPEN: ClassVar[int] = 12
    # Maximum number of columns in a table that scrolls on narrow screens.
    N_HEADS_NARROW: ClassVar[int] = 3

    heads: Sequence[Head]
    rows: Sequence[Sequence[Cell]]

    @property
    def is_wide(self) -> bool:
        """Whether the rows become lists on a narrow screen. Otherwise, the table scrolls."""
        return len(self.heads) > self.N_HEADS_NARROW


@dataclass(frozen=True)
class About:
    """The source of a metric and the URL of its documentation; both can be empty."""

    source: str
    documentation: str


@dataclass(frozen=True)
class Measured:
    """The content of a metric's card: its score, interval and scale."""

    title: str
    about: About
    summary: str
    score: str
    interval: tuple[str, str] | None
    scale: Scale


@dataclass(frozen=True)
class Reason:
    """The reason why a metric has no score."""

    title: str
    text: str


def numbers(*titles: str) -> tuple[Head, ...]:
    """Return the headers of numeric columns."""
    return tuple(Head(title, is_number=True) for title in titles)


def scores_of(report: Report, metric: str) -> MetricScores | None:
    """Return the scores of a metric, or None if the report does not contain it."""
    return next((scores for scores in report.metrics if scores.name == metric), None)


def scored_result(report: Report, kind: type[R]) -> tuple[MetricScores, R] | None:
    """Return the scores and the result of the metric with this result class, or None if it has no score."""
    metric = kind.model_fields["metric"].default
    scores = scores_of(report, metric)
    if scores is None or not isinstance(scores.synthetic, kind):
        return None
    return scores, scores.synthetic


def about(scores: MetricScores) -> About:
    """Return the source and the documentation URL of a metric, or empty strings for unknown metrics."""
    metric = METRICS.get(scores.name)
    return About("", "") if metric is None else About(metric.source, metric.documentation)


def reasons(report: Report, metrics: Iterable[str]) -> tuple[Reason, ...]:
    """Return the reason for each of the given metrics that could not be scored."""
    listed = [scores for metric in metrics if (scores := scores_of(report, metric)) is not None]
    return tuple(
        Reason(scores.title, scores.synthetic.reason)
        for scores in listed
        if isinstance(scores.synthetic, UnscoredResult)
    )


def measured(scores: MetricScores) -> Measured:
    """Return the card content of a metric that was scored."""
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
