"""Find personal data, such as addresses and user names, within longer texts such as log lines."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from understudy.tables.inference import wordlists
from understudy.tables.inference.candidates import MOSTLY, N_DISTINCT_MIN, SOME, Evidence, Finding
from understudy.tables.inference.key_headers import key_role
from understudy.tables.inference.texts import Mask, find_matches
from understudy.tables.schema import ColumnKind
from understudy.tables.word_lists import WordList

# Items that belong to one person or device. Other items vary, but do not make a text personal.
PERSONAL = frozenset({"email", "ip", "mac", "phone", "iban", "login", "name"})
# Minimum number of distinct items of personal data. Fewer items are usually contacts in a standard text.
N_ITEMS_MIN = 3
# Minimum number of words outside the items. A value with fewer such words is an item, not free text.
N_WORDS_MIN = 2

_ITEMS = re.compile(
    # An e-mail address must begin where a run of permitted characters begins, so a long run is read once.
    r"(?P<email>(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+)"
    r"|(?P<uuid>\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b)"
    r"|(?P<mac>\b[0-9a-fA-F]{2}(?:[:-][0-9a-fA-F]{2}){5}\b)"
    r"|(?P<ip>(?<![\w.])(?<![A-Za-z]/)(?<!ersion )"
    r"(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\w.]*\w)"
    r"|(?<![\w:])(?:[0-9a-fA-F]{1,4}:){7}[0-9a-fA-F]{1,4}(?![\w:]))"
    r"|(?P<iban>\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b)"
    r"|(?P<phone>(?<![\w+])\+[1-9]\d{0,2}[ ./()-]?(?:\d[ ./()-]{0,2}){6,12}\d"
    r"|\(\d{3}\)[ .-]?\d{3}[ .-]\d{4}|(?<![\w-])\d{3}[.-]\d{3}[.-]\d{4}(?![\w-])"
    # National numbers with a trunk zero, also between Japanese words. Dates such as 01-02-2023 do not match.
    r"|(?<![a-zA-Z\d_+.,:/-])(?:"
    r"(?:\(0[1-9]\d{0,4}\) ?|0[1-9]\d{1,4}[ /-]{1,3}|0[1-9][ -](?=\d{4}[ -]?\d{4}(?!\w)))\d(?:[ .-]?\d){4,8}"
    r"|0[1-9](?P<gap>[ .-]?)\d\d(?:(?P=gap)\d\d){3})(?![a-zA-Z\d_]|[.,:/-]\d))"
    r"|(?P<key>\b(?=[0-9a-fA-F]*\d)(?=[0-9a-fA-F]*[a-fA-F])[0-9a-fA-F]{12,}\b)"
)
_CAPITALIZED = re.compile(r"(?<!\w)([^\W\d_a-z][\w'-]+)([ ,]+)([^\W\d_a-z][\w'-]+)(?!\w)")
# A word that may be a user name, after a word such as `user` or `account`. After a preposition, the word is a
# user name only if the text also contains other personal data.
_LOGIN_WORD = r"(?P<login>[A-Za-z][\w.-]*[A-Za-z0-9])"
_ANNOUNCED = re.compile(
    r"(?i)\b(?:user(?:name)?|usr|login|uid|account|benutzer|utilisateur|usuario|acct|ruser|logname)"
    rf"(?:\s*[=:]\s*|\s+)[\"'<\[]?{_LOGIN_WORD}(?![\w.])"
)
_AFTER_PREPOSITION = re.compile(
    rf"(?i)\b(?:for|from|by|to|von|fur|für|par|pour|de|por|da|user)\s+[\"']?{_LOGIN_WORD}(?![\w.])"
)
_ORDINARY = WordList(Path(__file__).parent / "words" / "no_login.txt")


class Item(NamedTuple):
    """A part of a text that varies, or that identifies a person or a thing."""

    kind: str
    start: int
    end: int


def find_items(text: str) -> list[Item]:
    """Return the items of a text in order. They do not overlap."""
    items = [Item(match.lastgroup or "key", *match.span()) for match in _ITEMS.finditer(text)]
    items += [item for item in _find_names(text) if _is_free(item, items)]
    patterns = [_ANNOUNCED]
    if any(item.kind in PERSONAL for item in items):
        patterns.append(_AFTER_PREPOSITION)
    for pattern in patterns:
        items += [item for item in _find_logins(pattern, text) if _is_free(item, items)]
    return sorted(items, key=lambda item: item.start)


def _is_free(item: Item, items: list[Item]) -> bool:
    return all(item.end <= other.start or other.end <= item.start for other in items)


def _find_names(text: str) -> Iterator[Item]:
    """Yield the positions at which a listed first name is next to a listed last name."""
    position = 0
    while match := _CAPITALIZED.search(text, position):
        first, second = (_plain(match[i]) for i in (1, 3))
        if _is_name(first, second):
            yield Item("name", *match.span())
            position = match.end()
        else:
            position = match.start(3)


def _is_name(first: str, second: str) -> bool:
    firsts, lasts = wordlists.first_names(), wordlists.last_names()
    return (first in firsts and second in lasts) or (first in lasts and second in firsts)


@lru_cache(maxsize=65_536)
def _plain(word: str) -> str:
    return wordlists.plain(word)


def _find_logins(pattern: re.Pattern[str], text: str) -> Iterator[Item]:
    for match in pattern.finditer(text):
        word = match["login"]
        is_verb = word.islower() and word.endswith(("ed", "ing"))
        if word.lower() not in _ORDINARY and not is_verb and not word.isupper():
            yield Item("login", *match.span("login"))


# Quick tests for texts with several words, and for texts that can contain personal data.
_SEVERAL_WORDS = r"\S\s+\S+\s+\S"
_MAY_BE_PERSONAL = (
    r"[@=]|\d{4}|\d[.:-]\d|\b0\d \d|[A-Z]\S+,? \p{Lu}|\p{Lu}\S+,? [A-Z]|[Uu]s[eu]|[Ll]og|[Aa]cc|[Bb]enutzer"
    r"|[Uu]tilis"
)
# Links with a number, and numbers after a word for a person or an individual thing, such as `order 10023`.
_LINK = re.compile(r"https?://\S*\d{4,}\S*")
_REFERENCE = re.compile(
    r"(?i)\b([a-z]+)\.?\s+(?:(?:no|nr|id|number|ref)\b\.?\s*)?[#:]?\s*(?=\S*\d{4})([\w-]+)"
)


def find_personal(text: str) -> list[tuple[str, str]]:
    """Return the kind and the text of each item in a longer text that identifies one person or thing."""
    items = [item for item in find_items(text) if item.kind in PERSONAL]
    found = [(item.kind, text[item.start : item.end]) for item in items]
    found += [("link", match[0]) for match in _LINK.finditer(text)]
    for match in _REFERENCE.finditer(text):
        if key_role(match[1].lower()) in ("person", "thing"):
            found.append(("reference", match[2]))
    return found if found and _count_other_words(text, items) >= N_WORDS_MIN else []


def detect_message(evidence: Evidence) -> Finding | None:
    """Detect texts such as log lines that contain personal data among other words, even if they repeat."""
    may_be = find_matches(evidence.texts.distinct, _SEVERAL_WORDS)
    if evidence.share(may_be) < SOME:
        return None
    may_be &= find_matches(evidence.texts.distinct, _MAY_BE_PERSONAL)
    counts: dict[str, Counter[str]] = {}
    is_personal: Mask = np.zeros(len(may_be), np.bool_)
    for i in np.flatnonzero(may_be).tolist():
        text = str(evidence.texts.distinct[i])
        for kind, item in find_personal(text):
            is_personal[i] = True
            counts.setdefault(kind, Counter())[item] += 1
    varied = sorted(kind for kind, values in counts.items() if len(values) >= N_ITEMS_MIN)
    # Brands and places may consist of a first and a last name, so names alone must be frequent and different.
    is_of_names = varied == ["name"]
    if is_of_names and len(counts["name"]) < N_DISTINCT_MIN:
        return None
    if not varied or evidence.share(is_personal) < (MOSTLY if is_of_names else SOME):
        return None
    words = " and ".join(", ".join(_WORDS[kind] for kind in varied).rsplit(", ", 1))
    n_personal, n = evidence.texts.count(is_personal), evidence.texts.n
    reason = f"{n_personal:,} of {n:,} sampled values are texts with {words}"
    return Finding(ColumnKind.text, 0.86 if is_of_names else 0.9, reason)


_WORDS = {
    "email": "e-mail addresses",
    "ip": "IP addresses",
    "mac": "hardware addresses",
    "phone": "phone numbers",
    "iban": "account numbers",
    "login": "user names",
    "name": "names of people",
    "link": "links with numbers",
    "reference": "numbers that identify people or things",
}


def _count_other_words(text: str, items: list[Item]) -> int:
    rest = list(text)
    for item in items:
        rest[item.start : item.end] = " " * (item.end - item.start)
    return len(re.findall(r"[^\W\d_]{2,}", "".join(rest)))
