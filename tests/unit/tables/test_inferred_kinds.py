# ruff: noqa: RUF001 - names in several languages
"""Tests for kinds inferred from mimesis data. These tests are the fast part of `benchmarks/inference.py`."""

from __future__ import annotations

import random
import uuid
from typing import Any

import pyarrow as pa
import pytest
from mimesis import Address, Finance, Generic, Internet, Payment, Person
from mimesis.locales import Locale

from understudy.tables.inference import infer_table, infer_values
from understudy.tables.inference.columns import InferredColumn

N_ROWS = 200
# The headers are, in this order: full, first and last name, e-mail, phone, street, postal code, card, IP
# address, URL.
HEADERS = {
    "en": "full_name,firstName,SURNAME,e-mail,phone no,street address,zip,credit_card,ip_address,homepage",
    "de": "Kundenname,Vorname,Nachname,E-Mail-Adresse,Telefon,Straße,PLZ,Kreditkarte,IP-Adresse,Webseite",
    "fr": "nom complet,prénom,nom de famille,courriel,téléphone,rue,code postal,carte de crédit,ip,url",
    "es": "nombre completo,nombre de pila,apellido,correo,teléfono,calle,código postal,tarjeta,ip,sitio web",
    "it": "nome e cognome,nome proprio,cognome,email,telefono,indirizzo,cap,carta di credito,ip,url",
    "pt-br": "nome completo,primeiro nome,sobrenome,email,celular,endereço,cep,cartão,endereço ip,link",
    "nl": "volledige naam,voornaam,achternaam,emailadres,telefoonnummer,adres,postcode,kaartnummer,ip,url",
    "pl": "patient_name,first_name,last_name,email,telefon,address,postal_code,card_number,ip,url",
    "sv": "customer_name,first_name,last_name,mail,mobile,street,postnummer,card_no,client_ip,url",
    "ru": "customer_name,first_name,last_name,email,phone,address,zip_code,card_number,ip,url",
    "ja": "customer_name,first_name,last_name,email,phone,address,postal_code,card_number,ip,url",
}
KINDS = ["name", "name", "name", "email", "phone", "address", "postal_code", "card", "ip", "url"]


def people_of(locale: str) -> tuple[pa.Table, list[str]]:
    names, address = Person(Locale(locale), seed=1), Address(Locale(locale), seed=1)
    internet, payment = Internet(seed=1), Payment(seed=1)
    draws: list[Any] = [names.full_name, names.first_name, names.last_name, names.email, names.phone_number]
    draws += [address.address, address.postal_code, payment.credit_card_number, internet.ip_v4, internet.url]
    columns = [[draw() for _ in range(N_ROWS)] for draw in draws]
    return pa.table(dict(zip(HEADERS[locale].split(","), columns, strict=True))), KINDS


def inferred(name: str, values: Any) -> InferredColumn:
    return infer_values(name, pa.chunked_array([pa.array(values)]))


@pytest.mark.parametrize("locale", HEADERS)
def test_personal_columns_are_recognized_in_many_languages(locale: str):
    table, kinds = people_of(locale)
    assert [column.kind.value for column in infer_table(table).schema.columns] == kinds


@pytest.mark.parametrize("header", ["x", "field_7"])
def test_values_with_a_distinctive_format_are_recognized_without_a_header(header: str):
    table, kinds = people_of("en")
    distinctive = {"email", "card", "ip", "url"}
    for values, kind in zip(table.columns, kinds, strict=True):
        if kind in distinctive:
            assert inferred(header, values.combine_chunks()).column.kind == kind


