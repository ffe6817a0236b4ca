"""Tests for metrics on tables with known scores."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from tests.unit.evaluation.people import comparison, people
from understudy.evaluation.metrics.base import UnscoredResult
from understudy.evaluation.metrics.fidelity import column_pairs, column_shapes, pair_cells, two_sample
from understudy.evaluation.metrics.fidelity.column_shapes import ks_complement, tv_complement
from understudy.evaluation.metrics.privacy import exact_copies, nearest_record
from understudy.evaluation.metrics.usefulness import train_synthetic_test_real
from understudy.evaluation.models.prediction import N_CLASSES_MAX
from understudy.evaluation.statistics.auc import auc, auc_standard_error


def test_ks_distance_of_known_samples_is_exact() -> None:
    # At the value 2, the distribution functions are 2/4 and 0/2.
    assert ks_complement(np.array([1.0, 2, 3, 4]), np.array([3.0, 4])) == 0.5
    assert ks_complement(np.array([1.0, 2]), np.array([3.0])) == 0.0


def test_total_variation_of_known_shares_is_exact() -> None:
    # The shares are (1/2, 1/2, 0) and (1/4, 1/4, 1/2). The distance is half of 1/4 + 1/4 + 1/2.
    codes = np.array([0, 1], dtype=np.int32), np.array([0, 1, 2, 2], dtype=np.int32)
    assert tv_complement(*codes) == 0.5


def test_column_shape_score_is_the_lower_of_the_similarities_of_known_and_missing_values() -> None:
    shape = column_shapes.score(
        comparison(pa.table({"x": [1.0, 2, 3, 4]}), pa.table({"x": [1.0, None, 3, None]}))
    ).columns[0]
    assert (shape.known_values, shape.missing_values, shape.score) == (0.75, 0.5, 0.5)


def test_pair_of_columns_that_lost_its_dependency_scores_one_half() -> None:
    # The cells (a,x) and (b,y) have shares of 1/2, and the other table has four shares of 1/4. The total
    # variation is 1/2.
    real = pa.table({"p": ["a", "b"] * 2, "q": ["x", "y"] * 2})
    synthetic = pa.table({"p": ["a", "b", "a", "b"], "q": ["x", "y", "y", "x"]})
    result = column_pairs.score(comparison(real, synthetic))
    assert isinstance(result, column_pairs.ColumnPairsResult)
    assert result.score == 0.5
    assert result.matrix == [[None, 0.5], [0.5, None]]


def test_two_samples_of_a_discrete_column_use_the_same_bins() -> None:
    # Nine tenths of the rows share a value. With separate bins, the two samples would have different edges.
    rng = np.random.default_rng(0)
    tables = [
        pa.table({"x": np.where(rng.random(5000) < 0.9, 0.0, rng.random(5000)), "y": rng.random(5000)})
        for _ in range(2)
    ]
    result = column_pairs.score(comparison(*tables))
    # There are at most 40 cells. The standard deviation of a share p is below sqrt(p / 2500), so the summed
    # differences stay below this bound.
    assert result.score is not None
    assert result.score > 1 - 0.5 * 40 * np.sqrt(1 / 40 / 2500) * 1.5


def test_column_pairs_of_a_wide_table_are_sampled() -> None:
    rng = np.random.default_rng(0)
    table = pa.table({f"c{i}": rng.random(50) for i in range(120)})
    result = column_pairs.score(comparison(table, table))
    assert isinstance(result, column_pairs.ColumnPairsResult)
    assert len(result.columns) == pair_cells.N_COLUMNS_MAX


def test_auc_of_known_scores_counts_ties_as_half() -> None:
    assert auc(np.array([2.0, 3]), np.array([0.0, 1])) == 1.0
    assert auc(np.array([1.0]), np.array([1.0])) == 0.5
    # Of the four pairs of a positive and a negative score, (1, 0) counts as 1, and (1, 1) and (0, 0) count as
    # 1/2 each.
    assert auc(np.array([0.0, 1]), np.array([0.0, 1])) == 0.5


def test_standard_error_of_an_auc_agrees_with_hanley_and_mcneil() -> None:
    # According to Hanley and McNeil, q1 = q2 = 1/3, so the variance is (1/4 + (n-1)/6) / n^2.
    assert auc_standard_error(0.5, 100, 100) == pytest.approx(np.sqrt((0.25 + 99 / 6) / 100**2))


def test_separable_tables_have_an_auc_near_one() -> None:
    result = two_sample.score(comparison(pa.table({"x": np.zeros(200)}), pa.table({"x": np.ones(200)})))
    assert result.score == 1.0


def test_column_that_separates_the_tables_best_comes_first() -> None:
    rng = np.random.default_rng(0)
    real = pa.table({"x": rng.random(400), "y": rng.random(400)})
    synthetic = pa.table({"x": rng.random(400), "y": rng.random(400) + 0.8})
    result = two_sample.score(comparison(real, synthetic))
    assert isinstance(result, two_sample.TwoSampleResult)
    assert result.giveaways[0].column == "y"


def test_copies_do_not_push_the_score_of_the_two_sample_test_below_chance() -> None:
    table = people(500, seed=1)
    score = two_sample.score(comparison(table, table)).score
    # Equal rows have equal scores, so nearly all comparisons are ties.
    assert score == pytest.approx(0.5, abs=0.02)


def test_samples_of_one_source_with_many_rare_categories_score_one_half() -> None:
    rng = np.random.default_rng(0)
    tables = [pa.table({"c": [f"v{i}" for i in rng.zipf(1.4, 3000) % 2000]}) for _ in range(2)]
    score = two_sample.score(comparison(*tables)).score
    assert score == pytest.approx(0.5, abs=4 * auc_standard_error(0.5, 3000, 3000))


def test_too_few_rows_are_reported_as_the_reason() -> None:
    result = two_sample.score(comparison(people(10, seed=1), people(10, seed=2)))
    assert result == UnscoredResult(reason="needs at least 50 rows in each table")


def test_model_predicts_a_target_that_depends_on_a_feature() -> None:
    rng = np.random.default_rng(0)
    tables = []
    for _ in range(3):
        x = rng.random(2000)
        tables.append(pa.table({"x": x, "amount": 3 * x, "label": np.where(x > 0.5, "a", "b")}))
    for target in ("amount", "label"):
        compared = comparison(tables[0], tables[1], holdout=tables[2], target=target)
        assert train_synthetic_test_real.score(compared).score == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize(("target", "task"), [("town", "classification"), ("joined", "regression")])
def test_kind_of_the_target_determines_the_task(target: str, task: str) -> None:
    result = train_synthetic_test_real.score(
        comparison(people(400, seed=1), people(400, seed=2), target=target)
    )
    assert isinstance(result, train_synthetic_test_real.TrainSyntheticTestRealResult)
    assert result.task == task


def test_number_of_classes_is_limited_by_pooling() -> None:
    rng = np.random.default_rng(0)
    table = pa.table({"x": rng.random(3000), "c": [f"v{i}" for i in rng.integers(0, 30, 3000)]})
    result = train_synthetic_test_real.score(comparison(table, table, target="c"))
    assert isinstance(result, train_synthetic_test_real.TrainSyntheticTestRealResult)
    assert result.classes == N_CLASSES_MAX


def test_model_of_real_rows_is_not_trained_on_its_test_rows_if_there_is_no_holdout() -> None:
    # A model cannot predict noise, but it can memorize a training row.
    rng = np.random.default_rng(0)
    table = pa.table({"x": rng.random(3000), "noise": rng.random(3000)})
    compared = comparison(table, table, target="noise")
    itself = comparison(table, table, target="noise")
    result = train_synthetic_test_real.score(itself.with_tables(synthetic=itself.real))
    assert result.score is not None
    assert result.score < 0.05
    assert compared.real.n_rows == 3000


def test_constant_target_is_reported_as_the_reason() -> None:
    table = pa.table({"x": np.arange(200.0), "t": ["a"] * 200})
    result = train_synthetic_test_real.score(comparison(table, table, target="t"))
    assert result == UnscoredResult(reason="needs a target that has more than one value")


def test_copies_are_closest_to_training_rows() -> None:
    real, holdout = people(300, seed=1), people(300, seed=2)
    result = nearest_record.score(comparison(real, real, holdout=holdout))
    assert result.score is not None
    assert result.score > 0.98


def test_fresh_rows_are_equally_close_to_both_tables() -> None:
    tables = [people(1500, seed=seed) for seed in (1, 2, 3)]
    result = nearest_record.score(comparison(tables[0], tables[1], holdout=tables[2]))
    assert isinstance(result, nearest_record.NearestRecordResult)
    # The tolerance is four standard errors for the sample of synthetic rows, plus four for the samples of
    # training and held-out rows.
    assert abs(result.score - 0.5) < 8 * result.standard_error


def test_real_rows_are_compared_with_all_other_real_rows() -> None:
    real = pa.table({"x": [1, 2, 2, 3], "c": ["a", "b", "b", None]})
    found = exact_copies.score_real(comparison(real, real), 0.01)
    assert (found.result.score, found.result.n_rows) == (0.5, {"real": 4, "synthetic": 4})


def test_interval_for_repeated_rows_contains_the_share_among_new_rows() -> None:
    rng = np.random.default_rng(3)
    inside = []
    for _ in range(100):
        real, fresh = (pa.table({"x": np.minimum(rng.zipf(1.3, 300), 10_000)}) for _ in range(2))
        compared = comparison(real, fresh)
        low, high = exact_copies.score_real(compared, 0.01).interval
        inside.append(low <= exact_copies.score(compared).score <= high)
    # The expected share is 98%. Four standard errors of a share among 100 trials are 5.6%.
    assert np.mean(inside) > 0.92


def test_exact_copies_are_counted() -> None:
    real = pa.table({"x": [1, 2, 2, 3], "c": ["a", "b", "b", None]})
    synthetic = pa.table({"x": [1, 2, 3, 3, 4], "c": ["a", "b", None, "a", "a"]})
    result = exact_copies.score(comparison(real, synthetic))
    assert (result.n_copies, result.n_copies_of_unique, result.score) == (3, 2, 0.6)
