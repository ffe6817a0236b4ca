"""Tests for fidelity metrics on tables with known scores and tables with planted faults."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tests.unit.evaluation.people import comparison, detailed, people, related
from understudy.evaluation.comparison import Comparison
from understudy.evaluation.metrics.base import Metric, MetricResult, UnscoredResult
from understudy.evaluation.metrics.fidelity import (
    FIDELITY,
    column_adherence,
    column_coverage,
    contingency,
    correlations,
    missing_values,
    mutual_information,
    subgroups,
    two_sample,
    two_sample_linear,
)
from understudy.evaluation.metrics.fidelity.column_adherence import boundary_adherence, category_adherence
from understudy.evaluation.metrics.fidelity.column_coverage import category_coverage, range_coverage
from understudy.evaluation.metrics.fidelity.correlations import correlation_matrix
from understudy.evaluation.metrics.fidelity.mutual_information import information
from understudy.evaluation.scores import score_all
from understudy.evaluation.statistics.auc import auc_standard_error
from understudy.progress import no_progress

every_metric = pytest.mark.parametrize("metric", FIDELITY, ids=lambda metric: metric.name)


def codes(*values: int) -> Any:
    return np.array(values, dtype=np.int32)


@every_metric
@pytest.mark.parametrize(
    "table",
    [
        pa.table({"x": [1.0] * 300}),
        pa.table({"x": [1.0] * 300, "c": ["a"] * 300}),
        pa.table({"x": pa.nulls(300, pa.float64()), "c": pa.nulls(300, pa.string())}),
        pa.table({"c": ["a", "b"] * 150, "d": ["x", "y", "y"] * 100}),
        pa.table({"x": np.arange(300.0), "y": np.arange(300.0) % 7}),
        pa.table({"x": [1e308, -1e308, 0.0] * 100, "y": [5e-324, 0.0, 1.0] * 100}),
        pa.table({"x": [1.0], "c": ["a"]}),
    ],
    ids=["constant", "constants", "all missing", "categories", "numbers", "extreme values", "one row"],
)
def test_unusual_tables_are_scored_or_the_reason_is_reported(metric: Metric, table: pa.Table) -> None:
    for real, synthetic in ((table, table), (table, table.slice(0, 1)), (table.slice(0, 1), table)):
        result = metric.score(comparison(real, synthetic))
        if isinstance(result, UnscoredResult):
            assert result.reason
        else:
            assert metric.range[0] <= result.score <= metric.range[1]


def test_changed_combinations_of_missing_values_lower_the_score() -> None:
    # Half of the values of x and half of the values of y are missing. In the real table, both values are
    # missing in the same rows. In the synthetic table, x is missing in every second row and y is missing in
    # the other rows.
    real = pa.table({"x": [1.0, None] * 20, "y": [1.0, None] * 20, "z": [1.0, 2.0] * 20})
    synthetic = pa.table({"x": [1.0, None] * 20, "y": [None, 1.0] * 20, "z": [1.0, 2.0] * 20})
    result = missing_values.score(comparison(real, synthetic))
    assert isinstance(result, missing_values.MissingValuesResult)
    assert (result.score, result.columns_score) == (0.0, 1.0)
    assert [pattern.columns for pattern in result.patterns] == [[], ["x", "y"]] or [
        pattern.columns for pattern in result.patterns
    ] == [["x", "y"], []]


def test_missing_value_pattern_of_few_real_rows_is_not_listed() -> None:
    real = pa.table({"x": [None] * 4 + [1.0] * 96, "y": [1.0] * 100})
    result = missing_values.score(comparison(real, real))
    assert isinstance(result, missing_values.MissingValuesResult)
    assert [pattern.columns for pattern in result.patterns] == [[]]


def test_tables_without_missing_values_are_not_scored() -> None:
    table = pa.table({"x": [1.0, 2.0]})
    assert missing_values.score(comparison(table, table)) == UnscoredResult(
        reason="finds no missing values in either table"
    )


def test_coverage_of_known_columns_is_exact() -> None:
    # The lowest tenth and the highest two tenths of the range 0 to 10 are not covered.
    assert range_coverage(np.array([0.0, 10]), np.array([1.0, 8])) == pytest.approx(0.7)
    assert range_coverage(np.array([0.0, 10]), np.array([-5.0, 20])) == 1.0
    assert np.isnan(range_coverage(np.array([1.0, 1]), np.array([1.0])))
    assert category_coverage(codes(0, 1, 2, -1), codes(0, 0, 5)) == pytest.approx(1 / 3)


def test_adherence_of_known_columns_is_exact() -> None:
    assert boundary_adherence(np.array([0.0, 10]), np.array([-1.0, 0, 10, 11])) == 0.5
    # A missing value counts as out of bounds only if the real column has no missing values.
    assert boundary_adherence(np.array([0.0, 10]), np.array([5.0, np.nan])) == 0.5
    assert boundary_adherence(np.array([0.0, 10, np.nan]), np.array([5.0, np.nan])) == 1.0
    assert category_adherence(codes(0, 1), codes(0, 2, -1, 1)) == 0.5
    assert category_adherence(codes(0, 1, -1), codes(0, 2, -1, 1)) == 0.75


def test_score_does_not_reveal_the_exact_value_of_a_real_extreme() -> None:
    real, synthetic = pa.table({"x": [0.0, 1.23456789]}), pa.table({"x": [0.0, 1.0]})
    result = column_coverage.score(comparison(real, synthetic))
    assert isinstance(result, column_coverage.ColumnCoverageResult)
    assert result.columns[0].score == 0.81
    adherence = column_adherence.score(comparison(real, synthetic))
    assert adherence.score == 1.0


def test_correlations_use_only_rows_with_values_in_both_columns() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(500, 3))
    rows[:, 1] += rows[:, 0]
    rows[rng.random((500, 3)) < 0.2] = np.nan
    matrix = correlation_matrix(rows)
    for i, j in ((0, 1), (0, 2), (1, 2)):
        both = ~np.isnan(rows[:, [i, j]]).any(axis=1)
        assert matrix[i, j] == pytest.approx(np.corrcoef(rows[both, i], rows[both, j])[0, 1], abs=1e-12)
    assert np.isnan(np.diag(matrix)).all()


def test_score_falls_by_half_the_difference_between_the_correlations() -> None:
    x = np.arange(100.0)
    real, synthetic = pa.table({"x": x, "y": 2 * x + 1}), pa.table({"x": x, "y": -x})
    result = correlations.score(comparison(real, synthetic))
    assert isinstance(result, correlations.CorrelationsResult)
    # The correlations are 1 in the real table and -1 in the synthetic one, for Pearson and Spearman.
    assert (result.score, result.spearman_score) == (pytest.approx(0.0), pytest.approx(0.0))


def test_rare_categories_have_separate_cells() -> None:
    # In the real table, each of the 60 categories of c occurs with one category of d. In the synthetic table,
    # it occurs with the previous category of d. `column_pairs` would pool most of the categories.
    names = np.array([f"v{i:02}" for i in range(60)] * 5)
    real = pa.table({"c": names, "d": names})
    synthetic = pa.table({"c": names, "d": np.roll(names, 1)})
    result = contingency.score(comparison(real, synthetic))
    assert isinstance(result, contingency.ContingencyResult)
    assert result.score == 0.0
    assert result.matrix == [[None, 0.0], [0.0, None]]


def test_contingency_table_counts_missing_values_as_a_category() -> None:
    # The real cells (a, x) and (missing, x) have a share of 1/2 each. The synthetic cell (a, x) has a share
    # of 1.
    real = (codes(0, -1), codes(0, 0))
    assert contingency.contingency_similarity(real, (codes(0, 0), codes(0, 0))) == 0.5


def test_sparse_and_dense_counting_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    real, synthetic = (tuple(rng.integers(-1, 9, (2, 200)).astype(np.int32)) for _ in range(2))
    counted = contingency.contingency_similarity(real, synthetic)  # type: ignore[arg-type]
    monkeypatch.setattr(contingency, "N_COUNTS_MAX", 1)
    assert contingency.contingency_similarity(real, synthetic) == pytest.approx(counted)  # type: ignore[arg-type]


def test_mutual_information_of_known_tables_is_exact() -> None:
    # One column determines the other, so their information is log 2 nats. The Miller-Madow correction with 2
    # cells and 2 + 2 values adds 1/(2n).
    same = np.array([[[500, 0], [0, 500]]], dtype=np.int32)
    nats, strength = information(same)
    assert nats[0] == pytest.approx(np.log(2) + 1 / 2000)
    assert strength[0] == 1.0
    nats, strength = information(np.array([[[250, 250], [250, 250]]], dtype=np.int32))
    assert (nats[0], strength[0]) == (0.0, 0.0)


def test_mutual_information_of_independent_columns_is_near_zero_on_average() -> None:
    rng = np.random.default_rng(0)
    counts = np.array(
        [np.bincount(rng.integers(0, 16, 400), minlength=16).reshape(4, 4) for _ in range(400)],
        dtype=np.int32,
    )
    # 2n times the uncorrected information is chi-square with 9 degrees of freedom: mean 9/800 nats, standard
    # deviation sqrt(18)/800. After the correction and the clipping at 0, the mean is 0.4 instead of 2.1
    # standard deviations.
    assert information(counts)[0].mean() < 0.5 * np.sqrt(18) / 800


def test_lost_dependency_lowers_the_score() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=4000)
    real = pa.table({"x": x, "y": x + 0.1 * rng.normal(size=4000)})
    synthetic = pa.table({"x": x, "y": rng.permutation(x)})
    result = mutual_information.score(comparison(real, synthetic))
    assert isinstance(result, mutual_information.MutualInformationResult)
    assert result.score < 0.05
    assert result.real[0][1] is not None
    assert result.real[0][1] > 0.6
    assert mutual_information.score(comparison(synthetic, real)) == UnscoredResult(
        reason="finds no relation between columns of the real table"
    )


def test_synthetic_rows_that_are_easy_to_recognize_are_listed() -> None:
    rng = np.random.default_rng(0)
    strange = rng.choice(2000, 40, replace=False)
    x, y = rng.normal(size=2000), rng.normal(size=2000)
    # The rows differ, because equal rows share a fold and would never appear in both training and testing.
    x[strange], y[strange] = 30.0 + np.arange(40), 30.0 + np.arange(40)
    real = pa.table({"x": rng.normal(size=2000), "y": rng.normal(size=2000)})
    for metric in (two_sample, two_sample_linear):
        result = metric.score(comparison(real, pa.table({"x": x, "y": y})))
        assert isinstance(result, two_sample.ClassifierTestResult)
        listed = {row.row for row in result.rows}
        assert len(listed & set(strange.tolist())) >= 16
        assert len(result.curve) <= 50
        assert result.curve[0] == (0.0, 0.0)
        assert result.curve[-1] == (1.0, 1.0)


def test_rows_of_a_subsample_are_listed_by_their_position_in_the_whole_table() -> None:
    rng = np.random.default_rng(0)
    real = pa.table({"x": rng.normal(size=300)})
    compared = comparison(real, pa.table({"x": np.r_[np.zeros(700), rng.normal(size=300) + 9]}))
    part = replace(compared, synthetic=compared.synthetic.take(np.arange(700, 1000)))
    result = two_sample_linear.score(part)
    assert isinstance(result, two_sample.ClassifierTestResult)
    assert min(row.row for row in result.rows) >= 700


def test_rows_of_a_baseline_are_not_listed() -> None:
    compared = comparison(people(200, seed=1), people(200, seed=2))
    result = two_sample_linear.score(compared.with_tables(synthetic=compared.real))
    assert isinstance(result, two_sample.ClassifierTestResult)
    assert (result.rows, result.giveaways) == ([], [])


def test_linear_test_detects_a_shift_but_not_a_lost_dependency() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=3000)
    real = pa.table({"x": x, "y": x})
    shifted = pa.table({"x": x + 1, "y": x + 1})
    lost = pa.table({"x": x, "y": rng.permutation(x)})
    shifted_score = two_sample_linear.score(comparison(real, shifted)).score
    lost_score = two_sample_linear.score(comparison(real, lost)).score
    assert shifted_score is not None
    # The AUC of two normal distributions one standard deviation apart is Phi(1 / sqrt(2)) = 0.760.
    assert shifted_score == pytest.approx(0.760, abs=4 * auc_standard_error(0.76, 3000, 3000))
    assert lost_score == pytest.approx(0.5, abs=4 * auc_standard_error(0.5, 3000, 3000))


def grouped(n_rows: int, *, seed: int, drift: float = 0.0) -> pa.Table:
    rng = np.random.default_rng(seed)
    group = rng.choice(["many", "few", "rare"], n_rows, p=[0.88, 0.1, 0.02])
    return pa.table({"group": group, "x": rng.normal(size=n_rows) + drift * (group == "few")})


def test_drift_in_a_small_group_is_detected() -> None:
    result = subgroups.score(comparison(grouped(2000, seed=1), grouped(2000, seed=2, drift=1.5)))
    assert isinstance(result, subgroups.SubgroupsResult)
    worst = result.groups[0]
    assert (worst.column, worst.group, worst.worst) == ("group", "few", "x")
    # Two normal distributions 1.5 standard deviations apart have a Kolmogorov-Smirnov distance of 2 Phi(0.75)
    # - 1 = 0.547. The distance between samples of 200 rows each deviates from this value by less than 0.1.
    assert worst.score == pytest.approx(1 - 0.547, abs=0.1)
    assert worst.chance > 0.88
    assert result.whole > 0.9


def test_chance_level_is_close_to_the_score_of_real_rows() -> None:
    result = subgroups.score(comparison(grouped(4000, seed=1), grouped(4000, seed=2)))
    assert isinstance(result, subgroups.SubgroupsResult)
    for group in result.groups:
        # The Kolmogorov distribution has a mean of 0.87 and a standard deviation of 0.26.
        assert 1 - group.score < 2 * (1 - group.chance)


def test_small_group_is_named_without_a_score_and_tiny_group_is_not_named() -> None:
    # The report names a group of 40 rows and must not name a group of 4 rows.
    group = pa.array(["many"] * 956 + ["rare"] * 40 + ["tiny"] * 4)
    table = pa.table({"group": group, "x": np.arange(1000.0)})
    result = subgroups.score(comparison(table, table))
    assert isinstance(result, subgroups.SubgroupsResult)
    assert [small.group for small in result.too_small] == ["rare"]
    assert {judged.group for judged in result.groups} == {"many"}


def test_protected_numeric_column_is_grouped_by_quarters() -> None:
    table = pa.table({"age": np.arange(400.0), "x": np.arange(400.0)})
    result = subgroups.score(comparison(table, table, protected=("age",)))
    assert isinstance(result, subgroups.SubgroupsResult)
    assert {group.group for group in result.groups} == set(subgroups.QUARTERS)
    assert {group.n_real for group in result.groups} == {100}


def test_two_samples_of_one_source_score_close_to_the_best() -> None:
    compared: Comparison = comparison(
        *(detailed(related(people(3000, seed=seed), seed=seed), seed=seed) for seed in (11, 12))
    )
    for metric in FIDELITY:
        result = metric.score(compared)
        assert isinstance(result, MetricResult)
        # The tolerance is the same as in the contract tests. Scores that depend on the minimum and maximum of
        # a column vary most between samples.
        assert abs(result.score - metric.best) < 0.07, metric.name


def test_scores_of_real_rows_are_within_the_floor() -> None:
    # In 95 of 100 reports, all scores are within their floors. The benchmark `benchmarks.real_against_real`
    # checks 20 reports on full tables.
    for seed in (0, 1):
        compared = comparison(
            related(people(1200, seed=20 + seed), seed=20 + seed),
            related(people(1200, seed=30 + seed), seed=30 + seed),
            seed=seed,
        )
        for scores in score_all(compared, {}, no_progress, FIDELITY):
            result, floor = scores.synthetic, scores.floor
            if result.score is not None and floor is not None and floor.interval is not None:
                low, high = floor.interval
                ends = (low - scores.best, high - scores.best)
                assert abs(result.score - scores.best) <= max(map(abs, ends)) + 1e-9, scores.name


def test_classifier_test_scores_a_small_table_with_few_distinct_rows() -> None:
    # If equal rows always shared a fold, these few rows would fill only two of the three folds.
    levels = [i % 5 for i in range(50)]
    table = pa.table({"level": [f"level {i}" for i in levels], "flag": [f"flag {i % 2}" for i in levels]})
    result = two_sample.score(comparison(table, table))
    assert isinstance(result, two_sample.ClassifierTestResult)
    assert result.score is not None
    assert 0 <= result.score <= 1
