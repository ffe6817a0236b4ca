"""Tests for personal data in texts, and for texts generated from templates."""

from __future__ import annotations

import json
import re

import numpy as np
import pyarrow as pa
import pytest

from understudy.errors import InvalidInput
from understudy.tables.inference import infer_table
from understudy.tables.inference.messages import find_items, find_personal
from understudy.tables.schema import ColumnKind
from understudy.transformers.array_reader import ArrayReader
from understudy.transformers.base import RowStream
from understudy.transformers.generated.messages import Messages, fit_messages

USERS = ("kmoreau", "tlindqvist", "ohaddad", "pnovak")
LOG = [
    text
    for i in range(200)
    for text in (
        f"Accepted key for {USERS[i % 4]} from 10.1.2.{i % 8} port {40_000 + i}",
        f"session opened for user {USERS[i % 4]} by (uid=0)",
    )
]


def made(generator: Messages, n: int = 300) -> list[str]:
    """Return `n` generated texts."""
    return [str(text) for text in generator.make(RowStream(1, 7, np.arange(n, dtype=np.uint64))).to_pylist()]


def fitted(texts: list[str]) -> Messages:
    """Fit templates to texts, and return the generator of new texts."""
    generator = fit_messages(pa.array(texts, pa.large_string()), "en")
    assert generator is not None
    return generator


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("mail to anna.b@firm.test was sent", ["email"]),
        ("Call Anna Adler at +49 171 5550123 now", ["name", "phone"]),
        ("call 0171 123456 after 5", ["phone"]),
        ("rappeler le 06 12 34 56 78 ou au (020) 7946 0958", ["phone", "phone"]),
        ("電話は090-1234-5678です, bel 06-12345678 of 044 668 18 00", ["phone"] * 3),
        ("due 01-02-2023 10:15, 01.02.2023 and 01/02/2023 at 0123 4567", []),
        ("user=kmoreau action=view ok", ["login"]),
        ("login failed for user pnovak from 10.0.0.7", ["login", "ip"]),
        ("user logged in from the office", []),
        ("Chrome/119.0.0.0 on version 1.2.3.4", []),
        ("card 00:1b:44:11:3a:b7 joined the network", ["mac"]),
    ],
)
def test_personal_items_are_found_in_their_order_in_the_text(text: str, kinds: list[str]):
    assert [item.kind for item in find_items(text)] == kinds


def test_order_numbers_and_links_with_numbers_are_personal():
    assert [kind for kind, _ in find_personal("payment for order no. 100234 received")] == ["reference"]
    assert [kind for kind, _ in find_personal("open https://a.test/u/10023 for your bill")] == ["link"]
    assert find_personal("the report of year 2024 for model 10023 is late") == []


def test_common_words_are_kept_and_personal_items_are_made_up():
    texts = made(fitted(LOG))
    patterns = (
        r"Accepted key for [a-z]+ from 10(\.\d{1,3}){3} port [1-9]\d{4}",
        r"session opened for user [a-z]+ by \(uid=0\)",
    )
    assert all(any(re.fullmatch(pattern, text) for pattern in patterns) for text in texts)
    assert not any(user in text for text in texts for user in USERS)
    real = set(re.findall(r"port (\d+)", " ".join(LOG)))
    assert not real & set(re.findall(r"port (\d+)", " ".join(texts)))


@pytest.mark.parametrize(
    ("number", "pattern"), [("0171 {}", "0171 [0-9]{6}"), ("+33 6 39 {}", r"\+33 6 39 [0-9]{6}")]
)
def test_phone_numbers_in_texts_keep_their_forms(number: str, pattern: str):
    texts = [f"call {number.format(123_456 + 4_321 * i)} after 5" for i in range(200)]
    generator = fitted(texts)
    assert all(re.fullmatch(f"call {pattern} after 5", text) for text in made(generator))
    assert not set(texts) & set(made(generator))
    manifest, arrays = generator.to_arrays()
    loaded = Messages.from_arrays(ColumnKind.text, pa.string(), ArrayReader(manifest, arrays))
    assert made(loaded) == made(generator)
    (column,) = infer_table(pa.table({"note": texts})).schema.columns
    assert column.kind is ColumnKind.text


def test_generated_items_recur_as_often_as_in_the_table():
    logins = {text.split()[4] for text in made(fitted(LOG[1::2]))}
    assert len(logins) == 5


def test_templates_of_few_rows_are_not_kept():
    rare = ["Accepted secret for kmoreau from 10.1.2.3 port 1"] * 4
    assert not any("secret" in text for text in made(fitted(LOG + rare), 2000))


def test_templates_are_not_fitted_to_texts_without_common_patterns():
    words = np.random.default_rng(0).choice(["late", "box", "broken", "again", "call"], (50, 6))
    assert fit_messages(pa.array([" ".join(line) for line in words], pa.large_string()), "en") is None


def test_loaded_templates_generate_the_same_texts_and_damaged_ones_are_refused():
    generator = fitted(LOG)
    manifest, arrays = generator.to_arrays()
    loaded = Messages.from_arrays(
        ColumnKind.text, pa.string(), ArrayReader(json.loads(json.dumps(manifest)), arrays)
    )
    assert made(loaded) == made(generator)
    for damage in (
        {"templates": []},
        {"templates": [[[1, "x"]]]},
        {"slots": [{"name": "ip"}]},
        {"slots": [{"name": "x", "n_items": 5, "maker": {"form": "login"}}]},
    ):
        with pytest.raises(InvalidInput):
            Messages.from_arrays(ColumnKind.text, pa.string(), ArrayReader({**manifest, **damage}, arrays))


@pytest.mark.parametrize(
    ("texts", "kind"),
    [
        (LOG, "text"),
        ([f"Reset link sent to user{i % 6}@mail.test by system" for i in range(300)], "text"),
        (["Write to help@firm.test if you need support"] * 150 + ["No support needed"] * 150, "category"),
        (["Strongly agree with the board", "Neither agree nor disagree"] * 150, "category"),
        (["Calvin Klein Blue Shirt", "Tommy Jones Red Lamp", "Oak Desk Large White"] * 100, "category"),
    ],
)
def test_texts_with_people_are_generated_however_often_they_repeat(texts: list[str], kind: str):
    (column,) = infer_table(pa.table({"message": texts})).schema.columns
    assert column.kind.value == kind


def test_long_tokens_are_searched_in_linear_time() -> None:
    # With a search that is quadratic in the length, this test would take several minutes.
    items = find_items("user=krueger sent " + "a1_" * 50_000 + " to anna@example.com")
    assert [item.kind for item in items] == ["login", "email"]


def test_templates_of_few_subjects_are_not_kept() -> None:
    rare = [f"Accepted secret for kmoreau from 10.1.2.3 port {i}" for i in range(8)]
    texts = pa.array(LOG + rare, pa.large_string())

    generator = fit_messages(texts, "en", np.array([*range(len(LOG)), *[len(LOG)] * len(rare)]))

    assert generator is not None
    assert len(generator.templates) == 2
    assert "secret" not in str(generator.to_arrays()[0])
    assert "secret" in str(fitted(LOG + rare).to_arrays()[0])
