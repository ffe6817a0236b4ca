"""Tests that compare sampling within a set of codes with the unrestricted probabilities of these codes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.kernels.test_kernels import grow_forest, probabilities
from understudy.kernels import hierarchy, restricting
from understudy.kernels.drawing import Conditional
from understudy.kernels.hashing import StreamRows
from understudy.synthesizers.tree_chain.additive import NO_PREDICTOR
from understudy.transformers.base import consecutive_rows

N_CODES = 23
# The first call can compile kernels, so there is no deadline.
without_deadline = settings(deadline=None, max_examples=25)


@without_deadline
@given(st.sets(st.integers(0, N_CODES - 1), min_size=1))
def test_restricted_samples_follow_the_conditional_probabilities(codes: set[int]) -> None:
    rng = np.random.default_rng(0)
    column = np.sort(rng.integers(0, N_CODES, 3000)).astype(np.uint16)
    forest, child = grow_forest(column, (column[None] * 11 % 256).astype(np.uint8), np.zeros(1, bool))
    n = 4000
    rows = np.zeros((n, 2), np.uint8)
    rows[:, 0] = 7 * 11
    expected = np.array(probabilities(forest, child, rows[0], N_CODES))
    allowed = np.isin(np.arange(N_CODES), list(codes))
    coarse, drawn, weight = np.arange(N_CODES, dtype=np.uint8), np.zeros(n, np.uint16), np.full(n, 2.0)
    conditional = Conditional(child, forest, NO_PREDICTOR, coarse)
    restricted = restricting.Restricted(conditional, restricting.restrict(child, allowed))
    draws = StreamRows(np.uint64(1), np.uint64(2), consecutive_rows(3, n))
    restricting.draw_within(rows, 1, draws, restricted, restricting.WeightedCodes(drawn, weight))
    total = expected[allowed].sum()
    assert weight == pytest.approx(np.full(n, 2 * total), abs=1e-6)
    assert allowed[drawn].all()
    assert (rows[:, 1] == drawn).all()
    share = np.where(allowed, expected, 0) / total
    # The tolerance is six standard deviations of a share among n samples.
    tolerance = 6 * np.sqrt(share * (1 - share) / n) + 1e-4
    assert (np.abs(np.bincount(drawn, minlength=N_CODES) / n - share) < tolerance).all()


@without_deadline
@given(st.integers(2, 60), st.data())
def test_restriction_marks_groups_that_contain_none_or_some_or_only_allowed_codes(
    n_codes: int, data: st.DataObject
) -> None:
    allowed = np.array(data.draw(st.lists(st.booleans(), min_size=n_codes, max_size=n_codes)))
    _, _, child = hierarchy.build_hierarchy(np.ones(n_codes, np.int64))
    restriction = restricting.restrict(child, allowed)

    def below(choice: int) -> set[int]:
        return {-choice - 1} if choice < 0 else {c for g in set(child[choice].tolist()) for c in below(g)}

    for q in range(len(child)):
        for g in range(hierarchy.RADIX):
            if g and child[q, g] == child[q, g - 1]:
                assert restriction.inside[q, g] == restricting.NONE
                continue
            fits = {bool(allowed[code]) for code in below(int(child[q, g]))}
            expected = restricting.SOME if len(fits) == 2 else restricting.ALL if fits == {True} else 0
            assert restriction.inside[q, g] == expected
        codes = {bool(allowed[code]) for code in below(q)}
        assert (restriction.slot[q] >= 0) == (len(codes) == 2)
    assert (np.diff(restriction.choice) < 0).all()
