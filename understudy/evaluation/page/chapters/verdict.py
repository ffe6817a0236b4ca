"""The verdict: what a policy says of the report, and each of its checks."""

from __future__ import annotations

from collections.abc import Sequence

from understudy.evaluation.page import elements, formatting
from understudy.evaluation.page.charts import marks
from understudy.evaluation.page.elements import Head
from understudy.evaluation.page.formatting import escape
from understudy.evaluation.report import Report
from understudy.evaluation.scores import MetricScores
from understudy.evaluation.verdict import Outcome, PolicyCheck
from understudy.parameters.policy import Policy

# What asks for attention comes first.
ORDER: tuple[Outcome, ...] = ("fail", "inconclusive", "warn", "unscored", "pass")
ROLES = {"real": "training rows", "synthetic": "synthetic rows", "holdout": "held-out rows"}
HEADS = (
    Head("Check"),
    Head("Outcome"),
    Head("Found", is_number=True),
    Head("Policy asks for", is_number=True),
)


def draw(report: Report) -> str:
    """Return the top of the page: outcome, sentence, sizes and checks."""
    verdict = report.verdict
    described = report.options.policy.description if isinstance(report.options.policy, Policy) else ""
    return (
        '<header class="hero"><h1>How far may these synthetic data be trusted?</h1>'
        f'<section id="verdict" class="verdict {verdict.outcome}" aria-labelledby="verdict-title">'
        f'<div class="said">{marks.shape(verdict.outcome)}<div><h2 id="verdict-title">'
        f'<span class="visually-hidden">Verdict: </span>{marks.WORDS[verdict.outcome]}</h2>'
        f"<p>{escape(verdict.sentence)}</p>"
        f'<p class="small muted">Policy <strong>{escape(verdict.policy)}</strong>, version '
        f"{escape(verdict.policy_version)}. {escape(described)}</p></div></div>"
        f"{_facts(report)}</section>{_checks(report)}</header>"
    )


def _facts(report: Report) -> str:
    facts = [
        (title, formatting.count(report.tables[role].n_rows))
        for role, title in ROLES.items()
        if role in report.tables
    ]
    facts.append(("columns", formatting.count(len(report.columns))))
    if report.target is not None:
        chosen = ", chosen by its name" if report.is_target_chosen else ""
        facts.append((f"target{chosen}", elements.name(report.target)))
    items = "".join(f"<div><dt>{title}</dt><dd>{number}</dd></div>" for title, number in facts)
    return f'<dl class="facts">{items}</dl>'


def _checks(report: Report) -> str:
    checks = sorted(report.verdict.checks, key=lambda check: ORDER.index(check.outcome))
    is_open = [check.outcome not in ("pass", "unscored") for check in checks]
    urgent, others = (
        [_row(report, check) for check, one in zip(checks, is_open, strict=True) if one is wanted]
        for wanted in (True, False)
    )
    parts = []
    if urgent:
        parts.append(elements.table("Checks that ask for attention", HEADS, urgent))
    if others:
        parts.append(_others(others, checks))
    return elements.card("".join(parts), kind="checks")


def _others(rows: Sequence[Sequence[str]], checks: Sequence[PolicyCheck]) -> str:
    n_passed = sum(check.outcome == "pass" for check in checks)
    n_unscored = sum(check.outcome == "unscored" for check in checks)
    said = [f"{n_passed} {'check' if n_passed == 1 else 'checks'} passed"]
    if n_unscored:
        said.append(f"{n_unscored} could not be made")
    title = ", ".join(said)
    return elements.details(title, elements.table(title, HEADS, rows, is_hidden=True))


def _row(report: Report, check: PolicyCheck) -> list[str]:
    scores = report.scores(check.metric)
    said = "" if check.outcome == "pass" else f'<span class="small muted">{escape(check.sentence)}</span>'
    return [
        f"{escape(check.title)}{said}",
        marks.outcome(check.outcome),
        _value(check, scores),
        _bounds(check, scores),
    ]


def _value(check: PolicyCheck, scores: MetricScores) -> str:
    if check.value is None:
        return formatting.NONE
    if check.of == "loss":
        shown = formatting.score(abs(check.value), check.metric)
        side = "worse" if check.value > 0 else "better"
        return f'{shown} {side}<br><span class="small muted">than real rows</span>'
    shown = formatting.score(check.value, check.metric)
    if check.interval is None:
        return shown
    low, high = (formatting.score(end, check.metric) for end in check.interval)
    return f'{shown}<br><span class="small muted">{low} to {high}</span>'


def _bounds(check: PolicyCheck, scores: MetricScores) -> str:
    said = []
    if check.warn is not None:
        said.append(_bound(check, scores, check.warn))
    if check.fail is not None:
        said.append(f'<span class="small muted">fails {_beyond(check, scores, check.fail)}</span>')
    return "<br>".join(said)


def _bound(check: PolicyCheck, scores: MetricScores, bound: float) -> str:
    shown = formatting.score(bound, check.metric)
    if check.of == "loss":
        return f"at most {shown} worse"
    if scores.direction == "nearer":
        return _range(check, scores, bound)
    return f"at least {shown}" if scores.direction == "higher" else f"at most {shown}"


def _beyond(check: PolicyCheck, scores: MetricScores, bound: float) -> str:
    shown = formatting.score(bound, check.metric)
    if check.of == "score" and scores.direction == "nearer":
        return f"outside {_range(check, scores, bound)}"
    return f"below {shown}" if check.of == "score" and scores.direction == "higher" else f"above {shown}"


def _range(check: PolicyCheck, scores: MetricScores, bound: float) -> str:
    low, high = (formatting.score(end, check.metric) for end in sorted((bound, 2 * scores.best - bound)))
    return f"{low} to {high}"
