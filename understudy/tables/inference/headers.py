"""What the words of a column's name say, in seven languages.

A phrase is said if its words stand beside each other in the name, or together as one word: `post code`
is said by `postCode`, `POST_CODE` and `postcode`. Accents do not matter.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from understudy.tables.word_lists import WordList

# Small letters without accents, as `words_of` returns them.
Phrases = WordList


def words_of(name: str) -> tuple[str, ...]:
    """Return the words of a column's name in small letters: `customerFirst_name2` has three."""
    parted = re.sub(r"(?<=[^\W\d_A-Z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name).casefold()
    return tuple(re.findall(r"[^\W\d_]+", _plain(parted)))


def _plain(text: str) -> str:
    parts = unicodedata.normalize("NFKD", text)
    return unicodedata.normalize("NFC", "".join(c for c in parts if not unicodedata.combining(c)))


def says(words: tuple[str, ...], known: Iterable[str]) -> bool:
    """Return whether one of the phrases is said."""
    line = f" {' '.join(words)} "
    return any(f" {phrase} " in line or phrase.replace(" ", "") in words for phrase in known)


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
    """Return first, last, full, or name where it may be that of anything; None if no name is announced."""
    if says(words, FIRST):
        return "first"
    if says(words, LAST):
        return "last"
    has_name = says(words, NAME) or any(word.endswith(("name", "naam")) for word in words)
    # As German and Dutch write it: kundenname, patientnaam.
    stems = tuple(re.sub(r"(?:name|naam)$", "", word) for word in words)
    if says(words, FULL) or (has_name and (says(words, PEOPLE) or says(stems, PEOPLE))):
        return "full"
    return "name" if len(words) == 1 and words[0] in NAME else None


def address_form(words: tuple[str, ...]) -> str | None:
    """Return which part of an address is announced, or None; a whole address is announced as a street."""
    if says(words, NO_ADDRESS):
        return None
    forms = {"city": CITY, "postal_code": POSTAL_CODE, "state": STATE, "country": COUNTRY, "street": STREET}
    form = next((form for form, known in forms.items() if says(words, known)), None)
    return None if form in ("city", "state", "country") and "code" in words else form


def says_property(words: tuple[str, ...]) -> bool:
    """Return whether a property of what is named is announced, not the thing."""
    return says(words, PROPERTY)


def says_postal_code(words: tuple[str, ...]) -> bool:
    """Return whether postal codes are announced, by a word that means nothing else."""
    return says(words, (phrase for phrase in POSTAL_CODE if phrase not in POSTAL_DOUBTFUL))


def says_identifier(words: tuple[str, ...]) -> bool:
    """Return whether identifiers are announced."""
    return bool(words) and (words[-1] in IDENTIFIER or words[0] == "id")


def says_time(words: tuple[str, ...]) -> bool:
    """Return whether numbers are announced that count time, age or rank."""
    return says(words, TIME)
