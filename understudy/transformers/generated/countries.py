"""Find the column that contains each row's country, which names, phone numbers and addresses match."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from understudy.tables.inference import headers, wordlists
from understudy.tables.schema import LOCALES
from understudy.tables.word_lists import WordList
from understudy.transformers.array_reader import ArrayReader, require
from understudy.transformers.base import ArrowArray, Codes, RowStream, Transformer, consecutive_rows
from understudy.transformers.generated.texts import pc

# Number that represents all countries without word lists.
UNKNOWN = -1
# Words in column names such as `customer_country_code` that do not belong to the owner's name.
WORDS_OF_CODES = frozenset({"code", "iso", "iso2", "iso3", "alpha"})
# Maximum number of codes in a country column, and minimum share of its levels that are known countries.
N_CODES_MAX, SHARE_KNOWN_MIN = 512, 0.5
# If at least this share of the phone numbers in a table begin with a calling code, all made-up numbers begin
# with a calling code.
PHONES_MIN = 0.8

_FILE = WordList(Path(__file__).with_name("countries.txt"))

Int16s = npt.NDArray[np.int16]


@dataclass(frozen=True)
class CountryColumn:
    """A learned country column.

    Parameters
    ----------
    place : int
        Position of the column in the table.
    locales : tuple of str
        Locales of the countries.
    locale_of_code : array of shape (n_codes,)
        For each code in the column, the index of the country's locale, or `UNKNOWN`.
    """

    place: int
    locales: tuple[str, ...]
    locale_of_code: Int16s

    @property
    def n_unknown(self) -> int:
        """The number of codes for missing values, rare countries, and countries without word lists."""
        return int((self.locale_of_code == UNKNOWN).sum())

    def of(self, codes: Codes) -> Int16s:
        """Return the index of each row's locale, or `UNKNOWN`."""
        return self.locale_of_code[codes]

    @classmethod
    def from_reader(cls, reader: ArrayReader) -> CountryColumn:
        """Load a column from a model file."""
        locales = reader.texts("country_locales")
        is_known = len(locales) <= N_CODES_MAX and all(locale in LOCALES for locale in locales)
        require(is_known, "a locale of a country is unknown")
        index = reader.indices("locale_of_code", np.int16, (None,), UNKNOWN, len(locales))
        return cls(reader.whole("country_column"), tuple(locales), index)


@lru_cache(maxsize=1)
def locales_of_countries() -> dict[str, str]:
    """Return the locale for each country name or code. The keys are in lower case without accents."""
    locales: dict[str, str] = {}
    for entry in _FILE:
        locale, _, names = entry.split("; ")
        locales |= {wordlists.plain(name.strip()): locale for name in names.split(",")}
    return locales


@lru_cache(maxsize=1)
def calling_codes() -> dict[str, str]:
    """Return the calling code of each locale, such as 49."""
    return {locale: code for locale, code, _ in (entry.split("; ") for entry in _FILE)}


def locale_of_phones(texts: ArrowArray, locale: str) -> str | None:
    """Return the locale with the calling code that most phone numbers begin with, or None.

    If several locales have the calling code, the given locale is preferred, and then the most general locale.
    """
    if not len(texts):
        return None
    plain = pc.replace_substring_regex(texts, pattern=r"[^+\d]", replacement="")
    plain = pc.replace_substring_regex(plain, pattern=r"^00", replacement="+")
    codes = calling_codes()
    shares = {
        own: (pc.mean(pc.starts_with(plain, f"+{codes[own]}").cast(pa.float64())).as_py() or 0.0)
        for own in codes
    }
    fitting = [own for own in codes if shares[own] >= PHONES_MIN]
    return min(fitting, key=lambda own: (own != locale, -len(codes[own]), len(own), own), default=None)


def find_country_columns(
    names: Sequence[str], fitted: Sequence[tuple[Any, Codes]], types: Sequence[pa.DataType]
) -> list[CountryColumn]:
    """Return the learned country columns in a table."""
    found = []
    for place, (name, (transformer, _), type_) in enumerate(zip(names, fitted, types, strict=True)):
        is_text = pa.types.is_string(type_) or pa.types.is_large_string(type_)
        if is_text and names_country(name) and 0 < transformer.n_codes <= N_CODES_MAX:
            column = _column_of(place, transformer)
            if column is not None:
                found.append(column)
    return found


def names_country(name: str) -> bool:
    """Return whether a column name contains a word for a country."""
    return headers.contains(headers.words_of(name), headers.COUNTRY)


def _column_of(place: int, transformer: Transformer) -> CountryColumn | None:
    n = transformer.n_codes
    values = transformer.decode(np.arange(n).astype(np.uint16), RowStream(0, 0, consecutive_rows(0, n)))
    known = locales_of_countries()
    locale_of_code = [
        known.get(wordlists.plain(str(value or "")).strip(" .")) if is_exact else None
        for value, is_exact in zip(values.to_pylist(), transformer.is_exact, strict=True)
    ]
    locales = tuple(dict.fromkeys(locale for locale in locale_of_code if locale))
    n_levels = int(np.sum(np.asarray(values.is_valid()) & transformer.is_exact))
    if not locales or sum(locale is not None for locale in locale_of_code) < SHARE_KNOWN_MIN * n_levels:
        return None
    index = [UNKNOWN if locale is None else locales.index(locale) for locale in locale_of_code]
    return CountryColumn(place, locales, np.array(index, np.int16))
