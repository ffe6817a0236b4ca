"""Intervals of shares against closed forms, published figures, and their own promise."""

from __future__ import annotations

import numpy as np
import pytest

from understudy.evaluation.statistics.proportions import difference, exact_interval, risk, score_interval


def test_exact_interval_of_no_success_has_a_closed_form() -> None:
    # (1 - p)^n = 0.025 at the upper end.
    low, high = exact_interval(0, 20)
    assert low == 0
    assert high == pytest.approx(1 - 0.025 ** (1 / 20))


def test_exact_interval_of_successes_alone_mirrors_it() -> None:
    low, high = exact_interval(20, 20)
    assert low == pytest.approx(0.025 ** (1 / 20))
    assert high == 1


def test_score_interval_as_published() -> None:
    # Newcombe (1998), "Two-sided confidence intervals for the single proportion", table I: 15 of 148.
    assert score_interval(15 / 148, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)


def test_difference_as_published() -> None:
    # Newcombe (1998), "Interval estimation for the difference", table II: 56 of 70 less 48 of 80, method 10.
    found = difference(56 / 70, 48 / 80, 70, 80, confidence=0.95)
    assert found.score == pytest.approx(0.2)
    assert found.interval == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_risk_is_of_what_the_control_leaves_open() -> None:
    assert risk(0.6, 0.2, 1_000, 1_000).score == pytest.approx(0.5)
    assert risk(1.0, 1.0, 1_000, 1_000).score == 0


def test_nineteen_of_twenty_intervals_hold_the_difference() -> None:
    rng = np.random.default_rng(0)
    n, n_trials = 500, 1_000
    shares = rng.binomial(n, (0.03, 0.01), (n_trials, 2)) / n
    held = [
        low <= 0.02 <= high
        for low, high in (difference(a, c, n, n, confidence=0.95).interval for a, c in shares)
    ]
    # Of 1,000 trials, three standard errors of a share of 0.95 are 0.021.
    assert np.mean(held) > 0.95 - 0.021
