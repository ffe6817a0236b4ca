"""Which rows are set aside."""

from __future__ import annotations

import numpy as np
import pytest

from understudy.errors import InvalidInput
from understudy.evaluation.holdout import mix64, split_holdout


def test_mix_is_splitmix64() -> None:
    # The first outputs of the published SplitMix64 for the seeds 0 and 1234567.
    states = np.array([0, 1234567], dtype=np.uint64)
    assert mix64(states).tolist() == [0xE220A8397B1DCDAF, 6457827717110365317]


@pytest.mark.parametrize("fraction", [0.05, 0.2, 0.5])
def test_share_is_the_fraction_within_chance(fraction: float) -> None:
    n_rows = 100_000
    share = split_holdout(n_rows, fraction, 7).mean()
    assert abs(share - fraction) < 4 * (fraction * (1 - fraction) / n_rows) ** 0.5


def test_longer_table_begins_with_the_same_decisions() -> None:
    assert np.array_equal(split_holdout(1000, 0.2, 3)[:400], split_holdout(400, 0.2, 3))


def test_another_seed_holds_out_other_rows() -> None:
    both = split_holdout(100_000, 0.5, 1) & split_holdout(100_000, 0.5, 2)
    assert abs(both.mean() - 0.25) < 4 * (0.25 * 0.75 / 100_000) ** 0.5


@pytest.mark.parametrize("seed", [0, 2**63 - 1])
def test_extremes_hold_out_none_or_all(seed: int) -> None:
    assert not split_holdout(100, 0, seed).any()
    assert split_holdout(100, 1, seed).all()
    assert split_holdout(0, 0.5, seed).shape == (0,)


@pytest.mark.parametrize(("n_rows", "fraction"), [(-1, 0.2), (10, -0.1), (10, 1.1)])
def test_nonsense_is_refused(n_rows: int, fraction: float) -> None:
    with pytest.raises(InvalidInput):
        split_holdout(n_rows, fraction, 0)
