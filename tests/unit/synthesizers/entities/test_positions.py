"""Tests that values that are distinct within real entities are distinct within sampled entities."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import understudy
from tests.unit.synthesizers.entities.tables import IDENTIFIER, fitted, orders, panel

SYNTHESIZERS = ["fast", "independent"]


@pytest.mark.parametrize("synthesizer", SYNTHESIZERS)
def test_distinct_values_within_an_entity_keep_their_order(synthesizer: str) -> None:
    sampled = fitted(panel(), {"subject": IDENTIFIER}, synthesizer=synthesizer).sample(300, seed=2)
    assert sampled["sample"].tolist() == ["A", "B", "C"] * 100


@pytest.mark.parametrize("synthesizer", SYNTHESIZERS)
def test_values_of_an_entity_are_sampled_without_replacement(synthesizer: str) -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        [
            {"subject": f"S{100 + i}", "drug": drug, "dose": rng.integers(1, 9)}
            for i in range(150)
            for drug in rng.choice(list("abcdef"), rng.integers(1, 6), replace=False)
        ]
    ).sample(frac=1, random_state=0)
    model = fitted(table, {"subject": IDENTIFIER}, synthesizer=synthesizer)
    sampled = model.sample(2000, seed=2)
    assert not sampled.duplicated(["subject", "drug"]).any()
    assert set(sampled["drug"]) == set("abcdef")
    few = model.sample(50, seed=2, offset=1200)
    pd.testing.assert_frame_equal(sampled[1200:1250].reset_index(drop=True), few)


def test_combinations_of_two_columns_stay_distinct_within_an_entity() -> None:
    cells = [(i, visit, site) for i in range(80) for visit in (1, 2, 3) for site in ("left", "right")]
    table = pd.DataFrame(cells, columns=["subject", "visit", "site"])
    table["subject"] = [f"S{100 + i}" for i in table["subject"]]
    table["score"] = np.random.default_rng(0).integers(1, 9, len(table))
    sampled = fitted(table, {"subject": IDENTIFIER}, synthesizer="fast").sample(600, seed=2)
    assert not sampled.duplicated(["subject", "visit", "site"]).any()


@pytest.mark.parametrize("synthesizer", SYNTHESIZERS)
def test_lines_of_an_order_are_numbered(tmp_path: Path, synthesizer: str) -> None:
    table = orders()
    table["line_no"] = table.groupby("order_no").cumcount() + 1
    model = fitted(table, {"order_no": IDENTIFIER, "customer_no": IDENTIFIER}, synthesizer=synthesizer)
    sampled = model.sample(len(table), seed=2)
    assert (sampled["line_no"] == sampled.groupby("order_no").cumcount() + 1).all()
    model.save(tmp_path / "a.model")
    loaded = understudy.load(tmp_path / "a.model").sample(len(table), seed=2)
    pd.testing.assert_frame_equal(sampled, loaded)


def test_values_that_differ_only_by_chance_can_repeat_within_an_entity() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"id": [f"S{100 + i // 2}" for i in range(200)], "x": rng.integers(0, 20, 200)})
    table = table.drop_duplicates(["id", "x"])
    # By chance, about five of the 100 pairs would be equal, so the absence of equal pairs is not evidence of
    # a rule.
    sampled = fitted(table, {"id": IDENTIFIER}, synthesizer="independent").sample(4000, seed=2)
    assert sampled.duplicated(["id", "x"]).any()


def arms(n_subjects: int = 300) -> pd.DataFrame:
    """Return subject visits. Subjects in arm A have three visits, and those in arm B have no `month 6`."""
    rng = np.random.default_rng(0)
    visits = ["baseline", "month 3", "month 6"]
    rows = [
        (i, arm, visit) for i in range(n_subjects) for arm in ("AB"[i % 2],) for visit in visits[: 3 - i % 2]
    ]
    table = pd.DataFrame(rows, columns=["subject", "arm", "visit"])
    table["subject"] = [f"S{1000 + 7 * i}" for i in table["subject"]]
    table["site"] = rng.choice(["north", "south"], len(table))
    return table


def test_distinct_values_satisfy_the_rules_with_entity_columns() -> None:
    model = fitted(arms(), {"subject": IDENTIFIER}, synthesizer="fast")
    sampled = model.sample(900, seed=2)
    assert set(sampled["visit"][sampled["arm"] == "B"]) == {"baseline", "month 3"}
    # In rare cases, a subject of arm B gets three rows, because rules do not contain the sizes of entities.
    assert sampled.duplicated(["subject", "visit"]).mean() < 0.01
    in_south = understudy.SampleCondition(where={"site": {"equals": "south"}}, n_rows=90)
    rows = model.sample(seed=2, constraints=understudy.SamplingConstraints(conditions=[in_south]))
    assert set(rows["visit"][rows["arm"] == "B"]) <= {"baseline", "month 3"}
    few = model.sample(70, seed=2, offset=400)
    pd.testing.assert_frame_equal(sampled[400:470].reset_index(drop=True), few)


def test_distinct_values_satisfy_rules_through_a_third_column() -> None:
    table = arms()
    # The rules relate the visit to the laboratory, and the laboratory to the arm.
    is_last = table["visit"] == "month 6"
    table["laboratory"] = np.where(is_last, "L1", np.where(np.arange(len(table)) % 3, "L2", "L3"))
    model = fitted(table, {"subject": IDENTIFIER}, synthesizer="fast")
    in_south = understudy.SampleCondition(where={"site": {"equals": "south"}}, n_rows=90)
    constrained = model.sample(seed=2, constraints=understudy.SamplingConstraints(conditions=[in_south]))
    for sampled in (model.sample(900, seed=2), constrained):
        assert set(sampled["visit"][sampled["arm"] == "B"]) <= {"baseline", "month 3"}
