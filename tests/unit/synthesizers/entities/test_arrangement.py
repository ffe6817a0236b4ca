"""Tests for the arrangement of entities: their order and sizes."""

from __future__ import annotations

import numpy as np

from understudy.synthesizers.entities.arrangement import arrange_entities, sizes_of
from understudy.synthesizers.entities.detection import FoundGroup
from understudy.synthesizers.entities.groups import ROWS


def found_groups(*entities: np.ndarray, sources: tuple[int, ...]) -> list[FoundGroup]:
    """Return one group, with its own key, for each array. The arrays contain the entity of each row."""
    return [
        FoundGroup((g,), own.astype(np.int64), (g,), entities=own.astype(np.int64), source=source)
        for g, (own, source) in enumerate(zip(entities, sources, strict=True))
    ]


def test_large_units_stay_with_the_same_owners() -> None:
    # The first half of the units have one row each, and the other half have nine rows each. Each owner has
    # four units.
    units = np.concatenate([np.arange(200), np.repeat(np.arange(200, 400), 9)])
    units = units[np.random.default_rng(0).permutation(len(units))]
    units = np.unique(units, return_inverse=True)[1]
    found = found_groups(units, units // 4, sources=(ROWS, 0))
    of_units, of_owners = arrange_entities(found, seed=1)
    totals = np.add.reduceat(of_units.grouping.sizes, of_owners.grouping.ends - of_owners.grouping.sizes)
    assert sorted(set(totals)) == [4, 36]
    assert np.array_equal(np.sort(of_units.order), np.arange(400))


def test_sizes_add_up_to_the_number_of_source_units() -> None:
    rng = np.random.default_rng(0)
    fine = rng.integers(0, 300, 2000)
    fine = np.unique(fine, return_inverse=True)[1]
    coarse = np.unique((fine * 7) % 40, return_inverse=True)[1]
    found = found_groups(fine, coarse, sources=(ROWS, 0))
    arranged = arrange_entities(found, seed=1)
    assert arranged[0].grouping.sizes.sum() == 2000
    assert arranged[1].grouping.sizes.sum() == len(sizes_of(found[0], found))


def test_entities_with_few_repeats_in_random_order_are_not_contiguous() -> None:
    values = np.concatenate([np.arange(900), np.arange(100)])
    values = values[np.random.default_rng(0).permutation(1000)]
    values = np.unique(values, return_inverse=True)[1]
    assert arrange_entities(found_groups(values, sources=(ROWS,)), seed=1)[0].grouping.n_windows > 0
