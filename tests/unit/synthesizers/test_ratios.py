"""Tests for columns that are derived from other columns and a ratio."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
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
from understudy.synthesizers import TreeChainParameters
from understudy.synthesizers.files import load_model, save_model
from understudy.synthesizers.tree_chain.synthesizer import TreeChain
from understudy.tables.inference import infer_table

N_ROWS = 2000

Floats = npt.NDArray[np.float64]


def table_of(**columns: Any) -> pa.Table:
    return pa.table(columns)


def random(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def amounts() -> Floats:
    return random(1).lognormal(4, 1, N_ROWS).round(2)


def tips() -> tuple[pa.Table, list[float]]:
    """Return fares and tips. Some fares and some tips are zero."""
    fare = np.where(random(3).random(N_ROWS) < 0.03, 0, amounts() + 3).round(2)
    rate = random(2).choice([0, 0.15, 0.18, 0.2], N_ROWS)
    return table_of(base=fare, target=(fare * rate).round(2)), [0.15, 0.18, 0.2]


def taxes() -> tuple[pa.Table, list[float]]:
    """Return net and gross amounts, including some negative amounts."""
    net = np.where(random(3).random(N_ROWS) < 0.1, -1, 1) * amounts()
    gross = (net * random(2).choice([1.07, 1.19], N_ROWS)).round(2)
    return table_of(base=net, target=gross), [1.07, 1.19]


def discounts() -> tuple[pa.Table, list[float]]:
    quantity, rate = random(3).integers(1, 40, N_ROWS), random(2).choice([1, 0.95, 0.8], N_ROWS)
    paid = (quantity * amounts() * rate).round(2)
    table = table_of(quantity=quantity, base=amounts(), target=paid)
    return table, [1, 0.95, 0.8]


def coarse_fares() -> tuple[pa.Table, list[float]]:
    """Return tips on fares in steps of 0.5."""
    fare = (amounts() * 2).round() / 2 + 3
    return table_of(base=fare, target=(fare * random(2).choice([0, 0.15, 0.2], N_ROWS)).round(2)), [0.15, 0.2]


KINDS = [tips, taxes, discounts, coarse_fares]


def fitted(table: pa.Table) -> TreeChain:
    chain = TreeChain(TreeChainParameters(name="tree_chain", preset="fast"))
    return fit(chain, table, infer_table(table).schema)


def shares(table: pa.Table, rates: list[float]) -> Floats:
    """Return the share of rows with each rate, to within a cent."""
    columns = {name: table[name].to_numpy() for name in table.schema.names}
    base = columns["base"] * columns.get("quantity", 1)
    is_priced = np.abs(base) > 1
    return np.array([np.mean(np.abs(columns["target"] - base * rate)[is_priced] < 0.011) for rate in rates])


@pytest.mark.parametrize("make", KINDS, ids=lambda make: make.__name__)
def test_shares_of_rates_are_preserved(make: Callable[[], Any]) -> None:
    table, rates = make()
    sample = draw(fitted(table), 4000, seed=2)
    assert sample.schema.names == table.schema.names
    # The tolerance is three standard deviations of the difference between two shares of about a third.
    assert np.abs(shares(sample, rates) - shares(table, rates)).max() < 0.045


def test_columns_without_a_common_ratio_are_not_derived() -> None:
    weight = random(1).normal(70, 12, N_ROWS).round(1)
    area = random(2).lognormal(4.4, 0.4, N_ROWS).round()
    price = (area * random(3).lognormal(8, 0.25, N_ROWS)).round(-3)
    assert not fitted(table_of(weight=weight, area=area, price=price)).card()["differences"]


def test_prices_that_end_in_99_cents_are_not_derived_from_their_cost() -> None:
    cost = random(1).uniform(20, 2000, N_ROWS).round(2)
    price = np.ceil(cost * random(2).choice([1.2, 1.5, 2.0], N_ROWS)) - 0.01
    sample = draw(fitted(table_of(cost=cost, price=price)), 1000, seed=1)
    assert np.allclose(sample["price"].to_numpy() % 1, 0.99)


def test_ratios_survive_save_and_load(tmp_path: Path) -> None:
    chain = fitted(discounts()[0])
    save_model(chain, tmp_path / "model")
    loaded, _ = load_model(tmp_path / "model")
    assert draw(loaded, 500, seed=1).equals(draw(chain, 500, seed=1))
    assert loaded.card() == chain.card()
    assert loaded.card()["differences"]


@pytest.mark.parametrize(
    "change",
    [
        "none",
        [{}],
        [{"name": "base"}],
        [{"bases": []}],
        [{"bases": ["base", "base"]}],
        [{"bases": ["nowhere"]}],
        [{"target": "quantity"}],
        [{"column": {"transformer": "boolean", "truths": [True], "has_missing": False}}],
        [],
    ],
)
def test_ratios_that_contradict_the_model_are_refused(change: Any) -> None:
    parts = Parts.of(fitted(discounts()[0]))
    entry = parts.model["ratios"][0]
    entries = [entry | own if own else own for own in change] if isinstance(change, list) else change
    with pytest.raises(InvalidInput) as caught:
        TreeChain.load(parts.changed(parts.model | {"ratios": entries}))
    assert caught.value.code == "invalid_model_file"


@pytest.mark.parametrize("name", ["base", "target"])
def test_either_column_of_a_ratio_is_imputed_from_the_other(name: str) -> None:
    table, rates = discounts()
    is_missing = random(4).random(N_ROWS) < 0.5
    column = pc.if_else(pa.array(is_missing), pa.scalar(None, table[name].type), table[name])
    given = table.set_column(table.schema.names.index(name), name, column)
    completed = impute(fitted(table), given, seed=1)
    assert completed.filter(pa.array(~is_missing)).equals(table.filter(pa.array(~is_missing)))
    quantity, base, target = (completed[n].to_numpy()[is_missing] for n in completed.schema.names)
    # Rounding an imputed price changes the product by up to half a cent for each unit.
    error = np.abs(quantity * base * np.array(rates)[:, None] - target) <= 0.5 * 0.01 * quantity + 0.011
    assert error.any(axis=0).mean() > 0.9


@pytest.mark.parametrize("order", list(permutations(("base", "quantity", "target"))), ids="-".join)
def test_ratio_to_two_columns_does_not_depend_on_their_order(order: tuple[str, ...]) -> None:
    quantity, base, rate = random(3).integers(1, 40, N_ROWS), amounts(), random(2).choice([1, 0.8], N_ROWS)
    table = table_of(quantity=quantity, base=base, target=(quantity * base * rate).round(2))
    ratios = fitted(table.select(order)).enforcer_.rules.ratios
    assert {"quantity", "base", "target"} in [{own.target, *own.bases} for own in ratios]
