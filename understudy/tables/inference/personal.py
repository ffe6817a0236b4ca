"""Detect names, addresses, phone numbers, postal codes and coordinates in text."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

from understudy.tables.inference import headers, other_forms, wordlists
from understudy.tables.inference.candidates import (
    LISTED_SHARE_MIN,
    MOSTLY,
    N_DISTINCT_MIN,
    NEARLY_ALL,
    PLAUSIBLE,
    Evidence,
    Finding,
    describe,
)
from understudy.tables.inference.key_headers import is_login
from understudy.tables.inference.texts import CountedTexts, Mask, find_matches
from understudy.tables.schema import ColumnKind

# Japanese names contain ideographic spaces, and foreign names in Japanese contain middle dots.
NAME_TEXT = r"^[\pL\"'(][\pL\pM .,'\x{2019}\x{b4}`()\"&/;\x{3000}\x{b7}\x{30fb}\-]*$"
PHONE_TEXT = r"^\+?\(?\+?\d[\d\s().\-/x]{4,24}(?:\s?(?:ext|x)\.?\s?\d{1,6})?$"
# Phone numbers with a country code or with punctuation that is specific to phone numbers.
PHONE_DISTINCTIVE = (
    r"^\+[1-9][\d\s().\-/]{6,20}(?:x\d+)?$|^\(?\d{3}\)[ .-]?\d{3}[ .-]\d{4}(?:x\d+)?$"
    r"|^00[1-9]\d[\s\d/-]{6,16}$"
)
US_PHONE = r"^(?:\+?1[ .-]?)?(?:\(\d{3}\) ?|\d{3}[.-])\d{3}[.-]\d{4}(?:\s?x\d+)?$"
STREET_TEXT = (
    r"(?i)(?:\b(?:street|st|road|rd|avenue|ave|lane|ln|drive|dr|court|ct|boulevard|blvd|way|terrace|square|close|"
    r"highway|hwy|parkway|pkwy|rue|impasse|chemin|calle|avenida|paseo|camino|plaza|carrer|via|viale|piazza|corso|"
    r"vicolo|rua|travessa|largo|alameda|ulica|ul|ulitsa|ap|apt|suite|p\.?o\.? box)\b"
    r"|(?:straße|strasse|str\.|weg|gasse|platz|allee|ring|straat|laan|plein|gracht|dijk|vej|gatan|vägen|"
    r"veien|katu)\b)"
)
POINT_TEXT = r"^(?:POINT ?)?[(\[]?\s*(-?\d{1,3}(?:\.\d+))[°]?\s*[,; ]\s*(-?\d{1,3}(?:\.\d+))[°]?\s*[)\]]?$"
POSTAL_TEXT = (
    r"^(?i:(?:[a-z]{1,3}[- ]?)?\d{3,8}|\d{4}-\d{3}|\d{5}-\d{4}|\d{5}-\d{3}|\d{2}-\d{3}|\d{3}-\d{4}|"
    r"(?:[a-z]{1,3}[- ]?)?\d{3} \d{2,3}|\d{4} ?[a-z]{2}|[a-z]{1,2}\d[a-z\d]? ?\d[a-z]{2}|"
    r"[a-z]\d[a-z][ -]?\d[a-z]\d|[a-z]\d{4}[a-z]{3}|[a-z]\d{2} ?[a-z\d]{4}|[a-z]{2,4}[ -]?\d{4})$"
)
POSTAL_DISTINCTIVE = r"^(?:[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}|[A-Z]\d[A-Z] \d[A-Z]\d|\d{5}-\d{4}|\d{5}-\d{3})$"
# Last and first name, and a title or a middle name, as in `MEYER, ANNA MRS`.
_LAST_FIRST = r"^\p{Lu}[\pL'\x{2019} -]*, *\p{Lu}[\pL'\x{2019}.-]*(?: [\pL.]+){0,2}$"
_LOGIN = re.compile(r"(?P<first>[^\W\d_]+)[._](?P<last>[^\W\d_]+)\d*")
# Minimum number of distinct last names in a column. A smaller set of words may be names of objects.
N_DISTINCT_FEW = 5
# If all values could be phone numbers, at least this share must have a country code or typical punctuation.
_SHARE_DISTINCTIVE_MIN = 0.2


def detect_phone(evidence: Evidence) -> Finding | None:
    """Detect phone numbers by the column name, or by a country code or typical punctuation."""
    header = evidence.has_header(headers.PHONE)
    has_format = find_matches(evidence.texts.distinct, PHONE_TEXT)
    has_format &= ~other_forms.find_no_phones(evidence.texts.distinct)
    if header and evidence.share(has_format) >= MOSTLY:
        confidence = 0.97 if evidence.share(has_format) >= PLAUSIBLE else 0.75
        return Finding(
            ColumnKind.phone,
            confidence,
            describe(evidence.texts, has_format, "look like phone numbers", header=True),
        )
    is_distinctive = find_matches(evidence.texts.distinct, PHONE_DISTINCTIVE) | find_matches(
        evidence.texts.distinct, US_PHONE
    )
    is_clear = is_distinctive & find_matches(evidence.texts.distinct, r"^[+(]")
    is_mixed = (
        evidence.share(is_clear) >= _SHARE_DISTINCTIVE_MIN
        and evidence.share(has_format | is_distinctive) >= NEARLY_ALL
    )
    if (is_mixed or evidence.share(is_distinctive) >= PLAUSIBLE) and _has_digits(evidence.texts):
        return Finding(
            ColumnKind.phone,
            0.9,
            describe(
                evidence.texts, is_distinctive, "are phone numbers with a country code or typical punctuation"
            ),
        )
    return None


def _has_digits(texts: CountedTexts) -> bool:
    return texts.share(r"^(?:\D*\d){7,15}\D*") >= PLAUSIBLE


def detect_postal_code(evidence: Evidence) -> Finding | None:
    """Detect postal codes by the column name and a country's format, or by an unambiguous format."""
    has_format = find_matches(evidence.texts.distinct, POSTAL_TEXT)
    has_format &= ~other_forms.find_numbered_codes(evidence.texts.distinct)
    share = evidence.share(has_format)
    is_named = evidence.has_header(headers.POSTAL_CODE)
    is_plain = headers.names_postal_code(evidence.words)
    if is_named and share >= (MOSTLY if is_plain else NEARLY_ALL):
        confidence = (0.96 if is_plain else 0.92) if share >= PLAUSIBLE else 0.75
        reason = "have the format of a country's postal codes"
        return Finding(
            ColumnKind.postal_code, confidence, describe(evidence.texts, has_format, reason, header=True)
        )
    is_distinctive = find_matches(evidence.texts.distinct, POSTAL_DISTINCTIVE)
    if evidence.share(is_distinctive) >= NEARLY_ALL and evidence.n_distinct >= N_DISTINCT_MIN:
        reason = "have a format that only postal codes have"
        return Finding(ColumnKind.postal_code, 0.85, describe(evidence.texts, is_distinctive, reason))
    return None


