"""Which columns are made anew, and as what: by the schema's kind, the header's words and the values.

Text that is nothing like a category and is not understood counts as an identifier, or as free text if it has
blanks: what could name somebody is never learnt.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from understudy.tables.schema import MADE_ANEW_KINDS, Column, ColumnKind
from understudy.transformers.base import ArrowColumn
from understudy.transformers.made_anew import headers
from understudy.transformers.made_anew.identifiers import DENSE, UUID_TEXT, highest_of
from understudy.transformers.made_anew.patterns import by_length, learn_patterns
from understudy.transformers.made_anew.texts import CountedTexts, count_texts, count_words, lengths_of
from understudy.transformers.ticks import Integers, integers_of

# Below so many values nothing is concluded from them: levels that k rows share are kept, others are not.
N_VALUES_MIN = 20
MOSTLY = 0.5
NEARLY_ALL = 0.95
PLAUSIBLE = 0.9
N_WORDS_TEXT = 4
N_LETTERS_TEXT = 40
N_PATTERNS_FEW = 8

EMAIL_TEXT = r"^[^@\s]+@[^@\s]+\.[^@\s.]+$"
PHONE_TEXT = r"^\+?[\d\s().\-/]{6,24}$"
NAME_TEXT = r"^\pL[\pL\pM .,'\x{2019}\-]*$"


@dataclass(frozen=True)
class Recognition:
    """What a column is taken for, and why; the evidence holds no value."""

    kind: ColumnKind
    form: str
    evidence: str


def recognise(column: Column, values: ArrowColumn) -> Recognition | None:
    """Return what a column is to be made anew as, or None if it is to be learnt."""
    is_text = pa.types.is_string(values.type) or pa.types.is_large_string(values.type)
    if column.kind in MADE_ANEW_KINDS:
        return Recognition(column.kind, _form(column, values, is_text=is_text), "the schema says so")
    if is_text and column.kind is ColumnKind.category:
        return _recognise_text(headers.words_of(column.name), count_texts(values))
    is_whole = column.kind in (ColumnKind.integer, ColumnKind.category) and pa.types.is_integer(values.type)
    return _recognise_numbers(headers.words_of(column.name), values) if is_whole else None


def _form(column: Column, values: ArrowColumn, *, is_text: bool) -> str:
    words = headers.words_of(column.name)
    if column.kind is ColumnKind.name and is_text:
        return _form_of_name(words, count_texts(values))
    if column.kind is ColumnKind.address and is_text:
        return headers.address_form(words) or _form_of_address(count_texts(values))
    return {ColumnKind.identifier: "identifier", ColumnKind.text: "words"}.get(column.kind, column.kind.value)


def _recognise_text(words: tuple[str, ...], texts: CountedTexts) -> Recognition | None:
    if texts.n < N_VALUES_MIN:
        return None
    for look in (_as_email, _as_phone, _as_name, _as_address, _as_unique):
        if found := look(words, texts):
            return found
    return None


def _as_email(words: tuple[str, ...], texts: CountedTexts) -> Recognition | None:
    if texts.share(EMAIL_TEXT) < NEARLY_ALL:
        return None
    return Recognition(ColumnKind.email, "email", "nearly all values look like e-mail addresses")


def _as_phone(words: tuple[str, ...], texts: CountedTexts) -> Recognition | None:
    looks_so = texts.share(PHONE_TEXT)
    if headers.says_phone(words) and looks_so >= PLAUSIBLE:
        return Recognition(
            ColumnKind.phone, "phone", "the header says so, and the values look like phone numbers"
        )
    if looks_so >= NEARLY_ALL and texts.share(r"^\+\d") >= NEARLY_ALL and texts.share_once() > MOSTLY:
        return Recognition(
            ColumnKind.phone, "phone", "nearly all values look like international phone numbers"
        )
    return None


def _as_name(words: tuple[str, ...], texts: CountedTexts) -> Recognition | None:
    form = headers.name_form(words)
    if form is None or texts.share(NAME_TEXT) < PLAUSIBLE:
        return None
    if form == "name" and texts.share_once() <= MOSTLY:
        return None
    evidence = "the header says so, and the values look like names"
    return Recognition(ColumnKind.name, _form_of_name(words, texts), evidence)


def _form_of_name(words: tuple[str, ...], texts: CountedTexts) -> str:
    form = headers.name_form(words)
    if form in ("first", "last"):
        return form
    if texts.share(r"^[^,]+, *[^,]+$") > MOSTLY:
        return "last_comma_first"
    return "full"


def _as_address(words: tuple[str, ...], texts: CountedTexts) -> Recognition | None:
    form = headers.address_form(words)
    if form is None:
        return None
    has_number = texts.share(r"\d") > MOSTLY and texts.share(r"\pL{2}") > MOSTLY
    if texts.share_once() <= MOSTLY and not (form == "street" and has_number):
        return None
    if form == "street":
        form = _form_of_address(texts)
    return Recognition(ColumnKind.address, form, "the header says so, and few values are shared")


def _form_of_address(texts: CountedTexts) -> str:
    return "full" if texts.share(r",.*\pL") > MOSTLY else "street"


def _as_unique(words: tuple[str, ...], texts: CountedTexts) -> Recognition | None:
    once = texts.share_once()
    if once <= MOSTLY:
        return None
    evidence = f"{once:.0%} of the values occur once"
    if texts.share(UUID_TEXT) >= NEARLY_ALL:
        return Recognition(ColumnKind.identifier, "identifier", f"{evidence}, and nearly all are UUIDs")
    if _is_prose(texts):
        return Recognition(ColumnKind.text, "words", f"{evidence}, and they are of several words")
    return Recognition(ColumnKind.identifier, "identifier", evidence)


def _is_prose(texts: CountedTexts) -> bool:
    n_words = count_words(texts.distinct).mean()
    n_letters = lengths_of(texts.distinct).mean()
    has_blanks = texts.share(r"\S\s+\S")
    # Chinese and Japanese prose has no blanks, but is of no ASCII letters either.
    is_foreign = texts.share(r"^[\x00-\x7f]*$") < 1 - MOSTLY and n_letters >= N_LETTERS_TEXT / 4
    if n_words > N_WORDS_TEXT or (n_letters >= N_LETTERS_TEXT and has_blanks > MOSTLY) or is_foreign:
        return True
    return has_blanks > MOSTLY and not _is_numbered(texts)


def _is_numbered(texts: CountedTexts) -> bool:
    """Return whether nearly all texts are of a few patterns with a digit, such as `Room 101`."""
    patterns = learn_patterns(by_length(texts.distinct))[:N_PATTERNS_FEW]
    covered = sum(count for pattern, count in patterns if "digit" in pattern.positions)
    return covered >= PLAUSIBLE * len(texts.distinct)


def _recognise_numbers(words: tuple[str, ...], values: ArrowColumn) -> Recognition | None:
    present = values.drop_null()
    if len(present) < N_VALUES_MIN or headers.says_time(words):
        return None
    numbers = integers_of("", present.combine_chunks())
    says_identifier = headers.says_identifier(words)
    is_near = int(numbers.max()) - int(numbers.min()) <= DENSE * len(numbers)
    if not (is_near or says_identifier or _has_one_step(numbers)):
        return None
    if len(np.unique(numbers)) < len(numbers) or not _has_room(numbers, highest_of(values.type)):
        return None
    why = (
        "are close together"
        if is_near
        else "the header says that they identify"
        if says_identifier
        else "go in equal steps"
    )
    return Recognition(ColumnKind.identifier, "identifier", f"all whole numbers differ, and {why}")


def _has_room(numbers: Integers, highest: int) -> bool:
    """Return whether the type holds as many new numbers again, and some more."""
    n_digits = len(str(highest)) - 1
    return 4 * (int(numbers.max()) + len(numbers)) <= highest or 8 * len(numbers) <= 10**n_digits


def _has_one_step(numbers: Integers) -> bool:
    steps = np.diff(numbers)
    return bool(numbers[1] > numbers[0] and (steps == steps[0]).all())
