"""Tests for metric baselines and the score floors for real rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from tests.unit.evaluation.people import comparison, people
from understudy.evaluation.baselines import (
    N_RESAMPLED,
    bootstrap_baseline,
    holdout_baseline,
    leaky_copy,
    split_baseline,
)
from understudy.evaluation.comparison import Comparison
from understudy.evaluation.encoding import is_missing
from understudy.evaluation.metrics import METRICS
from understudy.evaluation.metrics.base import Need
from understudy.evaluation.metrics.fidelity import column_shapes
from understudy.evaluation.scores import score_all
from understudy.progress import no_progress

REAL, SYNTHETIC, HOLDOUT = (people(n, seed=seed) for n, seed in ((600, 1), (400, 2), (300, 3)))


@pytest.fixture
def compared() -> Comparison:
    return comparison(REAL, SYNTHETIC, holdout=HOLDOUT, target="town")


def rows_of(table: object) -> set[int]:
    """Return the hashes of the rows in a table."""
    return set(table.row_hashes[table.rows].tolist())  # type: ignore[attr-defined]


def test_noisy_copy_has_the_real_distribution_and_is_close_to_real_rows(compared: Comparison) -> None:
    leak = leaky_copy(compared)
    assert leak.synthetic.n_rows == compared.synthetic.n_rows
    # The Kolmogorov-Smirnov distance between two samples of 600 and 400 rows has a mean of 0.056.
    assert column_shapes.score(leak).score > 0.92
    height = compared.encoder_index("height")
    copied, real = (table.columns[height] for table in (leak.synthetic, compared.real))
    assert np.isin(copied[~is_missing(copied)], real).all()
    assert np.isnan(copied).mean() == pytest.approx(np.isnan(real).mean(), abs=0.05)


def test_noisy_copy_does_not_change_the_real_table(compared: Comparison) -> None:
    before = [column.copy() for column in compared.real.columns]
    leaky_copy(compared)
    for column, copy in zip(compared.real.columns, before, strict=True):
        np.testing.assert_array_equal(column, copy)


def test_holdout_baseline_shares_no_rows_between_tables(compared: Comparison) -> None:
    plain = holdout_baseline(compared, frozenset())
    assert plain.real is compared.real
    assert rows_of(plain.synthetic) == rows_of(compared.holdout)
    with_holdout = holdout_baseline(compared, frozenset({Need.holdout}))
    judged, held = rows_of(with_holdout.synthetic), rows_of(with_holdout.holdout)
    assert judged.isdisjoint(held)
    assert judged | held == rows_of(compared.holdout)


def test_holdout_baseline_without_a_holdout_uses_halves_of_the_real_rows() -> None:
    fresh = holdout_baseline(comparison(REAL, SYNTHETIC), frozenset())
    assert rows_of(fresh.real).isdisjoint(rows_of(fresh.synthetic))
    assert (fresh.real.n_rows, fresh.synthetic.n_rows) == (300, 300)


def test_bootstrap_baseline_keeps_table_sizes_and_contains_only_real_rows(compared: Comparison) -> None:
    drawn = list(bootstrap_baseline(compared))
    assert len(drawn) == N_RESAMPLED
    known = rows_of(compared.real) | rows_of(compared.holdout)
    for baseline in drawn:
        assert (baseline.real.n_rows, baseline.synthetic.n_rows) == (600, 400)
        assert rows_of(baseline.synthetic) <= known
    assert rows_of(drawn[0].synthetic) != rows_of(drawn[1].synthetic)


@pytest.mark.parametrize(("holdout", "sizes"), [(HOLDOUT, (500, 400)), (None, (300, 300))])
def test_split_baseline_shares_no_rows_between_tables(
    holdout: pa.Table | None, sizes: tuple[int, int]
) -> None:
    compared = comparison(REAL, SYNTHETIC, holdout=holdout)
    drawn = list(split_baseline(compared))
    for baseline in drawn:
        real, judged = ({*table.row_hashes[table.rows]} for table in (baseline.real, baseline.synthetic))
        assert real.isdisjoint(judged)
        assert (baseline.real.n_rows, baseline.synthetic.n_rows) == sizes
    assert {*drawn[0].synthetic.row_hashes[drawn[0].synthetic.rows]} != {
        *drawn[1].synthetic.row_hashes[drawn[1].synthetic.rows]
    }


def test_shared_results_are_computed_once_for_each_comparison(compared: Comparison) -> None:
    calls: list[Comparison] = []

    def count(one: Comparison) -> int:
        calls.append(one)
        return len(calls)

    assert compared.once("count", count) == compared.once("count", count) == 1
    other = compared.with_tables(synthetic=compared.real)
    assert other.once("count", count) == 2
    assert calls == [compared, other]


def test_error_in_one_metric_does_not_fail_the_report(compared: Comparison) -> None:
    def broken(_: Comparison) -> None:
        raise KeyError("secret value")

    metrics = [
        replace(METRICS["column_shapes"], score=broken),  # type: ignore[arg-type]
        METRICS["column_pairs"],
    ]
    scores_by_name = {scores.name: scores for scores in score_all(compared, {}, no_progress, metrics)}
    assert (
        scores_by_name["column_shapes"].synthetic.reason == "could not be computed on these tables (KeyError)"
    )  # type: ignore[union-attr]
    assert scores_by_name["column_shapes"].synthetic.is_fault  # type: ignore[union-attr]
    assert scores_by_name["column_pairs"].floor is not None


def test_memory_error_fails_the_report(compared: Comparison) -> None:
    def greedy(_: Comparison) -> None:
        raise MemoryError

    metrics = [replace(METRICS["column_shapes"], score=greedy)]  # type: ignore[arg-type]
    with pytest.raises(MemoryError):
        score_all(compared, {}, no_progress, metrics)


def test_real_rows_score_within_the_floor() -> None:
    # Each comparison uses different rows. A score of real rows is within its floor with a probability of
    # 95%. The probability that fewer than 16 of 20 scores are within their floors is 0.3%.
    inside = 0
    for seed in range(20):
        compared = comparison(people(500, seed=100 + seed), people(500, seed=200 + seed), seed=seed)
        drawn = [column_shapes.score(one).score for one in bootstrap_baseline(compared)]
        spread = np.std(drawn, ddof=1)
        inside += abs(column_shapes.score(compared).score - np.mean(drawn)) < 4 * spread
    assert inside >= 16


def test_unusual_tables_have_baselines() -> None:
    table = pa.table({"x": pa.nulls(60, pa.float64()), "c": pa.nulls(60, pa.string())})
    compared = comparison(table, table)
    assert leaky_copy(compared).synthetic.n_rows == 60
    assert holdout_baseline(compared, frozenset()).synthetic.n_rows == 30
