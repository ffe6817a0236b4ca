"""Tests for repeated keys of people and things, and for the subject of a table."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from understudy.tables.findings import ColumnFindings
from understudy.tables.inference import describe_subject, infer_table
from understudy.tables.inference.headers import words_of
from understudy.tables.inference.key_headers import key_header

N_EACH = 6
OWNERS = np.repeat(np.arange(60), N_EACH)


def inferred_kind(name: str, values: list[Any]) -> tuple[str, ColumnFindings]:
    """Return the inferred kind of a column, and its findings."""
    schema, findings = infer_table(pa.table({name: values}))
    return schema.columns[0].kind.value, findings.columns[name]


@pytest.mark.parametrize(
    ("name", "role"),
    [
        *((name, "person") for name in ("customer_no", "Kundennummer", "id_patient", "USERID", "SUBJID")),
        *((name, "person") for name in ("customer_unique_id", "code_client", "hack_license_no", "user name")),
        *((name, "thing") for name in ("order id", "SessionID", "plate", "imei", "Rechnungsnr", "trip_id")),
        *((name, "class") for name in ("customer_segment_id", "product_code", "store_id", "flight_no")),
        *((name, "class") for name in ("order_status", "account_type", "station", "user_segment")),
        ("id", "row"),
        ("amount", None),
        ("num_orders", None),
        ("paid", None),
    ],
)
def test_column_names_indicate_whose_keys_a_column_contains(name: str, role: str | None):
    header = key_header(words_of(name))
    assert (None if header is None else header.role) == role


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        ("customer_no", "C{:04}", "identifier"),
        ("case_ref", "2024/{:03}", "identifier"),
        ("plate", "W-{:05}X", "identifier"),
        ("registration", "AB{:02} CDE", "identifier"),
        ("device", "iPhone {}", "category"),
        ("event.user", "C{:04}", "identifier"),
        ("event.product", "P-{:03}", "category"),
        ("product_code", "P-{:03}", "category"),
        ("icd10", "A{:02}.1", "category"),
        ("station", "ST{:03}", "category"),
        ("label", "L{:03}", "category"),
    ],
)
def test_repeated_texts_are_keys_if_the_column_name_indicates_keys(name: str, value: str, kind: str):
    assert inferred_kind(name, [value.format(i) for i in OWNERS])[0] == kind


def test_codes_of_unknown_meaning_stay_a_category_with_identifier_as_the_second_choice():
    kind, findings = inferred_kind("label", [f"L{i:03}" for i in OWNERS])
    assert (kind, findings.runner_up and findings.runner_up.kind) == ("category", "identifier")


def test_random_tokens_are_keys_regardless_of_the_column_name():
    tokens = [np.random.default_rng(i).bytes(16).hex() for i in range(60)]
    assert inferred_kind("x", [tokens[i] for i in OWNERS])[0] == "identifier"
    assert inferred_kind("product_id", [tokens[i] for i in OWNERS])[0] == "category"


@pytest.mark.parametrize(
    ("name", "numbers", "kind"),
    [
        ("respondent", OWNERS + 1, "identifier"),
        ("id", OWNERS + 1, "identifier"),
        ("invoice_no", OWNERS + 4000, "identifier"),
        ("customers", OWNERS + 1, "integer"),
        ("visitor", OWNERS + 1, "integer"),
        ("session", OWNERS + 1, "integer"),
        ("age", OWNERS + 18, "integer"),
        ("year", OWNERS + 1960, "integer"),
        ("household", OWNERS % 7, "integer"),
        ("store_id", OWNERS + 1, "integer"),
        ("visit_no", np.array([n for i in range(40) for n in range(1, 2 + i)]), "integer"),
    ],
)
def test_repeated_whole_numbers_are_keys_if_the_column_name_indicates_keys(
    name: str, numbers: np.ndarray, kind: str
):
    assert inferred_kind(name, numbers.tolist())[0] == kind


def test_a_column_that_determines_birth_dates_is_a_key_of_people():
    born = [date(1950, 1, 1) + timedelta(days=97 * int(i)) for i in OWNERS]
    keys = [f"K{i:03}" for i in OWNERS]
    schema, findings = infer_table(pa.table({"x": keys, "date of birth": born}))
    assert schema.columns[0].kind.value == "identifier"
    assert "date of birth" in findings.columns["x"].evidence
    assert schema.subject == ("x",)
    shuffled = np.random.default_rng(0).permutation(len(keys))
    others = pa.table({"x": keys, "date of birth": [born[i] for i in shuffled]})
    assert infer_table(others).schema.columns[0].kind.value == "category"


def test_the_subject_is_the_person_whom_other_keys_determine():
    table = pa.table({"order_no": OWNERS + 1000, "customer_no": OWNERS // 3 + 70, "x": OWNERS % 7})
    assert infer_table(table).schema.subject == ("customer_no",)
    assert infer_table(table.drop_columns("customer_no")).schema.subject == ("order_no",)


def test_an_ambiguous_subject_is_not_declared_and_the_warning_names_it():
    others = np.random.default_rng(0).permutation(OWNERS)
    inferred = infer_table(pa.table({"customer_no": OWNERS + 70, "employee_no": others + 500}))
    assert inferred.schema.subject == ()
    note = describe_subject(*inferred)
    assert note is not None
    assert "'customer_no' may identify the subject" in note
    assert "employee_no" in note


def test_a_column_of_only_a_few_people_is_not_declared_as_the_subject():
    inferred = infer_table(pa.table({"patient_id": OWNERS % 6 + 70, "x": OWNERS}))
    assert inferred.schema.subject == ()
    assert inferred.findings.subject is not None


def test_texts_that_few_rows_share_are_free_text_or_identifiers():
    motivations = [f"for the work number {i} on cells and methods" for i in np.repeat(np.arange(60), 3)]
    assert inferred_kind("motivation", motivations)[0] == "text"
    assert inferred_kind("x", [f"{i:03}/A" for i in np.repeat(np.arange(60), 3)])[0] == "identifier"


def test_comments_that_each_belong_to_one_subject_are_free_text():
    comments = [f"the box number {i} arrived late and broken again" for i in range(60)]
    table = pa.table({"ticket_id": [f"T-{i:04}" for i in OWNERS], "comment": [comments[i] for i in OWNERS]})
    assert [column.kind.value for column in infer_table(table).schema.columns] == ["identifier", "text"]


@pytest.mark.parametrize(
    "values",
    [
        ["DE0001234567890889666722538593687", "DE0001234567827057923554439519813"],
        ["1b4e28ba-2fa1-11d2-883f-0016d3cca427", "6fa459ea-ee8a-3ca4-894e-db77e160355e"],
        ["00:1B:44:11:3A:B7", "00:1B:44:11:3A:C9", "00:1B:44:12:00:01"],
    ],
)
def test_a_few_long_tokens_are_identifiers_even_if_the_column_name_gives_no_hint(values: list[str]):
    assert inferred_kind("messpunkt", values * 200)[0] == "identifier"


@pytest.mark.parametrize("name", ["Beguenstigter/Zahlungspflichtiger", "Auftraggeber", "担当者", "ФИО"])
def test_payer_and_staff_columns_are_inferred_as_names(name: str):
    values = [f"{first} {last}" for first in ("Veit", "Traudl", "Zita") for last in ("Czerny", "Immendorf")]
    assert inferred_kind(name, values * 30)[0] == "name"


def test_column_of_surnames_in_an_example_database_contains_names():
    assert inferred_kind("ENAME", ["CZERNY", "IMMENDORF", "LINDWURM", "SAUERBRUCH"] * 30)[0] == "name"


def test_column_of_japanese_staff_contains_names():
    assert inferred_kind("担当者", ["佐藤 花子", "鈴木 一郎", "高橋 美咲", "田中 健"] * 30)[0] == "name"
