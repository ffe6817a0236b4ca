"""Tests that entities stay whole in samples under constraints."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import understudy
from tests.unit.synthesizers.entities.tables import IDENTIFIER, fitted, orders
from understudy.tables.predicates import Predicate

KEYS = {"order_no": IDENTIFIER, "customer_no": IDENTIFIER}


@pytest.fixture(scope="module")
def shop() -> understudy.Model:
    return fitted(orders(), KEYS, synthesizer="fast")


def conditions(*wanted: tuple[dict[str, dict[str, object]], int]) -> understudy.SamplingConstraints:
    rows = [understudy.SampleCondition.model_validate({"where": w, "n_rows": n}) for w, n in wanted]
    return understudy.SamplingConstraints(conditions=tuple(rows))


def shares(column: str, wanted: dict[str | int, float]) -> understudy.SamplingConstraints:
    targets = tuple(understudy.TargetShare(value=value, share=share) for value, share in wanted.items())
    return understudy.SamplingConstraints(rebalance=understudy.ColumnRebalance(column=column, shares=targets))


def assert_entities_are_whole(sampled: pd.DataFrame) -> None:
    assert (sampled.groupby("customer_no")[["segment", "country"]].nunique() == 1).all(axis=None)
    assert (sampled.groupby("order_no")[["customer_no", "order_date"]].nunique() == 1).all(axis=None)
    assert not sampled["customer_no"].isin(orders()["customer_no"]).any()


def test_conditions_on_entity_columns_and_row_columns_are_satisfied(shop: understudy.Model) -> None:
    wanted = conditions(
        ({"segment": {"equals": "public"}}, 400),
        ({"quantity": {"minimum": 10}, "country": {"equals": "AT"}}, 300),
    )
    sampled = shop.sample(seed=1, constraints=wanted)
    first, second = sampled[:400], sampled[400:]
    assert set(first["segment"]) == {"public"}
    assert set(second["country"]) == {"AT"}
    assert second["quantity"].min() >= 10
    assert not first["customer_no"].isin(second["customer_no"]).any()
    assert_entities_are_whole(sampled)


def test_entity_columns_are_rebalanced_by_whole_entities(shop: understudy.Model) -> None:
    wanted = shares("segment", {"public": 0.5, "business": 0.5})
    sampled = shop.sample(3000, seed=1, constraints=wanted)
    # Entities are never split, so the share can differ from its target by a few entities.
    assert (sampled["segment"] == "public").mean() == pytest.approx(0.5, abs=0.1)
    assert_entities_are_whole(sampled)


def test_row_columns_are_rebalanced(shop: understudy.Model) -> None:
    wanted = shares("quantity", {2: 0.8, 3: 0.2})
    sampled = shop.sample(3000, seed=1, constraints=wanted)
    # The tolerance is four standard deviations of a share of 0.8 among 3000 rows.
    assert (sampled["quantity"] == 2).mean() == pytest.approx(0.8, abs=0.03)
    assert_entities_are_whole(sampled)


def test_rows_do_not_depend_on_the_sample_that_contains_them(shop: understudy.Model) -> None:
    wanted = shares("segment", {"public": 0.5, "business": 0.5})
    many = shop.sample(2000, seed=1, constraints=wanted)
    few = shop.sample(100, seed=1, offset=1500, constraints=wanted)
    pd.testing.assert_frame_equal(many[1500:1600].reset_index(drop=True), few)


def test_identifiers_are_unique_across_samples(shop: understudy.Model) -> None:
    wanted = shares("segment", {"public": 0.5, "business": 0.5})
    first = shop.sample(1000, seed=1, constraints=wanted, id_start=0)
    second = shop.sample(1000, seed=1, constraints=wanted, id_start=2000)
    assert not first["customer_no"].isin(second["customer_no"]).any()


def order_lines(n_orders: int = 400, *, seed: int = 0) -> pd.DataFrame:
    """Return order lines with a computed total. No order repeats a product."""
    rng = np.random.default_rng(seed)
    prices = rng.lognormal(2.5, 0.8, 30).round(2)
    lines = [
        (70_000 + order, line, product)
        for order in range(n_orders)
        for line, product in enumerate(rng.choice(30, rng.integers(1, 6), replace=False), start=1)
    ]
    table = pd.DataFrame(lines, columns=["order_no", "line_no", "product"])
    table["quantity"] = rng.choice([1, 1, 2, 3, 5], len(table))
    table["price"] = prices[table["product"]]
    table["total"] = (table["quantity"] * table["price"]).round(2)
    table["product"] = [f"P-{100 + i}" for i in table["product"]]
    return table


@pytest.fixture(scope="module")
def lines() -> understudy.Model:
    return fitted(order_lines(), {"order_no": IDENTIFIER}, synthesizer="fast")


@pytest.mark.parametrize(
    "where",
    [
        {"total": {"minimum": 50, "maximum": 100}},
        {"product": {"equals": "P-105"}},
        {"line_no": {"minimum": 2, "maximum": 3}, "quantity": {"equals": 1}},
        {"product": {"one_of": ["P-105", "P-106"]}, "total": {"minimum": 10}},
    ],
)
def test_values_stay_distinct_within_an_entity_under_a_condition(
    lines: understudy.Model, where: dict[str, dict[str, object]]
) -> None:
    sampled = lines.sample(seed=1, constraints=conditions((where, 300)))
    for name, constraint in where.items():
        predicate = Predicate(
            lines.schema.tables["table"].column(name), understudy.ColumnConstraint.model_validate(constraint)
        )
        assert predicate.holds(pa.array(sampled[name])).all()
    assert not sampled.duplicated(["order_no", "product"]).any()
    assert not sampled.duplicated(["order_no", "line_no"]).any()
    assert ((sampled["quantity"] * sampled["price"]).round(2) == sampled["total"]).all()


def test_values_keep_their_frequencies_among_rows_that_satisfy_a_condition(lines: understudy.Model) -> None:
    real = order_lines()
    wanted = conditions(({"total": {"minimum": 50, "maximum": 100}}, 2000))
    sampled = lines.sample(seed=1, constraints=wanted)
    of_real = real[real["total"].between(50, 100)]["product"].value_counts(normalize=True)
    of_sample = sampled["product"].value_counts(normalize=True)
    # About 190 rows of the table satisfy the condition. The total variation distance between two samples
    # of 190 rows is about 0.2.
    assert of_real.sub(of_sample, fill_value=0).abs().sum() / 2 < 0.25


def test_small_groups_and_small_samples_share_no_entities(shop: understudy.Model) -> None:
    wanted = conditions(*(({"quantity": {"minimum": n}}, 10) for n in range(1, 6)))
    groups = shop.sample(seed=1, constraints=wanted)["customer_no"].to_numpy().reshape(5, 10)
    parts = [set(group) for group in groups]
    parts += [set(shop.sample(10, seed=i, id_start=10 * i)["customer_no"]) for i in range(5)]
    for some in (parts[:5], parts[5:]):
        assert len(set.union(*some)) == sum(len(part) for part in some)
