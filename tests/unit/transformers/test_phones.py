"""Tests that made-up phone numbers have the forms of the column and are not real numbers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

from tests.unit.transformers.columns import draw, fit
from tests.unit.transformers.test_places import fitted, rows_of
from understudy.errors import InvalidInput
from understudy.tables.schema import ColumnKind
from understudy.transformers.array_reader import ArrayReader
from understudy.transformers.generated.transformer import GeneratedTransformer
from understudy.transformers.table import TableTransformer

N = 1_200


def phones(*forms: str, shares: tuple[float, ...] = (1.0,), seed: int = 0) -> list[str]:
    """Return phone numbers with a random digit for each `#`, and a random digit from 2 for each `@`."""
    rng = np.random.default_rng(seed)
    chosen = rng.choice(len(forms), N, p=shares)
    return [
        re.sub("[#@]", lambda mark: str(rng.integers(2 if mark[0] == "@" else 0, 10)), forms[i])
        for i in chosen
    ]


def drawn_from(values: list[str], locale: str = "en") -> list[str]:
    transformer, _ = fit(values, ColumnKind.phone, name="phone", locale=locale)
    assert isinstance(transformer, GeneratedTransformer)
    return [str(value) for value in draw(transformer, N).to_pylist()]


def shares_of(values: list[str], form: Callable[[str], str]) -> dict[str, float]:
    return {form_: n / len(values) for form_, n in Counter(map(form, values)).items()}


def national(phone: str) -> str:
    digits = re.sub(r"[^+\d]", "", re.split("[a-z#]", phone)[0])
    return re.sub(r"^(?:\+47|\+49|\+1|\+33|\+7|0)", "", digits)


@pytest.mark.parametrize(
    ("forms", "shares", "locale"),
    [
        (("+47 22 ## ## ##", "+47 9## ## ###", "+47 4## ## ###"), (0.3, 0.4, 0.3), "no"),
        (("0171 #######", "030/######", "+49 (0)89 ######-##"), (0.5, 0.3, 0.2), "de"),
        (("(@##) @##-####", "@##.@##.####", "@##-@##-#### x###"), (0.6, 0.3, 0.1), "en"),
        (("+1 @##-@##-####", "+44 20 7### ####", "+44 7### ######"), (0.4, 0.2, 0.4), "en-gb"),
        (("06 ## ## ## ##", "01 ## ## ## ##", "+33 6 ## ## ## ##"), (0.5, 0.3, 0.2), "fr"),
        (("8 (9##) ###-##-##", "+7 (495) ###-##-##"), (0.7, 0.3), "ru"),
        (("0049171#######", "004930######"), (0.6, 0.4), "de"),
        (("+81-90-####-####", "+81-3-####-####"), (0.8, 0.2), "ja"),
        (("555-####",), (1.0,), "en"),
    ],
)
def test_phone_numbers_keep_the_forms_of_the_column(
    forms: tuple[str, ...], shares: tuple[float, ...], locale: str
) -> None:
    real = phones(*forms, shares=shares)
    synthetic = drawn_from(real, locale)
    for form in (
        lambda phone: re.sub(r"\d", "9", phone),
        lambda phone: re.sub(r"\d", "9", phone) + re.sub(r"\D", "", phone)[:2],
    ):
        of_real, of_synthetic = shares_of(real, form), shares_of(synthetic, form)
        # The tolerance is five standard errors of a share among 1,200 numbers.
        assert all(
            abs(of_synthetic.get(key, 0) - share) <= 5 * (0.25 / N) ** 0.5 for key, share in of_real.items()
        )
    assert {re.sub(r"\d", "9", phone) for phone in synthetic} <= {re.sub(r"\d", "9", p) for p in real}
    assert not {national(phone) for phone in synthetic} & {national(phone) for phone in real}


@pytest.mark.parametrize(
    ("form", "locale", "reserved"),
    [
        ("(@##) @##-####", "en", r"\(\d{3}\) 555-01\d\d"),
        ("+1 @## @## ####", "fr", r"\+1 \d{3} 555 01\d\d"),
        ("06 ## ## ## ##", "fr", r"06 39 98 \d\d \d\d"),
        ("+33 1 ## ## ## ##", "en", r"\+33 1 99 00 \d\d \d\d"),
        ("07### ######", "en-gb", r"07700 900\d{3}"),
        ("020 #### ####", "en-gb", r"020 7946 0\d{3}"),
        ("(02) #### ####", "en-au", r"\(02\) 5550 \d{4}"),
        ("030 ########", "de", r"030 23125\d{3}"),
    ],
)
def test_phone_numbers_are_reserved_for_fiction_if_a_reserved_range_matches_the_form(
    form: str, locale: str, reserved: str
) -> None:
    assert all(re.fullmatch(reserved, phone) for phone in drawn_from(phones(form), locale))


def test_forms_of_few_phone_numbers_are_not_kept() -> None:
    synthetic = drawn_from([*phones("+47 22 ## ## ##"), *("22 (33) 44 / 5551" for _ in range(3))], "no")
    assert all(re.fullmatch(r"\+47 22 \d\d \d\d \d\d", phone) for phone in synthetic)


def test_phone_numbers_have_the_forms_of_their_country() -> None:
    norwegian, german = phones("+47 9## ## ###"), phones("+49 171 #######", seed=1)
    countries = [("Norway", "Germany", "Atlantis")[i % 3] for i in range(N)]
    other = phones("+999 ### ###", seed=2)
    values = [(norwegian, german, other)[i % 3][i] for i in range(N)]
    table = fitted({"phone": values, "country": countries}, {"phone": ColumnKind.phone})
    expected = {"Norway": r"\+47 9\d\d \d\d \d{3}", "Germany": r"\+49 171 \d{7}", "Atlantis": r"\+999 .*"}
    rows = rows_of(table)
    assert {row["country"] for row in rows} == set(countries)
    assert all(re.fullmatch(expected[row["country"]], row["phone"]) for row in rows)
    assert not {row["phone"] for row in rows} & set(values)


@pytest.mark.parametrize(("has_country", "n_groups"), [(True, 1), (False, 2)])
def test_forms_that_do_not_suit_the_country_column_are_refused(has_country: bool, n_groups: int) -> None:
    columns = {"phone": phones("+47 9## ## ###"), "country" if has_country else "size": ["Norway"] * N}
    table = fitted(columns, {"phone": ColumnKind.phone})
    manifests, arrays = table.to_arrays()
    counts = arrays["transformer_0.phone_counts"]
    damaged = {**arrays, "transformer_0.phone_counts": np.repeat(counts[:1], n_groups, axis=0)}
    with pytest.raises(InvalidInput, match="not a valid model file"):
        TableTransformer.from_arrays(table.schema, ArrayReader({"columns": manifests}, damaged))


def test_missing_phone_numbers_and_the_forms_of_phone_numbers_are_learned() -> None:
    values = pa.array([None if i % 4 == 0 else phone for i, phone in enumerate(phones("0## ######"))])
    transformer, codes = fit(values, ColumnKind.phone, name="phone", locale="de")
    assert int((codes == 0).sum()) == N // 4
    assert all(re.fullmatch(r"0\d\d \d{6}", phone) for phone in draw(transformer, 50).to_pylist())


def test_phone_numbers_keep_the_digits_of_their_script() -> None:
    full = [
        phone.translate({**{48 + i: 0xFF10 + i for i in range(10)}, 45: 0xFF0D})
        for phone in phones("03-####-####")
    ]
    transformer, _ = fit(full, name="\u96fb\u8a71")
    drawn = draw(transformer, 200).to_pylist()
    assert all(
        re.fullmatch("\uff10\uff13\uff0d[\uff10-\uff19]{4}\uff0d[\uff10-\uff19]{4}", phone) for phone in drawn
    )
    assert not set(drawn) & set(full)
