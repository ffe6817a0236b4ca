"""Tests that generated people and texts are consistent within a row, match the locale and copy nothing."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import Any

import mimesis.locales
import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError

from tests.unit.transformers.columns import draw, fit
from understudy.tables.findings import TableFindings
from understudy.tables.inference import examine
from understudy.tables.inference.headers import words_of
from understudy.tables.schema import LOCALES, Column, ColumnKind, DatasetSchema, TableSchema
from understudy.transformers.array_reader import ArrayReader
from understudy.transformers.base import NumberedRows, RowStream, consecutive_rows
from understudy.transformers.generated.people import pools_of
from understudy.transformers.generated.personal import FORMS, Personal
from understudy.transformers.generated.romanization import romanize
from understudy.transformers.generated.transformer import GeneratedTransformer
from understudy.transformers.table import TableTransformer
from understudy.transformers.table_fitting import Execution, fit_table

NAMES = [f"Anna Maria Number{'abcdefghij'[i // 10]}{'abcdefghij'[i % 10]}" for i in range(100)]
EMAILS = [f"anna.{i}@firm.com" for i in range(100)]
PHONES = [f"+49 171 {i:07d}" for i in range(100)]
STREETS = [f"Lindenweg {i}" for i in range(100)]
NOTES = [f"Called about case {i}, will call again{' tomorrow' * (i % 9)}." for i in range(100)]


def fit_columns(columns: dict[str, list[Any]], locale: str = "en") -> TableTransformer:
    table = pa.table(columns)
    described = tuple(
        Column(name=name, kind=ColumnKind.category, arrow_type="string", nullable=False) for name in columns
    )
    rows = table.cast(TableSchema(columns=described).to_arrow())
    schema = examine(rows, TableSchema(columns=described), TableFindings()).schema
    return fit_table(rows, schema, Execution(locale))[0]


def reloaded(table: TableTransformer) -> tuple[TableSchema, ArrayReader]:
    """Return the arguments for loading a saved table."""
    manifests, arrays = table.to_arrays()
    return table.schema, ArrayReader({"columns": manifests}, arrays)


def draw_columns(table: TableTransformer, n: int) -> dict[str, list[Any]]:
    codes = [np.zeros(n, np.uint16) for _ in table.columns]
    return table.decode(codes, 3, NumberedRows(consecutive_rows(0, n))).to_pydict()


def form_of(values: Any, name: str, kind: ColumnKind | None = None) -> tuple[str, str] | None:
    transformer, _ = fit(values, kind, name=name)
    if not isinstance(transformer, GeneratedTransformer):
        return None
    return transformer.generated, str(transformer.describe()["form"])


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("x", EMAILS, ("email", "email")),
        ("contact_phone", PHONES, ("phone", "phone")),
        ("x", PHONES, ("phone", "phone")),
        ("fullName", NAMES, ("name", "full")),
        ("name", NAMES, ("name", "full")),
        ("Vorname", ["Anna", "Otto"] * 50, ("name", "first")),
        ("last name", ["Maier", "Huber"] * 50, ("name", "last")),
        ("customer name", [", ".join(n.split()[1:]) for n in NAMES], ("name", "last_comma_first")),
        ("home_address", [f"{s}, Wien" for s in STREETS], ("address", "full")),
        ("street", STREETS, ("address", "street")),
        ("city", NAMES, ("address", "city")),
        ("notes", NOTES, ("text", "words")),
        ("x", NAMES, ("name", "full")),
        ("ip_address", [f"10.0.0.{i}" for i in range(100)], ("ip", "coded")),
        ("room", [f"Room {i}" for i in range(100)], ("identifier", "pattern")),
        ("city", ["Graz", "Linz"] * 50, None),
        ("name", ["Venus", "Mars"] * 50, None),
        ("x", EMAILS[:3], ("email", "email")),
        ("year", list(range(1990, 2020)), None),
        ("price", [i * i for i in range(100)], None),
    ],
)
def test_personal_columns_are_recognized(
    name: str, values: list[Any], expected: tuple[str, str] | None
) -> None:
    assert form_of(values, name) == expected


def test_a_declared_kind_takes_precedence_over_the_inferred_one() -> None:
    assert form_of(["a", "b"] * 50, "x", ColumnKind.phone) == ("phone", "phone")
    assert form_of(["a", "b"] * 50, "first_name", ColumnKind.name) == ("name", "first")
    assert form_of(["a", "b"] * 50, "city", ColumnKind.address) == ("address", "city")
    assert form_of(["a"], "x", ColumnKind.text) == ("text", "words")


def test_column_headers_are_split_into_words() -> None:
    assert words_of("customerFirst_name2") == ("customer", "first", "name")


@pytest.mark.parametrize("locale", ["en", "de", "ja"])
def test_personal_columns_of_a_row_describe_one_person(locale: str) -> None:
    columns = {"first_name": NAMES, "last_name": NAMES, "full_name": NAMES, "email": EMAILS}
    drawn = draw_columns(fit_columns(columns, locale), 500)
    for first, last, full, email in zip(*drawn.values(), strict=True):
        assert full == (f"{last} {first}" if locale == "ja" else f"{first} {last}")
        assert email.startswith(f"{romanize(first)}.{romanize(last)}")
    assert len(set(drawn["full_name"])) > 400


def test_the_parts_of_an_address_are_consistent() -> None:
    columns = {"street": STREETS, "city": NAMES, "address": [f"{s}, Wien" for s in STREETS]}
    drawn = draw_columns(fit_columns(columns, "de"), 200)
    for street, city, address in zip(*drawn.values(), strict=True):
        assert address.startswith(street)
        assert address.endswith(city)


def test_unrelated_names_in_a_row_belong_to_two_people() -> None:
    columns = {"patient_name": NAMES, "patient_email": EMAILS}
    columns |= {"doctor_name": NAMES[::-1], "doctor_email": EMAILS[::-1]}
    drawn = draw_columns(fit_columns(columns), 100)
    assert drawn["patient_name"] != drawn["doctor_name"]
    for name, email in (("patient_name", "patient_email"), ("doctor_name", "doctor_email")):
        assert [e.split(".")[0] for e in drawn[email]] == [romanize(n.split()[0]) for n in drawn[name]]


def test_email_addresses_are_unique_and_at_example_domains() -> None:
    drawn = draw(fit(EMAILS)[0], 1_000_000)
    assert len(drawn.unique()) == 1_000_000
    domains = {email.split("@")[1] for email in drawn[:1000].to_pylist()}
    assert domains == {"example.com", "example.org", "example.net"}


def test_different_seeds_produce_different_people() -> None:
    transformer, _ = fit(NAMES, name="name")
    assert not draw(transformer, 50, seed=1).equals(draw(transformer, 50, seed=2))


@pytest.mark.parametrize("name", ["name", "street", "email", "phone", "notes"])
def test_each_person_is_independent_of_the_other_requested_rows(name: str) -> None:
    columns = {"name": NAMES, "street": STREETS, "email": EMAILS, "phone": PHONES, "notes": NOTES}
    transformer, _ = fit(columns[name], name=name, locale="fr")
    some = np.random.default_rng(0).permutation(5000)[:100]
    whole = draw(transformer, 5000)
    assert draw(transformer, some.astype(np.uint64)).equals(whole.take(pa.array(some)))


@pytest.mark.parametrize("locale", LOCALES)
def test_every_locale_supports_all_personal_columns(locale: str) -> None:
    fitted, _ = fit(EMAILS, locale=locale)
    assert isinstance(fitted, GeneratedTransformer)
    for kind, forms in FORMS.items():
        for form in forms:
            drawn = draw(replace(fitted, generator=Personal(kind, form, locale)), 20)
            assert drawn.null_count == 0
            assert all(text.strip() for text in drawn.to_pylist())


def test_locales_match_the_mimesis_locales() -> None:
    assert set(LOCALES) == {locale.value for locale in mimesis.locales.Locale}


def test_unknown_locales_are_refused() -> None:
    column = Column(name="x", kind=ColumnKind.name, arrow_type="string", nullable=False)
    with pytest.raises(ValidationError, match="locale must be one of ar-ae"):
        DatasetSchema(tables={"x": TableSchema(columns=(column,))}, locale="tlh")


@pytest.mark.parametrize("locale", ["en", "de", "ja"])
def test_texts_have_similar_lengths_and_are_not_copied(locale: str) -> None:
    transformer, _ = fit(NOTES, ColumnKind.text, locale=locale)
    drawn = draw(transformer, 2000).to_pylist()
    assert "case" not in " ".join(drawn) or locale == "en"
    assert not set(drawn) & set(NOTES)
    assert all(text[-1] in ".。" for text in drawn)
    if locale != "ja":
        lengths = [len(text.split()) for text in NOTES]
        # Lengths have a standard deviation of 2.6, so six standard errors of the mean of 2,000 samples are
        # 0.35.
        assert abs(np.mean([len(text.split()) for text in drawn]) - np.mean(lengths)) < 0.5


def test_length_of_a_single_text_is_not_kept() -> None:
    transformer, _ = fit([*NOTES, "word " * 400], name="notes")
    # The longest length is averaged with the next four lengths, which are at most 16 words.
    assert max(len(text.split()) for text in draw(transformer, 5000).to_pylist()) < 120


def test_names_are_converted_to_ascii_letters() -> None:
    assert romanize("Søren Ångström") == "sorenangstrom"
    assert romanize("Жанна") == "zhanna"
    assert romanize("θεα") == "thea"
    assert romanize("みのる") == "minoru"
    assert romanize("해슬") == "haeseul"
    assert romanize("伸幸").isascii()
    assert romanize("伸幸").isalpha()


def test_people_are_the_same_in_every_process() -> None:
    code = (
        "from tests.unit.transformers.test_personal import NAMES, draw, fit;"
        "print(draw(fit(NAMES, name='name')[0], 20).to_pylist())"
    )
    other = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert other.strip() == str(draw(fit(NAMES, name="name")[0], 20).to_pylist())


def test_tables_without_personal_columns_do_not_import_mimesis() -> None:
    code = (
        "import sys; from tests.unit.transformers.columns import draw, fit;"
        "draw(fit([f'AB-{i:04d}' for i in range(100)])[0], 5); print('mimesis' in sys.modules)"
    )
    output = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert output.strip() == "False"


@pytest.mark.parametrize(
    ("name", "values", "placeholder"),
    [
        ("email", EMAILS, "none"),
        ("phone", PHONES, "N/A"),
        ("street", STREETS, "Unknown"),
        ("customer name", NAMES, "anonymous"),
        ("website", [f"https://www.firm.com/{i % 3}" for i in range(100)], "-"),
        ("ticket", [f"T-{i:05d}" for i in range(100)], "not available"),
    ],
)
def test_placeholders_for_missing_values_keep_their_positions(name: str, values: list[str], placeholder: str):
    column = values + [placeholder] * 150
    transformer, codes = fit(column, name=name)
    assert isinstance(transformer, GeneratedTransformer)
    assert transformer.placeholders == (placeholder,)
    decoded = transformer.decode(codes, RowStream(1, 0, consecutive_rows(0, len(codes)))).to_pylist()
    assert [text == placeholder for text in decoded] == [text == placeholder for text in column]
    assert not set(decoded) & set(values)


def test_rare_placeholders_for_missing_values_are_not_kept():
    transformer, codes = fit([*EMAILS, *["none"] * 6, *["unknown"] * 4, None, None], name="email")
    assert isinstance(transformer, GeneratedTransformer)
    assert transformer.placeholders == ("none",)
    assert np.bincount(codes).tolist() == [2, 6, 104]
    assert transformer.describe()["placeholders"] == 1


FIRST = ("Anna", "Otto", "Ida", "Emil", "Rosa", "Hugo", "Lena", "Karl", "Nora", "Paul", "Olga", "Bert")
LAST = ("Graf", "Huber", "Keller", "Brandt", "Jansen", "Lorenz", "Maurer", "Engel", "Fischer", "Neumann")


def two_people(n: int = 300) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    rng = np.random.default_rng(5)
    drawn = [(FIRST[a], LAST[b]) for a, b in rng.integers(0, [len(FIRST), len(LAST)], (2 * n, 2))]
    return drawn[:n], drawn[n:]


def people_of(columns: dict[str, list[Any]]) -> list[int]:
    generators = [t.generator for t in fit_columns(columns).columns if isinstance(t, GeneratedTransformer)]
    return [generator.person for generator in generators if isinstance(generator, Personal)]


@pytest.mark.parametrize(
    ("first_form", "second_form"),
    [
        ("{1}, {0}", "{0} {1}"),
        ("{0} {1}", "{0} {1}"),
        ("{1}, {0}", "{1}, {0}"),
        ("{0} {1}", "{1} {0}"),
    ],
)
@pytest.mark.parametrize("share", [0, 0.2, 0.8, 1])
def test_two_columns_of_names_belong_to_one_person_only_if_the_table_contains_equal_names(
    first_form: str, second_form: str, share: float
):
    one, other = two_people()
    same = [one[i] if i < share * len(one) else other[i] for i in range(len(one))]
    columns = {
        "employee_name": [first_form.format(*name) for name in one],
        "manager_name": [second_form.format(*name) for name in same],
    }
    assert people_of(columns) == ([0, 0] if share > 0.5 else [0, 1])


def test_parts_of_names_belong_to_the_full_name_that_contains_them():
    one, other = two_people()
    columns = {
        "account manager name": [" ".join(name) for name in other],
        "first_name": [first for first, _ in one],
        "last_name": [last for _, last in one],
        "customer name": [f"{last}, {first}" for first, last in one],
    }
    assert people_of(columns) == [0, 1, 1, 1]
    del columns["customer name"]
    assert people_of(columns) == [0, 1, 1]


@pytest.mark.parametrize("form", ["full", "last_comma_first", "parts"])
def test_full_names_of_the_table_are_not_generated(form: str):
    """If these names were not excluded, some generated names would equal them by chance."""
    men_first, men_last = (pool[0].to_pylist()[:100] for pool in (pools_of("de").first, pools_of("de").last))
    real = [(first, last) for i, first in enumerate(men_first) for last in men_last[i % 2 :: 2]]
    columns = {
        "full": {"full name": [" ".join(name) for name in real]},
        "last_comma_first": {"customer name": [f"{last}, {first}" for first, last in real]},
        "parts": {"first name": [first for first, _ in real], "last name": [last for _, last in real]},
    }[form]
    table = fit_columns(columns, "de")
    others = (replace(own, generator=replace(own.generator, taken=None)) for own in table.columns)
    for drawn, is_free in ((table, True), (replace(table, columns=tuple(others)), False)):
        sample = draw_columns(TableTransformer.from_arrays(*reloaded(drawn)), 3000)
        rows = {
            tuple(sorted(" ".join(row).replace(",", "").split()))
            for row in zip(*sample.values(), strict=True)
        }
        shared = rows & {tuple(sorted(" ".join(name).split())) for name in real}
        assert (len(shared) == 0) is is_free


def test_emails_belong_to_the_person_whose_name_they_contain():
    one, other = two_people()
    columns = {
        "employee_name": [" ".join(name) for name in one],
        "manager_name": [" ".join(name) for name in other],
        "email": [f"{first}.{last}{i}@firm.com".lower() for i, (first, last) in enumerate(other)],
        "login mail": [f"u{i:05d}@firm.com" for i in range(len(one))],
    }
    assert people_of(columns) == [0, 1, 1, 2]


def test_parts_of_names_are_assigned_to_people_by_the_words_of_the_column_names():
    one, other = two_people()
    columns = {
        "mother_first_name": [first for first, _ in one],
        "father_first_name": [first for first, _ in other],
        "father_last_name": [last for _, last in other],
        "mother_last_name": [last for _, last in one],
        "father_phone": PHONES * 3,
    }
    assert people_of(columns) == [0, 1, 1, 0, 1]


@pytest.mark.parametrize(
    ("header", "female", "male"),
    [
        ("sex", "F", "M"),
        ("Gender", "female", "male"),
        ("Geschlecht", "w", "m"),
        ("Anrede", "Frau", "Herr"),
        ("sexo", "M", "H"),
    ],
)
def test_first_names_agree_with_the_column_that_contains_the_sex(header: str, female: str, male: str):
    is_female = np.random.default_rng(3).random(400) < 0.5
    women, men = ("Anna", "Ida", "Rosa", "Lena", "Nora"), ("Otto", "Emil", "Hugo", "Karl", "Paul")
    names = [f"{(women if f else men)[i % 5]} {LAST[i % 9]}" for i, f in enumerate(is_female)]
    columns = {"customer name": names, header: [female if f else male for f in is_female]}
    table = TableTransformer.from_arrays(*reloaded(fit_columns(columns)))
    codes = [np.zeros(600, np.uint16), np.arange(600).astype(np.uint16) % 2]
    drawn = table.decode(dict(enumerate(codes)), 3, NumberedRows(consecutive_rows(0, 600))).to_pydict()
    pools = dict(zip((male, female), pools_of("en").first, strict=True))
    known = {sex: set(pool.to_pylist()) for sex, pool in pools.items()}
    assert all(n.split()[0] in known[s] for n, s in zip(drawn["customer name"], drawn[header], strict=True))


def test_names_are_independent_of_the_sex_of_another_person():
    one, _ = two_people()
    columns = {"doctor_name": [" ".join(name) for name in one], "patient_sex": ["F", "M", "M"] * 100}
    (doctor, _) = fit_columns(columns).columns
    assert isinstance(doctor, GeneratedTransformer)
    assert isinstance(doctor.generator, Personal)
    assert doctor.generator.sex_column is None
