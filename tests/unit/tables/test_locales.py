"""Tests that the locale of generated names follows from the names of the table."""

from __future__ import annotations

from pathlib import Path

import mimesis
import pandas as pd
import pytest

import understudy


@pytest.mark.parametrize("locale", ["de", "fr", "pl", "ja", "ru", "pt-br", "en"])
def test_locale_is_inferred_from_names(locale: str) -> None:
    person = mimesis.Person(mimesis.Locale(locale), seed=3)
    table = pd.DataFrame({"full_name": [person.full_name() for _ in range(120)]})
    assert understudy.infer_schema(table).locale == locale


def test_phone_numbers_keep_their_calling_code(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {"phone": [f"+33 6 {i:02d} 4{i % 9} 11 7{i % 7}" for i in range(90)], "n": range(90)}
    )
    model = understudy.fit(table, seed=1)
    model.save(tmp_path / "model.zip")
    sampled = understudy.load(tmp_path / "model.zip").sample(50, seed=2)["phone"]
    assert sampled.str.startswith("+33").all()


def test_repeated_user_names_identify_entities() -> None:
    users = [
        f"{first}.{last}" for first in ("anna", "max", "jane") for last in ("weber", "smith", "roy", "li")
    ]
    table = pd.DataFrame({"assignee": users * 20, "hours": range(240)})
    sampled = understudy.fit(table, seed=1).sample(240, seed=2)
    assert sampled["assignee"].nunique() <= len(users)
    assert not set(sampled["assignee"]) & set(users)


def test_a_few_names_are_not_evidence_of_a_locale() -> None:
    table = pd.DataFrame({"full_name": ["Jürgen Müller", "Anke Schröder", "Uwe Krüger"] * 9})
    assert understudy.infer_schema(table).locale == "en"


def test_ip_addresses_keep_the_shares_of_private_networks() -> None:
    private = [f"192.168.{i % 3}.{i}" for i in range(1, 81)]
    public = [f"93.184.{i % 7}.{i}" for i in range(1, 121)]
    table = pd.DataFrame({"ip": private + public, "n": range(200)})
    sampled = understudy.fit(table, seed=1).sample(2000, seed=2)["ip"]
    # The tolerance is four standard deviations of a share of 0.4 in 2,000 rows.
    assert sampled.str.startswith("192.168.").mean() == pytest.approx(0.4, abs=0.045)
    assert not set(sampled) & set(table["ip"])


def test_unknown_names_do_not_determine_the_locale() -> None:
    names = [
        f"{start}{end}"
        for start in ("Xqza", "Vrxo", "Kwzu", "Zvyq", "Qxlo")
        for end in ("zx", "qv", "xw", "vz")
    ]
    table = pd.DataFrame({"last_name": names * 6})
    assert understudy.infer_schema(table).locale == "en"
