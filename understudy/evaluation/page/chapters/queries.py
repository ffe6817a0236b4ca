"""The view model of the chapter on queries: the answers on both tables, with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from understudy.evaluation.metrics.usefulness import QueriesResult
from understudy.evaluation.metrics.usefulness.queries import QueryAnswers, QueryGroupAnswer
from understudy.evaluation.page import elements, formatting
from understudy.evaluation.page.cells import Cell, Noted
from understudy.evaluation.page.charts.whiskers import Estimate, Whiskers, reach, whiskers
from understudy.evaluation.page.elements import Chapter, Head, Measured, Reason, Table, numbers

if TYPE_CHECKING:
    from understudy.evaluation.report import Report

HEADS = (
    Head("Group"),
    *numbers("Real", "Synthetic"),
    Head("Comparison", is_drawn=True),
    *numbers("Error"),
)


@dataclass(frozen=True)
class QueryCard:
    """One query and its answers.

    Parameters
    ----------
    description : str
        The description of the query; empty if it is the same as the name.
    error : str
        The mean error; empty if there is no answer.
    measure : str
        The kind of error.
    reason : str
        The reason why there is no answer; empty if there is one.
    note : str
        The numbers of hidden groups, with the reasons.
    """

    name: str
    description: str
    error: str
    measure: str
    reason: str
    answers: Table
    note: str


@dataclass(frozen=True)
class QueriesView:
    """The score of all queries; if `card` is None, `reasons` contains the reason."""

    reasons: Sequence[Reason]
    card: Measured | None
    queries: Sequence[QueryCard]


def view(report: Report) -> QueriesView | None:
    """Return the answers to each query, or None if there were no queries."""
    if not report.options.queries:
        return None
    reasons = elements.reasons(report, ["queries"])
    scored = elements.scored_result(report, QueriesResult)
    if scored is None:
        return QueriesView(reasons, None, ())
    scores, result = scored
    return QueriesView(reasons, elements.measured(scores), [_query(query) for query in result.queries])


def _query(query: QueryAnswers) -> QueryCard:
    estimates = [_estimates(answer) for answer in query.groups]
    axis = reach(estimates)
    rows = [
        _row(query, answer, whiskers(drawn, axis))
        for answer, drawn in zip(query.groups, estimates, strict=True)
    ]
    return QueryCard(
        name=query.name,
        description=query.description if query.name != query.description else "",
        error="" if query.error is None else _error(query, query.error),
        measure=query.measure,
        reason=query.reason or "",
        answers=Table(HEADS, rows),
        note=_hidden(query),
    )


def _error(query: QueryAnswers, error: float) -> str:
    # A relative error is shown as a percentage. An absolute error is shown as a number.
    return formatting.percent(error) if query.measure == "relative" else formatting.decimal(error)


def _estimates(answer: QueryGroupAnswer) -> list[Estimate]:
    estimates = [Estimate("real", answer.real)]
    if answer.synthetic is not None:
        estimates.append(Estimate("synthetic", answer.synthetic, answer.synthetic_interval))
    return estimates


def _row(query: QueryAnswers, answer: QueryGroupAnswer, drawn: Whiskers) -> list[Cell]:
    synthetic = formatting.NONE if answer.synthetic is None else formatting.number(answer.synthetic)
    interval = ""
    if answer.synthetic_interval is not None:
        interval = " to ".join(formatting.number(end) for end in answer.synthetic_interval)
    return [
        ", ".join(answer.group) or "all rows",
        formatting.number(answer.real),
        Noted(synthetic, interval),
        drawn,
        _error(query, answer.error),
    ]


def _hidden(query: QueryAnswers) -> str:
    notes = [
        f"{formatting.plural(n, 'group', 'groups')} {what}"
        for n, what in (
            (query.n_groups_hidden, "not shown, with fewer than 5 real rows"),
            (query.n_groups_left_out, "not shown, because only the 50 largest groups are listed"),
            (query.n_groups_invented, "in the synthetic rows only"),
        )
        if n
    ]
    return f"{'; '.join(notes)}." if notes else ""


CHAPTER = Chapter("queries", "Queries", view)
