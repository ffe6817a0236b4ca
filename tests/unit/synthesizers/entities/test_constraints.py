"""Tests that entities stay whole in samples under constraints."""

from __future__ import annotations

import pandas as pd
import pytest

import understudy
from tests.unit.synthesizers.entities.tables import IDENTIFIER, fitted, orders

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


def test_conditions_on_columns_of_entities_and_of_rows_hold(shop: understudy.Model) -> None:
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


def test_columns_of_entities_are_rebalanced_by_entity(shop: understudy.Model) -> None:
    wanted = shares("segment", {"public": 0.5, "business": 0.5})
    sampled = shop.sample(3000, seed=1, constraints=wanted)
    # Entities are never split, so the share can differ from its target by a few entities.
    assert (sampled["segment"] == "public").mean() == pytest.approx(0.5, abs=0.1)
    assert_entities_are_whole(sampled)


def test_columns_of_rows_are_rebalanced(shop: understudy.Model) -> None:
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


def test_identifiers_of_several_samples_are_unique_together(shop: understudy.Model) -> None:
    wanted = shares("segment", {"public": 0.5, "business": 0.5})
    first = shop.sample(1000, seed=1, constraints=wanted, id_start=0)
    second = shop.sample(1000, seed=1, constraints=wanted, id_start=2000)
    assert not first["customer_no"].isin(second["customer_no"]).any()
