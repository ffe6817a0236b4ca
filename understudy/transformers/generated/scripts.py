"""Detect the script of texts, such as Cyrillic, and choose a locale that uses this script."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from understudy.tables.inference import wordlists

# Letters in each script, and the locales that use the script. The first locale is the default. Scripts
# without word lists are not included.
_SCRIPTS: dict[str, tuple[re.Pattern[str], tuple[str, ...]]] = {
    "cyrillic": (re.compile("[\u0400-\u04ff]"), ("ru", "uk", "kk")),
    "greek": (re.compile("[\u0370-\u03ff]"), ("el",)),
    "kana": (re.compile("[\u3040-\u30ff]"), ("ja",)),
    "han": (re.compile("[\u4e00-\u9fff]"), ("zh", "ja")),
    "hangul": (re.compile("[\uac00-\ud7af]"), ("ko",)),
    "arabic": (
        re.compile("[\u0600-\u06ff]"),
        (
            *("ar-eg", "ar-ae", "ar-dz", "ar-jo", "ar-kw", "ar-ma", "ar-om", "ar-qa", "ar-sa", "ar-sy"),
            *("ar-tn", "ar-ye", "fa"),
        ),
    ),
}
_LETTER = re.compile(r"[^\W\d_]")
# Minimum share of letters that must belong to the script of a text, and minimum share of kana in Japanese
# text.
_SHARE_MIN, _KANA_MIN = 0.6, 0.05
# Number of texts that are examined.
_N_TEXTS = 1000


def locale_of_names(names: Sequence[str], locale: str) -> str:
    """Return the given locale if its names are in the script of the names, or a locale of that script."""
    own = locale_of_script(names, locale)
    return wordlists.locale_of_han(names) if own == "zh" != locale else own


def has_script_of(names: Iterable[str], locale: str) -> bool:
    """Return whether some names are in the script of a locale, or the locale uses the Latin script."""
    scripts = [letters for letters, locales in _SCRIPTS.values() if locale in locales]
    return not scripts or any(letters.search(name) for name in names for letters in scripts)


def locale_of_script(texts: Iterable[str | None], locale: str) -> str:
    """Return the locale if it uses the script of the texts, and otherwise a locale that does."""
    whole = "".join(text for text, _ in zip(texts, range(_N_TEXTS), strict=False) if text)
    n_letters = len(_LETTER.findall(whole))
    counts = {name: len(letters.findall(whole)) for name, (letters, _) in _SCRIPTS.items()}
    if not n_letters or not any(counts.values()):
        return locale
    if counts["kana"] >= _KANA_MIN * n_letters:
        counts["kana"] += counts["han"]
    script = max(counts, key=lambda name: counts[name])
    locales = _SCRIPTS[script][1]
    is_in_script = counts[script] >= _SHARE_MIN * n_letters
    return locales[0] if is_in_script and locale not in locales else locale
