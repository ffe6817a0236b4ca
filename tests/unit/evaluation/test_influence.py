"""Tests for prediction measures in cases with known values."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from understudy.evaluation.statistics import auc, influence


def test_auc_agrees_with_ranks_and_its_standard_error_with_hanley_and_mcneil() -> None:
    rng = np.random.default_rng(0)
    is_positive = rng.random(4000) < 0.3
    scores = np.round(rng.normal(size=4000) + is_positive, 2)
    estimate = influence.area(scores, is_positive)
    assert estimate.value == pytest.approx(auc.auc(scores[is_positive], scores[~is_positive]))
    low, high = estimate.interval(0.0, 1.0)
    # The formula of Hanley and McNeil assumes exponential scores. According to the authors, it is accurate to
    # a few percent for normal scores.
    error = auc.auc_standard_error(estimate.value, int(is_positive.sum()), int((~is_positive).sum()))
    assert high - low == pytest.approx(2 * influence.Z_95 * error, rel=0.1)


def test_influence_sums_to_zero() -> None:
    rng = np.random.default_rng(1)
    truth = rng.normal(size=500)
    for estimate in (
        influence.area(truth, rng.random(500) < 0.5),
        influence.r2(truth + rng.normal(size=500), truth),
        influence.mean_area(rng.random((500, 3)), rng.integers(0, 3, 500)),
    ):
        assert estimate.influence.mean() == pytest.approx(0.0, abs=1e-12)


def test_difference_between_a_model_and_itself_has_no_error() -> None:
    rng = np.random.default_rng(2)
    estimate = influence.area(rng.random(100), rng.random(100) < 0.5)
    gap = estimate - estimate
    assert (gap.value, gap.interval(-1, 1)) == (0.0, (0.0, 0.0))


def test_r2_interval_is_as_wide_as_the_bootstrap_interval() -> None:
    rng = np.random.default_rng(3)
    truth = rng.normal(size=1000)
    predicted = truth + 0.5 * rng.normal(size=1000)
    drawn = rng.integers(1000, size=(2000, 1000))
    values = [influence.r2(predicted[rows], truth[rows]).value for rows in drawn]
    low, high = influence.r2(predicted, truth).interval(-1, 1)
    # The standard deviation of 2000 samples has a relative error of 1/sqrt(2 * 2000) = 1.6%. The tolerance is
    # three times this error, plus the error of the delta method, which is of order 1/n.
    assert high - low == pytest.approx(2 * influence.Z_95 * np.std(values), rel=0.06)


def test_average_precision_agrees_with_known_ranks() -> None:
    # The positives are at ranks 1 and 3. The precision is 1 for the first half of the recall and 2/3 for the
    # second half.
    scores, is_positive = np.array([0.9, 0.8, 0.7, 0.1]), np.array([True, False, True, False])
    assert influence.average_precision(scores, is_positive) == pytest.approx((1 + 2 / 3) / 2)
    # If all scores are equal, the average precision is the share of the positive class.
    assert influence.average_precision(np.zeros(4), is_positive) == pytest.approx(0.5)
    # A row with weight 2 counts as two rows.
    twice = influence.average_precision(scores, is_positive, np.array([1.0, 2, 1, 1]))
    assert twice == pytest.approx((1 + 2 / 4) / 2)


def test_wilson_and_newcombe_intervals_agree_with_published_values() -> None:
    # According to Newcombe (1998, Statistics in Medicine 17:857), table I, 81 of 263 has the interval 0.2553
    # to 0.3662.
    assert influence.wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    # According to Newcombe (1998, 17:873), table II, method 10, the interval of 56/70 - 48/80 is 0.0524 to
    # 0.3339 at a level of 95%.
    assert influence.difference_of_shares((56, 48), (70, 80)) == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_rows_of_one_subject_count_as_one_observation() -> None:
    rng = np.random.default_rng(0)
    scores, is_positive = rng.random(300), rng.random(300) < 0.5
    alone = influence.area(scores, is_positive)
    # If each row is repeated ten times under one subject, the area and its error stay the same.
    repeated = influence.area(np.repeat(scores, 10), np.repeat(is_positive, 10))
    together = replace(repeated, subjects=np.repeat(np.arange(300), 10))
    assert together.value == pytest.approx(alone.value)
    assert together.standard_error == pytest.approx(alone.standard_error, rel=1e-3)
    assert repeated.standard_error < 0.4 * alone.standard_error
