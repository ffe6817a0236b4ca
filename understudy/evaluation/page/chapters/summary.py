"""Every score on a scale with its references, by topic."""

from __future__ import annotations

from understudy.evaluation.metrics.base import Topic, UnscoredResult
from understudy.evaluation.page import elements, formatting
from understudy.evaluation.page.charts import marks, scale
from understudy.evaluation.page.elements import Chapter
from understudy.evaluation.page.formatting import escape
from understudy.evaluation.report import Report
from understudy.evaluation.scores import MetricScores
from understudy.evaluation.verdict import Outcome

TOPICS: dict[Topic, tuple[str, str]] = {
    "fidelity": ("Fidelity", "Do the synthetic rows say what the real ones say?"),
    "usefulness": ("Usefulness", "Can the synthetic rows do the work of the real ones?"),
    "bias": ("Bias", "Are groups of people treated as in the real rows, or worse?"),
    "privacy": ("Privacy", "Do the synthetic rows tell on those whose rows were learnt from?"),
}
LEAD = (
    "Read each score against three others of the same data. <em>Fresh real rows</em> show what chance alone "
    "takes away: no table can be expected to do better. <em>Independent columns</em> are drawn without "
    "learning a single relation: any tool can do this. A <em>noisy copy</em> of the training rows is as "
    "faithful as can be, and protects nobody. Further right is always better. There is no single grade: "
    "which scores matter depends on what the data are for."
)


def draw(report: Report) -> str:
    """Return one table a topic."""
    outcomes = _worst_outcomes(report)
    tables = "".join(
        _topic(title, question, [scores for scores in report.metrics if scores.topic == topic], outcomes)
        for topic, (title, question) in TOPICS.items()
    )
    return elements.section("summary", "At a glance", LEAD, elements.scale_legend() + tables)


def _worst_outcomes(report: Report) -> dict[str, Outcome]:
    """Return what the policy says of each metric that it names."""
    order: tuple[Outcome, ...] = ("unscored", "pass", "warn", "inconclusive", "fail")
    ranked = sorted(report.verdict.checks, key=lambda check: order.index(check.outcome))
    return {check.metric: check.outcome for check in ranked}


def _topic(title: str, question: str, metrics: list[MetricScores], outcomes: dict[str, Outcome]) -> str:
    if not metrics:
        return ""
    rows = "".join(_row(scores, outcomes.get(scores.name)) for scores in metrics)
    heads = "".join(
        f'<th scope="col"{kind}>{text}</th>'
        for text, kind in (
            ("Score", ""),
            ("Synthetic", ""),
            ("Worse&ensp;→&ensp;better", ""),
            ("Fresh real", ' class="right"'),
            ("Independent", ' class="right"'),
            ("Noisy copy", ' class="right"'),
        )
    )
    return elements.card(
        f'<table class="summary"><caption>{title}<span>{question}</span></caption>'
        f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>",
        kind="topic",
    )


def _row(scores: MetricScores, outcome: Outcome | None) -> str:
    mark = "" if outcome is None else marks.outcome(outcome)
    head = (
        f'<th scope="row">{escape(scores.title)} {mark}'
        f'<span class="explained">{escape(scores.summary)}</span></th>'
    )
    result = scores.synthetic
    if isinstance(result, UnscoredResult):
        return f'<tr>{head}<td colspan="5" class="reason muted">Not scored: {escape(result.reason)}</td></tr>'
    half = "" if result.interval is None else f'<div class="small muted">{_half(result.interval)}</div>'
    cells = "".join(
        f'<td class="right number reference" data-label="{label}">{formatting.score(value, scores.name)}</td>'
        for label, value in _references(scores).items()
    )
    return (
        f'<tr>{head}<td data-label="Synthetic" class="found"><div class="value number">'
        f"{formatting.score(result.score, scores.name)}</div>{half}</td>"
        f'<td class="strip">{scale.draw(scores)}</td>{cells}</tr>'
    )


def _references(scores: MetricScores) -> dict[str, float | None]:
    others = scale.others(scores)
    return {
        "Fresh real": None if scores.floor is None else scores.floor.score,
        "Independent": others["independent"],
        "Noisy copy": others["leak"],
    }


def _half(interval: tuple[float, float]) -> str:
    half = (interval[1] - interval[0]) / 2
    return f"± {half:.3f}" if half >= 0.0005 else "± &lt; 0.001"


CHAPTER = Chapter("summary", "Summary", draw)
