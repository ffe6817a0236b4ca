"""What every chapter is built of: sections, cards, tables, legends, and a score with its references."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from understudy.evaluation.metrics.base import MetricResult, UnscoredResult
from understudy.evaluation.page import formatting
from understudy.evaluation.page.charts import marks, scale
from understudy.evaluation.page.formatting import escape
from understudy.evaluation.report import Report
from understudy.evaluation.scores import MetricScores

R = TypeVar("R", bound=MetricResult)

N_ROWS_OPEN = 12
N_HEADS_NARROW = 3


@dataclass(frozen=True)
class Chapter:
    """A part of the page.

    Parameters
    ----------
    name : str
        The anchor.
    link : str
        What leads to it: a word or two.
    draw : callable (Report) -> str
        Its HTML; empty where there is nothing to say.
    """

    name: str
    link: str
    draw: Callable[[Report], str]


@dataclass(frozen=True)
class Head:
    """The head of a column of a table: numbers are set to the right; drawings say nothing but their look."""

    text: str
    is_number: bool = False
    is_drawn: bool = False


def section(name: str, title: str, lead: str, body: str) -> str:
    """Return a chapter; everything has to be safe already."""
    said = f'<p class="lead">{lead}</p>' if lead else ""
    return (
        f'<section id="{name}" aria-labelledby="{name}-title"><h2 id="{name}-title">{title}</h2>'
        f"{said}{body}</section>"
    )


def card(body: str, *, title: str = "", kind: str = "") -> str:
    """Return a box, with a title of the third level where one is given."""
    head = f"<h3>{title}</h3>" if title else ""
    return f'<div class="{f"card {kind}".strip()}">{head}{body}</div>'


def halves(cards: Iterable[str]) -> str:
    """Return cards beside each other, where there is room."""
    shown = [one for one in cards if one]
    return f'<div class="halves">{"".join(shown)}</div>' if shown else ""


def table(
    caption: str,
    heads: Sequence[Head],
    rows: Sequence[Sequence[str]],
    *,
    is_hidden: bool = False,
) -> str:
    """Return a table whose first cells are heads of their rows.

    On a narrow screen the rows of a table of many columns become lists; one of few columns scrolls inside
    itself.

    Parameters
    ----------
    is_hidden : bool
        Whether only those hear the caption who cannot see the page.
    """
    kind = "scroll stacks" if len(heads) > N_HEADS_NARROW else "scroll"
    tops = "".join(f'<th scope="col"{_kind(head)}>{head.text}</th>' for head in heads)
    body = "".join(_row(heads, row) for row in rows)
    caption_kind = ' class="visually-hidden"' if is_hidden else ""
    return (
        f'<div class="{kind}" tabindex="0" role="group" aria-label="{_plain(caption)}">'
        f"<table><caption{caption_kind}>{caption}</caption><thead><tr>{tops}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )


def _plain(text: str) -> str:
    """Return HTML without its tags, for an attribute."""
    return re.sub("<[^>]*>", "", text)


def _row(heads: Sequence[Head], row: Sequence[str]) -> str:
    cells = "".join(
        f'<td{_kind(head)} data-label="{_plain(head.text)}">{cell}</td>'
        for head, cell in zip(heads[1:], row[1:], strict=True)
    )
    return f'<tr><th scope="row">{row[0]}</th>{cells}</tr>'


def _kind(head: Head) -> str:
    if head.is_drawn:
        return ' class="drawn"'
    return ' class="right number"' if head.is_number else ""


def long_table(
    caption: str, heads: Sequence[Head], rows: Sequence[Sequence[str]], rest: str, *, is_hidden: bool = False
) -> str:
    """Return a table whose later rows have to be unfolded."""
    shown = table(caption, heads, rows[:N_ROWS_OPEN], is_hidden=is_hidden)
    hidden = rows[N_ROWS_OPEN:]
    if not hidden:
        return shown
    folded = table(f"{caption}, continued", heads, hidden, is_hidden=True)
    return shown + details(f"{len(hidden)} more {rest}", folded)


def details(summary: str, body: str) -> str:
    """Return what is folded away until somebody asks for it."""
    return f"<details><summary>{summary}</summary>{body}</details>"


def beside(main: str, others: Iterable[str]) -> str:
    """Return a card, and to its right, where there is room, a column of others."""
    return f'<div class="part">{main}<div class="stack">{"".join(others)}</div></div>'


def legend(items: Iterable[tuple[str, str]]) -> str:
    """Return marks and what they stand for."""
    return f'<ul class="legend">{"".join(f"<li>{mark}{text}</li>" for mark, text in items)}</ul>'


def name(column: str) -> str:
    """Return the name of a column."""
    return f'<span class="name">{escape(column)}</span>'


def unscored(result: object) -> str:
    """Return why there is no score."""
    reason = escape(result.reason) if isinstance(result, UnscoredResult) else "no such score in this report"
    return f'<p class="muted">Not scored: {reason}.</p>'


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


def reasons(report: Report, metrics: Iterable[str]) -> str:
    """Return which of some metrics could not be scored, and why; nothing if all were."""
    missing = [
        (scores.title, scores.synthetic)
        for scores in (scores_of(report, metric) for metric in metrics)
        if scores is not None and isinstance(scores.synthetic, UnscoredResult)
    ]
    items = "".join(f"<li>{escape(title)}: {escape(result.reason)}</li>" for title, result in missing)
    return f'<div class="not-scored small"><p>Not scored:</p><ul>{items}</ul></div>' if items else ""


def value(scores: MetricScores) -> str:
    """Return a score large, and how sure it is."""
    result = scores.synthetic
    if isinstance(result, UnscoredResult):
        return unscored(result)
    sure = ""
    if result.interval is not None:
        low, high = (formatting.score(end, scores.name) for end in result.interval)
        sure = f'<span class="muted small">95 % interval {low} to {high}</span>'
    shown = formatting.score(result.score, scores.name)
    return f'<p class="value-line"><span class="big">{shown}</span>{sure}</p>'


def measured(scores: MetricScores, body: str = "", *, text: str | None = None) -> str:
    """Return a card of one metric: its score, the scale with its references, what it says, and more.

    Parameters
    ----------
    text : str, optional
        Safe HTML in place of the metric's own summary.
    """
    said = f"<p>{escape(scores.summary) if text is None else text}</p>"
    if isinstance(scores.synthetic, UnscoredResult):
        return card(unscored(scores.synthetic) + said, title=escape(scores.title), kind="stack-text")
    drawn = f'<div class="scale">{scale.draw(scores)}</div>'
    return card(f"{value(scores)}{drawn}{said}{body}", title=escape(scores.title), kind="stack-text")


def scale_legend() -> str:
    """Return what the marks on a scale stand for."""
    return legend(
        (
            (marks.drawn(marks.dot(8, 8), 16), "synthetic rows, the line is the 95 % interval"),
            (
                marks.drawn(marks.band(2, 20, 8) + marks.post(11, 8), 22),
                "fresh real rows, and their band",
            ),
            (marks.drawn(marks.diamond(8, 8), 16), "independent columns"),
            (marks.drawn(marks.cross(8, 8), 16), "noisy copy of the training rows"),
        )
    )