def test_ordinary_columns_are_not_personal():
    rng, generic = random.Random(0), Generic(Locale.EN, seed=1)  # noqa: S311 - not used for security
    states = [Address(seed=1).state() for _ in range(50)]
    lists: dict[str, list[Any]] = {
        "species": ["setosa", "versicolor", "virginica"],
        "state": states,
        "airport": ["JFK", "LGA", "EWR", "BOS"],
        "product_name": [f"{colour} Chair" for colour in ("Rose", "Violet", "Olive", "Amber")],
        "month": ["April", "May", "June", "August"],
        "street_type": ["Avenue", "Lane"],
        "phone_type": ["home", "work"],
        "email_status": ["opened", "bounced"],
        "mime": [generic.file.mime_type() for _ in range(30)],
        "size": ["S", "M", "L"],
    }
    table = pa.table({name: [rng.choice(values) for _ in range(400)] for name, values in lists.items()})
    assert {column.kind.value for column in infer_table(table).schema.columns} == {"category"}


def test_a_few_personal_values_among_others_make_a_column_personal():
    column, findings = inferred(
        "contact", ["none", "ask"] * 90 + [f"p{i % 4}@firm.example" for i in range(20)]
    )
    assert (column.kind, findings.confidence) == ("email", 0.6)


def test_findings_contain_counts_and_the_second_most_likely_kind():
    findings = inferred(
        "konto", [*(["GB82WEST12345698765432"] * 3), *(f"DE{i:020}" for i in range(97))]
    ).findings
    assert findings.runner_up is not None
    assert findings.runner_up.kind == "identifier"
    assert "sampled values" in findings.evidence
    assert "GB82" not in findings.model_dump_json()


def test_evidence_mentions_leading_zeros_constant_columns_and_missing_values():
    zeros = inferred("code", [f"{i % 40:04}" for i in range(400)]).findings
    assert "400 of 400 sampled values have leading zeros, which are kept" in zeros.evidence
    assert "all non-missing values are the same" in inferred("unit", ["kg"] * 30).findings.evidence
    assert inferred("none", pa.nulls(30, pa.string())).findings.evidence == "all 30 values are missing"


def test_personal_numbers_are_recognized_by_headers_or_check_digits():
    payment = Payment(seed=2)
    cards = [int(payment.credit_card_number().replace(" ", "")) for _ in range(100)]
    assert inferred("x", cards).column.kind == "card"
    assert inferred("zip_code", [10_000 + i % 50 for i in range(100)]).column.kind == "postal_code"
    assert inferred("mobile", [4_917_100_000_000 + 37 * i for i in range(100)]).column.kind == "phone"
    mixed = [f"{'+48 ' if i % 4 == 0 else ''}{500 + i} {100 + 7 * i} {999 - i}" for i in range(100)]
    assert inferred("x", mixed * 3).column.kind == "phone"
    assert inferred("points", [10_000 + i % 50 for i in range(100)]).column.kind == "integer"


def test_personal_numbers_with_invalid_check_digits_are_recognized():
    payment = Payment(seed=2)
    cards = [payment.credit_card_number() for _ in range(40)]
    some_invalid = [card[:-1] + "0" if i % 3 == 0 else card for i, card in enumerate(cards)]
    assert inferred("payment", some_invalid * 9).column.kind == "card"
    made_up = [f"{4000 + 7 * i} {1234 + 11 * i} {5678 - 13 * i} {9012 - 17 * i}" for i in range(40)]
    assert inferred("card", made_up * 9).column.kind == "card"
    assert inferred("card", ["gold", "silver"] * 90).column.kind == "category"
    codes = [f"XVMDVA{i % 90 + 10}C{i % 20 + 10}E{400 + i}F" for i in range(40)]
    assert inferred("codice_fiscale", codes * 9).column.kind == "national_id"


def test_coordinates_are_recognized_as_numbers_and_as_text():
    finance = Finance(seed=1)
    lat = [48 + i / 777 for i in range(100)]
    assert inferred("latitude", lat).column.kind == "coordinates"
    assert inferred("x", [f"{a:.4f}, {a - 30:.4f}" for a in lat]).column.kind == "coordinates"
    assert inferred("latte", [float(finance.price()) for _ in range(100)]).column.kind == "float"


def _hexadecimal(rng: random.Random, n: int) -> str:
    return "".join(rng.choice("0123456789abcdef") for _ in range(n))


