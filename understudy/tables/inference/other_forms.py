"""Recognize texts that clearly do not have the form that a column name suggests, such as codes in `address`.

A word in a column name may have several meanings. For example, `addr` may be a street or a memory address,
and `state` may be a region or the state of a machine. The values determine the meaning. The masks in this
module mark values that are never streets, cities or names.
"""

from __future__ import annotations

import numpy as np

from understudy.tables.inference import wordlists
from understudy.tables.inference.candidates import (
    LISTED_SHARE_MIN,
    MOSTLY,
    NEARLY_ALL,
    Evidence,
)
from understudy.tables.inference.texts import ArrowArray, Mask, find_matches, lengths_of

# Texts of printable ASCII characters without whitespace.
_UNSPACED = r"^[!-~]+$"
_DIGIT = r"\d"
# Characters that occur in codes, paths and settings, but not in words of addresses and names.
_MARK = r"[_:\\=|<>@~^{}\[\]]|//|^/"
# German and Dutch streets are often written in one word: `Hauptstr.5`, `Kerkstraat12`.
_STREET_WORD = r"^\pL[\pL.\-]*(?:strasse|str\.?|weg|gasse|platz|allee|ring|straat|laan|plein)\d+[a-zA-Z]?$"
_CAPITALS = r"^[A-Z]{2,12}(?:-[A-Z]{2,12})*$"
_SENTENCE = r"(?:\S+\s+){3,}\S+[.!?]\s*$"
_YEAR, _MONTH, _DAY = r"(?:19|20)\d{2}", r"(?:0?[1-9]|1[0-2])", r"(?:0?[1-9]|[12]\d|3[01])"
_DATE = (
    rf"^(?:{_YEAR}[-/.]{_MONTH}[-/.]{_DAY}|{_DAY}[-/.]{_MONTH}[-/.]{_YEAR}|{_MONTH}[-/.]{_DAY}[-/.]{_YEAR})"
    r"(?:[T ].*)?$"
)
_DECIMAL = r"^[+-]?\d+[.,]\d{1,2}$"
# Postal codes with three letters are rare and continue with four digits, as in `VLT 1117` (Malta).
_NUMBERED_CODE = r"^[A-Za-z]{3}[- ]?\d{5,}$"
# Minimum number of distinct codes of equal length. A smaller set of words may have equal lengths by chance.
N_EQUAL_LENGTHS_MIN = 20
# Maximum number of distinct labels, and minimum mean number of values per label.
N_LABELS_MAX = 20
N_VALUES_OF_LABEL_MIN = 5


def find_codes(texts: ArrowArray) -> Mask:
    """Return a mask of the texts that are codes, paths or hexadecimal numbers: ASCII without whitespace."""
    is_unspaced = find_matches(texts, _UNSPACED)
    has_sign = find_matches(texts, _DIGIT) | find_matches(texts, _MARK)
    return is_unspaced & has_sign & ~find_matches(texts, f"(?i:{_STREET_WORD})") | _find_capitals(texts)


def _find_capitals(texts: ArrowArray) -> Mask:
    """Return a mask of codes in capital letters if there are many texts, nearly all of equal length."""
    is_capitals = find_matches(texts, _CAPITALS)
    if len(texts) < N_EQUAL_LENGTHS_MIN or is_capitals.mean() < NEARLY_ALL:
        return np.zeros(len(texts), np.bool_)
    same = np.bincount(lengths_of(texts)).max()
    return is_capitals if same >= NEARLY_ALL * len(texts) else np.zeros(len(texts), np.bool_)


def find_sentences(texts: ArrowArray) -> Mask:
    """Return a mask of the texts that have at least four words and end like a sentence."""
    return find_matches(texts, _SENTENCE)


def find_dates(texts: ArrowArray) -> Mask:
    """Return a mask of the texts that are dates."""
    return find_matches(texts, _DATE)


def find_no_phones(texts: ArrowArray) -> Mask:
    """Return a mask of the dates and amounts among texts that have the characters of phone numbers."""
    return find_dates(texts) | find_matches(texts, _DECIMAL)


def find_numbered_codes(texts: ArrowArray) -> Mask:
    """Return a mask of numbered codes such as `REQ-00017`, which have the characters of postal codes."""
    return find_matches(texts, _NUMBERED_CODE)


def are_no_places(evidence: Evidence, form: str) -> bool:
    """Return whether most values of a column cannot be streets, cities, states or countries.

    Parameters
    ----------
    form : str
        The part of an address that the column name indicates.
    """
    is_other = find_codes(evidence.texts.distinct) | find_sentences(evidence.texts.distinct)
    if form in ("city", "state", "country"):
        is_other |= find_matches(evidence.texts.distinct, _DIGIT)
    return evidence.share(is_other) >= MOSTLY


def are_no_names(evidence: Evidence, form: str) -> bool:
    """Return whether most values of a column are a few labels or cannot be names of people.

    Parameters
    ----------
    form : str
        The form of name that the column name indicates.
    """
    is_other = find_codes(evidence.texts.distinct) | find_sentences(evidence.texts.distinct)
    return evidence.share(is_other) >= MOSTLY or (form == "full" and _are_labels(evidence))


def _are_labels(evidence: Evidence) -> bool:
    """Return whether the values are a few repeated single words and almost none of them is a listed name."""
    n = evidence.n_distinct
    if not 0 < n <= N_LABELS_MAX or evidence.texts.n < N_VALUES_OF_LABEL_MIN * n:
        return False
    if evidence.texts.share(r"\S[\s\x{3000}]+\S") > 1 - NEARLY_ALL:
        return False
    known = wordlists.first_names() | wordlists.last_names()
    n_listed = sum(
        wordlists.plain(str(text).strip()) in known for text in evidence.texts.distinct.to_pylist()
    )
    return n_listed < LISTED_SHARE_MIN * n
