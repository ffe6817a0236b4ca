"""Tests that sampled values that change within an entity rarely change back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import understudy

N_ENTITIES = 250
Rng = np.random.Generator


def rows_of(rng: Rng, n_rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the entity of each row, the position of the row in this entity, and the entity size."""
    sizes = rng.integers(3, n_rows + 1, N_ENTITIES)
    entity = np.repeat(np.arange(N_ENTITIES), sizes)
    rank = np.arange(len(entity)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return entity, rank, sizes[entity]


def is_changed(rng: Rng, share: float, rank: np.ndarray, entity: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Return a mask of the rows after a change in their entity. Only a share of the entities changes."""
    first = np.where(rng.random(N_ENTITIES) < share, rng.random(N_ENTITIES), 2)
    return rank > first[entity] * (size - 1)


def subscriptions(rng: Rng) -> pd.DataFrame:
    entity, rank, size = rows_of(rng, 12)
    start = np.datetime64("2024-01-01", "s") + rng.integers(0, 300, N_ENTITIES)[entity].astype("m8[D]")
    table = pd.DataFrame({"user_id": [f"U{7 * e + 1000}" for e in entity]})
    table["billed_on"] = start + (30 * rank + rng.integers(0, 3, len(rank))).astype("m8[D]")
    return table.assign(value=np.where(is_changed(rng, 0.6, rank, entity, size), "paid", "trial"))


def moves(rng: Rng) -> pd.DataFrame:
    """Return purchases with the city of the customer. Only a few customers move to another city."""
    entity, rank, size = rows_of(rng, 12)
    before, after = rng.integers(0, 6, N_ENTITIES), rng.integers(1, 6, N_ENTITIES)
    moved = is_changed(rng, 0.12, rank, entity, size)
    city = (before[entity] + np.where(moved, after[entity], 0)) % 6
    table = pd.DataFrame(
        {"customer_id": 11 * entity + 500_000, "amount": rng.gamma(2, 20, len(rank)).round(2)}
    )
    return table.assign(value=[f"Town {c}" for c in city], region=[f"R{c % 3}" for c in city])


def diagnoses(rng: Rng) -> pd.DataFrame:
    entity, rank, size = rows_of(rng, 8)
    table = pd.DataFrame({"patient_id": [f"PT{3 * e + 500}" for e in entity], "visit": rank + 1})
    return table.assign(value=is_changed(rng, 0.5, rank, entity, size))


def tickets(rng: Rng) -> pd.DataFrame:
    """Return tickets with a state that changes up to three times."""
    entity, _, _ = rows_of(rng, 14)
    steps = pd.Series(rng.random(len(entity)) < 0.25).groupby(entity).cumsum().clip(upper=3)
    states = np.array(["open", "in progress", "review", "closed"])
    table = pd.DataFrame({"ticket_id": [f"T-{9 * e + 500}" for e in entity]})
    return table.assign(value=states[steps.to_numpy()], hours=rng.integers(1, 9, len(entity)))


def salaries(rng: Rng) -> pd.DataFrame:
    entity, rank, size = rows_of(rng, 12)
    salary = rng.integers(200, 900, N_ENTITIES)[entity] * 10
    raised = is_changed(rng, 0.4, rank, entity, size)
    table = pd.DataFrame({"employee_id": [f"E{3 * e + 500}" for e in entity]})
    return table.assign(value=salary + 150 * raised, overtime=rng.integers(0, 20, len(rank)))


def changes_of(table: pd.DataFrame) -> pd.DataFrame:
    """Return the number of changes, the number of returns and the mean change position of each entity."""
    entity = table[table.columns[0]]
    rank, size = table.groupby(entity).cumcount(), table.groupby(entity)["value"].transform("size")
    change = (table["value"] != table.groupby(entity)["value"].shift()) & (rank > 0)
    n_changes = change.groupby(entity).sum()
    n_returns = n_changes + 1 - table.groupby(entity)["value"].nunique()
    place = ((rank - 0.5) / (size - 1)).where(change).groupby(entity).mean()
    return pd.DataFrame({"changes": n_changes, "returns": n_returns, "place": place})


@pytest.mark.parametrize("make", [subscriptions, moves, diagnoses, tickets, salaries])
def test_sampled_values_change_as_often_as_real_values_and_rarely_change_back(
    make: Callable[[Rng], pd.DataFrame], tmp_path: Path
) -> None:
    table = make(np.random.default_rng(4))
    model = understudy.fit(table, seed=1)
    sampled = model.sample(4 * len(table), seed=2)
    real, synthetic = changes_of(table), changes_of(sampled.sort_values(sampled.columns[0], kind="stable"))
    assert synthetic["returns"].sum() <= 0.01 * len(synthetic)
    shares = [(own["changes"] > 0).mean() for own in (real, synthetic)]
    # The tolerances are three standard errors: for the difference between two shares, and for the difference
    # between two mean positions.
    error = 3 * np.sqrt(shares[0] * (1 - shares[0]) * (1 / len(real) + 1 / len(synthetic)))
    assert shares[1] == pytest.approx(shares[0], abs=error)
    places = [own["place"].dropna() for own in (real, synthetic)]
    error = 3 * np.sqrt(sum(own.var() / len(own) for own in places))
    assert places[1].mean() == pytest.approx(places[0].mean(), abs=error)
    model.save(tmp_path / "model.zip")
    loaded = understudy.load(tmp_path / "model.zip").sample(100, seed=2)
    pd.testing.assert_frame_equal(loaded, sampled.head(100))


def test_determined_columns_change_with_their_determining_column() -> None:
    sampled = understudy.fit(moves(np.random.default_rng(4)), seed=1).sample(3000, seed=2)
    assert (sampled.groupby("value")["region"].nunique() == 1).all()
    assert (sampled.groupby("customer_id")["region"].nunique() > 1).any()


def test_sampled_entities_start_with_the_first_value_of_a_real_entity() -> None:
    sampled = understudy.fit(subscriptions(np.random.default_rng(4)), seed=1).sample(3000, seed=2)
    changed = sampled[sampled.groupby("user_id")["value"].transform("nunique") > 1]
    assert set(changed.groupby("user_id")["value"].first()) == {"trial"}
