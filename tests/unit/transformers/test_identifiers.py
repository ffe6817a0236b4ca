"""Tests that identifiers are new and unique, keep the table's patterns and do not depend on other rows."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.transformers.columns import column_of, draw, fit
from understudy.errors import InvalidInput
from understudy.tables.schema import ColumnKind
from understudy.transformers.base import RowStream, consecutive_rows
from understudy.transformers.generated.patterns import CLASSES
from understudy.transformers.generated.transformer import GeneratedTransformer
from understudy.transformers.numeric import NumericTransformer
from understudy.transformers.table import DECODING
from understudy.transformers.table_fitting import fit_column

rng = np.random.default_rng(0)
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ORDERS = [f"{LETTERS[a]}{LETTERS[b]}-{c:04d}" for a, b, c in rng.integers(0, [26, 26, 10_000], (3000, 3))]
UUIDS = [str(UUID(bytes=rng.bytes(16), version=4)) for _ in range(500)]
FORMS: dict[str, Any] = {
    "sequential": list(range(1, 1001)),
    "digits": rng.choice(10**8, 1000, replace=False).tolist(),
    "uuid": UUIDS,
    "pattern": ORDERS,
    "dense pattern": [f"INV-{i:04d}" for i in range(9000)],
    "several lengths": [f"user{i}" for i in range(2000)],
    "hexadecimal": [rng.bytes(20).hex() for _ in range(200)],
    "no pattern": ["é" * i + "x" for i in range(1, 60)],
}


def fit_form(form: str) -> GeneratedTransformer:
    transformer, _ = fit(FORMS[form], ColumnKind.identifier)
    assert isinstance(transformer, GeneratedTransformer)
    return transformer


@pytest.mark.parametrize("form", FORMS)
def test_a_million_identifiers_are_unique_and_not_copied_from_the_table(form: str) -> None:
    drawn = draw(fit_form(form), 1_000_000)
    assert len(drawn.unique()) == 1_000_000
    assert not set(drawn.to_pylist()) & set(FORMS[form])


@pytest.mark.parametrize("form", FORMS)
def test_each_identifier_is_independent_of_the_other_requested_rows(form: str) -> None:
    transformer = fit_form(form)
    whole = draw(transformer, 30_000)
    some = rng.permutation(30_000)[:777]
    assert draw(transformer, some.astype(np.uint64)).equals(whole.take(pa.array(some)))


@pytest.mark.parametrize("form", [form for form in FORMS if form != "sequential"])
def test_a_different_seed_or_column_produces_different_identifiers(form: str) -> None:
    transformer = fit_form(form)
    assert not draw(transformer, 100, seed=1).equals(draw(transformer, 100, seed=2))
    assert not draw(transformer, 100, column=1).equals(draw(transformer, 100, column=2))


def test_pattern_of_identifiers_is_kept() -> None:
    drawn = draw(fit_form("pattern"), 100_000).to_pylist()
    assert all(re.fullmatch("[A-Z]{2}-[0-9]{4}", text) for text in drawn)
    assert {text[0] for text in drawn} == set(LETTERS)


def test_proportions_of_patterns_with_different_lengths_are_kept() -> None:
    values = [f"A{i:05d}" for i in range(750)] + [f"B-{i:03d}" for i in range(250)]
    drawn = draw(fit(values)[0], 400).to_pylist()
    # Six standard deviations of a share of 3/4 among 400 samples are 0.13.
    assert abs(sum("-" in text for text in drawn) / 400 - 0.25) < 0.13


def test_pattern_with_few_unused_texts_is_widened() -> None:
    transformer = fit_form("dense pattern")
    n_short = transformer.describe()["rows_before_widening"]
    # The table contains 9,000 of the 10,000 texts that match the pattern.
    assert 0 < n_short <= 1000
    lengths = [len(text) for text in draw(transformer, 1200).to_pylist()]
    assert lengths == [8] * n_short + [9] * (1200 - n_short)


def test_sequence_continues_from_a_round_number_with_the_same_step() -> None:
    transformer, _ = fit(list(range(103, 4103, 4)))
    assert draw(transformer, 3, seed=0).to_pylist() == [5003, 5007, 5011]
    # Each of 1,000 consecutive seeds has its own block, which is ten times the size of the table.
    assert draw(transformer, 2, seed=1).to_pylist() == [45003, 45007]
    assert draw(transformer, 2, seed=1001).to_pylist() == [45003, 45007]


@pytest.mark.parametrize(("type_", "n_seeds"), [(pa.int64(), 1000), (pa.int32(), 1000), (pa.int16(), 1)])
def test_sequences_of_consecutive_seeds_differ_within_the_range_of_the_type(type_: pa.DataType, n_seeds: int):
    transformer, _ = fit(pa.array(range(1, 1001), type_), ColumnKind.identifier)
    starts = {draw(transformer, 1, seed=seed)[0].as_py() for seed in range(1000)}
    assert len(starts) == n_seeds
    assert transformer.decode(np.zeros(1, np.uint16), RowStream(999, 0, np.array([20_000], np.uint64)))


@pytest.mark.parametrize("form", FORMS)
def test_identifiers_are_unique_across_samples_with_different_id_ranges(form: str):
    transformer, codes = fit_form(form), np.zeros(1000, np.uint16)

    def numbered(seed: int, id_start: int) -> set[Any]:
        stream = RowStream(seed, DECODING, consecutive_rows(0, 1000), id_start)
        return set(transformer.decode(codes, stream).to_pylist())

    samples = [numbered(seed, 1000 * seed) for seed in range(5)]
    assert len(set.union(*samples)) == 5000
    assert not set.union(*samples) & set(FORMS[form])
    assert numbered(seed=7, id_start=1000) == samples[1]


def test_uuids_keep_their_version_and_variant_and_case() -> None:
    for values in (UUIDS, [text.upper() for text in UUIDS]):
        drawn = draw(fit(values)[0], 1000).to_pylist()
        assert {(UUID(text).version, UUID(text).variant) for text in drawn} == {(4, UUID(UUIDS[0]).variant)}
        assert all(text.isupper() == values[0].isupper() for text in drawn)


def test_rare_fragments_of_identifiers_are_not_kept() -> None:
    values = [f"AB-{i:03d}" for i in range(100)] + ["SMITH_7_X"]
    transformer, _ = fit(values)
    assert "SMITH" not in str(transformer.to_arrays())
    assert all(text.startswith("AB-") for text in draw(transformer, 500).to_pylist())


@settings(deadline=None, max_examples=40)
@given(
    positions=st.lists(st.sampled_from([*"A-7é", *CLASSES]), min_size=1, max_size=12),
    n=st.integers(20, 300),
    seed=st.integers(0, 2**32),
)
def test_identifiers_of_random_patterns_are_never_copied(positions: list[str], n: int, seed: int) -> None:
    chance = np.random.default_rng(seed)
    texts = {"".join(chance.choice(list(CLASSES.get(p, p))) for p in positions) for _ in range(n)}
    drawn = draw(fit(sorted(texts), ColumnKind.identifier)[0], 2000).to_pylist()
    assert len(set(drawn)) == 2000
    assert not set(drawn) & texts


@pytest.mark.parametrize("type_", [pa.int16(), pa.uint32(), pa.int64(), pa.uint64()])
def test_identifiers_stored_as_integers_keep_their_type(type_: pa.DataType) -> None:
    drawn = draw(fit(pa.array(range(100, 300), type_))[0], 500)
    assert drawn.type == type_
    assert drawn.to_pylist() == list(range(300, 800)) or min(drawn.to_pylist()) > 299


def test_integers_keep_their_number_of_digits_without_leading_zeros() -> None:
    drawn = draw(
        fit(rng.choice(9 * 10**7, 500, replace=False) + 10**7, name="client_id")[0], 5000
    ).to_pylist()
    assert {len(str(number)) for number in drawn} == {8}


def test_missing_values_have_their_own_code() -> None:
    values = pa.array([None if i % 3 == 0 else f"AB-{i:04d}" for i in range(300)])
    transformer, codes = fit(values)
    assert transformer.n_codes == 2
    assert (codes == 0).tolist() == values.is_null().to_pylist()
    assert draw(transformer, 10).null_count == 0


def test_a_column_of_missing_values_stays_missing() -> None:
    transformer, _ = fit(pa.nulls(30, pa.string()), ColumnKind.identifier)
    assert draw(transformer, 5).null_count == 5


def test_error_for_more_rows_than_a_type_can_number_contains_the_column() -> None:
    transformer, _ = fit(pa.array(range(1, 1001), pa.int16()), name="no")
    with pytest.raises(InvalidInput, match=r"Column 'no' can store only [\d,]+ new identifiers"):
        draw(transformer, 100_000)


def test_identifiers_of_narrow_types_are_refused_if_declared_and_learned_as_numbers_otherwise() -> None:
    values = pa.array(range(100), pa.int8())
    with pytest.raises(InvalidInput, match="Store the column in a wider type"):
        fit_column(column_of(values, ColumnKind.identifier), pa.chunked_array([values]))
    assert isinstance(fit(values)[0], NumericTransformer)


def test_identifiers_of_unsupported_types_are_refused() -> None:
    values = pa.array([1.5, 2.5])
    with pytest.raises(
        InvalidInput, match="is stored as double, which is not compatible with the kind identifier"
    ):
        fit_column(column_of(values, ColumnKind.identifier), pa.chunked_array([values]))


def test_values_of_a_declared_identifier_are_not_learned_even_if_they_are_few() -> None:
    transformer, _ = fit(["SECRET-1", "SECRET-2"], ColumnKind.identifier)
    assert "SECRET" not in str(transformer.to_arrays())
    assert all(re.fullmatch("[0-9a-z]{12}", text) for text in draw(transformer, 100).to_pylist())


@pytest.mark.parametrize("kind", [ColumnKind.identifier, ColumnKind.postal_code])
@pytest.mark.parametrize(
    ("texts", "own", "fragment"),
    [
        ([f"{i:04d}-{i % 7}" for i in range(400)], [f"ZARQUON/{i}" for i in range(10)], "Z"),
        ([f"{i:05d}" for i in range(0, 40_000, 100)], [f"7777{i}77" for i in range(10)], "['7', '7', '7'"),
    ],
)
def test_patterns_of_few_subjects_are_not_kept(
    kind: ColumnKind, texts: list[str], own: list[str], fragment: str
) -> None:
    values = pa.chunked_array([pa.array(texts + own)])
    column = column_of(values.chunk(0), kind)
    subjects = np.array([*range(len(texts)), *[len(texts)] * len(own)])

    assert fragment in str(fit_column(column, values)[0].to_arrays()[0])
    assert fragment not in str(fit_column(column, values, subjects)[0].to_arrays()[0])


def test_digits_of_few_subjects_are_not_kept() -> None:
    numbers = rng.choice(10**6, 500, replace=False).tolist()
    own = [777_700_000_777 + i * 1_000 for i in range(10)]
    values = pa.chunked_array([pa.array(numbers + own)])
    column = column_of(values.chunk(0), ColumnKind.identifier)
    subjects = np.array([*range(500), *[500] * 10])

    assert "'7', '7', '7'" in str(fit_column(column, values)[0].to_arrays()[0])
    assert "'7', '7', '7'" not in str(fit_column(column, values, subjects)[0].to_arrays()[0])


def test_new_codes_keep_the_range_of_each_digit() -> None:
    rng = np.random.default_rng(2)
    parts = zip(rng.integers(0, 3, 400), rng.integers(0, 10, 400), rng.integers(0, 60, 400), strict=True)
    times = pa.array([f"{day}{n}12{minute:02}Z-{n}{day}" for day, n, minute in parts])
    drawn = draw(fit(times, ColumnKind.identifier)[0], 300).to_pylist()
    assert all(re.fullmatch(r"[0-2]\d12[0-5]\dZ-\d[0-2]", text) for text in drawn)
    assert not set(drawn) & set(times.to_pylist())


def test_ranges_of_digits_are_wider_if_too_few_codes_remain() -> None:
    codes = pa.array([f"K{i:04}" for i in range(599)])
    drawn = draw(fit(codes, ColumnKind.identifier)[0], 900).to_pylist()
    assert len(set(drawn) - set(codes.to_pylist())) == 900
