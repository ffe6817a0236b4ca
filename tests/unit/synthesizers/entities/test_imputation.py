"""Tests that a missing attribute of an entity is imputed once for all rows of the entity."""

from __future__ import annotations

import numpy as np
import pandas as pd

import understudy
from tests.unit.synthesizers.entities.tables import IDENTIFIER, fitted, orders, panel

KEYS = {"order_no": IDENTIFIER, "customer_no": IDENTIFIER}


def test_known_values_of_an_entity_are_copied_to_its_other_rows() -> None:
    table = orders()
    incomplete = table.copy()
    incomplete.loc[incomplete.index % 3 == 0, "segment"] = None
    known = incomplete.groupby("customer_no")["segment"].transform("first")
    completed = fitted(table, KEYS, synthesizer="fast").impute(incomplete, seed=1)
    has_known = known.notna()
    assert (completed["segment"][has_known] == known[has_known]).all()
    assert completed["segment"].notna().all()


def test_values_are_imputed_once_for_each_entity() -> None:
    table = orders()
    incomplete = table.copy()
    is_unknown = incomplete["customer_no"].isin(incomplete["customer_no"].unique()[::2])
    incomplete.loc[is_unknown, ["segment", "country"]] = None
    completed = fitted(table, KEYS, synthesizer="fast").impute(incomplete, seed=1)
    assert (completed.groupby("customer_no")[["segment", "country"]].nunique() == 1).all(axis=None)
    pd.testing.assert_frame_equal(completed[~is_unknown], table[~is_unknown], check_dtype=False)


def with_gaps(table: pd.DataFrame, columns: list[str], *, share: float = 0.15) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    return table.assign(**{name: table[name].mask(rng.random(len(table)) < share) for name in columns})


def test_imputation_keeps_distinct_values_within_an_entity_distinct() -> None:
    table = panel()
    gaps = with_gaps(table, ["sample", "age", "sweet"])
    imputed = fitted(table, {"subject": IDENTIFIER}, synthesizer="fast").impute(gaps, seed=1)
    assert not imputed.duplicated(["subject", "sample"]).any()
    is_given = gaps.notna()
    pd.testing.assert_frame_equal(
        imputed.where(is_given).astype(object), gaps.where(is_given).astype(object), check_dtype=False
    )


def test_label_of_a_rare_code_is_copied_from_the_other_rows_with_the_code() -> None:
    rng = np.random.default_rng(0)
    code = np.concatenate([rng.integers(0, 20, 600), np.repeat(np.arange(20, 40), 3)])
    table = pd.DataFrame(
        {"code": [f"P{100 + i}" for i in code], "label": [f"Part {i * 7 % 40}" for i in code]}
    )
    table["quantity"] = rng.integers(1, 9, len(table))
    imputed = understudy.fit(table, synthesizer="fast", seed=1).impute(with_gaps(table, ["label"]), seed=1)
    known = table.groupby("code")["label"].first()
    # The label is unknown if it is missing in all three rows with a rare code. The probability of this case
    # is 0.15 ** 3.
    assert (imputed["label"] == imputed["code"].map(known)).mean() > 0.99
    assert (imputed.groupby("code")["label"].nunique() <= 1).mean() > 0.99


def test_values_implied_by_later_columns_do_not_contradict_given_values() -> None:
    rng = np.random.default_rng(0)
    net = rng.choice(["DSL", "Fiber", "No"], 1500)
    services = {
        name: np.where(net == "No", "No service", rng.choice(["Yes", "No"], 1500)) for name in ("a", "b", "c")
    }
    table = pd.DataFrame({"net": net, **services, "fee": rng.normal(50, 9, 1500).round(1)})
    gaps = with_gaps(table, ["net", "a", "b", "c"], share=0.3)
    imputed = understudy.fit(table, synthesizer="fast", seed=1).impute(gaps, seed=1)
    for name in services:
        assert ((imputed[name] == "No service") == (imputed["net"] == "No")).all()


def test_values_are_read_from_the_identifiers_that_contain_them():
    rng = np.random.default_rng(1)
    site, year, row = rng.integers(1, 9, 150), rng.integers(2018, 2024, 150), np.arange(600)
    subject = row // 4
    table = pd.DataFrame(
        {
            "site": [f"{site[i]:02}" for i in subject],
            "subject": [f"{site[i]:02}-{i + 1001}" for i in subject],
            "year": year[subject],
            "invoice": [f"INV-{year[i]}-{k:05}" for k, i in enumerate(subject)],
            "score": rng.normal(size=600).round(2),
        }
    )
    rows = pd.DataFrame(
        {
            "site": [None, None, "03", None],
            "subject": ["05-2001", "77-2002", "03-2003", None],
            "year": [None, 2020, None, None],
            "invoice": ["INV-2021-77777", None, "INV-2019-88888", None],
            "score": [0.1, 0.2, 0.3, 0.4],
        }
    )
    filled = understudy.fit(table, seed=1).impute(rows, seed=2)
    assert filled["site"].tolist()[:3] == ["05", "77", "03"]
    assert filled["year"].tolist()[:3] == [2021, 2020, 2019]
    assert filled["subject"][3].startswith(f"{filled['site'][3]}-")