CODES: dict[str, Any] = {
    "request id": lambda rng: f"req-{_hexadecimal(rng, 8)}-{_hexadecimal(rng, 4)}",
    "wallet": lambda rng: f"0x{_hexadecimal(rng, 40)}",
    "mac": lambda rng: ":".join(_hexadecimal(rng, 2) for _ in range(6)),
    "uuid": lambda rng: str(uuid.UUID(int=rng.getrandbits(128), version=4)),
    "host": lambda rng: f"srv-{rng.randrange(10**6)}.cluster{rng.randrange(9)}.local",
    "ticket": lambda rng: f"ST-{rng.randrange(10**9):09d}",
    "capitals": lambda rng: "".join(rng.choice("BCDFGHJKLM") for _ in range(8)),
    "path": lambda rng: f"/var/log/{_hexadecimal(rng, 6)}",
}
PERSONAL_HEADERS = (
    *("addr", "address", "street", "city", "state", "country", "zip", "customer_name", "first name"),
    *("last_name", "phone", "mobile", "email", "ip", "iban", "card number"),
)


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("header", PERSONAL_HEADERS)
def test_codes_in_a_column_with_a_personal_header_are_identifiers(header: str, code: str):
    rng = random.Random(7)  # noqa: S311 - not used for security
    values = [CODES[code](rng) for _ in range(N_ROWS)]
    assert inferred(header, values).column.kind.value == "identifier"


@pytest.mark.parametrize(
    ("header", "values", "kind"),
    [
        ("address", [f"{40 + i / 7:.5f}, {5 + i / 9:.5f}" for i in range(60)], "coordinates"),
        ("state", [f"Step {i} of 60" for i in range(60)], "identifier"),
        ("author", [f"This was written by hand in year {i}." for i in range(60)], "text"),
        ("mobile", [f"{1000 + i * 37.31:.2f}" for i in range(60)], "identifier"),
        ("client name", ["Chrome", "Firefox", "Opera"] * 20, "category"),
        ("zip", list(range(1000, 1060)), "identifier"),
    ],
)
def test_format_of_the_values_takes_precedence_over_the_header(header: str, values: list[Any], kind: str):
    assert inferred(header, values).column.kind.value == kind


def test_dates_in_a_column_with_a_phone_header_are_not_phone_numbers():
    dates = [f"2024-{1 + i % 12:02d}-{1 + i % 28:02d}" for i in range(60)]
    assert inferred("tel", dates).column.kind.value != "phone"


@pytest.mark.parametrize(
    ("header", "values", "kind"),
    [
        ("street", [f"Hauptstr.{i}" for i in range(60)], "address"),
        ("adres", [f"Kerkstraat{i}a" for i in range(60)], "address"),
        ("address", [f"東京都港区{i}丁目" for i in range(60)], "address"),
        ("customer name", ["Ana", "Otto", "Ida"] * 20, "name"),
        ("plz", [f"D-{10115 + i * 37}" for i in range(60)], "postal_code"),
    ],
)
def test_unusual_personal_values_keep_their_kind(header: str, values: list[Any], kind: str):
    assert inferred(header, values).column.kind.value == kind


@pytest.mark.parametrize(
    ("header", "names"),
    [
        ("氏名", ["佐藤\u3000花子", "鈴木\u3000一郎", "高橋\u3000健"]),
        ("Assignee", [f"{first}.{last}" for first in ("rosa", "bruno", "carla", "hugo") for last in "xyz"]),
        ("Guest", [f"{a}ACHT{b}, ROSA MRS" for a in "BDFGKLM" for b in "ERS"]),
        ("Müşteri", ["Ayşe Yılmaz", "Mehmet Şahin", "Zeynep Çelik", "Mustafa Kaya", "Fatma Demir"]),
    ],
)
def test_repeated_names_are_recognized_in_the_forms_that_other_programs_write(header: str, names: list[str]):
    repeats = 1 if header == "Guest" else 20
    assert inferred(header, names * repeats).column.kind.value == "name"