def detect_point(evidence: Evidence) -> Finding | None:
    """Detect coordinates that are written as two numbers."""
    has_format = find_matches(evidence.texts.distinct, POINT_TEXT)
    if not has_format.any():
        return None
    texts = evidence.texts.distinct.to_pylist()
    is_match = np.array(
        [bool(has) and _is_position(str(text)) for has, text in zip(has_format, texts, strict=True)]
    )
    if evidence.share(is_match) < PLAUSIBLE:
        return None
    confidence = 0.97 if evidence.has_header(headers.PLACE) else 0.85
    reason = "are pairs of numbers in the range of latitude and longitude"
    return Finding(ColumnKind.coordinates, confidence, describe(evidence.texts, is_match, reason))


def _is_position(text: str) -> bool:
    numbers = re.search(r"(-?\d+\.\d+)\D+?(-?\d+\.\d+)", text)
    if numbers is None:
        return False
    first, second = abs(float(numbers[1])), abs(float(numbers[2]))
    return (first <= 90 and second <= 180) or (first <= 180 and second <= 90)


def detect_name(evidence: Evidence) -> Finding | None:
    """Detect names of people by the column name, by lists of names, or by both."""
    has_format = find_matches(evidence.texts.distinct, NAME_TEXT)
    share = evidence.share(has_format)
    if share < MOSTLY or not evidence.texts.n:
        return None
    form = None if headers.names_property(evidence.words) else headers.name_form(evidence.words)
    if form is not None and other_forms.are_no_names(evidence, form):
        return None
    if form in ("first", "last", "full"):
        return Finding(
            ColumnKind.name,
            0.95 if share >= PLAUSIBLE else 0.7,
            describe(evidence.texts, has_format, "could be names of people", header=True),
        )
    return _listed_name(evidence, form) if share >= PLAUSIBLE else None


