"""Value-level rules: a value implies the value of another column, or that two columns are equal."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from understudy.evaluation.comparison import Comparison
from understudy.evaluation.metrics.base import Metric, MetricResult, RealBaseline, UnscoredResult
from understudy.evaluation.metrics.fidelity.rules_kept import N_ROWS_MAX, halves_of
from understudy.evaluation.metrics.fidelity.value_rule_discovery import (
    MISSING_VALUE,
    N_ROWS_MIN,
    Codes,
    Columns,
    ValueRules,
    find_value_rules,
)
from understudy.evaluation.statistics.proportions import score_interval
from understudy.evaluation.statistics.written_values import value_text

# Minimum number of synthetic rows that meet a condition of the rules between two columns.
N_MET_MIN = 20
N_RULES_SHOWN = 50
# Confidence level that corresponds to three standard errors. The level is high because the worst of many
# columns determines the score.
CONFIDENCE = 0.9973


class ValueRule(BaseModel):
    """A rule between values in the real table, and the shares of rows that satisfy it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: Annotated[str, Field(description="Column that the condition of the rule tests.")]
    determined: Annotated[
        list[str],
        Field(
            description="Column that the rule determines, or the two columns that it requires to be equal."
        ),
    ]
    sentence: Annotated[
        str, Field(description="Rule in words. Each value in the rule occurs in at least 50 real rows.")
    ]
    kept_real: Annotated[
        float,
        Field(description="Share of real rows that satisfy the rule, among rows that meet its condition."),
    ]
    kept_synthetic: Annotated[
        float | None,
        Field(
            description="Share of synthetic rows that satisfy the rule, among rows that meet its condition. "
            "Null if no synthetic row meets the condition."
        ),
    ]


class ValueRulesResult(MetricResult):
    """Share of synthetic rows that satisfy the rules between two columns of the real table.

    The worst pair of columns determines the score.
    """

    metric: Literal["value_rules"] = "value_rules"
    rules: Annotated[
        list[ValueRule],
        Field(
            description="The 50 rules of the real table that are broken most often, or all rules if there "
            "are fewer."
        ),
    ]
    n_rules: Annotated[int, Field(description="Number of rules found in the real table.")]


def score(comparison: Comparison) -> ValueRulesResult | UnscoredResult:
    """Return the lowest score among all pairs of a column and its target."""
    rng = comparison.rng("value_rules")
    halves = halves_of(comparison, rng)
    if len(halves.proof[0]) < 2 * N_ROWS_MIN:
        return UnscoredResult(reason=f"needs at least {4 * N_ROWS_MIN} real rows to find rules in")
    found = find_value_rules(halves.guess, halves.proof, halves.groups)
    if not found:
        return UnscoredResult(reason="finds no values in the real table that determine another column")
    synthetic = comparison.synthetic.draw(N_ROWS_MAX, rng)
    scores: list[float] = []
    listed: list[ValueRule] = []
    for rules in found:
        n_met, n_kept = rules.kept(synthetic.columns)
        if n_met.sum() >= N_MET_MIN:
            scores.append(_score(rules.kept(halves.proof), (n_met, n_kept)))
        listed += _described(comparison, rules, halves.proof, (n_met, n_kept))
    if not scores:
        return UnscoredResult(reason=f"needs {N_MET_MIN} synthetic rows to which a rule applies")
    listed.sort(key=lambda rule: 2.0 if rule.kept_synthetic is None else rule.kept_synthetic)
    return ValueRulesResult(
        score=min(scores),
        rules=listed[:N_RULES_SHOWN],
        n_rules=len(listed),
        n_rows={"real": len(halves.guess[0]) + len(halves.proof[0]), "synthetic": synthetic.n_rows},
    )


def _score(real: tuple[Codes, Codes], synthetic: tuple[Codes, Codes]) -> float:
    """Return 1 minus the decrease, beyond three standard errors, in the share of rows that obey the rules."""
    share_real = float(real[1].sum() / real[0].sum())
    n_rows = int(synthetic[0].sum())
    _, upper = score_interval(float(synthetic[1].sum() / n_rows), n_rows, confidence=CONFIDENCE)
    # Rounded, because the rounding errors of floats must not count as a loss.
    return round(1 - max(0.0, share_real - upper), 6)


def _described(
    comparison: Comparison, rules: ValueRules, proof: Columns, synthetic: tuple[Codes, Codes]
) -> list[ValueRule]:
    n_met, n_kept = rules.kept(proof)
    names = [comparison.columns[i].name for i in rules.target.columns]
    return [
        ValueRule(
            column=comparison.columns[rules.column].name,
            determined=names,
            sentence=_sentence(comparison, rules, k),
            kept_real=float(n_kept[k] / n_met[k]),
            kept_synthetic=float(synthetic[1][k] / synthetic[0][k]) if synthetic[0][k] else None,
        )
        for k in range(len(rules.conditions))
    ]


def _sentence(comparison: Comparison, rules: ValueRules, k: int) -> str:
    names = [comparison.columns[i].name for i in rules.target.columns]
    condition = _equation(comparison, rules.column, float(rules.conditions[k]))
    if len(names) == 2:
        return f"{names[0]} = {names[1]} where {condition}"
    return f"{_equation(comparison, rules.target.columns[0], float(rules.determined[k]))} where {condition}"


def _equation(comparison: Comparison, i: int, value: float) -> str:
    encoder = comparison.encoder.columns[i]
    if value == MISSING_VALUE:
        return f"{encoder.column.name} is missing"
    if encoder.categories is not None:
        return f"{encoder.column.name} = {encoder.labels[int(value)]}"
    return f"{encoder.column.name} = {value_text(encoder.column, value)}"


VALUE_RULES = Metric(
    name="value_rules",
    title="Value-level rules",
    summary="Share of synthetic rows that satisfy rules between single values, such as a value of one column "
    "that occurs only where another column is missing. The pair of columns with the most frequently broken "
    "rules determines the score.",
    concern="values contradict each other in combinations that real rows never have",
    source="Compare Agrawal, Imielinski and Swami 1993: association rules with a confidence near 1",
    topic="fidelity",
    direction="higher",
    range=(0.0, 1.0),
    best=1.0,
    result=ValueRulesResult,
    score=score,
    real_baseline=RealBaseline.split,
)
