"""Names in small ASCII letters, as e-mail addresses have them."""

from __future__ import annotations

import re
import unicodedata

# Letters that do not fall apart into an ASCII letter and an accent.
_SPELLINGS = {
    "ß": "ss",
    "æ": "ae",
    "ø": "o",
    "å": "a",
    "ł": "l",
    "đ": "d",
    "ð": "d",
    "þ": "th",
    "\u0131": "i",
}
_SYLLABLES = frozenset({"HIRAGANA", "KATAKANA", "HANGUL"})


def romanize(name: str) -> str:
    """Return the letters, or made-up syllables where the signs of a script are not called by their sounds.

    Notes
    -----
    Unicode calls letters by their sounds: `GREEK SMALL LETTER THETA` is th, `HANGUL SYLLABLE HAE` is hae.
    That is no standard transliteration, but the same name always gives the same letters.
    """
    letters = "".join(_romanize_letter(letter) for letter in unicodedata.normalize("NFC", name.lower()))
    return letters or _syllables(sum(ord(sign) * 31**i for i, sign in enumerate(name)))


def _syllables(number: int) -> str:
    # Letters only: e-mail addresses are told apart by the number that follows.
    out = ""
    for _ in range(2):
        number, syllable = divmod(number, 75)
        out += "bdfghjkmnprstvz"[syllable // 5] + "aeiou"[syllable % 5]
    return out


def _romanize_letter(letter: str) -> str:
    if letter in _SPELLINGS:
        return _SPELLINGS[letter]
    if plain := re.sub("[^a-z]", "", unicodedata.normalize("NFKD", letter)):
        return plain
    words = unicodedata.name(letter, "").split()
    if not letter.isalpha() or not words or not words[-1].isalpha():
        return ""
    sound = words[-1].lower()
    if words[0] in _SYLLABLES:
        return sound
    # El, em and en begin with a vowel that is not theirs.
    sound = re.sub("^e(?=[flmnrs]$)", "", sound)
    return sound[: max(1, re.search("[aeiou]|$", sound).start())]  # type: ignore[union-attr]  # `$` is found
