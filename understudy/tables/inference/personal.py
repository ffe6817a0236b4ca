"""Personal kinds that are known by words: names, addresses, phone numbers, postal codes, places."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

from understudy.tables.inference import headers, wordlists
from understudy.tables.inference.candidates import (
    MOSTLY,
    N_DISTINCT_TELLING,
    NEARLY_ALL,
    PLAUSIBLE,
    Evidence,
    Finding,
    matching,
)
from understudy.tables.inference.texts import CountedTexts, Mask, finds
from understudy.tables.schema import ColumnKind

NAME_TEXT = r"^[\pL\"'(][\pL\pM .,'\x{2019}\x{b4}`()\"&/;\-]*$"
PHONE_TEXT = r"^\+?\(?\+?\d[\d\s().\-/x]{4,24}(?:\s?(?:ext|x)\.?\s?\d{1,6})?$"
# With the mark of a country, or with the punctuation that nothing else has.
PHONE_TELLING = (
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
POSTAL_TELLING = r"^(?:[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}|[A-Z]\d[A-Z] \d[A-Z]\d|\d{5}-\d{4}|\d{5}-\d{3})$"
# So few single words can be names that things have.
N_DISTINCT_FEW = 5
# Where a name without a header is told by lists, so many of its words are on them.
LISTED = 0.4


def as_phone(evidence: Evidence) -> Finding | None:
    """Find phone numbers: by the header, or by the mark of a country or its punctuation."""
    header = evidence.says(headers.PHONE)
    looks = finds(evidence.texts.distinct, PHONE_TEXT)
    if header and evidence.share(looks) >= MOSTLY:
        confidence = 0.97 if evidence.share(looks) >= PLAUSIBLE else 0.75
        return Finding(
            ColumnKind.phone,
            confidence,
            matching(evidence.texts, looks, "look like phone numbers", header=True),
        )
    telling = finds(evidence.texts.distinct, PHONE_TELLING) | finds(evidence.texts.distinct, US_PHONE)
    if evidence.share(telling) >= PLAUSIBLE and _has_digits(evidence.texts):
        return Finding(
            ColumnKind.phone,
            0.9,
            matching(evidence.texts, telling, "are written like phone numbers with their area"),
        )
    return None


def _has_digits(texts: CountedTexts) -> bool:
    return texts.share(r"^(?:\D*\d){7,15}\D*") >= PLAUSIBLE


def as_postal_code(evidence: Evidence) -> Finding | None:
    """Find postal codes by the header and a country's pattern, or by patterns that nothing else has."""
    looks = finds(evidence.texts.distinct, POSTAL_TEXT)
    share = evidence.share(looks)
    is_said = evidence.says(headers.POSTAL_CODE)
    is_plain = headers.says_postal_code(evidence.words)
    if is_said and share >= (MOSTLY if is_plain else NEARLY_ALL):
        confidence = (0.96 if is_plain else 0.92) if share >= PLAUSIBLE else 0.75
        what = "have the form of a country's postal codes"
        return Finding(ColumnKind.postal_code, confidence, matching(evidence.texts, looks, what, header=True))
    telling = finds(evidence.texts.distinct, POSTAL_TELLING)
    if evidence.share(telling) >= NEARLY_ALL and evidence.n_distinct >= N_DISTINCT_TELLING:
        what = "have the form of postal codes of one country"
        return Finding(ColumnKind.postal_code, 0.85, matching(evidence.texts, telling, what))
    return None


def as_point(evidence: Evidence) -> Finding | None:
    """Find places on the earth that are written as two numbers."""
    looks = finds(evidence.texts.distinct, POINT_TEXT)
    if not looks.any():
        return None
    texts = evidence.texts.distinct.to_pylist()
    is_so = np.array(
        [bool(look) and _is_on_earth(str(text)) for look, text in zip(looks, texts, strict=True)]
    )
    if evidence.share(is_so) < PLAUSIBLE:
        return None
    confidence = 0.97 if evidence.says(headers.PLACE) else 0.85
    what = "are two numbers in the range of latitude and longitude"
    return Finding(ColumnKind.coordinates, confidence, matching(evidence.texts, is_so, what))


def _is_on_earth(text: str) -> bool:
    found = re.search(r"(-?\d+\.\d+)\D+?(-?\d+\.\d+)", text)
    if found is None:
        return False
    first, second = abs(float(found[1])), abs(float(found[2]))
    return (first <= 90 and second <= 180) or (first <= 180 and second <= 90)


def as_name(evidence: Evidence) -> Finding | None:
    """Find names of people: by the header, by lists of names, or by both."""
    looks = finds(evidence.texts.distinct, NAME_TEXT)
    share = evidence.share(looks)
    if share < MOSTLY or not evidence.texts.n:
        return None
    form = None if headers.says_property(evidence.words) else headers.name_form(evidence.words)
    if form in ("first", "last", "full"):
        return Finding(
            ColumnKind.name,
            0.95 if share >= PLAUSIBLE else 0.7,
            matching(evidence.texts, looks, "can be names of people", header=True),
        )
    return _listed_name(evidence, form) if share >= PLAUSIBLE else None


