"""Convert names to lower-case ASCII letters for e-mail addresses."""

from __future__ import annotations

import re
import unicodedata

# Letters that Unicode does not decompose into an ASCII letter and an accent.
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
    """Return a name in ASCII letters, or in made-up syllables if Unicode names do not indicate the sounds.

    Notes
    -----
    Unicode names many letters by their sound: `GREEK SMALL LETTER THETA` becomes th, and
    `HANGUL SYLLABLE HAE` becomes hae. This is not a standard transliteration, but the same name always gives
    the same letters.
    """
    letters = "".join(_romanize_letter(letter) for letter in unicodedata.normalize("NFC", name.lower()))
    return letters or _syllables(sum(ord(sign) * 31**i for i, sign in enumerate(name)))


def _syllables(number: int) -> str:
    # The name contains only letters: a digit at its end could merge with the number that follows it.
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
    # The names of letters such as el, em and en begin with a vowel that is not part of their sound.
    sound = re.sub("^e(?=[flmnrs]$)", "", sound)
    return sound[: max(1, re.search("[aeiou]|$", sound).start())]  # type: ignore[union-attr]  # `$` is found
