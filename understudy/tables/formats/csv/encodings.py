"""Guess the encoding of text that is not UTF-8 from its words.

An encoding with one byte per character fits if the words contain only letters of one language that is written
in this encoding. An encoding of Chinese, Japanese or Korean fits if most characters are common ones.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

_LATIN_1252 = (
    *("äöüß", "àâæçéèêëîïôœùûüÿ", "áéíñóúü", "áâãàçéêíóôõúü", "àèéìíòóùú", "åäöé", "æøåéäö", "áðéíóúýþæö"),
    *("éèëïöüáóíê", "àçèéíïòóúü"),
)
_LATIN_1250 = ("ąćęłńóśźż", "áčďéěíňóřšťúůýž", "áäčďéíĺľňóôŕšťúýž", "áéíóöőúüű", "ăâîşţ", "čćđšž")
_RUSSIAN = "абвгдежзийклмнопрстуфхцчшщъыьэюяё"
_CYRILLIC = (_RUSSIAN, "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя", "абвгдђежзијклљмнњопрстћуфхцчџш")
# The most frequent letters of Cyrillic alphabets, and their minimum share of all letters in Cyrillic words.
_FREQUENT = "оеаинтсрвл"
_SHARE_FREQUENT_MIN = 0.45
_GREEK = ("αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώϊϋΐΰ",)
_HEBREW = ("".join(map(chr, range(0x5D0, 0x5EB))),)
_ARABIC = ("".join(map(chr, (*range(0x621, 0x63B), *range(0x640, 0x653), 0x67E, 0x686, 0x698, 0x6AF))),)
_THAI = ("".join(map(chr, (*range(0xE01, 0xE3B), *range(0xE3F, 0xE5C)))),)

# Encodings with one byte per character, most frequent first, and the letters of their languages.
_LETTERS: dict[str, tuple[str, ...]] = {
    "cp1252": _LATIN_1252,
    "cp1250": _LATIN_1250,
    "cp1251": _CYRILLIC,
    "cp1254": ("çğıöşüâîûİ",),
    "cp1255": _HEBREW,
    "cp1253": _GREEK,
    "cp1257": ("ąčęėįšųūž", "āčēģīķļņšūž", "äöõüšž"),
    "cp1256": _ARABIC,
    "cp874": _THAI,
    "iso8859-2": _LATIN_1250,
    "koi8-r": (_RUSSIAN,),
    "cp866": (_RUSSIAN,),
    "cp850": _LATIN_1252,
    "cp852": _LATIN_1250,
    "mac_roman": _LATIN_1252,
}
_LABELS = {
    **{f"cp125{i}": f"Windows-125{i}" for i in range(8)},
    **{"cp932": "Shift-JIS", "gb18030": "GB18030", "big5": "Big5", "cp949": "EUC-KR", "euc_jp": "EUC-JP"},
    **{"cp874": "Windows-874", "koi8-r": "KOI8-R", "iso8859-2": "ISO-8859-2", "mac_roman": "Mac OS Roman"},
}
# Characters that can occur before or after a word or a number in any language.
_SYMBOLS = (
    "€£¥$°§©®™«»\u201e\u201c\u201d\u2018\u2019\u201a\u2039\u203a\u2013\u2014…½¼¾²³¹µ·•¿¡ºª№±\u00d7÷¤¢¬¶"
)
_EDGES = _SYMBOLS + "!\"#%&'()*+,-./:;<=>?@[\\]^_`{|}~"
_WORD = re.compile(r"[^\s,;|\t\"/()<>=:]+")
_PARTS = re.compile(r"['\u2019.&\-\u2013\u2014_·]")
_PAIR = re.compile(rb"[\x81-\xfe][\x40-\x7e\x80-\xfe]|[\x80-\xff]")
_FALLBACK = "cp1252"
# Minimum share of the words or characters that fit the best encoding.
_SCORE_MIN = 0.7
# Another encoding is also plausible if its score is lower by at most this amount.
_MARGIN = 0.03
# Minimum number of non-ASCII letters for a full score, except in encodings of western and central Europe.
_N_LETTERS_MIN = 4
# Minimum number of distinct Chinese, Japanese or Korean characters.
_N_CHARACTERS_MIN = 3
# Minimum number of distinct characters required to distinguish Korean from Chinese. Korean syllables occupy a
# small part of the code range of Chinese characters.
_N_KOREAN_MIN = 4


@dataclass(frozen=True)
class Guess:
    """The most likely encoding, and other plausible encodings that result in different characters."""

    encoding: str
    rivals: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """Name of the encoding for messages."""
        return label_of(self.encoding)


def label_of(encoding: str) -> str:
    """Return the name of an encoding for messages."""
    return _LABELS.get(encoding, encoding)


def guess_encoding(data: bytes) -> Guess:
    """Guess the encoding of sample text that is not valid UTF-8."""
    lines = [line for line in dict.fromkeys(data.splitlines()) if not line.isascii()]
    sample = b"\n".join(lines)
    scores = {encoding: score(sample) for encoding, score in _EAST_ASIAN.items()}
    scores |= {encoding: _score_of_words(sample, encoding) for encoding in _LETTERS}
    best = max(scores.values())
    if best < _SCORE_MIN:
        return Guess(_FALLBACK, tuple(e for e, score in scores.items() if score == best > 0)[:2])
    order = [e for e in (*_LETTERS, *_EAST_ASIAN) if scores[e] >= best - _MARGIN]
    chosen = next(e for e in order if scores[e] == best)
    text = sample.decode(chosen, "replace")
    return Guess(chosen, tuple(e for e in order if sample.decode(e, "replace") != text)[:2])


def _score_of_words(sample: bytes, encoding: str) -> float:
    """Return the share of words that contain only letters of the encoding's best-matching language."""
    try:
        text = sample.decode(encoding)
    except UnicodeDecodeError:
        return 0.0
    words = [word for word in dict.fromkeys(_WORD.findall(text)) if not word.isascii()]
    cores = [core for word in words if (core := word.strip(_EDGES)) and not core.isascii()]
    # Codes such as document numbers contain letters in any order. A column of codes can outnumber the words.
    cores = [core for core in cores if not re.search(r"[0-9]", core)] or cores
    if not cores:
        # The words contain no non-ASCII letters, but may contain symbols such as currency signs.
        symbols = {character for word in words for character in word if ord(character) > 127}
        return 1.0 if symbols <= set(_SYMBOLS) else 0.0
    score = max(
        sum(_is_word(core, letters) for core in cores) / len(cores)
        for letters in (letters + letters.upper() for letters in _LETTERS[encoding])
    )
    n_letters = sum(character > "\x7f" for core in cores for character in core)
    if n_letters < _N_LETTERS_MIN and encoding not in ("cp1252", "cp1250"):
        return score / 2
    is_unusual = _LETTERS[encoding][0] == _RUSSIAN and _share_frequent(cores) < _SHARE_FREQUENT_MIN
    return score - 2 * _MARGIN if is_unusual else score


