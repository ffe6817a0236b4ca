"""Tests that compare the nearest-row kernels with slow reference implementations."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pytest

from understudy.kernels.neighbours import BLOCK, Rows, Views, fewest_differences, nearest_rows

N_OTHERS = BLOCK + 17

Numbers: TypeAlias = list[npt.NDArray[np.float32]]
Codes: TypeAlias = list[npt.NDArray[np.int32]]


def tables(n_numbers: int, n_codes: int) -> tuple[Numbers, Codes]:
    """Return queries and other rows with ties. All numbers are multiples of 1/32, so that sums are exact."""
    rng = np.random.default_rng(0)
    numbers = [(rng.integers(0, 40, (n, n_numbers)) / 32).astype(np.float32) for n in (5, N_OTHERS)]
    codes = [rng.integers(-1, 3, (n, n_codes)).astype(np.int32) for n in (5, N_OTHERS)]
    return numbers, codes


def apart(numbers: Numbers, codes: Codes) -> npt.NDArray[np.float64]:
    """Return the distance of each query to each other row, by column."""
    in_numbers = np.minimum(1, np.abs(numbers[0][:, None] - numbers[1][None]))
    in_codes = codes[0][:, None] != codes[1][None]
    return np.concatenate([in_numbers, in_codes], axis=2).astype(np.float64)


@pytest.mark.parametrize(("n_numbers", "n_codes"), [(3, 2), (0, 2), (3, 0)])
@pytest.mark.parametrize("is_split", [True, False])
def test_nearest_rows_match_reference_implementation(n_numbers: int, n_codes: int, is_split: bool) -> None:
    numbers, codes = tables(n_numbers, n_codes)
    part = np.arange(n_numbers + n_codes) % 2 == 0 if is_split else np.zeros(0, dtype=np.bool_)
    others = Rows(*(np.ascontiguousarray(two[1].T) for two in (numbers, codes)))
    distances, rows = nearest_rows(Rows(numbers[0], codes[0]), others, Views(part, np.array([1])), 4)
    whole = apart(numbers, codes)
    views = [whole, *([whole[..., part], whole[..., ~part]] if is_split else []), np.delete(whole, 1, axis=2)]
    assert len(distances) == len(views)
    for v, view in enumerate(views):
        n_kept = 1 if v == len(views) - 1 else 4
        order = np.argsort(view.sum(axis=2), axis=1, kind="stable")[:, :n_kept]
        np.testing.assert_array_equal(rows[v, :, :n_kept], order)
        np.testing.assert_array_equal(
            distances[v, :, :n_kept], np.take_along_axis(view.sum(axis=2), order, 1)
        )


def test_missing_neighbors_have_the_index_minus_1() -> None:
    one, none = np.zeros((1, 1), np.float32), np.zeros((0, 1), np.int32)
    part, left_out = np.zeros(0, dtype=np.bool_), np.zeros(0, dtype=np.int64)
    distances, rows = nearest_rows(Rows(one, none.T), Rows(one, none), Views(part, left_out), 3)
    assert rows[0, 0].tolist() == [0, -1, -1]
    assert distances[0, 0].tolist() == [0, np.inf, np.inf]


@pytest.mark.parametrize(("n_numbers", "n_codes"), [(3, 2), (0, 2), (3, 0)])
def test_smallest_numbers_of_differences_match_reference_implementation(n_numbers: int, n_codes: int) -> None:
    numbers, codes = tables(n_numbers, n_codes)
    others = Rows(*(np.ascontiguousarray(two[1].T) for two in (numbers, codes)))
    # Different numbers are at least 1/32 apart. One step is within the tolerance, and two steps are not.
    fewest = fewest_differences(Rows(numbers[0], codes[0]), others, 0.04)
    slow = (apart(numbers, codes) > 0.04).sum(axis=2).min(axis=1)
    np.testing.assert_array_equal(fewest, slow)
