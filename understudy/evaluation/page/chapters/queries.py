"""The caller's queries: the answers of both tables, and how sure they are."""

from __future__ import annotations

from understudy.evaluation.metrics.usefulness import QueriesResult
from understudy.evaluation.metrics.usefulness.queries import QueryAnswers, QueryGroupAnswer
from understudy.evaluation.page import elements, formatting
from understudy.evaluation.page.charts import bars
from understudy.evaluation.page.charts.bars import Estimate
from understudy.evaluation.page.elements import Chapter, Head
from understudy.evaluation.page.formatting import escape
from understudy.evaluation.report import Report

TITLE = "Your queries"
LEAD = (
    "The questions that were named for this report, answered on both tables. Counts and sums are scaled to "
    "the size of the real table. The line around a dot is the 95 % interval, were the synthetic rows a "
    "random sample; the square is the real answer."
)
HEADS = (
    Head("Group"),
    Head("Real", is_number=True),
    Head("Synthetic", is_number=True),
    Head("Both on one axis", is_drawn=True),
    Head("Error", is_number=True),
)


def draw(report: Report) -> str:
    """Return each query's answers; nothing where none was asked."""
    if not report.options.queries:
        return ""
    found = elements.found(report, QueriesResult)
    if found is None:
        return elements.section("queries", TITLE, LEAD, elements.reasons(report, ["queries"]))
    scores, result = found
    cards = [_query(one) for one in result.queries]
    return elements.section("queries", TITLE, LEAD, elements.beside(elements.measured(scores), cards))


def _query(query: QueryAnswers) -> str:
    is_named = query.name != query.description
    said = f'<p class="small muted">{escape(query.description)}</p>' if is_named else ""
    if query.error is None:
        return elements.card(
            f"{said}<p>No answer: {escape(query.reason or '')}.</p>", title=escape(query.name)
        )
    mean = (
        f'<p>Mean error <strong class="number">{_error(query, query.error)}</strong> '
        f'<span class="muted">{query.measure}</span></p>'
    )
    estimates = [_estimates(one) for one in query.groups]
    axis = bars.reach(estimates)
    rows = [
        _row(query, one, bars.whiskers(drawn, axis))
        for one, drawn in zip(query.groups, estimates, strict=True)
    ]
    table = elements.long_table(f"Answers: {escape(query.name)}", HEADS, rows, "groups", is_hidden=True)
    return elements.card(f"{said}{mean}{table}{_hidden(query)}", title=escape(query.name), kind="query")


def _error(query: QueryAnswers, error: float) -> str:
    # Only a relative error is a part of something.
    return formatting.percent(error) if query.measure == "relative" else formatting.decimal(error)


def _estimates(answer: QueryGroupAnswer) -> list[Estimate]:
    found = [Estimate("real", answer.real)]
    if answer.synthetic is not None:
        found.append(Estimate("synthetic", answer.synthetic, answer.synthetic_interval))
    return found


def _row(query: QueryAnswers, answer: QueryGroupAnswer, drawn: str) -> list[str]:
    synthetic = formatting.NONE if answer.synthetic is None else formatting.number(answer.synthetic)
    if answer.synthetic_interval is not None:
        low, high = (formatting.number(end) for end in answer.synthetic_interval)
        synthetic += f'<br><span class="small muted">{low} to {high}</span>'
    return [
        escape(", ".join(answer.group)) or "all rows",
        formatting.number(answer.real),
        synthetic,
        drawn,
        _error(query, answer.error),
    ]


def _hidden(query: QueryAnswers) -> str:
    notes = [
        f"{formatting.count(n)} {'group' if n == 1 else 'groups'} {what}"
        for n, what in (
            (query.n_groups_hidden, "of fewer than 5 real rows: not shown"),
            (query.n_groups_left_out, "beyond the largest 50: not shown"),
            (query.n_groups_invented, "only among the synthetic rows"),
        )
        if n
    ]
    return f'<p class="small muted">{"; ".join(notes)}.</p>' if notes else ""


CHAPTER = Chapter("queries", "Queries", draw)
