"""Infer the locale of the names in a table from the lists of names in mimesis."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping

from understudy.tables.inference import wordlists
from understudy.tables.inference.values import Sampled
from understudy.tables.schema import LOCALES, ColumnKind, TableSchema

DEFAULT = "en"
# Maximum number of rows read in each column of names, and minimum number of distinct words in the names.
N_ROWS_MAX, N_WORDS_MIN = 2_000, 20
# Minimum share of the words that are names of the locale, and minimum excess over the share for the default
# locale.
SHARE_MIN, EXCESS_MIN = 0.4, 0.15
# A language's general locale is preferred to a regional locale if the general share of words is at least this
# multiple of the regional share.
REGION_MAX = 0.65
# Minimum share of words in the script of a locale.
SCRIPT_MIN = 0.8
# Locale for each script, keyed by the first word in the Unicode names of its characters. If no name list
# determines the locale, the first sufficiently frequent script does.
_SCRIPTS = {
    "HIRAGANA": "ja",
    "KATAKANA": "ja",
    "HANGUL": "ko",
    "CJK": "zh",
    "GREEK": "el",
    "CYRILLIC": "ru",
    "ARABIC": "ar-eg",
}


def find_locale(schemas: Mapping[str, TableSchema], opened: Mapping[str, Sampled]) -> str:
    """Return the locale of most names in a dataset, or the default if the evidence is weak.

    Parameters
    ----------
    schemas : mapping of table name to TableSchema
        Inferred schemas of the tables.
    opened : mapping of table name to Sampled
        Rows of the tables.
    """
    words: set[str] = set()
    for name, schema in schemas.items():
        for j, column in enumerate(schema.columns):
            if column.kind is ColumnKind.name:
                words.update(_words(opened[name], j))
    if len(words) < N_WORDS_MIN:
        return DEFAULT
    plain = {wordlists.plain(word) for word in words}
    shares = {
        locale: len(plain & names) / len(plain)
        for locale, names in wordlists.names_by_locale().items()
        if locale in LOCALES
    }
    best = max(sorted(shares), key=lambda locale: shares[locale])
    general = best.partition("-")[0]
    # The list for a region can be longer than the list for its language, so a region needs strong evidence.
    if general in shares and shares[general] >= REGION_MAX * shares[best]:
        best = general
    if shares[best] >= SHARE_MIN and shares[best] - shares[DEFAULT] >= EXCESS_MIN:
        return best
    return _locale_of_script(words) if shares[DEFAULT] < EXCESS_MIN else DEFAULT


def _words(source: Sampled, j: int) -> Iterator[str]:
    n_rows = 0
    for values in source.column(j):
        for text in values.slice(0, N_ROWS_MAX - n_rows).to_pylist():
            yield from re.findall(r"[^\W\d_]{2,}", str(text or ""))
        n_rows += len(values)
        if n_rows >= N_ROWS_MAX:
            return


def _locale_of_script(words: set[str]) -> str:
    scripts = Counter(unicodedata.name(word[0], "").split(" ")[0] for word in words)
    for script, locale in _SCRIPTS.items():
        if scripts[script] >= SCRIPT_MIN * len(words):
            return wordlists.locale_of_han(words) if script == "CJK" else locale
    return DEFAULT
