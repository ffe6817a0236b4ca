"""Tests that a missing attribute of an entity is imputed once for all rows of the entity."""

from __future__ import annotations

import pandas as pd

from tests.unit.synthesizers.entities.tables import IDENTIFIER, fitted, orders

KEYS = {"order_no": IDENTIFIER, "customer_no": IDENTIFIER}


def test_known_values_of_an_entity_fill_its_other_rows() -> None:
    table = orders()
    incomplete = table.copy()
    incomplete.loc[incomplete.index % 3 == 0, "segment"] = None
    known = incomplete.groupby("customer_no")["segment"].transform("first")
    completed = fitted(table, KEYS, synthesizer="fast").impute(incomplete, seed=1)
    has_known = known.notna()
    assert (completed["segment"][has_known] == known[has_known]).all()
    assert completed["segment"].notna().all()


def test_values_are_drawn_once_for_each_entity() -> None:
    table = orders()
    incomplete = table.copy()
    is_unknown = incomplete["customer_no"].isin(incomplete["customer_no"].unique()[::2])
    incomplete.loc[is_unknown, ["segment", "country"]] = None
    completed = fitted(table, KEYS, synthesizer="fast").impute(incomplete, seed=1)
    assert (completed.groupby("customer_no")[["segment", "country"]].nunique() == 1).all(axis=None)
    pd.testing.assert_frame_equal(completed[~is_unknown], table[~is_unknown], check_dtype=False)
