"""Tests for columns that are a product or a quotient of other columns."""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from tests.one_table import Parts, fit, impute
from tests.one_table import sample as draw
from understudy.errors import InvalidInput
from understudy.synthesizers import TreeChainParameters
from understudy.synthesizers.files import load_model, save_model
from understudy.synthesizers.tree_chain.synthesizer import TreeChain
from understudy.tables.inference import infer_table

N_ROWS = 3000

Floats = npt.NDArray[np.float64]
Columns = dict[str, Floats]
RULES: dict[str, tuple[Callable[[Columns], Floats], int]] = {
    "amount": (lambda t: t["quantity"] * t["price"], 2),
    "with tax": (lambda t: 1.19 * t["quantity"] * t["price"], 2),
    "discounted": (lambda t: t["price"] * (1 - t["discount"]), 2),
    "paid": (lambda t: t["quantity"] * t["price"] * (1 - t["discount"]), 2),
    "gross": (lambda t: t["price"] * (1 + t["rate"] / 100), 2),
    "unit price": (lambda t: t["price"] / t["quantity"], 3),
    "bmi": (lambda t: t["weight"] / (t["height"] / 100) ** 2, 1),
    "bmi as float": (lambda t: t["weight"] / (t["height"] / 100) ** 2, 15),
    "volume": (lambda t: t["quantity"] * t["height"] * t["weight"], 1),
    "squared": (lambda t: t["price"] ** 2, 2),
}


def drawn(seed: int = 0, n: int = N_ROWS) -> Columns:
    rng = np.random.default_rng(seed)
    return {
        "quantity": rng.geometric(0.2, n).astype(np.float64),
        "price": np.round(rng.lognormal(3, 1, n), 2),
        "discount": rng.choice([0, 0.05, 0.1, 0.25], n),
        "rate": rng.choice([7.0, 10.0, 19.0], n),
        "weight": np.round(rng.normal(75, 12, n), 1),
        "height": np.round(rng.normal(172, 9, n)),
    }


def sales(rule: str, *, missing: float = 0.0, seed: int = 0) -> pa.Table:
    columns = drawn(seed)
    compute, decimals = RULES[rule]
    target = np.round(compute(columns), decimals) if decimals < 15 else compute(columns)
    lacks = np.random.default_rng(seed + 1).random((2, N_ROWS)) < missing
    names = list(columns)
    masks = {name: lacks[0] if name == "price" else None for name in names}
    uses_price = not np.array_equal(compute(columns | {"price": columns["price"] + 1}), compute(columns))
    arrays = {name: pa.array(own, mask=masks[name]) for name, own in columns.items()}
    return pa.table(arrays | {"target": pa.array(target, mask=lacks[0] & uses_price)})


def fitted(table: pa.Table) -> TreeChain:
    chain = TreeChain(TreeChainParameters(name="tree_chain", preset="fast"))
    return fit(chain, table, infer_table(table).schema)


def is_kept(table: pa.Table, rule: str) -> bool:
    columns = {n: np.array(table[n].to_pylist(), dtype=np.float64) for n in table.column_names}
    compute, decimals = RULES[rule]
    with np.errstate(invalid="ignore"):
        distance = np.abs(compute(columns) - columns["target"])
        slack = 0.5 * 10.0**-decimals + 1e-9 * np.abs(columns["target"])
    lacks = np.isnan(compute(columns))
    return bool(np.array_equal(lacks, np.isnan(columns["target"])) and (distance <= slack)[~lacks].all())


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("missing", [0.0, 0.1])
def test_products_hold_in_sampled_rows(rule: str, missing: float) -> None:
    table = sales(rule, missing=missing)
    assert is_kept(table, rule)
    chain = fitted(table)
    assert len(chain.enforcer_.rules.products) == 1
    assert is_kept(draw(chain, 5000, seed=2), rule)


def test_card_describes_products() -> None:
    rules = fitted(sales("paid")).card()["rules"]
    assert "target = quantity * price * (1 - discount), rounded, in every row." in rules
    rules = fitted(sales("bmi")).card()["rules"]
    assert "target = 10000 * weight / height^2, rounded, in every row." in rules


def test_rules_survive_save_and_load(tmp_path: Path) -> None:
    chain = fitted(sales("paid"))
    save_model(chain, tmp_path / "model")
    loaded, _ = load_model(tmp_path / "model")
    assert draw(loaded, 500, seed=1).equals(draw(chain, 500, seed=1))
    assert loaded.card() == chain.card()


