"""Tests for columns that are derived from another column and a difference."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tests.one_table import Parts, fit, impute
from tests.one_table import sample as draw
from understudy.errors import InvalidInput
from understudy.parameters.constraints import SamplingConstraints
from understudy.synthesizers import TreeChainParameters
from understudy.synthesizers.files import load_model, save_model
from understudy.synthesizers.tree_chain.synthesizer import TreeChain
from understudy.tables.inference import infer_table
from understudy.transformers.numeric import NumericTransformer

N_ROWS = 3000
YEAR_SECONDS = 365 * 86_400
DAY_US = 86_400 * 10**6

EPOCH = datetime.fromisoformat("1970-01-01")

# Maximum relative error for the median and the 99% quantile of synthetic differences.
TOLERANCE = 0.15


def random(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def starts(limit: int, n: int = N_ROWS) -> npt.NDArray[np.int64]:
    return random(1).integers(0, limit, n)


def lengths(n: int = N_ROWS) -> npt.NDArray[np.int64]:
    """Return positive lengths with a median near 250."""
    return np.rint(random(2).lognormal(5.5, 0.6, n)).astype(np.int64) + 1


def integers() -> pa.Table:
    start = starts(5_000_000)
    return pa.table({"start": start, "end": start + lengths()})


def decimals() -> pa.Table:
    low = starts(1_000_000)
    return pa.table({"start": low / 100, "end": (low + lengths()) / 100})


def floats() -> pa.Table:
    low = random(1).random(N_ROWS) * 1e4
    return pa.table({"start": low, "end": low + random(2).lognormal(0, 0.5, N_ROWS)})


def dates() -> pa.Table:
    start = starts(3650)
    end = start + 1 + random(2).geometric(0.2, N_ROWS)
    return pa.table({"start": pa.array(start, pa.int32()).cast(pa.date32()), "end": as_dates(end)})


def as_dates(days: npt.NDArray[np.int64]) -> Any:
    return pa.array(days, pa.int32()).cast(pa.date32())


def timestamps() -> pa.Table:
    start = starts(YEAR_SECONDS)
    stamps = [pa.array(s, pa.int64()).cast(pa.timestamp("s")) for s in (start, start + 60 * lengths())]
    return pa.table({"start": stamps[0], "end": stamps[1]})


def date_and_timestamp() -> pa.Table:
    day = starts(365)
    stamp = pa.array(day * DAY_US + lengths() * 60 * 10**6, pa.int64()).cast(pa.timestamp("us"))
    return pa.table({"start": as_dates(day), "end": stamp})


def timestamp_and_date() -> pa.Table:
    day = starts(365)
    stamp = pa.array(day * DAY_US - lengths() * 60 * 10**6, pa.int64()).cast(pa.timestamp("us"))
    return pa.table({"start": stamp, "end": as_dates(day)})


def nanoseconds() -> pa.Table:
    start = (1_700_000_000 + starts(YEAR_SECONDS)) * 10**9
    stamps = [pa.array(s, pa.int64()).cast(pa.timestamp("ns")) for s in (start, start + 10**9 * lengths())]
    return pa.table({"start": stamps[0], "end": stamps[1]})


def large_floats() -> pa.Table:
    start = random(1).random(N_ROWS) * 1e11
    return pa.table({"start": start, "end": start + 1e5 * random(2).lognormal(0, 0.5, N_ROWS)})


def times_of_day() -> pa.Table:
    start = starts(72_000)
    times = [pa.array(s, pa.int32()).cast(pa.time32("s")) for s in (start, start + lengths())]
    return pa.table({"start": times[0], "end": times[1]})


def different_units() -> pa.Table:
    start = starts(10_000_000)
    prices = [Decimal(int(s)) / 1000 for s in start * 10 + lengths()]
    return pa.table({"start": start / 100, "end": pa.array(prices, pa.decimal128(12, 3))})


def open_ends() -> pa.Table:
    start = starts(5_000_000)
    return pa.table({"start": start, "end": pa.array(start + lengths(), mask=random(3).random(N_ROWS) < 0.2)})


def before_and_after() -> pa.Table:
    """Return a table whose differences are positive and negative."""
    before = starts(100_000)
    return pa.table({"start": before, "end": before + random(2).integers(-100, 200, N_ROWS)})


KINDS = [
    integers,
    decimals,
    floats,
    dates,
    timestamps,
    date_and_timestamp,
    timestamp_and_date,
    nanoseconds,
    large_floats,
    times_of_day,
    different_units,
    open_ends,
    before_and_after,
]


def fitted(table: pa.Table) -> TreeChain:
    chain = TreeChain(TreeChainParameters(name="tree_chain", preset="fast"))
    return fit(chain, table, infer_table(table).schema)


def seconds(column: Any) -> npt.NDArray[np.float64]:
    """Return numbers, or times in seconds, and NaN for missing values."""
    if pa.types.is_time(column.type):
        column = column.cast(pa.int32())
    elif pa.types.is_temporal(column.type):
        column = column.cast(pa.timestamp("us")).cast(pa.int64())
        return np.asarray(pc.divide(pc.cast(column, pa.float64()), 1e6).to_numpy(), dtype=np.float64)
    return np.asarray(pc.cast(column, pa.float64()).to_numpy(), dtype=np.float64)


def gaps(table: pa.Table) -> npt.NDArray[np.float64]:
    difference = seconds(table["end"]) - seconds(table["start"])
    return difference[~np.isnan(difference)]


@pytest.mark.parametrize("make", KINDS, ids=lambda make: make.__name__)
def test_median_and_tail_of_differences_are_preserved(make: Any) -> None:
    table = make()
    sample = draw(fitted(table), 5000, seed=2)
    assert sample.schema.names == ["start", "end"]
    for share in (0.5, 0.99):
        real, synthetic = (np.quantile(gaps(t), share) for t in (table, sample))
        assert abs(synthetic - real) <= TOLERANCE * abs(real)


@pytest.mark.parametrize("make", KINDS, ids=lambda make: make.__name__)
def test_differences_and_sums_stay_within_the_ranges_of_their_transformers(make: Any) -> None:
    table = make()
    chain = fitted(table)
    sample = draw(chain, 5000, seed=2)
    difference = chain.drawn_.columns[-1]
    assert isinstance(difference, NumericTransformer)
    # Long gaps form a tail of the difference, which is negative if the start is derived. Points in time have
    # no tails, so they stay between the fifth-lowest and the fifth-highest real value.
    real, tails = np.sort(gaps(table)), (difference.bins.lower, difference.bins.upper)
    assert real[4] - 1e-6 <= gaps(sample).min()
    assert any(tails) or gaps(sample).max() <= real[-5] + 1e-6
    for name, transformer in zip(table.schema.names, chain.drawn_.columns, strict=False):
        assert isinstance(transformer, NumericTransformer)
        real, synthetic = np.sort(seconds(table[name].drop_null())), seconds(sample[name])
        assert transformer.bins.lower is not None or real[4] - 1e-6 <= np.nanmin(synthetic)
        assert transformer.bins.upper is not None or np.nanmax(synthetic) <= real[-5] + 1e-6


def test_share_of_missing_ends_is_preserved() -> None:
    table = open_ends()
    sample = draw(fitted(table), 5000, seed=2)
    # The tolerance is six standard deviations of the difference between samples of 3000 and 5000 rows at a
    # share of 0.2.
    assert abs(sample["end"].null_count / 5000 - table["end"].null_count / N_ROWS) < 0.056
    assert sample["start"].null_count == 0


def test_columns_whose_difference_the_chain_preserves_are_not_derived() -> None:
    rng = random()
    first, step = rng.normal(120, 15, N_ROWS), rng.normal(0, 8, N_ROWS)
    table = pa.table({"before": np.rint(first), "after": np.rint(first + step), "other": rng.random(N_ROWS)})
    assert fitted(table).card()["differences"] == []


def test_repeated_values_are_not_replaced_by_sums() -> None:
    # Invoices are due at the end of a month. A day plus a sampled number of days would rarely be the end of a
    # month.
    day = starts(3600)
    table = pa.table({"start": as_dates(day), "end": as_dates((day // 30 + 1) * 30)})
    sample = draw(fitted(table), 2000, seed=2)
    assert set(sample["end"].to_pylist()) <= set(table["end"].to_pylist())


@pytest.mark.parametrize(("per_unit", "spread"), [(60, 0.1), (12, 0.5)], ids=["clock times", "months"])
def test_clock_times_and_months_written_as_numbers_are_not_derived(per_unit: int, spread: float) -> None:
    first = starts(20 * per_unit)
    last = first + random(2).geometric(spread, N_ROWS)
    columns = {name: n // per_unit * 100 + n % per_unit for name, n in (("start", first), ("end", last))}
    assert fitted(pa.table(columns)).card()["differences"] == []


def test_differences_between_three_related_columns_are_preserved() -> None:
    start = starts(5_000_000)
    table = pa.table({"a": start, "b": start + lengths(), "c": start + lengths() + 50 + lengths()[::-1]})
    chain = fitted(table)
    assert len(chain.card()["differences"]) == 2
    sample = draw(chain, 3000, seed=2)
    for low, high in (("a", "b"), ("a", "c"), ("b", "c")):
        real, synthetic = (np.median(t[high].to_numpy() - t[low].to_numpy()) for t in (table, sample))
        assert abs(synthetic - real) <= TOLERANCE * real


def test_rows_do_not_depend_on_the_requested_slice() -> None:
    chain = fitted(timestamps())
    assert draw(chain, 2000, seed=5).slice(1500).equals(draw(chain, 500, seed=5, offset=1500))


def test_differences_survive_save_and_load(tmp_path: Path) -> None:
    chain = fitted(timestamps())
    save_model(chain, tmp_path / "model")
    loaded, _ = load_model(tmp_path / "model")
    assert draw(loaded, 500, seed=1).equals(draw(chain, 500, seed=1))
    assert loaded.card() == chain.card()


@pytest.mark.parametrize(
    "change",
    [
        "none",
        [{}],
        [{"name": "start"}],
        [{"base": "nowhere"}],
        [{"base": "end"}],
        [{"target": "start", "base": "end"}],
        [{"column": {"transformer": "boolean", "truths": [True], "has_missing": False}}],
        [],
    ],
)
def test_differences_that_contradict_the_model_are_refused(change: Any) -> None:
    parts = Parts.of(fitted(integers()))
    entry = parts.model["differences"][0]
    entries = [entry | own if own else own for own in change] if isinstance(change, list) else change
    with pytest.raises(InvalidInput) as caught:
        TreeChain.load(parts.changed(parts.model | {"differences": entries}))
    assert caught.value.code == "invalid_model_file"


def where(condition: dict[str, Any], n_rows: int = 600) -> SamplingConstraints:
    return SamplingConstraints.model_validate({"conditions": [{"where": condition, "n_rows": n_rows}]})


def test_conditions_on_ranges_of_derived_columns_are_satisfied() -> None:
    table = timestamps()
    chain = fitted(table)
    low, high = (EPOCH + timedelta(days=days) for days in (120, 122))
    wanted = where({"end": {"minimum": low.isoformat(), "maximum": high.isoformat()}})
    sample = draw(chain, 600, seed=1, constraints=wanted)
    ends = sample["end"].to_pylist()
    assert low <= min(ends)
    assert max(ends) <= high
    assert abs(np.median(gaps(sample)) - np.median(gaps(table))) < TOLERANCE * np.median(gaps(table))
    # The model proposes only starts near the range, so most proposals satisfy the condition.
    assert chain.effective_shares(wanted)[0] > 0.9


def test_internal_columns_of_differences_cannot_be_constrained() -> None:
    chain = fitted(integers())
    name = chain.drawn_.schema.names[-1]
    with pytest.raises(InvalidInput) as caught:
        draw(chain, 10, seed=1, constraints=where({name: {"minimum": 5}}, 10))
    assert caught.value.code == "unknown_column"


@pytest.mark.parametrize("make", [integers, timestamps, date_and_timestamp, floats], ids=lambda m: m.__name__)
@pytest.mark.parametrize("name", ["start", "end"])
def test_either_column_is_imputed_from_the_other(make: Any, name: str) -> None:
    table = make()
    is_missing = random(4).random(N_ROWS) < 0.3
    column = pc.if_else(pa.array(is_missing), pa.scalar(None, table[name].type), table[name])
    given = table.set_column(table.schema.names.index(name), name, column)
    completed = impute(fitted(table), given, seed=1)
    assert completed[name].null_count == 0
    assert completed.filter(pa.array(~is_missing)).equals(table.filter(pa.array(~is_missing)))
    real, imputed = (np.median(gaps(t.filter(pa.array(is_missing)))) for t in (table, completed))
    assert abs(imputed - real) <= TOLERANCE * real


def test_differences_depend_on_other_columns() -> None:
    kind = random(5).integers(0, 2, N_ROWS)
    start = starts(YEAR_SECONDS)
    end = start + np.where(kind == 0, 3600, 86_400) + lengths()
    table = pa.table({"kind": pa.array(np.where(kind == 0, "day", "night")), "start": start, "end": end})
    sample = draw(fitted(table), 3000, seed=2)
    for value, least in (("day", 3600), ("night", 86_400)):
        rows = sample.filter(pc.equal(sample["kind"], value))
        assert abs(np.median(gaps(rows)) - least - 245) < 100


def test_differences_of_too_few_subjects_are_replaced_with_placeholders() -> None:
    people = pa.array([f"P{number % 4}" for number in range(N_ROWS)])
    table = timestamps().append_column("person", people)
    schema = infer_table(table).schema.model_copy(update={"subject": ("person",)})
    chain = fit(TreeChain(TreeChainParameters(name="tree_chain", preset="fast")), table, schema)
    sample = draw(chain, 100, seed=1)
    # There are only four subjects, which is fewer than k, so every time is a placeholder.
    assert set(sample["start"].to_pylist()) == {EPOCH}


@pytest.mark.parametrize("first", ["start", "end"])
def test_differences_and_conditional_equalities_do_not_form_a_cycle(first: str) -> None:
    rng = np.random.default_rng(0)
    start = rng.integers(10**6, 10**9, 2000)
    is_closed = rng.random(2000) < 0.3
    end = np.where(is_closed, start, start + rng.lognormal(4, 0.5, 2000).astype(np.int64))
    columns = {"start": start, "end": end}
    table = pa.table({first: columns.pop(first), **columns, "state": np.where(is_closed, "closed", "open")})
    sample = draw(fitted(table), 2000, seed=1)
    assert np.quantile(gaps(sample), 0.9) <= 2 * np.quantile(gaps(table), 0.9)
