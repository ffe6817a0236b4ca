"""Tests for boosted trees: comparison with a reference implementation, and properties of fitted trees."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.kernels import reference
from understudy.kernels import boosting
from understudy.kernels.boosting import Boosted, BoostingRules, Observations

# The first call can compile kernels, so there is no deadline.
without_deadline = settings(deadline=None, max_examples=25)
KEY = np.uint64(7)


def rules(**changes: float | bool) -> BoostingRules:
    chosen = BoostingRules(True, 2, 2, 0.5, 1.0, 0.1, 1.0)
    return chosen._replace(**changes)


def scores(boosted: Boosted, codes: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    out = np.zeros(codes.shape[1])
    boosting.add_scores(boosted, np.ascontiguousarray(codes.T), out)
    return out


@without_deadline
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_boosted_trees_match_reference_implementation(seed: int, is_class: bool) -> None:
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 5, (3, 60)).astype(np.uint8)
    target = rng.integers(0, 2, 60).astype(np.float64)
    weight, start = rng.uniform(0.5, 2.0, 60), rng.normal(size=60)
    chosen = rules(is_class=is_class)
    boosted = boosting.fit_boosted(codes, Observations(target, weight, start), chosen, KEY)
    expected = reference.boosted_scores(
        codes.tolist(), target.tolist(), weight.tolist(), start.tolist(), chosen
    )
    # The kernel sums 60 derivatives of about 1 each in single precision.
    assert scores(boosted, codes) == pytest.approx(expected, abs=1e-3)


def test_log_odds_between_two_sets_of_rows_are_learned() -> None:
    # Values below 100 are three times as frequent in the first set as in the second set.
    codes = np.array([[50] * 300 + [150] * 100 + [50] * 100 + [150] * 300], np.uint8)
    target = np.repeat([1.0, 0.0], 400)
    chosen = rules(n_trees=200, depth=1, rate=0.3)
    boosted = boosting.fit_boosted(codes, Observations(target, np.ones(800), np.zeros(800)), chosen, KEY)
    assert scores(boosted, codes)[[0, 799]] == pytest.approx([math.log(3), -math.log(3)], abs=0.02)


def test_row_sampling_depends_only_on_the_key() -> None:
    rng = np.random.default_rng(0)
    codes, target = rng.integers(0, 256, (4, 500)).astype(np.uint8), rng.normal(size=500)
    chosen = rules(is_class=False, fraction=0.5, n_trees=5)
    fits = [
        boosting.fit_boosted(codes, Observations(target, np.ones(500), np.zeros(500)), chosen, np.uint64(key))
        for key in (1, 1, 2)
    ]
    assert all((a == b).all() for a, b in zip(fits[0], fits[1], strict=True))
    assert (fits[0].leaf != fits[2].leaf).any()


def test_splits_with_too_few_rows_on_one_side_are_rejected() -> None:
    codes = np.array([[0] * 9 + [1] * 91], np.uint8)
    target = (codes[0] == 0).astype(np.float64)
    chosen = rules(is_class=False, n_trees=1, depth=1, hessian_min=10.0)
    boosted = boosting.fit_boosted(codes, Observations(target, np.ones(100), np.zeros(100)), chosen, KEY)
    assert boosted.threshold[0, 0] == 255
    assert len(set(scores(boosted, codes).tolist())) == 1
