"""Tests that columns of user names are keys of people, whatever role or side their name indicates."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from understudy.tables.inference import infer_table
from understudy.tables.inference.shared_values import N_COLUMNS_MAX, SharedValues
from understudy.tables.inference.texts import CountedTexts

N = 900
_SYLLABLES = ("ka", "ro", "mi", "ne", "tu", "sha", "del", "vor", "li", "bex")


def handles(n: int, seed: int = 0) -> list[str]:
    """Return different made-up user names, half of which contain digits or marks."""
    rng = np.random.default_rng(seed)
    made: dict[str, None] = {}
    while len(made) < n:
        name = "".join(rng.choice(_SYLLABLES, rng.integers(2, 5)))
        made[name + ("", "", f"_{rng.integers(99)}", f"{rng.integers(1000)}")[rng.integers(4)]] = None
    return list(made)


def repeated(values: list[str], seed: int = 1) -> list[str]:
    chosen = np.random.default_rng(seed).zipf(1.4, N) % len(values)
    return [values[i] for i in chosen]


def kinds(columns: dict[str, list[Any]]) -> dict[str, str]:
    schema, _ = infer_table(pa.table(columns))
    return {column.name: column.kind.value for column in schema.columns}


@pytest.mark.parametrize(
    "name",
    [
        *("white_id", "home_player", "winner", "author", "reviewer", "assigned_to", "created_by", "red_uid"),
        *("Assignee", "posted by", "streamer", "bearbeiter", "id_blue"),
    ],
)
def test_repeated_user_names_are_keys_of_people(name: str) -> None:
    assert kinds({name: repeated(handles(300)), "x": list(range(N))})[name] == "identifier"


def test_user_names_without_digits_are_keys_if_the_column_name_indicates_a_role() -> None:
    names = [name.strip("_0123456789") for name in handles(200)]
    assert kinds({"reviewer": repeated(names), "x": list(range(N))})["reviewer"] == "identifier"


def test_columns_that_share_user_names_are_keys_even_if_the_column_names_give_no_hint() -> None:
    pool = handles(300)
    columns = {"white": repeated(pool, 1), "black": repeated(pool, 2), "moves": [i % 80 for i in range(N)]}
    assert kinds(columns) == {"white": "identifier", "black": "identifier", "moves": "integer"}


def test_column_that_shares_the_values_of_a_key_is_a_key() -> None:
    pool = handles(300)
    columns = {
        "username": repeated(pool, 1),
        "parent": repeated(pool, 2),
        "moves": [i % 80 for i in range(N)],
    }
    assert kinds(columns)["parent"] == "identifier"


def test_user_names_that_determine_other_columns_are_keys() -> None:
    pool = [f"{name}{i}" for i, name in enumerate(handles(100))]
    chosen = repeated(pool)
    joined = {name: int(i) for i, name in enumerate(pool)}
    columns = {
        "wiki": chosen,
        "since": [joined[name] % 17 for name in chosen],
        "moves": [i % 80 for i in range(N)],
    }
    assert kinds(columns)["wiki"] == "identifier"


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("event", ["page_view", "click_button", "sign_up", "log_out"]),
        ("from", [f"{a}{b}{c}" for a in "ABD" for b in "OLU" for c in "SRXTN"]),
        ("species", [f"{a}{b}us" for a in ("vulg", "maxim", "alb", "nigr") for b in "abcdefghijklmno"]),
        ("employee_type", [f"grade_{i}" for i in range(30)]),
        ("model", [f"{a}{i}" for a in ("Golf", "Astra", "Mondeo") for i in range(30)]),
        ("team_id", [f"{a}_{i}" for a in ("reds", "blues") for i in range(40)]),
        ("winner", ["white", "black", "draw"]),
    ],
)
def test_public_words_stay_categories(name: str, values: list[str]) -> None:
    columns = {name: [values[i % len(values)] for i in range(N)], "x": list(range(N))}
    assert kinds(columns)[name] == "category"


def test_columns_with_the_same_public_codes_stay_categories() -> None:
    airports = [f"{a}{b}{c}" for a in "ABD" for b in "OLU" for c in "SRXTNKPQ"]
    columns = {
        "origin": repeated(airports, 1),
        "dest": repeated(airports, 2),
        "moves": [i % 80 for i in range(N)],
    }
    assert kinds(columns) == {"origin": "category", "dest": "category", "moves": "integer"}


def test_shared_values_are_counted_for_a_limited_number_of_columns() -> None:
    columns = {i: [f"v{(i + k) % 10}" for k in range(3)] for i in range(5)} | {9: ["w", "v0"]}
    texts = {i: CountedTexts(pa.array(own), np.ones(len(own), np.int64)) for i, own in columns.items()}
    assert SharedValues(texts, [4, 0, 1]).count(0) == {1: 2}
    assert SharedValues(texts, [4, 0, 1]).count(2) == {4: 1, 0: 1, 1: 2}
    assert SharedValues(texts, []).count(9) == {}
    many = dict.fromkeys(range(1_000), texts[0])
    assert set(SharedValues(many, range(1_000)).count(7)) == {*range(N_COLUMNS_MAX + 1)} - {7}
