"""Tests for paired differences and tails: the compared columns, and the faults that lower the scores."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tests.unit.evaluation.people import comparison
from understudy.evaluation.comparison import ComparisonTables
from understudy.evaluation.metrics.base import UnscoredResult
from understudy.evaluation.metrics.fidelity import PairedDifferencesResult, TailsResult
from understudy.evaluation.metrics.fidelity.paired_differences import score as score_pairs
from understudy.evaluation.metrics.fidelity.tails import score as score_tails
from understudy.evaluation.page.html import render_html
from understudy.evaluation.report import evaluate
from understudy.tables.inference import infer_table

N = 1_000
START, DAY, HOUR = 1_680_000_000, 86_400, 3_600
Draw = Callable[[np.random.Generator], dict[str, Any]]


def stays(rng: np.random.Generator) -> dict[str, Any]:
    """Return arrival timestamps and departure timestamps a few hours later."""
    begin = START + rng.integers(0, 365 * DAY, N)
    return {"arrival": moments(begin), "departure": moments(begin + rng.gamma(2, 2 * HOUR, N).astype(int))}


def deliveries(rng: np.random.Generator) -> dict[str, Any]:
    """Return a column of dates and a column of timestamps."""
    day = rng.integers(19_000, 19_400, N)
    later = day * DAY + rng.gamma(2, DAY, N).astype(int)
    return {"ordered": pa.array(day.astype(np.int32)).cast(pa.date32()), "delivered": moments(later)}


def meters(rng: np.random.Generator) -> dict[str, Any]:
    """Return columns with a previous and a current meter reading."""
    previous = rng.integers(1_000, 90_000, N)
    return {"previous": previous, "current": previous + rng.gamma(2, 120, N).astype(int)}


def prices(rng: np.random.Generator) -> dict[str, Any]:
    """Return columns with a low and a high price."""
    low = rng.normal(120, 15, N)
    return {"low": low, "high": low + rng.gamma(3, 1, N)}


def trips(rng: np.random.Generator) -> dict[str, Any]:
    """Return times of day, including some missing values."""
    begin = rng.integers(0, 20 * HOUR, N)
    ends = pa.array((begin + rng.gamma(2, 600, N)).astype(np.int32), mask=rng.random(N) < 0.1)
    return {
        "leaves": pa.array(begin.astype(np.int32)).cast(pa.time32("s")),
        "arrives": ends.cast(pa.time32("s")),
    }


def moments(seconds: np.ndarray[Any, Any]) -> pa.Array[Any]:
    return pa.array(seconds).cast(pa.timestamp("s"))


def drawn(draw: Draw, *, seed: int) -> pa.Table:
    return pa.table(draw(np.random.default_rng(seed)))


def with_wider_gap(table: pa.Table) -> pa.Table:
    """Return the table with values of the second column taken from rows with a similar first column."""
    order = pc.sort_indices(table, [(table.column_names[0], "ascending")]).to_numpy()
    # Swaps between rows with similar first values keep both distributions and most of the correlation.
    moved = np.random.default_rng(9).permuted(order.reshape(-1, 200), axis=1).ravel()
    rows = table.take(pa.array(order))
    return rows.set_column(1, table.column_names[1], table.column(1).take(pa.array(moved)))


@pytest.mark.parametrize("draw", [stays, deliveries, meters, prices, trips])
def test_wrong_differences_between_shuffled_columns_are_detected(draw: Draw) -> None:
    real = drawn(draw, seed=1)
    fresh = score_pairs(comparison(real, drawn(draw, seed=2)))
    shuffled = score_pairs(comparison(real, with_wider_gap(real)))
    assert isinstance(fresh, PairedDifferencesResult)
    assert isinstance(shuffled, PairedDifferencesResult)
    (pair,) = fresh.pairs
    assert [pair.first, pair.second] == real.column_names
    # The Kolmogorov-Smirnov distance between two samples of 1,000 rows exceeds 0.087 in one of 1,000 cases.
    assert fresh.score > 0.913
    assert shuffled.score < 0.8


def test_policy_warns_if_differences_are_wrong() -> None:
    real = drawn(stays, seed=1)
    outcomes = {
        name: evaluate(ComparisonTables(real, table), infer_table(real)).verdict.outcomes()
        for name, table in (("fresh", drawn(stays, seed=2)), ("shuffled", with_wider_gap(real)))
    }
    assert outcomes["fresh"]["paired_differences"] == "pass"
    assert outcomes["shuffled"]["paired_differences"] == "warn"


def test_page_shows_the_differences_in_their_unit() -> None:
    real = drawn(stays, seed=1)
    page = render_html(evaluate(ComparisonTables(real, drawn(stays, seed=2)), infer_table(real)))
    section = page.split('id="quantities"')[1].split("</section>")[0]
    assert "arrival" in section
    assert "real 3." in section
    assert " h" in section


@pytest.mark.parametrize(
    "columns",
    [
        {"a": np.random.default_rng(0).normal(size=N), "b": np.random.default_rng(1).normal(size=N)},
        # Ages are always lower than years, but their difference has no meaning.
        {
            "age": np.random.default_rng(0).integers(18, 90, N),
            "year": np.random.default_rng(1).integers(1990, 2024, N),
        },
        # Ratings have too few distinct values.
        {"q1": np.arange(N) % 5, "q2": np.arange(N) % 5 + 1},
    ],
    ids=["independent", "other units", "ratings"],
)
def test_unrelated_columns_are_not_paired(columns: dict[str, Any]) -> None:
    table = pa.table(columns)
    assert isinstance(score_pairs(comparison(table, table)), UnscoredResult)


def test_number_of_pairs_is_limited() -> None:
    rng = np.random.default_rng(1)
    base = rng.normal(size=(N, 1))
    table = pa.table({f"x{i}": values for i, values in enumerate((base + 0.01 * rng.normal(size=(N, 60))).T)})
    result = score_pairs(comparison(table, table))
    assert isinstance(result, PairedDifferencesResult)
    assert len(result.pairs) == 20


def costs(rng: np.random.Generator, n: int) -> pa.Table:
    """Return a lognormal, a Pareto, a zero-inflated and a symmetric column."""
    return pa.table(
        {
            "lognormal": rng.lognormal(3, 2, n),
            "pareto": rng.pareto(2.5, n) + 1,
            "inflated": np.where(rng.random(n) < 0.7, 0, rng.lognormal(3, 1.5, n)),
            "height": rng.normal(170, 10, n),
        }
    )


def test_clipped_tails_are_detected() -> None:
    rng = np.random.default_rng(4)
    real, fresh = costs(rng, 5_000), costs(rng, 5_000)
    clipped = pa.table(
        {
            name: np.minimum(values, np.quantile(values, 0.95))
            for name, values in zip(
                real.column_names, (column.to_numpy() for column in real.columns), strict=True
            )
        }
    )
    of_fresh, of_clipped = (score_tails(comparison(real, table)) for table in (fresh, clipped))
    assert isinstance(of_fresh, TailsResult)
    assert {tail.column for tail in of_fresh.columns} == {"lognormal", "pareto", "inflated"}
    assert of_clipped.score is not None
    assert of_clipped.score < 0.6 < of_fresh.score


def test_lower_tails_are_also_compared() -> None:
    values = -np.random.default_rng(4).lognormal(3, 2, 5_000)
    result = score_tails(comparison(pa.table({"x": values}), pa.table({"x": np.maximum(values, -100)})))
    assert isinstance(result, TailsResult)
    (tail,) = result.columns
    assert (tail.side, tail.level) == ("lower", 0.999)
    assert tail.quantile_real < -1_000
    assert result.score < 0.5


def test_extreme_quantile_is_exceeded_by_at_least_five_real_rows() -> None:
    values = np.random.default_rng(4).lognormal(3, 2, 600)
    result = score_tails(comparison(pa.table({"x": values}), pa.table({"x": values})))
    assert isinstance(result, TailsResult)
    assert result.columns[0].level == pytest.approx(1 - 5 / 600)
    assert result.score == 1
    few = pa.table({"x": values[:400]})
    assert isinstance(score_tails(comparison(few, few)), UnscoredResult)
