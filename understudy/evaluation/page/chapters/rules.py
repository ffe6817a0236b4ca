"""The view model for the rules found in the real table and for the missing-value patterns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from understudy.evaluation.metrics.fidelity import MissingValuesResult, RulesKeptResult
from understudy.evaluation.page import elements, formatting
from understudy.evaluation.page.cells import Cell, Names
from understudy.evaluation.page.elements import Chapter, Head, Measured, Reason, Table, numbers

if TYPE_CHECKING:
    from understudy.evaluation.report import Report

METRICS = ("rules_kept", "missing_values")
SHARES = numbers("Real", "Synthetic")


@dataclass(frozen=True)
class RulesCard:
    """The rules with the shares of rows that satisfy them.

    Parameters
    ----------
    unbroken, unbroken_real : str
        The shares of synthetic rows and real rows that satisfy all rules.
    """

    card: Measured
    unbroken: str
    unbroken_real: str
    n_rules: str
    table: Table


@dataclass(frozen=True)
class MissingCard:
    """The shares of missing values for each column and for each combination of columns."""

    card: Measured
    columns: Table
    patterns: Table


@dataclass(frozen=True)
class RulesView:
    """The content of the chapter on rules and missing values."""

    reasons: Sequence[Reason]
    rules: RulesCard | None
    missing: MissingCard | None


def view(report: Report) -> RulesView:
    """Return the rules with the shares of rows that satisfy them, and the patterns of missing values."""
    return RulesView(elements.reasons(report, METRICS), _rules(report), _missing(report))


def _rules(report: Report) -> RulesCard | None:
    scored = elements.scored_result(report, RulesKeptResult)
    if scored is None:
        return None
    scores, result = scored
    rows = [_shares(rule.sentence, rule.kept_real, rule.kept_synthetic) for rule in result.rules]
    return RulesCard(
        card=elements.measured(scores),
        unbroken=formatting.percent(result.unbroken),
        unbroken_real=formatting.percent(result.unbroken_real),
        n_rules=formatting.count(len(result.rules)),
        table=Table((Head("Rule"), *SHARES), rows),
    )


def _missing(report: Report) -> MissingCard | None:
    scored = elements.scored_result(report, MissingValuesResult)
    if scored is None:
        return None
    scores, result = scored
    columns = [_shares(Names((column.column,)), column.real, column.synthetic) for column in result.columns]
    patterns = [
        _shares(Names(tuple(pattern.columns)) if pattern.columns else "none", pattern.real, pattern.synthetic)
        for pattern in result.patterns
    ]
    return MissingCard(
        card=elements.measured(scores),
        columns=Table((Head("Column"), *SHARES), columns),
        patterns=Table((Head("Columns with missing values"), *SHARES), patterns),
    )


def _shares(title: Cell, real: float, synthetic: float) -> list[Cell]:
    return [title, formatting.percent(real), formatting.percent(synthetic)]


CHAPTER = Chapter("rules", "Rules", view)
