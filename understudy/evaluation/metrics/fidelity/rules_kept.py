"""Functional dependencies and other rules of the real table that synthetic rows satisfy."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from understudy.evaluation.comparison import Comparison
from understudy.evaluation.metrics.base import Metric, MetricResult, RealBaseline, UnscoredResult
from understudy.evaluation.metrics.fidelity.rule_discovery import Halves, Rule, find_rules
from understudy.evaluation.statistics.auc import interval
from understudy.tables.schema import ColumnKind

N_ROWS_MAX = 20_000
N_ROWS_MIN = 200


class RuleCompliance(BaseModel):
    """A rule found in the real table, and the shares of rows that satisfy it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Annotated[
        Literal["decides", "order", "sum", "missing"],
        Field(
            description="Kind of rule: functional dependency (`decides`), inequality (`order`), sum (`sum`), "
            "or joint missingness (`missing`)."
        ),
    ]
    columns: list[str]
    sentence: Annotated[str, Field(description="Rule in words.")]
    kept_real: Annotated[float, Field(description="Share of real rows that satisfy the rule.")]
    kept_synthetic: Annotated[float, Field(description="Share of synthetic rows that satisfy the rule.")]


class RulesKeptResult(MetricResult):
    """Share of synthetic rows that satisfy a rule found in the real table, averaged over rules."""

    metric: Literal["rules_kept"] = "rules_kept"
    rules: Annotated[
        list[RuleCompliance],
        Field(description="Rules found in the real table, sorted by the share of rows that violate them."),
    ]
    unbroken: Annotated[float, Field(description="Share of synthetic rows that satisfy all rules.")]
    unbroken_real: Annotated[float, Field(description="Share of real rows that satisfy all rules.")]


def score(comparison: Comparison) -> RulesKeptResult | UnscoredResult:
    """Return the share of rows that satisfy a rule, averaged over the rules found in the real table."""
    if comparison.real.n_rows < N_ROWS_MIN:
        return UnscoredResult(reason=f"needs at least {N_ROWS_MIN} real rows to find rules in")
    rng = comparison.rng("rules_kept")
    halves = halves_of(comparison, rng)
    rules = find_rules(halves, rng)
    if not rules:
        return UnscoredResult(reason="finds no rules in the real table")
    synthetic = comparison.synthetic.draw(N_ROWS_MAX, rng)
    kept_real = np.array([rule.is_kept(halves.proof) for rule in rules])
    kept = np.array([rule.is_kept(synthetic.columns) for rule in rules])
    kept_by_row = kept.mean(axis=0)
    estimate = float(kept_by_row.mean())
    return RulesKeptResult(
        score=estimate,
        interval=interval(estimate, float(kept_by_row.std()) / math.sqrt(len(kept_by_row)), 0.0, 1.0),
        rules=_compliances(comparison, rules, kept_real.mean(axis=1), kept.mean(axis=1)),
        unbroken=float(kept.all(axis=0).mean()),
        unbroken_real=float(kept_real.all(axis=0).mean()),
        n_rows={"real": len(halves.guess[0]) + len(halves.proof[0]), "synthetic": synthetic.n_rows},
    )


def halves_of(comparison: Comparison, rng: np.random.Generator) -> Halves:
    """Split the real rows at random into a half for proposing rules and a half for confirming them."""
    rows = rng.permutation(comparison.real.n_rows)[: 2 * N_ROWS_MAX]
    guess, proof = (comparison.real.take(np.sort(part)) for part in np.array_split(rows, 2))
    groups = [
        "" if encoder.is_categorical else _group(encoder.column.kind)
        for encoder in comparison.encoder.columns
    ]
    return Halves(guess.columns, proof.columns, groups)


def _group(kind: ColumnKind) -> str:
    """Return the name of the column's group. Columns with comparable values are in the same group."""
    if kind in (ColumnKind.date, ColumnKind.timestamp):
        return "moment"
    return kind.value if kind in (ColumnKind.time, ColumnKind.duration) else "number"


def _compliances(
    comparison: Comparison, rules: list[Rule], real: NDArray[np.float64], synthetic: NDArray[np.float64]
) -> list[RuleCompliance]:
    compliances = []
    for k in np.argsort(synthetic, kind="stable"):
        names = [comparison.columns[i].name for i in rules[k].columns]
        compliances.append(
            RuleCompliance(
                kind=rules[k].kind,
                columns=names,
                sentence=rules[k].sentence(names),
                kept_real=float(real[k]),
                kept_synthetic=float(synthetic[k]),
            )
        )
    return compliances


RULES_KEPT = Metric(
    name="rules_kept",
    title="Functional dependencies and other rules",
    summary="Share of synthetic rows that satisfy the rules found in the real table, averaged over rules: "
    "functional dependencies, sums, inequalities and joint missingness.",
    concern="synthetic rows break rules that real rows satisfy",
    source="Specific to Understudy; Kivinen and Mannila 1995 (approximate functional dependencies)",
    topic="fidelity",
    direction="higher",
    range=(0.0, 1.0),
    best=1.0,
    result=RulesKeptResult,
    score=score,
    real_baseline=RealBaseline.holdout,
)
