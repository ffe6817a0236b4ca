"""The view model of the verdict: the outcome under a policy, and each check of the policy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from understudy.evaluation.page import formatting
from understudy.evaluation.page.cells import Cell, Names, Noted, OutcomeMark, Titled
from understudy.evaluation.page.elements import Head, Table, numbers
from understudy.evaluation.scores import MetricScores
from understudy.evaluation.verdict import HOLDOUT, Outcome, PolicyCheck
from understudy.parameters.policy import Policy

if TYPE_CHECKING:
    from understudy.evaluation.report import Report

# Order of the checks on the page: checks that need attention come first.
ORDER: tuple[Outcome, ...] = ("fail", "inconclusive", "warn", "unscored", "pass")
ROLES = {"real": "training rows", "synthetic": "synthetic rows", "holdout": "holdout rows"}
SUBJECTS = {"real": "training subjects", "holdout": "holdout subjects"}
HEADS = (Head("Check"), Head("Outcome"), *numbers("Value", "Threshold"))


@dataclass(frozen=True)
class VerdictView:
    """The content at the top of the page.

    Parameters
    ----------
    facts : sequence of (title, cell)
        The sizes of the tables and the target.
    urgent, others : Table
        The checks that need attention, and the checks that passed or were not evaluated.
    others_title : str
        The title of the second table, with counts.
    """

    outcome: Outcome
    sentence: str
    policy: str
    policy_version: str
    policy_description: str
    facts: Sequence[tuple[str, Cell]]
    urgent: Table
    others: Table
    others_title: str


def view(report: Report) -> VerdictView:
    """Return the view model of the verdict."""
    verdict, policy = report.verdict, report.options.policy
    checks = sorted(verdict.checks, key=lambda check: ORDER.index(check.outcome))
    urgent = [check for check in checks if check.outcome not in ("pass", "unscored")]
    others = [check for check in checks if check.outcome in ("pass", "unscored")]
    return VerdictView(
        outcome=verdict.outcome,
        sentence=verdict.sentence,
        policy=verdict.policy,
        policy_version=verdict.policy_version,
        policy_description=policy.description if isinstance(policy, Policy) else "",
        facts=_facts(report),
        urgent=Table(HEADS, [_row(report, check) for check in urgent]),
        others=Table(HEADS, [_row(report, check) for check in others]),
        others_title=_count_others(others),
    )


def _facts(report: Report) -> list[tuple[str, Cell]]:
    facts: list[tuple[str, Cell]] = [
        (title, formatting.count(report.tables[role].n_rows))
        for role, title in ROLES.items()
        if role in report.tables
    ]
    for role, title in SUBJECTS.items():
        n_subjects = report.tables[role].n_subjects if role in report.tables else None
        if n_subjects is not None:
            facts.append((title, formatting.count(n_subjects)))
    facts.append(("columns", formatting.count(len(report.columns))))
    if report.target is not None:
        chosen = " (detected from its name)" if report.is_target_chosen else ""
        facts.append((f"target{chosen}", Names((report.target,))))
    return facts


def _count_others(checks: Sequence[PolicyCheck]) -> str:
    n_passed = sum(check.outcome == "pass" for check in checks)
    n_unscored = len(checks) - n_passed
    passed = f"{formatting.plural(n_passed, 'check', 'checks')} passed"
    return f"{passed}, {n_unscored} not evaluated" if n_unscored else passed


def _row(report: Report, check: PolicyCheck) -> list[Cell]:
    titled = Titled(check.title, "" if check.outcome == "pass" else _explanation(check))
    if check.metric == HOLDOUT:
        return [
            titled,
            OutcomeMark(check.outcome),
            _shared(check.value, report),
            f"at most {_shared(check.warn, report)}" if check.warn else "none shared",
        ]
    scores = report.scores(check.metric)
    return [titled, OutcomeMark(check.outcome), _value(check), _bounds(check, scores)]


def _explanation(check: PolicyCheck) -> str:
    """Return the sentence of a check without the title, which is shown separately above it."""
    sentence = check.sentence.removeprefix(f"{check.title}: ")
    return sentence[:1].upper() + sentence[1:]


def _shared(n: float | None, report: Report) -> str:
    is_of_subjects = report.overlap is not None and report.overlap.is_of_subjects
    noun = "shared subject" if is_of_subjects else "shared row"
    return formatting.plural(int(n or 0), noun, f"{noun}s")


def _value(check: PolicyCheck) -> Cell:
    if check.value is None:
        return formatting.NONE
    if check.of == "loss":
        side = "worse" if check.value > 0 else "better"
        return Noted(f"{formatting.score(abs(check.value), check.metric)} {side}", "than real rows")
    shown = formatting.score(check.value, check.metric)
    return shown if check.interval is None else Noted(shown, _between(check, *check.interval))


def _bounds(check: PolicyCheck, scores: MetricScores) -> Cell:
    return Noted(
        "" if check.warn is None else _bound(check, scores, check.warn),
        "" if check.fail is None else f"fails {_beyond(check, scores, check.fail)}",
    )


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
    return _between(check, *sorted((bound, 2 * scores.best - bound)))


def _between(check: PolicyCheck, low: float, high: float) -> str:
    return f"{formatting.score(low, check.metric)} to {formatting.score(high, check.metric)}"
