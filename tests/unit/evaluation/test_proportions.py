"""Tests for confidence intervals for shares: closed forms, published values and coverage."""

from __future__ import annotations

import numpy as np
import pytest

from understudy.evaluation.statistics.proportions import (
    Proportion,
    difference,
    exact_interval,
    predicted_shares,
    risk,
    score_interval,
    share_of,
)


def test_exact_interval_of_no_success_has_a_closed_form() -> None:
    # The upper end solves (1 - p)^n = 0.025.
    low, high = exact_interval(0, 20)
    assert low == 0
    assert high == pytest.approx(1 - 0.025 ** (1 / 20))


def test_exact_interval_of_only_successes_mirrors_the_interval_of_no_success() -> None:
    low, high = exact_interval(20, 20)
    assert low == pytest.approx(0.025 ** (1 / 20))
    assert high == 1


def test_score_interval_agrees_with_published_values() -> None:
    # The source is Newcombe (1998), "Two-sided confidence intervals for the single proportion", table I: 15
    # of 148.
    assert score_interval(15 / 148, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)


def test_difference_agrees_with_published_values() -> None:
    # The source is Newcombe (1998), "Interval estimation for the difference", table II: 56 of 70 minus 48 of
    # 80, method 10.
    found = difference(Proportion(56 / 70, 70), Proportion(48 / 80, 80), confidence=0.95)
    assert found.score == pytest.approx(0.2)
    assert found.interval == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_risk_is_relative_to_one_minus_the_control() -> None:
    assert risk(Proportion(0.6, 1_000), Proportion(0.2, 1_000)).score == pytest.approx(0.5)
    assert risk(Proportion(1.0, 1_000), Proportion(1.0, 1_000)).score == 0


def test_intervals_contain_the_difference_in_95_percent_of_trials() -> None:
    rng = np.random.default_rng(0)
    n, n_trials = 500, 1_000
    shares = rng.binomial(n, (0.03, 0.01), (n_trials, 2)) / n
    held = [
        low <= 0.02 <= high
        for low, high in (
            difference(Proportion(a, n), Proportion(c, n), confidence=0.95).interval for a, c in shares
        )
    ]
    # Three standard errors of a share of 0.95 in 1,000 trials are 0.021.
    assert np.mean(held) > 0.95 - 0.021


def test_effective_size_of_single_rows_equals_their_number() -> None:
    assert share_of(np.arange(10) < 3, np.arange(10)) == Proportion(0.3, 10)


def test_each_unit_has_the_same_weight() -> None:
    hits, units = np.array([True] * 98 + [False, False]), np.array([0] * 98 + [1, 2])
    assert share_of(hits, units).value == pytest.approx(1 / 3)


@pytest.mark.parametrize(("is_alike", "n_least", "n_most"), [(True, 200, 210), (False, 1_200, 2_000)])
def test_correlated_rows_of_a_unit_count_as_one_observation(
    is_alike: bool, n_least: int, n_most: int
) -> None:
    rng = np.random.default_rng(0)
    units = np.repeat(np.arange(200), 10)
    hits = rng.random(200 if is_alike else 2_000) < 0.4
    assert n_least <= share_of(hits[units] if is_alike else hits, units).n <= n_most


@pytest.mark.parametrize("spread", [0.0, 0.15, 0.5])
def test_intervals_for_units_contain_the_difference_in_95_percent_of_trials(spread: float) -> None:
    rng = np.random.default_rng(0)
    n_units, n_trials = 60, 400
    sizes = rng.integers(2, 40, n_units)
    units = np.repeat(np.arange(n_units), sizes)

    def drawn(centre: float) -> Proportion:
        # The share of each unit is `centre`, `centre - spread` or `centre + spread`, limited to values
        # between 0 and 1.
        own = np.clip(centre + spread * rng.choice([-1, 1], n_units), 0, 1)
        return share_of(rng.random(len(units)) < own[units], units)

    held = [
        low <= 0 <= high
        for low, high in (
            difference(drawn(0.5), drawn(0.5), confidence=0.95).interval for _ in range(n_trials)
        )
    ]
    # Three standard errors of a share of 0.95 in 400 trials are 0.033.
    assert np.mean(held) > 0.95 - 0.033


def test_prediction_interval_agrees_with_the_beta_binomial_distribution() -> None:
    from scipy.stats import betabinom

    low, high = predicted_shares(Proportion(0.3, 40), 25, 0.01)
    expected = betabinom(25, 12.5, 28.5).ppf([0.01, 0.99]) / 25
    assert (low, high) == pytest.approx(tuple(expected))


@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 1.0])
def test_prediction_interval_contains_the_share_of_further_rows(share: float) -> None:
    rng, n, n_further = np.random.default_rng(5), 200, 300
    inside = []
    for estimate, further in zip(
        rng.binomial(n, share, 400), rng.binomial(n_further, share, 400), strict=True
    ):
        low, high = predicted_shares(Proportion(estimate / n, n), n_further, 0.01)
        inside.append(low <= further / n_further <= high)
    # The expected share is 98%. Four standard errors of a share among 400 trials are 2.8%.
    assert np.mean(inside) > 0.95
