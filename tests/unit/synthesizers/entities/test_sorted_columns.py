"""Tests that columns that are sorted within real entities are also sorted within sampled entities."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import understudy
from tests.unit.synthesizers.entities.tables import IDENTIFIER, fitted


def trips(*, is_by_vehicle: bool) -> pd.DataFrame:
    """Return trips of vehicles with ascending start times and odometer readings."""
    rng = np.random.default_rng(7)
    vehicle = np.repeat(np.arange(60), rng.integers(3, 12, 60))
    n = len(vehicle)
    hours = rng.integers(1, 200, n)
    start = pd.Series(hours).groupby(vehicle).cumsum()
    reading = 20_000 * (1 + vehicle % 7) + pd.Series(rng.integers(5, 300, n)).groupby(vehicle).cumsum()
    table = pd.DataFrame(
        {
            "trip_id": 0,
            "plate": [f"HH-AB {1000 + 37 * number}" for number in vehicle],
            "start": pd.Timestamp("2024-01-01") + pd.to_timedelta(start, unit="h"),
            "odometer": reading,
            "driver_age": rng.integers(20, 65, 60)[vehicle],
        }
    )
    if not is_by_vehicle:
        table = table.sort_values("start", kind="stable", ignore_index=True)
    table["trip_id"] = np.arange(n) + 5000
    return table


@pytest.fixture(scope="module", params=[True, False])
def model(request: pytest.FixtureRequest) -> understudy.Model:
    kinds = {"plate": IDENTIFIER, "trip_id": IDENTIFIER}
    return fitted(trips(is_by_vehicle=request.param), kinds, synthesizer="fast")


def test_values_are_in_order_within_an_entity(model: understudy.Model) -> None:
    sampled = model.sample(700, seed=3)
    for column in ("start", "odometer"):
        steps = sampled.groupby("plate")[column].diff().dropna()
        assert len(steps) > 100
        assert (steps >= steps.iloc[0] * 0).all()


def test_sorted_samples_do_not_depend_on_the_slice_and_have_unique_identifiers(
    model: understudy.Model,
) -> None:
    whole = model.sample(300, seed=3)
    parts = pd.concat([model.sample(120, seed=3), model.sample(180, seed=3, offset=120)])
    for sampled in (whole, parts):
        assert sampled["trip_id"].is_unique
    pd.testing.assert_frame_equal(whole, parts.reset_index(drop=True))


def test_samples_of_saved_models_are_in_order(model: understudy.Model, tmp_path: Path) -> None:
    model.save(tmp_path / "model.zip")
    loaded = understudy.load(tmp_path / "model.zip")
    pd.testing.assert_frame_equal(loaded.sample(200, seed=3), model.sample(200, seed=3))
