"""Tests for made-up levels, which replace the rare levels of a category."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from understudy.tables.schema import Column, ColumnKind
from understudy.transformers.base import MIN_SUPPORT, RowStream, consecutive_rows
from understudy.transformers.categorical import CategoricalTransformer, fit_categorical, smooth_counts
from understudy.transformers.generated.filler import fit_filler
from understudy.transformers.generated.made_up_levels import make_up_levels
from understudy.transformers.generated.text_parts import Part, contain_codes, find_part


def fit(values: list[Any], *, is_code: bool = False) -> CategoricalTransformer:
    array = pa.chunked_array([pa.array(values)])
    column = Column(name="x", kind=ColumnKind.category, arrow_type=str(array.type), nullable=True)
    return fit_categorical(column, array, None, partial(make_up_levels, locale="en"), is_code=is_code)[0]


def repeated(n_by_level: dict[str, int]) -> list[str]:
    return [level for level, n in n_by_level.items() for _ in range(n)]


TYPES = dict.fromkeys(["red", "green", "blue", "white", "black"], 200)
CITIES = {f"City {i}": 100 // (i + 1) + 1 for i in range(60)}


@pytest.mark.parametrize(
    ("n_by_level", "is_code", "n_made_up"),
    [
        # Spelling errors are replaced with common levels.
        (TYPES | {"gren": 2, "bleu": 1}, False, 0),
        (TYPES | {f"gren{i}": 1 for i in range(12)}, False, 0),
        # Rare levels are made up in columns with many levels and in columns of codes.
        (CITIES, False, sum(n < MIN_SUPPORT for n in CITIES.values())),
        (TYPES | {"gold": 3, "gray": 3}, True, 2),
        # Without common levels, rare levels cannot be replaced with common ones.
        ({f"room {i}": 2 for i in range(8)}, False, 8),
        ({f"room {i}": 2 for i in range(3)}, False, 0),
    ],
)
def test_rare_levels_are_replaced_by_made_up_levels_unless_they_could_be_spelling_errors(
    n_by_level: dict[str, int], is_code: bool, n_made_up: int
) -> None:
    transformer = fit(repeated(n_by_level), is_code=is_code)
    assert transformer.n_made_up == n_made_up
    assert transformer.describe().get("levels_made_up", 0) == n_made_up
    rare = {level for level, n in n_by_level.items() if n < MIN_SUPPORT}
    assert not rare & set(transformer.levels.to_pylist())


@pytest.mark.parametrize("form", ["{:03}", "{:03}°", "ST-{:04}", "{:05}/A"])
def test_made_up_codes_stay_between_the_codes_of_the_table(form: str) -> None:
    numbers = [7 * i % 331 for i in range(60)]
    levels = pa.array([form.format(i) for i in numbers], pa.string())
    made = make_up_levels(levels, 40, "en")
    assert made is not None
    texts = made.to_pylist()
    assert len(set(texts) - set(levels.to_pylist())) == 40
    assert all(form.format(int(re.sub("[^0-9]", "", text))) == text for text in texts)
    assert all(min(numbers) <= int(re.sub("[^0-9]", "", text)) <= max(numbers) for text in texts)


@pytest.mark.parametrize(
    ("name", "codes", "is_public"),
    [
        ("belegdatum", [f"{i % 28 + 1:02}{i % 12 + 1:02}" for i in range(84)], True),
        ("mmdd", [f"{i % 12 + 1:02}{i % 28 + 1:02}" for i in range(84)], True),
        ("departure", [f"{i % 24:02}{5 * i % 60:02}" for i in range(120)], True),
        ("heading", [f"{7 * i % 360:03}" for i in range(120)], True),
        ("staff", [f"{7 * i % 360:03}" for i in range(120)], False),
        ("staff", [f"{i:04}" for i in range(1, 60)], False),
        ("staff", [f"{97 * i % 10_000:04}" for i in range(120)], False),
    ],
)
def test_rare_codes_are_kept_only_if_they_are_public(name: str, codes: list[str], is_public: bool) -> None:
    array = pa.chunked_array([pa.array(codes * 2)])
    column = Column(name=name, kind=ColumnKind.category, arrow_type="string", nullable=False)
    transformer, _ = fit_categorical(column, array, None, partial(make_up_levels, locale="en"))
    assert bool(set(codes) & set(transformer.levels.to_pylist())) == is_public


def test_made_up_levels_have_the_frequencies_of_the_rare_levels() -> None:
    transformer = fit(repeated(CITIES))
    pool = np.full(50_000, transformer.n_codes - 1, np.uint16)
    index = transformer.draw_levels(pool, RowStream(1, 2, consecutive_rows(0, len(pool))))
    drawn = np.bincount(index, minlength=len(transformer.levels))[transformer.n_kept :]
    rare = np.array(sorted((n for n in CITIES.values() if n < MIN_SUPPORT), reverse=True))
    # The tolerance covers four standard deviations of a count, and the smoothing over five levels.
    assert np.abs(np.sort(drawn)[::-1] / len(pool) - rare / rare.sum()).max() < 0.02


@pytest.mark.parametrize("n", [1, 4, 5, 9, 10, 23])
def test_smoothed_counts_hide_the_count_of_each_level(n: int) -> None:
    counts = np.random.default_rng(n).integers(1, 1000, n)
    smooth = smooth_counts(counts)
    assert smooth.sum() == counts.sum()
    assert (smooth > 0).all()
    first = smooth[: min(n, MIN_SUPPORT)]
    assert first.max() - first.min() <= 1


@pytest.mark.parametrize(
    ("levels", "pattern"),
    [
        ([f"P-{i}" for i in range(100, 180)], r"P-\d{3,}"),
        ([f"{i:05d}" for i in range(0, 8000, 100)], r"\d{5,}"),
        ([f"Item model {'ABCDE'[i % 5]}{i}" for i in range(10, 90)], r"Item model [A-Z]\d{2,}"),
        ([f"{a}{b}" for a in "ABCDEFGH" for b in "KLMNOPQR"], r"[A-Z]{2,}"),
        (
            [f"{a} {b}" for a in ("red", "blue") for b in ("hose", "rope", "nail", "saw")],
            r"[a-z]+ [a-z]+( \d+)?",
        ),
        (
            [f"Haus {w}" for w in ("Birke", "Eiche", "Linde", "Tanne", "Buche", "Kiefer")],
            r"Haus [A-Z][a-z]+( \d+)?",
        ),
        (["€", "$", "£", "¥", "zł"], r"[\w ]+"),
    ],
)
@pytest.mark.parametrize("n", [1, 7, 150])
def test_made_up_texts_resemble_the_levels_but_equal_none_of_them(
    levels: list[str], pattern: str, n: int
) -> None:
    made_up = make_up_levels(pa.array(levels), n, "en")
    assert made_up is not None
    texts: list[Any] = made_up.to_pylist()
    assert len(set(texts)) == n
    assert not {text.casefold() for text in texts} & {level.casefold() for level in levels}
    assert all(re.fullmatch(pattern, text) for text in texts)


@pytest.mark.parametrize("type_", [pa.int16(), pa.int32(), pa.int64(), pa.uint8()])
def test_made_up_integers_are_new(type_: pa.DataType) -> None:
    levels = pa.array(range(10, 90, 2), type_)
    made_up = make_up_levels(levels, 30, "en")
    assert made_up is not None
    assert made_up.type == type_
    numbers = set(made_up.cast(pa.int64()).to_numpy().tolist())
    assert len(numbers) == 30
    assert not numbers & set(range(10, 90, 2))


def test_integers_are_not_made_up_if_their_type_has_no_unused_values() -> None:
    assert make_up_levels(pa.array(range(250), pa.uint8()), 30, "en") is None


@pytest.mark.parametrize(
    ("codes", "labels"),
    [
        ([f"{a}X-{i}" for i, a in enumerate("ABCDEF")], [f"{a}X" for a in "ABCDEF"]),
        ([f"FR/{a}/{i}" for i, a in enumerate("ABCDEF")], list("ABCDEF")),
        ([f"K{i:03d}" for i in range(1, 40)], [str(i) for i in range(1, 40)]),
        ([f"{i}{a}B" for i, a in enumerate("ABCDEF")], [f"{a}B" for a in "ABCDEF"]),
    ],
)
def test_label_within_a_code_is_found_and_replaced(codes: list[str], labels: list[str]) -> None:
    part = find_part(codes, labels)
    assert part is not None
    assert [part.read(code) for code in codes] == labels
    assert [part.write(code, label) for code, label in zip(codes, labels, strict=True)] == codes
    assert part.read(part.write(codes[0], labels[-1])) == labels[-1]


def test_unrelated_codes_contain_no_label() -> None:
    codes = [f"K{i}" for i in range(9)]
    assert find_part(codes, [f"Kit {i}" for i in range(9)]) is None
    assert find_part(codes[:3], codes[:3]) is None
    assert contain_codes(codes, [f"{code} - kit" for code in codes])
    assert not contain_codes(codes, codes)


def test_last_part_is_used_if_the_index_exceeds_the_number_of_parts() -> None:
    assert Part("-", 1).read("plain") == "plain"


def test_made_up_integers_lie_between_the_levels_if_there_is_room() -> None:
    levels = pa.array(range(1000, 1400, 20))
    made_up = make_up_levels(levels.filter(pa.array([i % 3 > 0 for i in range(20)])), 3, "en")
    assert made_up is not None
    assert set(made_up.to_pylist()) < set(range(1020, 1400, 20))


@pytest.mark.parametrize(
    ("texts", "pattern"),
    [
        (["Red oak chair", "Blue desk lamp"], "[A-Z][^A-Z]+"),
        (["Red Oak Chair", "Blue Desk Lamp"], "[A-Z][^A-Z]+( [A-Z][^A-Z]+)*"),
        (["RED OAK CHAIR", "BLUE DESK LAMP"], "[^a-z]+"),
        (["red oak chair", "blue desk lamp"], "[^A-Z]+"),
    ],
)
def test_made_up_texts_are_capitalized_like_the_texts_of_the_table(texts: list[str], pattern: str) -> None:
    filler = fit_filler(pa.array(texts * 5, pa.large_string()), "en")
    made_up = filler.make(RowStream(1, 2, np.arange(50, dtype=np.uint64))).to_pylist()
    assert all(re.fullmatch(pattern, text) for text in made_up)


@pytest.mark.parametrize(
    ("labels", "pattern"),
    [
        ([f"{a}{b}市" for a in "東西南北高松山" for b in "京川田村島林"], "[\u3040-\u30ff\u4e00-\u9fff]+市"),
        ([f"{a}ю{b}я" for a in "бвгдмнр" for b in "лсткшж"], "[\u0400-\u04ff]+"),
        ([f"{a}{b}" for a in "가나다라마바사" for b in "한국서울산수"], "[\uac00-\ud7af]+"),
    ],
)
def test_made_up_labels_are_in_the_script_of_the_table(labels: list[str], pattern: str) -> None:
    made_up = make_up_levels(pa.array(labels), 20, "en")
    assert made_up is not None
    assert all(re.fullmatch(pattern, text.replace(" ", "")) for text in made_up.to_pylist())