def test_sums_of_products_are_computed(tmp_path: Path) -> None:
    table = sales("amount")
    amounts = np.array(table["target"].to_pylist())
    shipping = np.round(np.random.default_rng(5).uniform(3, 30, N_ROWS), 2)
    table = table.append_column("shipping", pa.array(shipping))
    table = table.append_column("total", pa.array(np.round(amounts + shipping, 2)))
    sample = draw(fitted(table), 2000, seed=1)
    assert is_kept(sample, "amount")
    columns = {n: np.array(sample[n].to_pylist()) for n in ("target", "shipping", "total")}
    assert np.allclose(columns["target"] + columns["shipping"], columns["total"])


@pytest.mark.parametrize("name", ["target", "price"])
def test_missing_factors_and_products_are_imputed(name: str) -> None:
    table = sales("amount")
    lacks = np.random.default_rng(1).random(N_ROWS) < 0.3
    place = table.column_names.index(name)
    given = table.set_column(place, name, pa.array(table[name].to_pylist(), mask=lacks))
    completed = impute(fitted(table), given)
    assert np.allclose(completed[name].to_pylist(), table[name].to_pylist(), atol=1e-9)


def test_one_contradicting_row_prevents_a_rule() -> None:
    table = sales("amount")
    values = table["target"].to_pylist()
    values[17] += 1
    changed = table.set_column(table.column_names.index("target"), "target", pa.array(values))
    card = fitted(changed).card()
    assert not [rule for rule in card["rules"] if rule.startswith("target =")]
    assert (
        "target is derived from quantity and price and their ratio, which is learned." in card["differences"]
    )


@pytest.mark.parametrize("seed", range(5))
def test_unrelated_columns_have_no_products(seed: int) -> None:
    rng = np.random.default_rng(seed)
    columns = {f"n{i}": rng.integers(1, 5 * (i + 1), 500) for i in range(8)}
    assert fitted(pa.table(columns)).enforcer_.rules.products == ()


@pytest.mark.parametrize(
    "change",
    [
        "none",
        [{}],
        {"target": "nowhere"},
        {"target": "price"},
        {"factors": []},
        {"constant": float("inf")},
        {"constant": 0.0},
        {"unit": -1.0},
        {"step": -1},
        {"step": 0},
        {"factors": [{"column": "price", "exponent": 0, "shape": "value", "unit": 1.0}]},
        {"factors": [{"column": "price", "exponent": 1, "shape": "cube", "unit": 1.0}]},
        {"factors": [{"column": "price", "exponent": 1, "shape": "value", "unit": "1"}]},
    ],
)
def test_products_that_contradict_the_model_are_refused(change: Any) -> None:
    parts = Parts.of(fitted(sales("amount")))
    rules = parts.model["rules"]
    (entry,) = rules["products"]
    entries = [entry | change] if isinstance(change, dict) else change
    with pytest.raises(InvalidInput) as caught:
        TreeChain.load(parts.changed(parts.model | {"rules": rules | {"products": entries}}))
    assert caught.value.code == "invalid_model_file"


@pytest.mark.parametrize("rounding", [ROUND_HALF_UP, ROUND_HALF_EVEN])
@pytest.mark.parametrize("discounts", [["0.25"], ["0.25", "0.05"]], ids=["product", "ratio"])
def test_half_cents_are_rounded_as_in_the_table(rounding: str, discounts: list[str]) -> None:
    rng = np.random.default_rng(1)
    prices = [Decimal(int(price)) / 10 for price in rng.integers(50, 50_000, 1500)]
    rates = [1 - Decimal(discounts[i]) for i in rng.integers(0, len(discounts), 1500)]

    def paid(price: Decimal, rate: Decimal) -> float:
        return float((price * rate).quantize(Decimal("0.01"), rounding))

    amounts = [paid(price, rate) for price, rate in zip(prices, rates, strict=True)]
    columns: Any = {"price": [float(price) for price in prices], "paid": amounts}
    sample = draw(fitted(pa.table(columns)), 1000, seed=1)
    drawn = zip(sample["price"].to_pylist(), sample["paid"].to_pylist(), strict=True)
    fits = [any(paid(Decimal(str(price)), rate) == amount for rate in set(rates)) for price, amount in drawn]
    assert np.mean(fits) > 0.99


@pytest.mark.parametrize("n_rows", [60, N_ROWS])
def test_product_is_found_if_the_first_rows_are_zero_or_missing(n_rows: int) -> None:
    first = np.arange(n_rows) < n_rows // 3
    columns = {name: own[:n_rows] for name, own in drawn().items()}
    quantity, price = np.where(first, 0, columns["quantity"]), columns["price"]
    lacks = first & (np.arange(n_rows) % 2 == 0)
    target = pa.array((quantity * price).round(2), mask=lacks)
    table = pa.table({"quantity": quantity, "price": pa.array(price, mask=lacks), "target": target})
    (rule,) = fitted(table).enforcer_.rules.products
    assert {rule.target, *rule.terms} == {"quantity", "price", "target"}
