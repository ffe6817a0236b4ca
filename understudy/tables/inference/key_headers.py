"""Decide from a column's name whether its values are keys for people, keys for things, or public codes.

The last noun before the word for a key determines the meaning: `customer_segment_id` is a key of segments. In
Romance languages, the word for a key comes first, as in `id_patient`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from understudy.tables.inference import headers
from understudy.tables.word_lists import WordList

Role = Literal["person", "thing", "class", "row"]


def _phrases(name: str) -> WordList:
    return WordList(Path(__file__).parent / "words" / f"{name}.txt")


KEY_WORDS = _phrases("key_words")
KEY_ALONE = _phrases("key_alone")
PERSONS = _phrases("key_persons")
THINGS = _phrases("key_things")
CLASSES = _phrases("key_classes")
QUALIFIERS = _phrases("key_qualifiers")
LOGIN = _phrases("login")
NUMBERS = _phrases("key_numbers")
BIRTH = _phrases("birth")

# Words for a key at the beginning of a name. The words `no` and `num` are left out: they can mean a count.
_FIRST_KEYS = frozenset(
    {
        *("id", "ident", "identifiant", "identificador", "identificativo", "numero", "nro"),
        *("codigo", "codice", "code", "matricule", "ref"),
    }
)
_ROW_KEYS = frozenset(
    {"id", "ids", "ident", "identifier", "identifiant", "uid", "uuid", "guid", "idnum", "idno"}
)
_SUFFIXES = ("nummer", "number", "kennung", "numero", "nbr", "num", "key", "nr", "no", "id")


@dataclass(frozen=True)
class KeyHeader:
    """The meaning of a column name with respect to keys.

    Parameters
    ----------
    role : str
        Objects that the keys identify: people, individual things, public classes, or owners of rows.
    has_key : bool
        Whether the name marks a key: it contains a key word, such as `id`, or names a key, such as `imei`.
    is_code : bool
        Whether the key word is `code`, which is mostly used for public codes.
    may_count : bool
        Whether whole numbers in the column may be counts, such as `customers` or `visitor`.
    """

    role: Role
    has_key: bool
    is_code: bool = False
    may_count: bool = False


def has_key_header(name: str) -> bool:
    """Return whether a column's name contains a word for a key, such as `id` or `number`."""
    header = key_header(headers.words_of(name))
    return header is not None and header.has_key


@lru_cache(maxsize=4096)
def key_header(words: tuple[str, ...]) -> KeyHeader | None:
    """Return what the words of a column's name indicate about keys, or None if they indicate nothing."""
    kept = tuple(part for word in words if word not in QUALIFIERS for part in _parts(word))
    if not kept:
        return None
    if " ".join(kept) in KEY_ALONE or " ".join(words) in KEY_ALONE:
        return KeyHeader("person" if is_login(words) else "thing", has_key=True)
    is_last, is_first = kept[-1] in KEY_WORDS, kept[0] in _FIRST_KEYS
    if len(kept) == 1:
        if kept[0] in _ROW_KEYS:
            return KeyHeader("row", has_key=True)
        role = key_role(kept[0])
        return KeyHeader(role, has_key=False, may_count=kept[0] not in NUMBERS) if role else None
    if not (is_last or is_first):
        return KeyHeader("class", has_key=False) if key_role(kept[-1]) == "class" else None
    key, nouns = (kept[-1], kept[:-1]) if is_last else (kept[0], kept[1:])
    nouns = tuple(noun for noun in nouns if noun not in KEY_WORDS) or nouns
    role = key_role(nouns[-1] if is_last else nouns[0]) or _role_of_any(nouns)
    return (
        None if role is None else KeyHeader(role, has_key=True, is_code=key in ("code", "codigo", "codice"))
    )


def is_login(words: tuple[str, ...]) -> bool:
    """Return whether the words indicate user names."""
    return " ".join(words) in LOGIN


def names_birth(words: tuple[str, ...]) -> bool:
    """Return whether the words indicate a date of birth."""
    return headers.contains(words, BIRTH)


def _parts(word: str) -> tuple[str, ...]:
    """Split a compound, such as `kundennummer` or `userid`, into two words. Return other words unchanged."""
    if word in KEY_WORDS or word in KEY_ALONE or key_role(word):
        return (word,)
    for suffix in _SUFFIXES:
        stem = word.removesuffix(suffix)
        if stem != word and key_role(stem):
            return (stem, suffix)
    for prefix in ("id", "num", "numero", "cod"):
        stem = word.removeprefix(prefix)
        if stem != word and key_role(stem) in ("person", "thing"):
            return (stem, "id")
    return (word,)


def key_role(noun: str) -> Role | None:
    """Return what a noun refers to: people, individual things or public classes; None if unknown."""
    for form in dict.fromkeys((noun, noun.removesuffix("s"))):
        if form in CLASSES:
            return "class"
        if form in PERSONS or form in headers.SUBJECTS:
            return "person"
        if form in THINGS:
            return "thing"
    return None


def _role_of_any(nouns: tuple[str, ...]) -> Role | None:
    roles = {key_role(noun) for noun in nouns}
    return "class" if "class" in roles else "person" if "person" in roles else None
