"""Tests for nearest neighbors and their metrics, with hand-computed cases and reference implementations."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from tests.unit.evaluation.people import comparison
from understudy.evaluation.metrics.fidelity import alpha_precision, beta_recall, coverage, density
from understudy.evaluation.metrics.fidelity.depth_curve import LEVELS, closeness
from understudy.evaluation.metrics.fidelity.neighbourhood import neighbourhood
from understudy.kernels.neighbours import Rows
from understudy.kernels.surroundings import BLOCK, find_within, kth_distances

Floats = npt.NDArray[np.float32]
Codes = npt.NDArray[np.int32]


def points(n_rows: int, n_numbers: int, n_codes: int, *, seed: int) -> tuple[Floats, Codes]:
    rng = np.random.default_rng(seed)
    # Multiples of 1/8 and a few codes produce many ties and no rounding errors.
    numbers = rng.integers(0, 9, (n_rows, n_numbers)) / 8
    return numbers.astype(np.float32), rng.integers(-1, 3, (n_rows, n_codes)).astype(np.int32)


def squares(first: tuple[Floats, Codes], second: tuple[Floats, Codes]) -> npt.NDArray[np.float64]:
    numbers = ((first[0][:, None] - second[0][None]) ** 2).sum(axis=2)
    return np.asarray(numbers + (first[1][:, None] != second[1][None]).sum(axis=2))


@pytest.mark.parametrize(("n_numbers", "n_codes"), [(2, 2), (0, 3), (3, 0)])
def test_kernels_agree_with_their_reference_implementations(n_numbers: int, n_codes: int) -> None:
    real = points(BLOCK + 30, n_numbers, n_codes, seed=1)
    other = points(BLOCK + 7, n_numbers, n_codes, seed=2)
    rows = np.arange(0, BLOCK + 30, 11)
    asked = real[0][rows], real[1][rows]
    columns = [np.ascontiguousarray(part.T) for part in (*real, *other)]
    radii = kth_distances(Rows(*asked), Rows(*columns[:2]), rows, 5)
    to_real = squares(asked, real)
    to_real[np.arange(len(rows)), rows] = np.inf
    assert radii.tolist() == np.sort(to_real, axis=1)[:, 4].tolist()
    nearest, n_within, n_around = find_within(Rows(*asked), Rows(*columns[2:]), radii)
    to_other = squares(asked, other)
    within = to_other <= radii[:, None]
    assert nearest.tolist() == to_other.argmin(axis=1).tolist()
    assert n_within.tolist() == within.sum(axis=1).tolist()
    assert n_around.tolist() == within.sum(axis=0).tolist()


def test_copies_have_full_coverage_and_a_density_above_one() -> None:
    rng = np.random.default_rng(0)
    table = pa.table({"x": rng.normal(size=400), "y": rng.normal(size=400)})
    compared = comparison(table, table)
    result = density.score(compared)
    assert isinstance(result, density.DensityResult)
    # Each row counts itself in addition to its five neighbors. The tolerance allows for a few tied ranks.
    assert (result.score, result.density) == (1.0, pytest.approx(6 / 5, abs=0.01))
    assert coverage.score(compared).score == 1.0
    assert alpha_precision.score(compared).score == pytest.approx(1.0, abs=1 / 400)
    assert beta_recall.score(compared).score == pytest.approx(1.0, abs=2 / 400)


def test_coverage_of_fresh_rows_agrees_with_theory() -> None:
    rng = np.random.default_rng(0)
    real, fresh = (pa.table({"x": rng.normal(size=3000), "y": rng.normal(size=3000)}) for _ in range(2))
    result = coverage.score(comparison(real, fresh))
    assert isinstance(result, coverage.CoverageResult)
    # Each neighbor of a real row is equally likely to be from either table. The first five are all real in
    # one of 2^5 cases (Naeem et al. 2020). The tolerance is four standard errors.
    error = np.sqrt(2 * (1 / 32) * (31 / 32) / 3000)
    assert result.score == pytest.approx(1 - 1 / 32, abs=4 * error)


def test_missing_types_of_rows_lower_coverage_and_recall() -> None:
    rng = np.random.default_rng(0)
    real = pa.table({"x": np.r_[rng.normal(size=700), 50 + rng.normal(size=300)], "y": rng.normal(size=1000)})
    lacking = pa.table({"x": rng.normal(size=1000), "y": rng.normal(size=1000)})
    compared = comparison(real, lacking)
    covered, recall = coverage.score(compared), beta_recall.score(compared)
    assert isinstance(covered, coverage.CoverageResult)
    assert isinstance(recall, beta_recall.BetaRecallResult)
    # Three of ten rows have no synthetic row in their neighborhood.
    assert covered.score == pytest.approx(0.7 * 31 / 32, abs=0.05)
    assert recall.curve[-1][1] == covered.score
    # The nearest synthetic rows of these 300 rows are at the edge of the synthetic data, so the curve ends at
    # 0.7 or lower. The score is therefore 1 - 0.3^2.
    assert 0.65 < recall.score < 1 - 0.3**2 + 0.02
    assert density.score(compared).score == 1.0


def test_rows_at_random_positions_lower_density_and_precision() -> None:
    rng = np.random.default_rng(0)
    real = pa.table(
        {f"c{i}": rng.integers(0, 2, 600).astype(str) for i in range(1)}
        | {f"x{i}": value for i, value in enumerate(np.repeat(rng.normal(size=(1, 600)), 5, axis=0))}
    )
    strange = pa.table(
        {"c0": rng.integers(0, 2, 600).astype(str)} | {f"x{i}": rng.normal(size=600) for i in range(5)}
    )
    compared = comparison(real, strange)
    assert density.score(compared).score == pytest.approx(0.0, abs=0.05)
    # If the columns are independent, few rows are far from the center in all columns at the same time.
    precision = alpha_precision.score(compared).score
    assert precision is not None
    assert precision < 0.8


def test_closeness_agrees_with_known_curves() -> None:
    assert closeness(LEVELS) == 1.0
    # If all shares are halved, half of the area below the diagonal is lost. If all shares are zero, the whole
    # area is lost.
    assert closeness(LEVELS / 2) == pytest.approx(0.5)
    assert closeness(np.zeros_like(LEVELS)) == pytest.approx(0.0)


def test_nearest_neighbors_are_computed_only_once() -> None:
    table = pa.table({"x": np.arange(100.0)})
    compared = comparison(table, table)
    assert neighbourhood(compared) is neighbourhood(compared)
