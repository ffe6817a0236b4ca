"""Tests for generated values that depend on other columns, in tables with entities."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import understudy
from tests.unit.synthesizers.entities.tables import IDENTIFIER, NAME, fitted
from understudy.tables.schema import ColumnKind

N_ENTITIES, N_ROWS = 60, 600
# Entity of each row.
ENTITY = np.arange(N_ROWS) % N_ENTITIES
POSTAL_CODE = ColumnKind.postal_code


def users() -> pd.DataFrame:
    countries = np.random.default_rng(0).choice(["Germany", "France", "Japan"], N_ROWS)
    names = [f"{a} {b}" for a in ("Anna", "Peter", "Maria", "Luis", "Ingrid", "Paul") for b in LAST_NAMES]
    return pd.DataFrame({"user_name": [names[i] for i in ENTITY], "country": countries})


LAST_NAMES = ["Smith", "Berg", "Rossi", "Lopez", "Weber", "Kim", "Olsen", "Novak", "Silva", "Moreau"]


def subjects() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    sites = rng.integers(1, 9, N_ENTITIES)
    key = [f"{sites[i]:02d}-{100 + i}" for i in ENTITY]
    is_known = rng.random(N_ROWS) > 0.2
    return pd.DataFrame({"subject": key, "site": np.where(is_known, sites[ENTITY], np.nan)})


def shops() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    codes = rng.permutation(np.arange(10_000, 99_999, 1_500))[:N_ENTITIES].astype(str)
    states = {
        "1": "NY",
        "2": "VA",
        "3": "FL",
        "4": "OH",
        "5": "MN",
        "6": "IL",
        "7": "TX",
        "8": "CO",
        "9": "CA",
    }
    own = np.array([states[code[0]] for code in codes], object)[ENTITY]
    state = np.where(rng.random(N_ROWS) > 0.2, own, None)
    return pd.DataFrame({"shop": [f"S{1000 + 7 * i}" for i in ENTITY], "zip": codes[ENTITY], "state": state})


@pytest.mark.parametrize(
    ("table", "column", "kinds"),
    [
        (users(), "user_name", {"user_name": NAME}),
        (subjects(), "subject", {"subject": IDENTIFIER}),
        (shops(), "zip", {"shop": IDENTIFIER, "zip": POSTAL_CODE}),
    ],
    ids=["name by country", "identifier with site", "postal code by state"],
)
def test_entity_values_do_not_depend_on_columns_that_vary_by_row(
    table: pd.DataFrame, column: str, kinds: dict[str, ColumnKind]
) -> None:
    table["minutes"] = np.random.default_rng(1).gamma(2, 10, N_ROWS).round(1)
    sampled = fitted(table, kinds, synthesizer="fast").sample(N_ROWS, seed=2)
    assert sampled[column].nunique() <= N_ENTITIES
    assert sampled[column].value_counts().min() >= table[column].value_counts().min()


def test_model_with_phone_numbers_by_customer_and_countries_by_row_can_be_loaded(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    phones = np.array([f"+49 171 {n}" for n in rng.integers(10**6, 10**7, N_ENTITIES)])
    countries = rng.choice(["Germany", "France", "Japan"], N_ROWS)
    table = pd.DataFrame({"customer_id": ENTITY + 1000, "phone": phones[ENTITY], "country": countries})
    model = fitted(table, {"customer_id": IDENTIFIER, "phone": ColumnKind.phone}, synthesizer="fast")
    model.save(tmp_path / "model")
    sampled = understudy.load(tmp_path / "model").sample(N_ROWS, seed=2)
    assert sampled.groupby("customer_id")["phone"].nunique().max() == 1
    assert sampled["phone"].str.fullmatch(r"\+49 171 \d{7}").all()


def test_identifiers_contain_no_text_that_only_one_customer_has() -> None:
    customer = np.repeat(np.arange(10), 20)
    table = pd.DataFrame(
        {
            "customer": [f"C{1000 + 11 * i}" for i in customer],
            "invoice": 20_000 + 7 * np.arange(200),
            "amount": np.random.default_rng(0).gamma(2, 10, 200).round(2),
        }
    )
    table["file"] = [f"{LAST_NAMES[i]}-{n}.pdf" for i, n in zip(customer, table["invoice"], strict=True)]
    kinds = {"customer": IDENTIFIER, "invoice": IDENTIFIER, "file": IDENTIFIER}
    sampled = fitted(table, kinds, synthesizer="fast").sample(300, seed=2)
    assert not set(sampled["file"].str.split("-").str[0]) & set(LAST_NAMES)


def test_postal_codes_never_start_with_digits_that_only_one_shop_has() -> None:
    rng = np.random.default_rng(0)
    prefixes = {"Munich": "80", "Berlin": "10", "Hamburg": "20"}
    towns = rng.choice(list(prefixes), N_ENTITIES)
    codes = [f"{prefixes[town]}{rng.integers(0, 300):03d}" for town in towns]
    codes[5] = "87654"
    table = pd.DataFrame(
        {
            "shop": [f"S{1000 + 7 * i}" for i in ENTITY],
            "city": towns[ENTITY],
            "zip": np.array(codes)[ENTITY],
            "amount": rng.gamma(2, 10, N_ROWS).round(2),
        }
    )
    sampled = fitted(table, {"shop": IDENTIFIER, "zip": POSTAL_CODE}, synthesizer="fast").sample(3000, seed=2)
    assert not sampled["zip"].str.startswith("876").any()
    assert set(sampled["zip"].str[:2]) == {"80", "10", "20"}
