"""Tests for grouping rows into entities."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from understudy.kernels import hashing, permutation
from understudy.synthesizers.entities.grouping import Grouping, fit_grouping, smooth_sizes
from understudy.transformers.base import MIN_SUPPORT, consecutive_rows

Sizes = st.lists(st.integers(1, 40), min_size=1, max_size=60).map(lambda sizes: np.array(sizes, np.int64))


@settings(deadline=None)
@given(sizes=Sizes, n_windows=st.integers(0, 9), seed=st.integers(0, 2**40))
def test_every_entity_has_the_same_size_in_each_period(
    sizes: npt.NDArray[np.int64], n_windows: int, seed: int
) -> None:
    n = int(sizes.sum())
    places = Grouping(sizes, min(n_windows, n)).find(consecutive_rows(0, 2 * n), seed, 0)
    assert np.array_equal(np.bincount(places.numbers.astype(np.int64)), np.tile(sizes, 2))
    assert np.array_equal(places.slots, places.numbers.astype(np.int64) % len(sizes))
    for entity in range(len(sizes)):
        assert sorted(places.ranks[places.numbers == entity]) == list(range(sizes[entity]))


@settings(deadline=None)
@given(sizes=Sizes, first=st.integers(0, 2000))
def test_entities_of_rows_do_not_depend_on_other_rows(sizes: npt.NDArray[np.int64], first: int) -> None:
    grouping = Grouping(sizes, 1)
    many = grouping.find(consecutive_rows(0, 2100), 7, 3)
    few = grouping.find(consecutive_rows(first, 100), 7, 3)
    assert np.array_equal(many.numbers[first : first + 100], few.numbers)


def test_rows_of_an_entity_are_adjacent_only_if_they_are_adjacent_in_the_table() -> None:
    sizes = np.full(100, 10)
    rows = consecutive_rows(0, 1000)
    together = fit_grouping(sizes, is_contiguous=True).find(rows, 1, 0).numbers
    apart = fit_grouping(sizes, is_contiguous=False).find(rows, 1, 0).numbers
    assert (together[1:] != together[:-1]).sum() == 99
    assert (apart[1:] != apart[:-1]).sum() > 900
    # Each window contains about 24 entities, so half of the sample contains only slightly more than half of
    # the entities.
    assert len(np.unique(apart[:500])) < 55


@given(sizes=Sizes)
def test_smoothing_preserves_the_sum_of_sizes_and_reveals_no_single_size(
    sizes: npt.NDArray[np.int64],
) -> None:
    smoothed = smooth_sizes(sizes)
    assert smoothed.sum() == sizes.sum()
    assert smoothed.min() >= 1
    largest = np.sort(smoothed)[-min(MIN_SUPPORT, len(sizes)) :]
    assert largest.max() - largest.min() <= 1
    assert smoothed.max() <= sizes.max()


def test_large_entities_share_no_units_with_rows_without_a_key() -> None:
    sizes = np.array([1] * 20 + [40, 50, 60])
    strata = np.array([0] * 20 + [1] * 3)
    assert smooth_sizes(sizes, strata).tolist() == [1] * 20 + [50, 50, 50]


def test_size_of_the_only_entity_in_a_stratum_is_smoothed() -> None:
    sizes = np.array([3, 4, 5, 3, 4, 5, 3, 4, 5, 3, 4, 5, 6, 1, 500])
    strata = np.array([0] * 13 + [1, 2])
    smoothed = smooth_sizes(sizes, strata)
    assert smoothed.max() < 200
    assert smoothed.sum() == sizes.sum()
    assert smoothed[13] == 1


def test_sizes_that_k_entities_share_are_preserved() -> None:
    sizes = np.repeat([3, 1, 9], [10, 20, 5])
    assert np.array_equal(smooth_sizes(sizes), sizes)


def test_phases_are_spread_evenly_in_every_part_of_the_rows() -> None:
    sizes = np.random.default_rng(0).integers(1, 20, 500)
    grouping = fit_grouping(sizes, is_contiguous=False)
    phases = grouping.phases(grouping.find(consecutive_rows(0, 4000), 1, 0))
    for start in range(0, 4000, 1000):
        # A cycle has 24 entities, so the tolerance is about one entity of average size in each cycle.
        assert (phases[start : start + 1000] < 0.3).mean() == pytest.approx(0.3, abs=0.05)


def permute_slowly(number: int, n_period: int, n_windows: int, key: int) -> int:
    """Return the position of a number. Reference implementation for `permutation.permute_windows`."""
    period, own = divmod(number, n_period)
    starts = [-(-window * n_period // n_windows) for window in range(n_windows + 1)]
    window = max(w for w in range(n_windows) if starts[w] <= own)
    golden = int(hashing.GOLDEN) * (period * n_windows + window + 1) % 2**64
    own_key = np.uint64(int(hashing.mix(np.uint64(key ^ golden))))
    out = np.empty(1, np.uint64)
    size = starts[window + 1] - starts[window]
    permutation.permute(np.array([own - starts[window]], np.uint64), np.uint64(size), own_key, out)
    return period * n_period + starts[window] + int(out[0])


@settings(deadline=None)
@given(n_period=st.integers(1, 300), n_windows=st.integers(1, 300), key=st.integers(0, 2**64 - 1))
def test_windows_are_permuted_as_in_the_reference_implementation(
    n_period: int, n_windows: int, key: int
) -> None:
    n_windows = min(n_windows, n_period)
    numbers = consecutive_rows(0, 2 * n_period)
    places = permutation.permute_windows(numbers, np.uint64(n_period), np.uint64(n_windows), np.uint64(key))
    slow = [permute_slowly(int(number), n_period, n_windows, key) for number in numbers]
    assert places.tolist() == slow
    key_ = np.uint64(key)
    assert np.array_equal(
        permutation.unpermute_windows(places, np.uint64(n_period), np.uint64(n_windows), key_), numbers
    )


@pytest.mark.parametrize("n_windows", [0, 3])
def test_units_of_is_the_inverse_of_find(n_windows: int) -> None:
    grouping = Grouping(np.array([3, 1, 4, 2]), n_windows)
    places = grouping.find(consecutive_rows(0, 20), 5, 1)
    units, starts = grouping.units_of(consecutive_rows(0, 8), 5, 1)
    for entity, own in enumerate(np.split(units, starts[1:])):
        assert set(own) == set(np.flatnonzero(places.numbers == entity))


def test_large_entities_are_divided() -> None:
    grouping, slots = Grouping(np.array([5, 2, 4]), 0).split(2)
    assert grouping.sizes.tolist() == [2, 2, 1, 2, 2, 2]
    assert slots.tolist() == [0, 0, 0, 1, 2, 2]
