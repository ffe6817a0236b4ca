from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize, special, stats

from understudy.transformers.simplex import minimize
from understudy.transformers.tail_families import log_normal_probability


def rosenbrock(point):
    return float(100 * (point[1] - point[0] ** 2) ** 2 + (1 - point[0]) ** 2)


def gamma_loss(point):
    values = np.random.default_rng(0).gamma(2.0, 3.0, 200)
    shape, scale = np.exp(point)
    return np.inf if shape > 50 else float(-stats.gamma.logpdf(values, shape, scale=scale).sum())


@pytest.mark.parametrize(("loss", "start"), [(rosenbrock, (-1.2, 1.0)), (gamma_loss, (0.0, 0.0))])
def test_search_finds_the_minimum_that_scipy_finds(loss, start):
    point, lowest = minimize(loss, start)
    reference = optimize.minimize(loss, start, method="Nelder-Mead", options={"maxiter": 400})
    assert point == pytest.approx(reference.x, abs=1e-2)
    assert lowest == pytest.approx(reference.fun, abs=1e-3)


def test_search_stays_where_the_loss_is_finite():
    point, lowest = minimize(lambda x: np.inf if x[0] < 1 else float(x[0] ** 2 + x[1] ** 2), (3.0, 2.0))
    assert point[0] >= 1
    assert lowest == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("z", [-500.0, -37.0, -30.001, -29.999, -5.0, 0.0, 3.0, 20.0])
def test_logarithm_of_the_normal_probability_matches_scipy(z):
    assert log_normal_probability(z) == pytest.approx(special.log_ndtr(z), rel=1e-9, abs=1e-16)
