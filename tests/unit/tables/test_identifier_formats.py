"""Tests for identifier formats with published examples, altered examples and new numbers."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.tables.identifier_formats import CARDS, IBANS, IDENTIFIER_FORMATS, NATIONAL_IDS
from understudy.tables.identifier_formats.base import compacted
from understudy.transformers.generated.templates import Template

# These examples were published by issuers, standards or encyclopedias.
EXAMPLES = {
    "card_visa_16": "4111 1111 1111 1111",
    "card_mastercard_16": "5555 5555 5555 4444",
    "card_amex_15": "3782 822463 10005",
    "iban_gb": "GB82 WEST 1234 5698 7654 32",
    "iban_de": "DE89 3704 0044 0532 0130 00",
    "iban_fr": "FR14 2004 1010 0505 0001 3M02 606",
    "id_es_dni": "12345678Z",
    "id_es_nie": "X-1234567-L",
    "id_it_cf": "RSSMRA85T10A562S",
    "id_fr_nir": "2 55 08 14 168 025 38",
    "id_de_steuer_id": "86 095 742 719",
    "id_br_cpf": "529.982.247-25",
    "id_pl_pesel": "44051401359",
    "id_nl_bsn": "111222333",
    "id_se_personnummer_10": "811218-9876",
    "id_se_personnummer_12": "19811218-9876",
    "id_uk_nhs": "943 476 5919",
    "id_ch_ahv": "756.9217.0769.85",
    "id_ca_sin": "046 454 286",
    "id_au_tfn": "123 456 782",
    "id_cl_rut": "12.345.678-5",
    "id_tr_tckn": "10000000146",
    "id_bg_egn": "7523169263",
    "id_fi_hetu": "131052-308T",
    "id_za_id": "8001015009087",
    "id_cn_rid": "11010519491231002X",
    "id_mx_curp": "HEGG560427MVZRRL04",
    "id_be_nn": "85.07.30-033.28",
    "id_ee_lt": "37605030299",
    "id_ru_snils": "112-233-445 95",
    "id_at_svnr": "1237 010180",
}


NUMBERED = [*CARDS, *IBANS, *NATIONAL_IDS]


@given(st.data())
def test_generated_texts_have_the_length_of_their_format(data: st.DataObject):
    identifier_format = data.draw(st.sampled_from(NUMBERED))
    text = data.draw(st.from_regex(identifier_format.pattern, fullmatch=True))
    assert len(text) in identifier_format.lengths


def is_of(name: str, text: str) -> bool:
    return bool(IDENTIFIER_FORMATS[name].find(compacted(pa.array([text], pa.large_string())))[0])


@pytest.mark.parametrize(("name", "example"), EXAMPLES.items())
def test_published_examples_are_recognized_and_altered_ones_are_not(name: str, example: str):
    assert is_of(name, example)
    digits = [i for i, character in enumerate(example) if character.isdigit()]
    altered = [
        example[:i] + str((int(example[i]) + 1) % 10) + example[i + 1 :] for i in (digits[-1], digits[-2])
    ]
    assert not any(is_of(name, text) for text in altered)


def test_formats_without_check_digits_are_recognized_by_their_rules():
    assert is_of("id_us_ssn", "219-09-9999")
    assert not any(
        is_of("id_us_ssn", text) for text in ("000-12-3456", "666-12-3456", "900-12-3456", "219-00-9999")
    )
    assert is_of("id_uk_nino", "AB 12 34 56 C")
    assert not is_of("id_uk_nino", "DA 12 34 56 C")


@pytest.mark.parametrize("name", IDENTIFIER_FORMATS)
def test_new_numbers_match_the_format_and_are_distinct(name: str):
    template = Template(name)
    rng = np.random.default_rng(0)
    indices = [
        rng.integers(0, template.count_texts(i), 500, dtype=np.uint64) for i in range(len(template.chunks))
    ]
    indices[0] = np.unique(indices[0])
    indices = [index[: len(indices[0])] for index in indices]
    written = template.write(indices)
    assert {len(text) for text in written.to_pylist()} == {IDENTIFIER_FORMATS[name].length}
    if not name.startswith(("ipv", "url")):
        assert IDENTIFIER_FORMATS[name].find(written).all()
    if IDENTIFIER_FORMATS[name].bumped is None:
        assert len(written.unique()) == len(written)