def _listed_name(evidence: Evidence, form: str | None) -> Finding | None:
    """Detect listed names if the column name is ambiguous or does not indicate a name."""
    texts = [str(text) for text in evidence.texts.distinct.to_pylist()]
    is_few = evidence.n_distinct < N_DISTINCT_MIN
    if form is None and is_few and not evidence.has_header(headers.PERSON_ALONE):
        return None
    if form == "name" and (finding := _last_names_alone(evidence, texts)):
        return finding
    is_person = np.array([_is_listed(text) or _is_listed_login(text) for text in texts])
    share = evidence.share(is_person)
    reason = describe(evidence.texts, is_person, "contain first and last names from lists of names")
    header = form is not None or evidence.has_header(headers.PERSON_ALONE)
    if share >= (LISTED_SHARE_MIN if header else MOSTLY) and _has_variety(evidence, is_person):
        return Finding(ColumnKind.name, 0.9 if header else 0.8, reason)
    if header and evidence.texts.share(_LAST_FIRST) >= PLAUSIBLE:
        reason = "the column name indicates people, and the values have the form `Last, First`"
        return Finding(ColumnKind.name, 0.85, reason)
    if form == "name" and evidence.is_mostly_unique and _is_capitalized(evidence.texts):
        return Finding(
            ColumnKind.name,
            0.55,
            "the column name indicates a name, most values occur once, and they could be names of people",
        )
    return _first_names_alone(evidence, texts, has_header=header)


def _last_names_alone(evidence: Evidence, texts: list[str]) -> Finding | None:
    """Detect last names in a column with an ambiguous name such as `name`."""
    is_last = np.array([wordlists.plain(text.strip()) in wordlists.last_names() for text in texts])
    if float(is_last.mean()) < MOSTLY or evidence.n_distinct < N_DISTINCT_FEW:
        return None
    reason = describe(evidence.texts, is_last, "are in lists of last names", header=True)
    return Finding(ColumnKind.name, 0.7, reason)


