"""Tests that a generator that copies subjects is detected only with a holdout of whole subjects."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tests.unit.evaluation.visits import STABLE, leak, schema_of, under_other_numbers, visits
from understudy.evaluation.comparison import Comparison, ComparisonTables, compare
from understudy.evaluation.metrics.privacy import (
    PRIVACY,
    exact_copies,
    membership_low_fpr,
    nearest_record,
)
from understudy.evaluation.overlap import HoldoutOverlap
from understudy.evaluation.page.html import render_html
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
    # The sizes, 2 to 200, follow a Pareto distribution, so a few subjects have most of the rows.
    "skewed": [int(n) for n in np.clip(2 * (1 - np.linspace(0, 0.999, 500)) ** -0.9, 2, 200)],
}
# These attacks compare training subjects with holdout subjects by the distance to synthetic rows.
ATTACKS = (
    *("membership_distance", "membership_density", "singling_out"),
    *("linkability", "attribute_inference", "near_copies"),
)
POLICY = Policy(
    name="attacks",
    thresholds=tuple(one for one in STANDARD.thresholds if one.metric in {m.name for m in PRIVACY}),
)


def compared(generator: str, sizes: list[int], *subject: str) -> Comparison:
    """Return a comparison with a generator's output. Without a subject, the holdout is split by row."""
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
    metrics = [
        metric for metric in PRIVACY if metric.name in {threshold.metric for threshold in POLICY.thresholds}
    ]
    scores = score_all(comparison, {}, no_progress, metrics)
    overlap = HoldoutOverlap(comparison.n_shared_subjects)
    verdict = judge(POLICY, scores, overlap=overlap)
    return {check.metric: check for check in verdict.checks}


@pytest.mark.parametrize("name", SIZES)
def test_generator_that_copies_subjects_is_detected_by_all_attacks(name: str) -> None:
    checks = attacked(compared("leak", SIZES[name], "patient"))
    assert {metric: checks[metric].outcome for metric in ATTACKS} == dict.fromkeys(ATTACKS, "fail")


@pytest.mark.parametrize("name", SIZES)
def test_generator_of_new_subjects_is_not_reported_as_a_leak(name: str) -> None:
    checks = attacked(compared("safe", SIZES[name], "patient"))
    assert not {check.metric for check in checks.values() if check.outcome in ("warn", "fail")}
    # With a few hundred subjects, some intervals are too wide to pass, but they contain the score expected by
    # chance.
    low, high = checks["membership_distance"].interval or (1, 1)
    assert low <= 0.5 <= high


def test_holdout_by_row_does_not_reveal_the_leak() -> None:
    # All patients have training rows, so their new visits are equally close to training and holdout rows.
    checks = attacked(compared("leak", TEN_EACH))
    assert not {check.metric for check in checks.values() if check.outcome in ("warn", "fail")}


def test_report_on_copied_subjects_fails_and_counts_subjects() -> None:
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
    """Return a report with subjects and a holdout by row."""
    training, holdout, _ = split([10] * 150)
    schema = schema_of(training, "patient")
    return evaluate(
        ComparisonTables(training, made_by("safe", training, [10] * 150), holdout=holdout),
        InferredTable(schema, TableFindings()),
        seed=SEED,
    )


def test_check_of_a_holdout_that_shares_subjects_is_inconclusive(shared: Report) -> None:
    checks = {check.metric: check for check in shared.verdict.checks}
    assert checks["holdout"].outcome == "inconclusive"
    training, holdout, _ = split([10] * 150)
    n_shared = len(set(training["patient"].to_pylist()) & set(holdout["patient"].to_pylist()))
    assert checks["holdout"].value == shared.n_subjects_shared == n_shared > 140
    assert shared.verdict.outcome != "pass"


def test_no_attack_passes_without_a_valid_control(shared: Report) -> None:
    checks = {check.metric: check.outcome for check in shared.verdict.checks}
    assert "pass" not in {checks[metric] for metric in ATTACKS}


def test_subject_is_excluded_from_all_scores(shared: Report) -> None:
    assert "patient" not in {column.column for column in shared.columns}
    assert {excluded.column: excluded.copied for excluded in shared.left_out}["patient"] == 0


def test_values_of_the_subject_column_do_not_affect_attacks() -> None:
    real = compared("leak", [10] * 150, "patient")
    training, holdout, schema = split([10] * 150, "patient")
    made = leak(training, [10] * 150, seed=SEED)
    named = made.set_column(0, "patient", pa.array(made["patient"].to_numpy() - 10**6))
    same = compare(ComparisonTables(training, named, holdout=holdout), schema, seed=SEED)
    scores = [attacked(one)["membership_distance"].value for one in (real, same)]
    assert scores[0] == scores[1]


def as_texts(numbers: Any) -> pa.Array[Any]:
    return pa.array([f"patient {number}" for number in numbers])


def as_dates(numbers: Any) -> pa.Array[Any]:
    return pa.array(np.asarray(numbers) % 10**6, pa.int32()).cast(pa.date32())


