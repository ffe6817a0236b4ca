"""Match the words of column names against phrases in seven languages.

A column name contains a phrase if the words of the phrase are adjacent or joined into one word:
`postCode`, `POST_CODE` and `postcode` all contain `post code`. Accents and case are ignored.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from understudy.tables.word_lists import WordList

# Phrases in lower case without accents, like the words that `words_of` returns.
Phrases = WordList


def words_of(name: str) -> tuple[str, ...]:
    """Return the words of a column's name in lower case, such as three for `customerFirst_name2`."""
    parted = re.sub(r"(?<=[^\W\d_A-Z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name).casefold()
    return tuple(re.findall(r"[^\W\d_]+", _plain(parted)))


def _plain(text: str) -> str:
    parts = unicodedata.normalize("NFKD", text)
    return unicodedata.normalize("NFC", "".join(c for c in parts if not unicodedata.combining(c)))


def contains(words: tuple[str, ...], phrases: Iterable[str]) -> bool:
    """Return whether the words contain one of the phrases."""
    line = f" {' '.join(words)} "
    return any(f" {phrase} " in line or phrase.replace(" ", "") in words for phrase in phrases)


def _phrases(name: str) -> Phrases:
    return WordList(Path(__file__).parent / "words" / f"{name}.txt")


EMAIL = _phrases("email")
PHONE = _phrases("phone")
FIRST = _phrases("first")
LAST = _phrases("last")
FULL = _phrases("full")
NAME = _phrases("name")
PEOPLE = _phrases("people")
PERSON_ALONE = _phrases("person_alone")
CITY = _phrases("city")
STATE = _phrases("state")
COUNTRY = _phrases("country")
STREET = _phrases("street")
NO_ADDRESS = _phrases("no_address")
POSTAL_CODE = _phrases("postal_code")
POSTAL_DOUBTFUL = _phrases("postal_doubtful")
IP = _phrases("ip")
URL = _phrases("url")
CARD = _phrases("card")
IBAN = _phrases("iban")
NATIONAL_ID = _phrases("national_id")
NATIONAL_DOUBTFUL = _phrases("national_doubtful")
LATITUDE = _phrases("latitude")
LONGITUDE = _phrases("longitude")
PLACE = _phrases("place")
PROPERTY = _phrases("property")
IDENTIFIER = _phrases("identifier")
TIME = _phrases("time")
SUBJECTS = _phrases("subjects")
TARGETS = _phrases("targets")


@lru_cache(maxsize=4096)
def name_form(words: tuple[str, ...]) -> str | None:
    """Return the form of name that the words indicate (first, last, full or name), or None.

    The form `name` is returned for a single general word, which may also refer to the name of an object.
    """
    if contains(words, FIRST):
        return "first"
    if contains(words, LAST):
        return "last"
    has_name = contains(words, NAME) or any(word.endswith(("name", "naam")) for word in words)
    # German and Dutch compounds, such as kundenname and patientnaam.
    stems = tuple(re.sub(r"(?:name|naam)$", "", word) for word in words)
    if contains(words, FULL) or (has_name and (contains(words, PEOPLE) or contains(stems, PEOPLE))):
        return "full"
    return "name" if len(words) == 1 and words[0] in NAME else None


def address_form(words: tuple[str, ...]) -> str | None:
    """Return the part of an address that the words indicate (`street` for a whole address), or None."""
    if contains(words, NO_ADDRESS):
        return None
    forms = {"city": CITY, "postal_code": POSTAL_CODE, "state": STATE, "country": COUNTRY, "street": STREET}
    form = next((form for form, known in forms.items() if contains(words, known)), None)
    return None if form in ("city", "state", "country") and "code" in words else form


def names_property(words: tuple[str, ...]) -> bool:
    """Return whether the words describe a property of a value, such as `email_verified`."""
    return contains(words, PROPERTY)


def names_postal_code(words: tuple[str, ...]) -> bool:
    """Return whether the words unambiguously indicate a postal code."""
    return contains(words, (phrase for phrase in POSTAL_CODE if phrase not in POSTAL_DOUBTFUL))


def names_identifier(words: tuple[str, ...]) -> bool:
    """Return whether the words indicate an identifier."""
    return bool(words) and (words[-1] in IDENTIFIER or words[0] == "id")


def names_time(words: tuple[str, ...]) -> bool:
    """Return whether the words indicate a time, an age or a rank."""
    return contains(words, TIME)