def _has_variety(evidence: Evidence, is_person: Mask) -> bool:
    return int(is_person.sum()) >= min(N_DISTINCT_MIN, max(evidence.n_distinct // 2, 2))


def _is_capitalized(texts: CountedTexts) -> bool:
    return texts.share(r"^\p{Lu}\S*[ ,]+(?:\S+ ){0,3}\p{Lu}\S*$") > MOSTLY


def _first_names_alone(evidence: Evidence, texts: list[str], *, has_header: bool) -> Finding | None:
    """Detect a column with many distinct texts that are mostly first names."""
    is_first = np.array([wordlists.plain(text.strip()) in wordlists.first_names() for text in texts])
    share = float(is_first.mean())
    n_needed = N_DISTINCT_MIN if has_header else 2 * N_DISTINCT_MIN
    if share < (MOSTLY if has_header else 0.75) or evidence.n_distinct < n_needed:
        return None
    reason = describe(evidence.texts, is_first, "are in lists of first names")
    return Finding(ColumnKind.name, 0.8 if has_header else 0.65, reason)


def _is_listed(text: str) -> bool:
    """Return whether one word of a text is a first name and another is a first or last name.

    If the text lists several people, only the beginning is examined.
    """
    first_of_several = " ".join(re.split(r"[,;/&]", text)[:2])
    words = [wordlists.plain(word) for word in re.findall(r"[^\W\d_]{2,}", first_of_several)]
    if not 2 <= len(words) <= 6:
        return False
    first, last = wordlists.first_names(), wordlists.last_names()
    for i, word in enumerate(words):
        if word in first and any(other in last or other in first for j, other in enumerate(words) if j != i):
            return True
    return False


def _is_listed_login(text: str) -> bool:
    """Return whether a text is a user name with a listed name, such as `rosa.miller` or `r.miller`."""
    match = _LOGIN.fullmatch(text)
    if match is None:
        return False
    first, last = wordlists.plain(match["first"]), wordlists.plain(match["last"])
    return first in wordlists.first_names() or (len(first) == 1 and last in wordlists.last_names())


def detect_address(evidence: Evidence) -> Finding | None:
    """Detect streets with house numbers, and cities, states and countries that mostly occur once."""
    form = None if headers.names_property(evidence.words) else headers.address_form(evidence.words)
    if form is not None and (other_forms.are_no_places(evidence, form) or detect_point(evidence)):
        return None
    has_number = find_matches(evidence.texts.distinct, r"\d") & find_matches(
        evidence.texts.distinct, r"\pL{2}"
    )
    if form == "street" and (evidence.share(has_number) > MOSTLY or evidence.is_mostly_unique):
        reason = describe(evidence.texts, has_number, "contain words and a number", header=True)
        return Finding(ColumnKind.address, 0.94, reason)
    is_street = find_matches(evidence.texts.distinct, STREET_TEXT)
    both = is_street & has_number & ~other_forms.find_codes(evidence.texts.distinct)
    if evidence.share(both) >= 0.6 and evidence.n_distinct >= N_DISTINCT_MIN:
        return Finding(
            ColumnKind.address,
            0.85,
            describe(evidence.texts, both, "contain a word for a street and a number"),
        )
    if form == "street" and evidence.share(is_street) >= MOSTLY / 2:
        return Finding(
            ColumnKind.address,
            0.7,
            describe(evidence.texts, is_street, "contain a word for a street", header=True),
        )
    is_word = find_matches(evidence.texts.distinct, r"\pL{2}")
    if (
        form in ("city", "state", "country")
        and evidence.is_mostly_unique
        and evidence.share(is_word) > MOSTLY
    ):
        return Finding(
            ColumnKind.address, 0.92, "the column name indicates this kind, and most values occur once"
        )
    return None


def name_form_of(words: tuple[str, ...], texts: CountedTexts) -> str:
    """Return the form of the names in a column: first, last, last_comma_first, login or full."""
    form = headers.name_form(words)
    if form in ("first", "last"):
        return form
    if is_login(words) and texts.share(r"\s") <= 1 - PLAUSIBLE:
        return "login"
    if texts.share(r"^\pL+[._]\pL+\d*$") > MOSTLY:
        return "login"
    if texts.share(r"^[^,]+, *[^,]+$") > MOSTLY:
        return "last_comma_first"
    return "full" if texts.share(r"\S\s+\S") > MOSTLY / 2 or form == "full" else "first"


def address_form_of(words: tuple[str, ...], texts: CountedTexts) -> str:
    """Return the form of the addresses in a column: full, street, postal_code, city, state or country."""
    form = headers.address_form(words)
    if form not in (None, "street"):
        return form or ""
    return "full" if texts.share(r",.*\pL") > MOSTLY else "street"


DETECTORS: tuple[Callable[[Evidence], Finding | None], ...] = (
    detect_phone,
    detect_postal_code,
    detect_point,
    detect_name,
    detect_address,
)
