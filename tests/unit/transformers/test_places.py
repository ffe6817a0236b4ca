"""Tests that names, phones, addresses and postal codes agree with the country, state and city of the row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import understudy
from understudy.errors import InvalidInput
from understudy.tables.schema import Column, ColumnKind, TableSchema
from understudy.transformers.array_reader import ArrayReader
from understudy.transformers.base import NumberedRows, consecutive_rows
from understudy.transformers.generated.countries import calling_codes
from understudy.transformers.generated.people import pools_of
from understudy.transformers.table import TableTransformer
from understudy.transformers.table_fitting import Execution, fit_table

N = 600
# Names of countries as they occur in tables, with their locales.
COUNTRIES = {"US": "en", "Germany": "de", "France": "fr", "Brasil": "pt-br", "日本": "ja", "GBR": "en-gb"}

Rows = list[dict[str, Any]]


def fitted(
    columns: dict[str, list[Any]], kinds: dict[str, ColumnKind], locale: str = "en"
) -> TableTransformer:
    table = pa.table(columns)
    described = tuple(
        Column(
            name=field.name,
            kind=kinds.get(field.name, ColumnKind.category),
            arrow_type=str(field.type),
            nullable=True,
        )
        for field in table.schema
    )
    return fit_table(table, TableSchema(columns=described), Execution(locale))[0]


def rows_of(table: TableTransformer, n: int = N, seed: int = 1) -> Rows:
    rng = np.random.default_rng(seed)
    codes = {
        j: rng.integers(0, column.n_codes, n).astype(np.uint16) for j, column in enumerate(table.columns)
    }
    return table.decode(codes, seed, NumberedRows(consecutive_rows(0, n))).to_pylist()


def people(countries: list[str]) -> dict[str, list[Any]]:
    return {
        "first_name": [f"Nora{i}" for i in range(N)],
        "last_name": [f"Field{i}" for i in range(N)],
        "email": [f"nora{i}@firm.com" for i in range(N)],
        "phone": [f"+{i:010d}" for i in range(N)],
        "city": [f"Town {i}" for i in range(N)],
        "country": countries,
    }


KINDS = {
    "first_name": ColumnKind.name,
    "last_name": ColumnKind.name,
    "email": ColumnKind.email,
    "phone": ColumnKind.phone,
    "city": ColumnKind.address,
}


@pytest.fixture(scope="module")
def mixed() -> TableTransformer:
    names = list(COUNTRIES)
    return fitted(people([names[i % len(names)] for i in range(N)]), KINDS)


def test_names_and_cities_belong_to_the_country_of_the_row(mixed: TableTransformer) -> None:
    rows = rows_of(mixed)
    assert {row["country"] for row in rows} == set(COUNTRIES)
    for row in rows:
        pools = pools_of(COUNTRIES[row["country"]])
        assert row["first_name"] in {*pools.first[0].to_pylist(), *pools.first[1].to_pylist()}
        assert row["last_name"] in {*pools.last[0].to_pylist(), *pools.last[1].to_pylist()}
        assert row["city"] in set(pools.city.to_pylist())
    emails = [row["email"] for row in rows]
    assert len(set(emails)) == len(emails)


def test_phone_numbers_begin_with_the_calling_code_of_the_country(mixed: TableTransformer) -> None:
    codes = calling_codes()
    rows = rows_of(mixed)
    assert all(row["phone"].lstrip("(").startswith("+" + codes[COUNTRIES[row["country"]]]) for row in rows)


def test_a_row_does_not_depend_on_other_rows(mixed: TableTransformer) -> None:
    codes = {j: (np.arange(50) % c.n_codes).astype(np.uint16) for j, c in enumerate(mixed.columns)}
    whole = mixed.decode(codes, 3, NumberedRows(consecutive_rows(0, 50)))
    part = mixed.decode({j: c[40:] for j, c in codes.items()}, 3, NumberedRows(consecutive_rows(40, 10)))
    assert whole.slice(40).to_pylist() == part.to_pylist()


def test_rows_of_a_country_without_word_lists_have_the_locale_of_the_table() -> None:
    table = fitted(people([("Germany", "Peru", "Germany")[i % 3] for i in range(N)]), KINDS, "es")
    own = pools_of("es")
    for row in rows_of(table):
        pools = own if row["country"] == "Peru" else pools_of("de")
        assert row["last_name"] in {*pools.last[0].to_pylist(), *pools.last[1].to_pylist()}
    described = {column["name"]: column for column in table.describe()}
    assert described["last_name"]["locales"] == ["de"]
    assert described["last_name"]["countries_without_lists"] == 1


def test_country_of_another_party_is_ignored() -> None:
    columns = people(["Germany", "France"] * (N // 2))
    columns["supplier_country"] = columns.pop("country")
    described = {column["name"]: column for column in fitted(columns, KINDS).describe()}
    assert "locales" not in described["first_name"]


# Cities with their states and the patterns of their postal codes.
PLACES = {
    "en": [("Dallas", "TX", "752{:02d}"), ("Austin", "TX", "787{:02d}"), ("Boston", "MA", "021{:02d}")],
    "de": [("Kiel", "SH", "241{:02d}"), ("Lübeck", "SH", "235{:02d}"), ("Bonn", "NW", "531{:02d}")],
    "pt-br": [("Santos", "SP", "110{:02d}-120"), ("Niterói", "RJ", "240{:02d}-008")],
    "ja": [("横浜市", "神奈川県", "220-{:04d}"), ("札幌市", "北海道", "060-{:04d}")],
    "en-ca": [("Toronto", "ON", "M5V {:01d}T6"), ("Montréal", "QC", "H3B {:01d}G7")],
}


def places(locale: str) -> dict[str, list[Any]]:
    rng = np.random.default_rng(0)
    drawn = [PLACES[locale][i] for i in rng.integers(0, len(PLACES[locale]), N)]
    return {
        "city": [city for city, _, _ in drawn],
        "state": [state for _, state, _ in drawn],
        "zip": [form.format(n) for (_, _, form), n in zip(drawn, rng.integers(0, 10, N), strict=True)],
    }


@pytest.mark.parametrize("locale", PLACES)
def test_postal_codes_begin_like_the_codes_of_their_city(locale: str) -> None:
    columns = places(locale)
    begins = {(city, code[:3]) for city, code in zip(columns["city"], columns["zip"], strict=True)}
    lengths = {len(code) for code in columns["zip"]}
    rows = rows_of(fitted(columns, {"zip": ColumnKind.postal_code}, locale))
    assert all((row["city"], row["zip"][:3]) in begins for row in rows)
    assert {len(row["zip"]) for row in rows} == lengths


def test_postal_codes_of_a_rare_city_begin_like_the_codes_of_its_state() -> None:
    columns = places("en")
    columns["city"] = [f"Town {i}" if i % 3 else city for i, city in enumerate(columns["city"])]
    table = fitted(columns, {"zip": ColumnKind.postal_code})
    n_city = table.columns[0].n_codes
    state = np.arange(table.columns[1].n_codes).astype(np.uint16)
    codes = {0: np.full(len(state), n_city - 1, np.uint16), 1: state, 2: np.zeros(len(state), np.uint16)}
    rows = table.decode(codes, 1, NumberedRows(consecutive_rows(0, len(state)))).to_pylist()
    assert all(row["zip"][0] == {"TX": "7", "MA": "0"}[row["state"]] for row in rows)


@pytest.mark.parametrize("locale", ["en", "de", "fr", "pt-br", "ja"])
def test_each_made_up_town_belongs_to_one_state(locale: str) -> None:
    columns = {"town": [f"Town {i}" for i in range(N)], "state": [f"S{i % 5}" for i in range(N)]}
    rows = rows_of(fitted(columns, {"town": ColumnKind.address}, locale), 2_000)
    states: dict[str, set[str]] = {}
    for row in rows:
        states.setdefault(row["town"], set()).add(row["state"])
    assert len(states) > 20
    assert all(len(own) == 1 for own in states.values())


def test_beginnings_of_postal_codes_in_fewer_than_k_rows_are_not_learned() -> None:
    columns = places("en")
    columns["zip"][:4] = ["99999"] * 4
    rows = rows_of(fitted(columns, {"zip": ColumnKind.postal_code}), 5_000)
    assert not any(row["zip"].startswith("99") for row in rows)


def test_postal_codes_that_are_numbers_agree_with_the_city() -> None:
    columns = places("en")
    columns["zip"] = [int(code) for code in columns["zip"]]
    rows = rows_of(fitted(columns, {"zip": ColumnKind.postal_code}))
    assert all(str(row["zip"])[0] == {"Boston": "2"}.get(row["city"], "7") for row in rows)


def test_postal_codes_without_a_dependency_on_the_city_stay_random() -> None:
    columns = places("en")
    columns["zip"] = [f"{n:05d}" for n in np.random.default_rng(1).integers(0, 100_000, N)]
    described = fitted(columns, {"zip": ColumnKind.postal_code}).describe()
    assert described[2]["form"] == "codes"


def test_saved_models_produce_the_same_rows(mixed: TableTransformer) -> None:
    for table in (mixed, fitted(places("de"), {"zip": ColumnKind.postal_code})):
        manifests, arrays = table.to_arrays()
        loaded = TableTransformer.from_arrays(table.schema, ArrayReader({"columns": manifests}, arrays))
        assert rows_of(loaded) == rows_of(table)


@pytest.mark.parametrize(
    "change", [{"country_column": 99}, {"country_locales": ["xx"]}, {"is_international": None}]
)
def test_damaged_countries_are_refused(mixed: TableTransformer, change: dict[str, Any]) -> None:
    manifests, arrays = mixed.to_arrays()
    with pytest.raises(InvalidInput, match="not a valid model file"):
        TableTransformer.from_arrays(
            mixed.schema, ArrayReader({"columns": [manifests[0] | change, *manifests[1:]]}, arrays)
        )


@pytest.mark.parametrize(("array", "value"), [("code", 10_000), ("code", -1), ("pattern", 99), ("count", 0)])
def test_damaged_beginnings_of_postal_codes_are_refused(array: str, value: int) -> None:
    table = fitted(places("de"), {"zip": ColumnKind.postal_code})
    manifests, arrays = table.to_arrays()
    name = f"transformer_2.place_0.{array}"
    damaged = {**arrays, name: np.full_like(arrays[name], value)}
    with pytest.raises(InvalidInput, match="not a valid model file"):
        TableTransformer.from_arrays(table.schema, ArrayReader({"columns": manifests}, damaged))


def test_phone_numbers_agree_with_a_condition_on_the_country() -> None:
    names = list(COUNTRIES)
    columns = people([names[i % len(names)] for i in range(N)]) | {"age": [20 + i % 50 for i in range(N)]}
    model = understudy.fit(pa.table(columns), seed=1)
    condition = {"where": {"country": {"equals": "Germany"}}, "n_rows": 40}
    rows = model.sample(constraints={"conditions": [condition]}, seed=1).to_pylist()
    assert all(row["country"] == "Germany" and row["phone"].lstrip("(").startswith("+49") for row in rows)