def _share_frequent(words: list[str]) -> float:
    """Return the share of letters that are frequent in Cyrillic alphabets."""
    letters = "".join(words).lower()
    return sum(map(letters.count, _FREQUENT)) / len(letters)


def _is_word(word: str, letters: str) -> bool:
    return all(_is_plain_word(part, letters) for part in _PARTS.split(word) if not part.isascii())


def _is_plain_word(word: str, letters: str) -> bool:
    others = [character for character in word if ord(character) > 127]
    if any(character not in letters for character in others) or any(map(str.isdigit, word)):
        return False
    if ord(letters[0]) >= 0x370 and any(character.isascii() for character in word):
        return False
    if len(word) == 1 and word.isupper() and word.lower() not in _RUSSIAN + _GREEK[0]:
        # A single non-ASCII capital letter is more likely a symbol, such as a pound sign.
        return False
    return word[1:] == word[1:].lower() or word == word.upper()


class _Zone(NamedTuple):
    """First-byte ranges for common characters and for punctuation, and the minimum second byte."""

    common: tuple[tuple[int, int], ...]
    neutral: tuple[tuple[int, int], ...] = ()
    second_min: int = 0x40


def _scorer(encoding: str, zone: _Zone) -> Callable[[bytes], float]:
    def score(sample: bytes) -> float:
        try:
            sample.decode(encoding)
        except UnicodeDecodeError:
            return 0.0
        pairs = [pair for pair in _PAIR.findall(sample) if len(pair) == 2]
        if len(set(pairs)) < _N_CHARACTERS_MIN:
            return 0.0
        leads = [pair[0] for pair in pairs]
        common = sum(
            pair[1] >= zone.second_min and any(low <= pair[0] <= high for low, high in zone.common)
            for pair in pairs
        )
        neutral = sum(any(low <= lead <= high for low, high in zone.neutral) for lead in leads)
        n_single = len(_PAIR.findall(sample)) - len(pairs)
        n = len(leads) - neutral + n_single
        return common / n if n else 0.0

    return score


def _score_of_chinese(sample: bytes) -> float:
    score = _scorer("gb18030", _Zone(((0xB0, 0xD7),), ((0xA1, 0xA3),), 0xA1))(sample)
    pairs = {pair for pair in _PAIR.findall(sample) if len(pair) == 2}
    # In both encodings, smaller first bytes belong to symbols.
    leads = [pair[0] for pair in pairs if pair[0] >= 0xB0]
    is_korean = len(leads) >= _N_KOREAN_MIN and max(leads) <= 0xC8
    return score - 2 * _MARGIN if is_korean else score


def _score_of_korean(sample: bytes) -> float:
    return _scorer("cp949", _Zone(((0xB0, 0xC8),), ((0xA1, 0xA3),), 0xA1))(sample)


_EAST_ASIAN: dict[str, Callable[[bytes], float]] = {
    "cp932": _scorer("cp932", _Zone(((0x82, 0x83), (0x88, 0x97)), ((0x81, 0x81),))),
    "gb18030": _score_of_chinese,
    "cp949": _score_of_korean,
    "big5": _scorer("big5", _Zone(((0xA4, 0xC6),), ((0xA1, 0xA3),))),
    "euc_jp": _scorer("euc_jp", _Zone(((0xA4, 0xA5), (0xB0, 0xCF)), ((0xA1, 0xA3),))),
}
