"""Tests for coordinates, and for identifiers with a known format, such as cards, IBANs and national IDs."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from mimesis import Payment

from tests.unit.transformers.columns import draw, fit
from understudy.tables.identifier_formats import IDENTIFIER_FORMATS
from understudy.tables.identifier_formats.base import compacted
from understudy.tables.schema import Column, ColumnKind
from understudy.transformers.generated.templates import Template
from understudy.transformers.generated.transformer import GeneratedTransformer
from understudy.transformers.numeric import NumericTransformer
from understudy.transformers.table_fitting import fit_column

rng = np.random.default_rng(0)


def written(identifier_format: str, n: int = 200) -> list[str]:
    template = Template(identifier_format)
    sizes = [template.count_texts(i) for i in range(len(template.chunks))]
    return template.write([rng.integers(0, size, n, dtype=np.uint64) for size in sizes]).to_pylist()


def drawn(values: Any, name: str, n: int = 3000) -> tuple[GeneratedTransformer, list[Any]]:
    transformer, _ = fit(values, name=name)
    assert isinstance(transformer, GeneratedTransformer)
    return transformer, draw(transformer, n).to_pylist()


@pytest.mark.parametrize(
    ("identifier_format", "kind"),
    [
        ("card_visa_16", "card"),
        ("iban_at", "iban"),
        ("id_it_cf", "national_id"),
        ("id_nl_bsn", "national_id"),
        ("id_pl_pesel", "national_id"),
    ],
)
def test_new_identifiers_are_valid_and_differ_from_the_identifiers_in_the_table(
    identifier_format: str, kind: str
):
    values = written(identifier_format)
    transformer, new = drawn(values, "national id" if kind == "national_id" else "x")
    assert transformer.generated == kind
    assert IDENTIFIER_FORMATS[identifier_format].find(pa.array(new, pa.large_string())).all()
    assert not set(new) & set(values)


def test_separators_and_shares_of_card_issuers_are_kept():
    payment = Payment(seed=1)
    values = [payment.credit_card_number() for _ in range(600)]
    _, new = drawn(values, "card")
    assert {re.sub(r"\d", "#", text) for text in new} <= {re.sub(r"\d", "#", text) for text in values}
    share, share_new = (np.mean([text.startswith("4") for text in texts]) for texts in (values, new))
    # Six standard deviations of a share of 1/3 among 3,000 samples are 0.05.
    assert abs(share - share_new) < 0.06


def test_identifiers_stored_as_integers_stay_integers():
    values = pa.array([int(text) for text in written("card_visa_16")])
    transformer, new = drawn(values, "card_number")
    assert (transformer.generated, transformer.arrow_type) == ("card", pa.int64())
    assert IDENTIFIER_FORMATS["card_visa_16"].find(compacted(pa.array([str(number) for number in new]))).all()


def test_ip_addresses_are_private_and_keep_their_version():
    _, four = drawn([f"81.2.{i % 200}.{i % 251}" for i in range(300)], "ip")
    assert all(ip_address(text).is_private and ip_address(text).version == 4 for text in four)
    _, six = drawn([f"2a02:8388:{i:x}::{i:x}" for i in range(1, 300)], "ip")
    assert all(text.startswith("2001:db8:") and ip_address(text).version == 6 for text in six)


def test_urls_have_example_domains():
    _, new = drawn([f"https://www.firm.com/people/{i}" for i in range(100)], "x")
    assert all(re.match(r"https://example\.(com|net|org)/", text) for text in new)


def test_postal_codes_keep_their_pattern_and_can_repeat():
    _, new = drawn([f"{i:05}" for i in range(1000, 2000)] * 3, "PLZ", 200_000)
    assert all(re.fullmatch(r"\d{5}", text) for text in new)
    _, whole = drawn(pa.array([1000 + i for i in range(300)] * 3, pa.int16()), "zip")
    assert all(1000 <= number <= 9999 for number in whole)


def test_coordinates_as_text_are_generated_within_the_range_and_not_copied():
    values = [f"({48 + i / 997:.5f}, {16 + i / 499:.5f})" for i in range(500)]
    transformer, new = drawn(values, "location")
    assert transformer.generated == "coordinates"
    assert all(re.fullmatch(r"\(48\.\d{5}, 1[67]\.\d{5}\)", text) for text in new)
    assert len(set(new) & set(values)) < 5


def test_coordinates_as_numbers_are_learned_as_numbers():
    values = pa.array([48 + i / 997 for i in range(500)])
    assert isinstance(fit(values, ColumnKind.coordinates)[0], NumericTransformer)


def test_texts_without_a_known_format_keep_their_pattern():
    transformer, new = drawn([f"P{i:07}X" for i in rng.permutation(10**6)[:200]], "passport_no")
    assert transformer.generated == "national_id"
    assert all(re.fullmatch(r"P0\d{6}X", text) for text in new)


def test_a_kind_that_the_schema_declares_takes_precedence_over_inference():
    values = pa.array([f"p{i % 30}@firm.example" for i in range(600)])
    column = Column(name="x", kind=ColumnKind.category, arrow_type="string", nullable=False)
    assert isinstance(fit(values)[0], GeneratedTransformer)
    assert not isinstance(fit_column(column, pa.chunked_array([values]))[0], GeneratedTransformer)


@pytest.mark.parametrize(
    "values",
    [
        ["https://www.firm.com/", "https://survey.firm.com/a"],
        ["http://firm.com/a?b=1"],
        ["ftp://files.firm.com/x", "s3://firm/x", "https://firm.com/"],
        ["www.firm.com", "www.firm.org/b"],
    ],
)
def test_a_few_urls_that_many_rows_share_stay_urls(values: list[str]):
    _, new = drawn(values * 30, "referrer")
    assert all(re.fullmatch(r"https://example\.(com|net|org)/\w+", text) for text in new)


def test_domains_without_a_scheme_are_example_domains():
    _, new = drawn([f"firm{i % 3}.com" for i in range(90)], "website")
    assert all(re.fullmatch(r"example\.(com|net|org)/\w+", text) for text in new)


@pytest.mark.parametrize(
    ("values", "name", "identifier_format"),
    [
        (["10.1.2.3", "10.1.2.4"], "ip", "ipv4"),
        (written("card_visa_16", 3), "card number", "card_visa_16"),
        (written("iban_at", 2), "iban", "iban_at"),
        (written("id_pl_pesel", 4), "pesel", "id_pl_pesel"),
    ],
)
def test_a_few_identifiers_that_many_rows_share_keep_their_format(
    values: list[str], name: str, identifier_format: str
):
    _, new = drawn(values * 30, name)
    texts = pa.array(new, pa.large_string())
    is_valid = IDENTIFIER_FORMATS[identifier_format].find(texts if name == "ip" else compacted(texts))
    assert is_valid.all()
    assert not set(new) & set(values)


def test_format_is_not_kept_if_fewer_than_k_rows_have_a_value():
    transformer, _ = drawn(["2001:db8::1", "2001:db8::2"], "ip")
    assert transformer.describe()["form"] == "pattern"
