"""Tests that a holdout of training rows is an invalid control and natural duplicates are not an overlap."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from understudy.evaluation.comparison import ComparisonTables
from understudy.evaluation.overlap import HoldoutOverlap, count_shared_rows
from understudy.evaluation.page.html import render_html
from understudy.evaluation.report import Report, evaluate
from understudy.evaluation.verdict import PolicyCheck
from understudy.tables.inference import infer_table

N = 1_000
# If the holdout consisted of training rows, the checks of all these attacks would pass.
ATTACKS = ("exact_copies", "membership_distance", "nearest_record", "near_copies")


def people(n: int, *, seed: int) -> pa.Table:
    rng = np.random.default_rng(seed)
    return pa.table(
        {
            "age": rng.integers(18, 90, n),
            "income": rng.normal(size=n),
            "city": np.array(["Oslo", "Rome", "Lima"])[rng.integers(3, size=n)],
        }
    )


def column(values: Any) -> pa.Table:
    return pa.table({"x": pa.array(values)})


def overlap(training: pa.Table, holdout: pa.Table) -> HoldoutOverlap:
    return HoldoutOverlap(None, *count_shared_rows(training, holdout))


def reported(holdout: pa.Table) -> Report:
    training = people(N, seed=0)
    tables = ComparisonTables(training, people(N, seed=1), holdout=holdout)
    return evaluate(tables, infer_table(training), seed=0)


def checks_of(report: Report) -> dict[str, PolicyCheck]:
    return {check.metric: check for check in report.verdict.checks}


@pytest.fixture(scope="module")
def of_training_rows() -> Report:
    return reported(people(N, seed=0))


def test_check_of_a_holdout_of_training_rows_is_inconclusive(of_training_rows: Report) -> None:
    check = checks_of(of_training_rows)["holdout"]
    assert (check.outcome, check.value, of_training_rows.n_rows_shared) == ("inconclusive", N, N)
    assert "1,000 rows in common, and chance explains at most" in check.sentence
    assert "Provide holdout rows that the model was not trained on" in check.sentence


def test_no_attack_passes_if_the_holdout_contains_training_rows(of_training_rows: Report) -> None:
    checks = checks_of(of_training_rows)
    outcomes = {metric: checks[metric].outcome for metric in ATTACKS if metric in checks}
    assert len(outcomes) > 2
    assert "pass" not in outcomes.values()
    assert of_training_rows.verdict.outcome == "warn"


def test_page_shows_the_number_of_shared_rows(of_training_rows: Report) -> None:
    page = render_html(of_training_rows)
    assert "Rows shared with the holdout" in page
    assert "1,000 shared rows" in page


def test_disjoint_holdout_and_its_attacks_pass() -> None:
    report = reported(people(N, seed=2))
    assert (report.n_rows_shared, checks_of(report)["holdout"].outcome) == (0, "pass")
    assert checks_of(report)["exact_copies"].outcome == "pass"


def test_partial_overlap_is_detected() -> None:
    training = people(4_000, seed=0)
    holdout = pa.concat_tables([training.slice(0, 300), people(700, seed=1)])
    assert overlap(training, holdout).is_shared


@pytest.mark.parametrize(("n_shared", "is_shared"), [(5, False), (25, True)])
def test_few_shared_rows_with_a_unique_key_are_detected(n_shared: int, *, is_shared: bool) -> None:
    holdout = column(np.r_[:n_shared, 10_000 : 11_000 - n_shared])
    assert overlap(column(np.arange(4_000)), holdout).is_shared == is_shared


def test_key_that_is_excluded_from_scores_is_used_to_find_shared_rows() -> None:
    # Without the key, all rows have copies in both tables.
    training = pa.table({"id": np.arange(N), "city": ["Oslo", "Rome"] * (N // 2)})
    report = evaluate(
        ComparisonTables(training, training, holdout=training.slice(0, 200)), infer_table(training), seed=0
    )
    assert [excluded.column for excluded in report.left_out] == ["id"]
    assert checks_of(report)["holdout"].outcome == "inconclusive"


def test_common_combinations_of_categories_do_not_count_as_an_overlap() -> None:
    values = np.random.default_rng(0).integers(0, 10, 5_000)
    counted = overlap(column(values[:4_000]), column(values[4_000:]))
    assert (counted.n_rows, counted.is_shared) == (1_000, False)


def split_of(kind: str, rng: np.random.Generator, n: int = 1_200) -> Any:
    """Return rows with one type of natural duplicates, in random order."""
    return {
        "few": rng.integers(0, 30 * n, n),
        "some": rng.integers(0, n, n),
        "pairs": rng.permutation(np.repeat(np.arange(n // 2), 2)),
        "skewed": rng.zipf(1.5, n),
    }[kind]


@pytest.mark.parametrize("kind", ["few", "some", "pairs", "skewed"])
def test_random_splits_do_not_count_as_an_overlap(kind: str) -> None:
    # The level is one in a million, so 50 splits cause a false alarm once in 20,000 runs. The seeds are
    # fixed.
    for seed in range(50):
        values = split_of(kind, np.random.default_rng(seed))
        counted = overlap(column(values[:900]), column(values[900:]))
        assert not counted.is_shared
        assert (counted.n_rows or 0) > 0


@pytest.mark.parametrize("kind", ["few", "some", "pairs"])
def test_copies_among_natural_duplicates_are_detected(kind: str) -> None:
    values = split_of(kind, np.random.default_rng(0))
    assert overlap(column(values[:900]), column(values[300:900])).is_shared


def test_missing_values_match_only_each_other() -> None:
    training = pa.table({"x": pa.array([None] * 60, pa.int64()), "y": np.arange(60)})
    assert overlap(training, training).n_rows == 60
    zeros = training.set_column(0, "x", pa.array([0] * 60))
    assert overlap(training, zeros).n_rows == 0


def test_upper_bound_on_shared_rows_is_not_exceeded_by_simulated_splits() -> None:
    # The level is one in a million, so none of 2,000 random splits may exceed the bound.
    rng = np.random.default_rng(0)
    values = np.repeat(np.arange(200), 2)
    shared = [
        int(np.isin(order[300:], order[:300]).sum())
        for order in (rng.permutation(values) for _ in range(2_000))
    ]
    most = overlap(column(values[:300]), column(values[300:])).n_rows_max
    assert most is not None
    assert max(shared) <= most < 100
