"""Tests that samples preserve the steps between the rows of an entity, such as the days between visits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import understudy

N_ENTITIES = 150
Rng = np.random.Generator


def in_turn(rng: Rng, n_rows: int, steps: Callable[[int], object]) -> tuple[np.ndarray, np.ndarray]:
    """Return the entity and the cumulative sum of the steps of each row. Entities have 2 to `n_rows` rows."""
    entity = np.repeat(np.arange(N_ENTITIES), rng.integers(2, n_rows + 1, N_ENTITIES))
    sums = pd.Series(np.asarray(steps(len(entity)))).groupby(entity).cumsum().to_numpy()
    return entity, sums


def weekly_visits(rng: Rng) -> pd.DataFrame:
    entity, days = in_turn(rng, 12, lambda n: 7 * rng.geometric(0.8, n))
    start = np.datetime64("2024-01-01", "s") + rng.integers(0, 300, N_ENTITIES)[entity].astype("m8[D]")
    return pd.DataFrame(
        {"patient_id": [f"P-{3 * e + 1100}" for e in entity], "at": start + days.astype("m8[D]")}
    )


def monthly_readings(rng: Rng) -> pd.DataFrame:
    """Return monthly meter readings during office hours."""
    entity, days = in_turn(rng, 16, lambda n: rng.integers(27, 34, n))
    minutes = rng.integers(8 * 60, 17 * 60, len(entity))
    at = np.datetime64("2023-01-01", "s") + days.astype("m8[D]") + minutes.astype("m8[m]")
    return pd.DataFrame({"meter_id": [f"M{13 * e + 200003}" for e in entity], "at": at})


def skewed_orders(rng: Rng) -> pd.DataFrame:
    entity, days = in_turn(rng, 14, lambda n: rng.lognormal(1, 1, n))
    start = np.datetime64("2022-01-01", "s") + rng.integers(0, 2e7, N_ENTITIES)[entity].astype("m8[s]")
    at = start + (86400 * days).astype("m8[s]")
    return pd.DataFrame({"customer_id": 7 * entity + 1_000_003, "at": at})


def odometer(rng: Rng) -> pd.DataFrame:
    entity, km = in_turn(rng, 12, lambda n: np.round(rng.gamma(4, 90, n), 1))
    start = rng.integers(0, 120_000, N_ENTITIES)[entity]
    return pd.DataFrame(
        {"vehicle_id": [f"V{101 * e + 70001}" for e in entity], "at": np.round(start + km, 1)}
    )


def own_rhythms(rng: Rng) -> pd.DataFrame:
    """Return visits of entities. Each entity has weekly, monthly or quarterly visits."""
    rhythm = rng.choice([7, 30, 91], N_ENTITIES)
    entity = np.repeat(np.arange(N_ENTITIES), rng.integers(3, 12, N_ENTITIES))
    steps = pd.Series(np.maximum(np.rint(rng.normal(rhythm[entity], rhythm[entity] / 10)), 1))
    days = steps.groupby(entity).cumsum().to_numpy().astype("m8[D]")
    start = np.datetime64("2021-01-01", "s") + rng.integers(0, 500, N_ENTITIES)[entity].astype("m8[D]")
    return pd.DataFrame({"account_id": [f"A{17 * e + 3000}" for e in entity], "at": start + days})


def stock_left(rng: Rng) -> pd.DataFrame:
    """Return stock levels that decrease with each withdrawal."""
    entity, taken = in_turn(rng, 14, lambda n: rng.choice([1, 5, 10, 50], n, p=[0.4, 0.3, 0.2, 0.1]))
    start = rng.integers(1_000, 9_000, N_ENTITIES)[entity]
    return pd.DataFrame({"serial_number": [f"SN-{31 * e + 40_000}" for e in entity], "at": start - taken})


def steps_of(table: pd.DataFrame) -> pd.Series:
    steps = table.groupby(table.columns[0])["at"].diff().dropna()
    return steps.dt.total_seconds() if steps.dtype.kind == "m" else steps.astype(float)


TABLES = [weekly_visits, monthly_readings, skewed_orders, odometer, own_rhythms, stock_left]


@pytest.mark.parametrize("make", TABLES)
def test_median_and_extremes_of_steps_are_preserved(make: Callable[[Rng], pd.DataFrame]) -> None:
    table = make(np.random.default_rng(5))
    sampled = understudy.fit(table, seed=1).sample(4 * len(table), seed=2)
    real, synthetic = steps_of(table), steps_of(sampled)
    assert (np.sign(synthetic[synthetic != 0]) == np.sign(real.iloc[0])).all()
    quantiles = [0.5, 0.99] if real.iloc[0] > 0 else [0.5, 0.01]
    # The required tolerance is 15%. For skewed steps, the sampling error of the 99% quantile is added.
    tolerance = 0.3 if make is skewed_orders else 0.15
    for q in quantiles:
        assert synthetic.quantile(q) == pytest.approx(real.quantile(q), rel=tolerance)


def test_steps_within_an_entity_stay_regular() -> None:
    table = own_rhythms(np.random.default_rng(5))
    sampled = understudy.fit(table, seed=1).sample(4 * len(table), seed=2)
    spreads = [steps_of(t).groupby(t.iloc[:, 0]).std().median() for t in (table, sampled)]
    assert spreads[1] < 1.5 * spreads[0]


def test_times_of_day_stay_within_office_hours() -> None:
    table = monthly_readings(np.random.default_rng(5))
    hours = understudy.fit(table, seed=1).sample(4 * len(table), seed=2)["at"].dt.hour
    assert hours.between(8, 16).mean() > 0.99


def test_values_stay_within_the_range_of_the_column() -> None:
    table = own_rhythms(np.random.default_rng(5))
    sampled = understudy.fit(table, seed=1).sample(4 * len(table), seed=2)
    assert sampled["at"].between(table["at"].min(), table["at"].max()).all()


def test_sampled_dates_that_determine_another_column_occur_in_the_table() -> None:
    table = weekly_visits(np.random.default_rng(5))
    table["at"] = table["at"].dt.to_period("M").dt.to_timestamp()
    table["quarter"] = table["at"].dt.quarter.map("Q{}".format)
    sampled = understudy.fit(table, seed=1).sample(len(table), seed=2)
    assert set(sampled["at"]) <= set(table["at"])
    assert (sampled["at"].dt.quarter.map("Q{}".format) == sampled["quarter"]).all()


def test_sample_is_identical_in_parts_and_from_a_saved_model(tmp_path: Path) -> None:
    model = understudy.fit(odometer(np.random.default_rng(5)), seed=1)
    whole = model.sample(300, seed=3)
    parts = pd.concat([model.sample(120, seed=3), model.sample(180, seed=3, offset=120)], ignore_index=True)
    pd.testing.assert_frame_equal(whole, parts)
    model.save(tmp_path / "model.zip")
    pd.testing.assert_frame_equal(understudy.load(tmp_path / "model.zip").sample(300, seed=3), whole)
