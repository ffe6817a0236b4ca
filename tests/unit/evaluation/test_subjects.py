"""A generator that leaks subjects is found where whole subjects are held out, and only there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tests.unit.evaluation.visits import leak, schema_of, under_other_numbers, visits
from understudy.evaluation.comparison import Comparison, ComparisonTables, compare
from understudy.evaluation.metrics.privacy import PRIVACY
from understudy.evaluation.report import Report, evaluate
from understudy.evaluation.scores import score_all
from understudy.evaluation.verdict import PolicyCheck, judge
from understudy.parameters.policy import STANDARD, Policy
from understudy.progress import no_progress
from understudy.tables.findings import TableFindings
from understudy.tables.inference import InferredTable
from understudy.tables.split import Split

SEED = 0
TEN_EACH = [10] * 500
SIZES = {
    "ten each": TEN_EACH,
    "two each": [2] * 1_500,
    "two hundred each": [200] * 150,
    # 2 to 200, of a Pareto distribution: a few subjects have most of the rows.
    "skewed": [int(n) for n in np.clip(2 * (1 - np.linspace(0, 0.999, 500)) ** -0.9, 2, 200)],
}
# All of these compare training subjects with held-out ones by what is near to them.
ATTACKS = (
    *("membership_distance", "membership_density", "singling_out"),
    *("linkability", "attribute_inference", "near_copies"),
)
POLICY = Policy(
    name="attacks",
    thresholds=tuple(one for one in STANDARD.thresholds if one.metric in {m.name for m in PRIVACY}),
)


def compared(generator: str, sizes: list[int], *subject: str) -> Comparison:
    """Return a comparison of what a generator makes; by row where no subject is named."""
    training, holdout, schema = split(sizes, *subject)
    return compare(
        ComparisonTables(training, made_by(generator, training, sizes), holdout=holdout), schema, seed=SEED
    )


def split(sizes: list[int], *subject: str, fraction: float = 0.4) -> tuple[pa.Table, pa.Table, Any]:
    table = visits(sizes, seed=SEED)
    schema = schema_of(table, *subject)
    by = "subject" if subject else "row"
    mask = Split(seed=SEED, holdout_fraction=fraction, by=by).mask(table, subject)
    return table.filter(pa.array(~mask)), table.filter(pa.array(mask)), schema


def made_by(generator: str, training: pa.Table, sizes: list[int]) -> pa.Table:
    if generator == "leak":
        return leak(training, sizes, seed=SEED)
    return under_other_numbers(visits(sizes, seed=SEED + 50)).slice(0, training.num_rows)


def attacked(comparison: Comparison) -> dict[str, PolicyCheck]:
    metrics = [metric for metric in PRIVACY if metric.name in {one.metric for one in POLICY.thresholds}]
    scores = score_all(comparison, {}, no_progress, metrics)
    verdict = judge(POLICY, scores, n_subjects_shared=comparison.n_shared_subjects)
    return {check.metric: check for check in verdict.checks}


@pytest.mark.parametrize("name", SIZES)
def test_a_generator_that_leaks_subjects_fails_every_attack(name: str) -> None:
    checks = attacked(compared("leak", SIZES[name], "patient"))
    assert {metric: checks[metric].outcome for metric in ATTACKS} == dict.fromkeys(ATTACKS, "fail")


@pytest.mark.parametrize("name", SIZES)
def test_a_generator_of_other_subjects_is_found_by_no_attack(name: str) -> None:
    checks = attacked(compared("safe", SIZES[name], "patient"))
    assert not {check.metric for check in checks.values() if check.outcome in ("warn", "fail")}
    # Of a few hundred subjects some intervals are too wide to pass; all of them hold what chance scores.
    low, high = checks["membership_distance"].interval or (1, 1)
    assert low <= 0.5 <= high


def test_a_holdout_of_rows_does_not_show_the_leak() -> None:
    # All patients have rows in training, so that new visits of theirs are as near to one row as to another.
    checks = attacked(compared("leak", TEN_EACH))
    assert not {check.metric for check in checks.values() if check.outcome in ("warn", "fail")}


def test_a_report_on_leaked_subjects_fails_and_counts_subjects() -> None:
    training, holdout, schema = split(TEN_EACH, "patient", fraction=0.2)
    report = evaluate(
        ComparisonTables(training, leak(training, TEN_EACH, seed=SEED), holdout=holdout),
        InferredTable(schema, TableFindings()),
        seed=SEED,
    )
    assert report.verdict.outcome == "fail"
    assert report.unit == "subjects"
    counted = {role: size.n_subjects for role, size in report.tables.items()}
    assert counted["real"] + counted["holdout"] == len(TEN_EACH)  # type: ignore[operator]
    assert report.scores("membership_distance").synthetic.n_subjects["holdout"] == counted["holdout"]  # type: ignore[union-attr]


@pytest.fixture(scope="module")
def shared() -> Report:
    """Return a report with subjects whose holdout was drawn by row."""
    training, holdout, _ = split([10] * 150)
    schema = schema_of(training, "patient")
    return evaluate(
        ComparisonTables(training, made_by("safe", training, [10] * 150), holdout=holdout),
        InferredTable(schema, TableFindings()),
        seed=SEED,
    )


def test_a_holdout_that_shares_subjects_is_inconclusive_and_not_green(shared: Report) -> None:
    checks = {check.metric: check for check in shared.verdict.checks}
    assert checks["holdout"].outcome == "inconclusive"
    training, holdout, _ = split([10] * 150)
    n_shared = len(set(training["patient"].to_pylist()) & set(holdout["patient"].to_pylist()))
    assert checks["holdout"].value == shared.n_subjects_shared == n_shared > 140
    assert shared.verdict.outcome != "pass"


def test_no_attack_passes_without_control(shared: Report) -> None:
    checks = {check.metric: check.outcome for check in shared.verdict.checks}
    assert "pass" not in {checks[metric] for metric in ATTACKS}


def test_the_subject_is_left_out_of_every_score(shared: Report) -> None:
    assert "patient" not in {column.column for column in shared.columns}
    assert {one.column: one.copied for one in shared.left_out}["patient"] == 0


def test_what_the_subject_is_called_does_not_help_an_attacker() -> None:
    real = compared("leak", [10] * 150, "patient")
    training, holdout, schema = split([10] * 150, "patient")
    made = leak(training, [10] * 150, seed=SEED)
    named = made.set_column(0, "patient", pa.array(made["patient"].to_numpy() - 10**6))
    same = compare(ComparisonTables(training, named, holdout=holdout), schema, seed=SEED)
    scores = [attacked(one)["membership_distance"].value for one in (real, same)]
    assert scores[0] == scores[1]
