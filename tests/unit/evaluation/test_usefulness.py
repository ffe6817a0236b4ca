"""Tests for usefulness metrics on tables with known scores and tables with planted faults."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from tests.unit.evaluation.people import comparison, destroyed, people
from understudy.evaluation.metrics.base import UnscoredResult
from understudy.evaluation.metrics.usefulness import augmentation, rare_class, train_synthetic_test_real
from understudy.evaluation.metrics.usefulness.train_synthetic_test_real import roc_at


def rare(n_rows: int, *, seed: int) -> pa.Table:
    """Return rows with a noisy column that predicts a rare class (5% of the rows)."""
    rng = np.random.default_rng(seed)
    is_rare = rng.random(n_rows) < 0.05
    signal = 2.5 * is_rare + rng.normal(size=n_rows)
    return pa.table(
        {
            "signal": pa.array(signal),
            "noise": pa.array(rng.random(n_rows)),
            "kind": pa.array(np.where(is_rare, "rare", "common")),
        }
    )


def test_roc_curve_of_known_ranks_is_exact() -> None:
    # The ranks are + - + -, so the curve has the points (0, 1/2), (1/2, 1/2), (1/2, 1) and (1, 1).
    scores, is_positive = np.array([0.9, 0.8, 0.7, 0.1]), np.array([True, False, True, False])
    assert roc_at(scores, is_positive, np.array([0.25, 0.75, 1.0])) == [0.5, 1.0, 1.0]


def test_both_models_predict_the_classes() -> None:
    result = train_synthetic_test_real.score(
        comparison(rare(2000, seed=1), rare(2000, seed=2), holdout=rare(2000, seed=3), target="kind")
    )
    assert not isinstance(result, UnscoredResult)
    assert result.real is not None
    assert result.loss == pytest.approx(result.real.score - result.score)
    assert [scores.label for scores in result.by_class] == ["common", "rare"]
    assert result.roc is not None
    assert result.roc.label == "rare"
    assert result.interval is not None
    # For two normal distributions 2.5 standard deviations apart, the best AUC is Phi(2.5 / sqrt 2) = 0.961. A
    # model trained on 100 rare rows has a lower AUC.
    assert 0.88 < result.score < 0.98


def test_errors_of_a_numeric_target_have_the_unit_of_the_target() -> None:
    rng = np.random.default_rng(0)
    real, synthetic, holdout = (
        pa.table({"x": x, "y": 2 * x + 0.5 * rng.normal(size=1500)}) for x in rng.normal(size=(3, 1500))
    )
    result = train_synthetic_test_real.score(comparison(real, synthetic, holdout=holdout, target="y"))
    assert not isinstance(result, UnscoredResult)
    # The noise has a standard deviation of 0.5, which is the lowest possible error. Trees trained on 1500
    # rows have a higher error.
    assert result.synthetic.root_mean_squared_error is not None
    assert 0.45 < result.synthetic.root_mean_squared_error < 0.75
    assert result.error_ratio == pytest.approx(1.0, abs=0.15)
    assert result.by_class == []


def test_report_does_not_name_a_class_with_few_test_rows() -> None:
    labels = ["a"] * 200 + ["b"] * 200 + ["secret"] * 3
    rng = np.random.default_rng(0)
    table = pa.table({"x": rng.random(403), "c": rng.permutation(labels)})
    result = train_synthetic_test_real.score(comparison(table, table, holdout=table, target="c"))
    assert "secret" not in result.model_dump_json()


def test_lift_is_close_to_one_for_noise_and_large_for_a_signal() -> None:
    tables = [rare(3000, seed=seed) for seed in (1, 2, 3)]
    result = rare_class.score(comparison(tables[0], tables[1], holdout=tables[2], target="kind"))
    noise = rare_class.score(
        comparison(
            tables[0],
            tables[1].set_column(
                2, "kind", pa.array(np.random.default_rng(0).permutation(tables[1]["kind"].to_numpy()))
            ),
            holdout=tables[2],
            target="kind",
        )
    )
    assert isinstance(result, rare_class.RareClassResult)
    assert isinstance(noise, rare_class.RareClassResult)
    assert result.label == "rare"
    assert result.synthetic.lift > 8
    # The 150 positives are in random order. The average precision is close to the share of positives, so the
    # lift is close to 1.
    assert noise.synthetic.lift == pytest.approx(1.0, abs=0.5)


def test_overestimated_probabilities_raise_the_calibration_error() -> None:
    tables = [rare(3000, seed=seed) for seed in (1, 2, 3)]
    is_turned = np.random.default_rng(0).random(3000) < 0.2
    kinds = np.where(is_turned, "rare", tables[1]["kind"].to_numpy())
    turned = tables[1].set_column(2, "kind", pa.array(kinds))
    right, wrong = (
        rare_class.score(comparison(tables[0], synthetic, holdout=tables[2], target="kind"))
        for synthetic in (tables[1], turned)
    )
    assert isinstance(right, rare_class.RareClassResult)
    assert isinstance(wrong, rare_class.RareClassResult)
    # One fifth of the common rows are labeled rare, so nearly all probabilities are too high by one fifth.
    assert wrong.synthetic.calibration_error == pytest.approx(0.19, abs=0.05)
    assert right.synthetic.calibration_error < 0.05


def test_rare_classes_are_not_scored_for_a_numeric_target() -> None:
    compared = comparison(people(200, seed=1), people(200, seed=2), target="height")
    assert rare_class.score(compared) == UnscoredResult(reason="needs a classification target")


def test_added_rows_help_a_small_table_and_rows_without_dependencies_harm_it() -> None:
    real, holdout = people(150, seed=1), people(3000, seed=2)
    gains = [
        augmentation.score(comparison(real, rows, holdout=holdout, target="is_member")).score
        for rows in (people(3000, seed=3), destroyed(people(3000, seed=3)))
    ]
    assert gains[0] is not None
    assert gains[1] is not None
    assert gains[0] > 0.01
    assert gains[1] < -0.05