@pytest.mark.parametrize("retyped", [as_texts, as_dates], ids=lambda one: one.__name__)
def test_scores_do_not_depend_on_the_type_of_the_subject(retyped: Any) -> None:
    training, holdout, _ = split([10] * 150, "patient")
    tables = [training, leak(training, [10] * 150, seed=SEED), holdout]
    training, made, holdout = (
        table.set_column(0, "patient", retyped(table["patient"].to_pylist())) for table in tables
    )
    checks = attacked(
        compare(ComparisonTables(training, made, holdout), schema_of(training, "patient"), seed=SEED)
    )
    assert {metric: checks[metric].outcome for metric in ATTACKS} == dict.fromkeys(ATTACKS, "fail")


def test_composite_subject_is_attacked_as_one_subject() -> None:
    training, holdout, _ = split([10] * 150, "patient")
    tables = [
        table.append_column("clinic", pa.array(np.asarray(table["patient"]) % 7))
        for table in (training, leak(training, [10] * 150, seed=SEED), holdout)
    ]
    schema = schema_of(tables[0], "clinic", "patient")
    comparison = compare(ComparisonTables(*tables), schema, seed=SEED)
    assert comparison.n_shared_subjects == 0
    assert [column.name for column in comparison.columns] == [*STABLE, "blood", "ward"]
    assert attacked(comparison)["membership_distance"].outcome == "fail"


def test_each_row_without_a_subject_is_a_separate_subject() -> None:
    table = visits([2] * 100, seed=SEED).set_column(0, "patient", pa.nulls(200, pa.int64()))
    comparison = compare(ComparisonTables(table, table, table), schema_of(table, "patient"), seed=SEED)
    assert comparison.real.n_units == 200
    assert comparison.n_shared_subjects == 0


def test_page_shows_the_numbers_of_subjects_and_of_shared_subjects(shared: Report) -> None:
    page = render_html(shared)
    assert "training subjects</dt>" in page
    assert "Subjects shared with the holdout" in page


def test_reports_of_older_versions_are_read_as_reports_on_rows(shared: Report) -> None:
    new = {"unit", "n_subjects_shared", "n_rows_shared", "n_rows_shared_max"}
    document = json.loads(shared.model_dump_json(exclude=new))
    for size in document["tables"].values():
        del size["n_subjects"]
    for scores in document["metrics"]:
        for role in ("synthetic", "independent", "leak", "real"):
            (scores[role] or {}).pop("n_subjects", None)
    old = Report.model_validate(document)
    assert (old.unit, old.n_subjects_shared, old.overlap) == ("rows", None, None)
    assert "training subjects</dt>" not in render_html(old)


def test_nearest_record_detects_copied_subjects_but_not_new_ones() -> None:
    comparison = compared("leak", TEN_EACH, "patient")
    leaked = nearest_record.score(comparison)
    safe = nearest_record.score(compared("safe", TEN_EACH, "patient"))
    assert isinstance(leaked, nearest_record.NearestRecordResult)
    assert leaked.n_subjects["real"] == leaked.n_subjects["holdout"]
    # The comparison uses equal numbers of training and holdout subjects. Copies of other subjects are equally
    # close to both groups.
    share = leaked.n_subjects["real"] / comparison.real.n_units
    assert leaked.score == pytest.approx(share + (1 - share) / 2, abs=4 * leaked.standard_error)
    assert safe.interval is not None  # type: ignore[union-attr]
    assert safe.interval[0] <= 0.5 <= safe.interval[1]  # type: ignore[union-attr]


def test_copied_rows_under_another_subject_count_as_copies() -> None:
    training, holdout, schema = split([10] * 150, "patient")
    copied = under_other_numbers(training)
    result = exact_copies.score(compare(ComparisonTables(training, copied, holdout), schema, seed=SEED))
    assert result.score == 1
    # All subjects with copied rows are training subjects, although only six of ten subjects are.
    assert result.p_value is not None
    assert result.p_value < 1e-9


def test_single_copied_row_identifies_its_subject() -> None:
    # The rows of a subject are unrelated. The generator copies one of the twenty rows of each subject.
    rng = np.random.default_rng(SEED)
    table = pa.table({"patient": np.repeat(np.arange(600), 20), "x": rng.normal(size=12_000)})
    table = table.append_column("y", pa.array(rng.normal(size=12_000)))
    is_member = np.repeat(np.arange(600) < 300, 20)
    training, holdout = (table.filter(pa.array(mask)) for mask in (is_member, ~is_member))
    copies = training.take(pa.array(np.arange(0, training.num_rows, 20)))
    comparison = compare(ComparisonTables(training, copies, holdout), schema_of(table, "patient"), seed=SEED)
    found = membership_low_fpr.score(comparison)
    assert isinstance(found, membership_low_fpr.MembershipLowFprResult)
    assert found.attacker.endswith("one row")
    assert found.score > 0.5
