"""First and last names in forty languages from the lists in mimesis, used as additional evidence."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any


@lru_cache(maxsize=1)
def first_names() -> frozenset[str]:
    """Return the known first names in lower case without accents."""
    return _names("names")


@lru_cache(maxsize=1)
def last_names() -> frozenset[str]:
    """Return the known last names in lower case without accents."""
    return _names("surnames")


@lru_cache(maxsize=1)
def sexes_of_first_names() -> dict[str, int]:
    """Return the sex (1 female, 2 male) of each first name that has the same sex in all languages."""
    female, male = (_names("names", sex) for sex in ("female", "male"))
    return dict.fromkeys(female - male, 1) | dict.fromkeys(male - female, 2)


def plain(name: str) -> str:
    """Return a name in lower case without accents."""
    if name.isascii():
        return name.lower()
    parts = unicodedata.normalize("NFKD", name.casefold())
    return "".join(c for c in parts if not unicodedata.combining(c))


@lru_cache(maxsize=1)
def names_by_locale() -> dict[str, frozenset[str]]:
    """Return the first and last names of each locale in lower case without accents."""
    names = {
        locale: frozenset(plain(name) for key in ("names", "surnames") for name in _leaves(own.get(key, [])))
        for locale, own in _lists().items()
    }
    # A regional locale also includes the names of its language. Some regional locales, such as the Belgian
    # locale, have no other names.
    return {locale: own | names.get(locale.partition("-")[0], frozenset()) for locale, own in names.items()}


@lru_cache(maxsize=3)
def surnames_of(locale: str) -> frozenset[str]:
    """Return the last names of a locale."""
    return frozenset(_leaves(_lists()[locale].get("surnames", [])))


def locale_of_han(names: Iterable[str]) -> str:
    """Return `ja` or `zh` for names in Chinese characters, whichever locale has more of the last names.

    Chinese last names have one character, and most Japanese ones have two.
    """
    compact = ["".join(name.split()) for name in names]
    n_chinese = sum(name[:1] in surnames_of("zh") and len(name) <= 3 for name in compact)
    n_japanese = sum(
        "\u3005" in name or any(name[:n] in surnames_of("ja") for n in (2, 3)) for name in compact
    )
    return "ja" if n_japanese > n_chinese else "zh"


def _names(key: str, sex: str | None = None) -> frozenset[str]:
    lists = (own.get(key, []) for own in _lists().values())
    if sex is not None:
        lists = (names[sex] for names in lists if isinstance(names, dict) and sex in names)
    return frozenset(plain(name) for names in lists for name in _leaves(names))


@lru_cache(maxsize=1)
def _lists() -> dict[str, Any]:  # Any: the content of the files is nested lists of texts.
    """Return the content of the name file for each locale."""
    # The files are read without importing the package, because most tables need only these files.
    spec = find_spec("mimesis")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    folder = Path(spec.submodule_search_locations[0]) / "datasets"
    return {
        path.parent.name: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(folder.glob("*/person.json"))
    }


def _leaves(names: Any) -> Iterator[str]:  # Any: the values are lists by gender, or plain lists.
    if isinstance(names, dict):
        for some in names.values():
            yield from _leaves(some)
    else:
        yield from (name for name in names if isinstance(name, str))