def _listed_name(evidence: Evidence, form: str | None) -> Finding | None:
    """Find names that are on lists, where the header says little or nothing."""
    texts = [str(text) for text in evidence.texts.distinct.to_pylist()]
    is_few = evidence.n_distinct < N_DISTINCT_TELLING
    if form is None and is_few and not evidence.says(headers.PERSON_ALONE):
        return None
    if form == "name" and (found := _last_names_alone(evidence, texts)):
        return found
    is_person = np.array([_is_listed(text) for text in texts])
    share = evidence.share(is_person)
    what = matching(evidence.texts, is_person, "have first and last names that are on lists of names")
    header = form is not None or evidence.says(headers.PERSON_ALONE)
    if share >= (LISTED / 2 if header else MOSTLY) and _has_variety(evidence, is_person):
        return Finding(ColumnKind.name, 0.9 if header else 0.8, what)
    if form == "name" and evidence.is_mostly_unique and _is_capitalised(evidence.texts):
        return Finding(
            ColumnKind.name, 0.55, "the header says name, most values occur once, and they can be names"
        )
    return _first_names_alone(evidence, texts, is_announced=header)


def _last_names_alone(evidence: Evidence, texts: list[str]) -> Finding | None:
    """Find single words that are last names below a header that says no more than name."""
    is_last = np.array([wordlists.plain(text.strip()) in wordlists.last_names() for text in texts])
    if float(is_last.mean()) < MOSTLY or evidence.n_distinct < N_DISTINCT_FEW:
        return None
    what = matching(evidence.texts, is_last, "are on lists of last names", header=True)
    return Finding(ColumnKind.name, 0.7, what)


def _has_variety(evidence: Evidence, is_person: Mask) -> bool:
    return int(is_person.sum()) >= min(N_DISTINCT_TELLING, max(evidence.n_distinct // 2, 2))


def _is_capitalised(texts: CountedTexts) -> bool:
    return texts.share(r"^\p{Lu}\S*[ ,]+(?:\S+ ){0,3}\p{Lu}\S*$") > MOSTLY


def _first_names_alone(evidence: Evidence, texts: list[str], *, is_announced: bool) -> Finding | None:
    """Find a column of first names: nearly all of many single words are such."""
    is_first = np.array([wordlists.plain(text.strip()) in wordlists.first_names() for text in texts])
    share = float(is_first.mean())
    n_needed = N_DISTINCT_TELLING if is_announced else 2 * N_DISTINCT_TELLING
    if share < (MOSTLY if is_announced else 0.75) or evidence.n_distinct < n_needed:
        return None
    what = matching(evidence.texts, is_first, "are on lists of first names")
    return Finding(ColumnKind.name, 0.8 if is_announced else 0.65, what)


def _is_listed(text: str) -> bool:
    """Return whether a text has several words, one a first name and another a first or last name.

    Of several people in one text the first counts.
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


def as_address(evidence: Evidence) -> Finding | None:
    """Find addresses: a street with a number, or parts that the header announces and few rows share."""
    form = None if headers.says_property(evidence.words) else headers.address_form(evidence.words)
    has_number = finds(evidence.texts.distinct, r"\d") & finds(evidence.texts.distinct, r"\pL{2}")
    if form == "street" and (evidence.share(has_number) > MOSTLY or evidence.is_mostly_unique):
        what = matching(evidence.texts, has_number, "have words and a number", header=True)
        return Finding(ColumnKind.address, 0.94, what)
    is_street = finds(evidence.texts.distinct, STREET_TEXT)
    both = is_street & has_number
    if evidence.share(both) >= 0.6 and evidence.n_distinct >= N_DISTINCT_TELLING:
        return Finding(
            ColumnKind.address, 0.85, matching(evidence.texts, both, "have a word for a street and a number")
        )
    if form == "street" and evidence.share(is_street) >= MOSTLY / 2:
        return Finding(
            ColumnKind.address,
            0.7,
            matching(evidence.texts, is_street, "have a word for a street", header=True),
        )
    is_word = finds(evidence.texts.distinct, r"\pL{2}")
    if (
        form in ("city", "state", "country")
        and evidence.is_mostly_unique
        and evidence.share(is_word) > MOSTLY
    ):
        return Finding(ColumnKind.address, 0.92, "the header says so, and few values are shared")
    return None


def name_form_of(words: tuple[str, ...], texts: CountedTexts) -> str:
    """Return in which form a column holds names: first, last, last_comma_first or full."""
    form = headers.name_form(words)
    if form in ("first", "last"):
        return form
    if texts.share(r"^[^,]+, *[^,]+$") > MOSTLY:
        return "last_comma_first"
    return "full" if texts.share(r"\S\s+\S") > MOSTLY / 2 or form == "full" else "first"


def address_form_of(words: tuple[str, ...], texts: CountedTexts) -> str:
    """Return which part of an address a column holds."""
    form = headers.address_form(words)
    if form not in (None, "street"):
        return form or ""
    return "full" if texts.share(r",.*\pL") > MOSTLY else "street"


LOOKS: tuple[Callable[[Evidence], Finding | None], ...] = (
    as_phone,
    as_postal_code,
    as_point,
    as_name,
    as_address,
)
