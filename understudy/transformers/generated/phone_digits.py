"""The digits of phone numbers: calling code, trunk zero, national number and extension."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from understudy.transformers.base import MIN_SUPPORT, ArrowArray, Mask
from understudy.transformers.generated.patterns import LENGTH_MAX, Characters, characters_of
from understudy.transformers.generated.texts import pc

# Maximum number of digits of a phone number (ITU-T E.164, with room for a trunk zero).
N_DIGITS_MAX = 18
# Minimum number of digits of a national number.
N_DIGITS_MIN = 4
# Number of national digits that determine the kind of a number: landline, mobile, toll-free. In numbers that
# may contain an unmarked calling code, more digits are examined.
DEPTH, DEPTH_UNMARKED, DEPTH_NORTH_AMERICAN = 2, 4, 1
# Calling codes of one and two digits (ITU-T E.164). All others have three digits.
_SHORT_CODES = frozenset(
    {
        *("1", "7", "20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45", "46"),
        *("47", "48", "49", "51", "52", "53", "54", "55", "56", "57", "58", "60", "61", "62", "63", "64"),
        *("65", "66", "81", "82", "84", "86", "90", "91", "92", "93", "94", "95", "98"),
    }
)

# Calling code of North America.
NORTH_AMERICA = "1"

Int64s = npt.NDArray[np.int64]
Digits = npt.NDArray[np.int8]


@dataclass(frozen=True)
class PhoneDigits:
    """The digits of phone numbers.

    Parameters
    ----------
    digits : array of shape (n_texts, N_DIGITS_MAX)
        Digits of each text before the extension, padded with -1.
    n_digits, n_leading : array of shape (n_texts,)
        Number of these digits, and number of digits of the calling code and trunk zero.
    depth : array of shape (n_texts,)
        Number of national digits that determine the kind of a number.
    has_extension : mask of shape (n_texts,)
        Whether the number has an extension.
    calling_code : array of shape (n_texts,)
        Calling code of each number. Numbers without a calling code have that of the table's locale.
    punctuation : array of shape (n_texts,)
        Texts with the digit 9 in place of each digit.
    """

    digits: Digits
    n_digits: Int64s
    n_leading: Int64s
    depth: Int64s
    has_extension: Mask
    calling_code: Int64s
    punctuation: ArrowArray

    def by_punctuation(self, texts: ArrowArray) -> Iterator[tuple[Int64s, Characters]]:
        """Yield groups of texts with the same punctuation and leading digits: positions and characters.

        Only groups of at least k phone numbers are included.
        """
        encoded: Any = self.punctuation.dictionary_encode()
        codes = encoded.indices.to_numpy().astype(np.int64)
        leading = np.where(np.arange(N_DIGITS_MAX) < self.n_leading[:, None], self.digits, -1)
        keys = np.column_stack([codes, leading, self.calling_code, self.n_digits])
        _, group, counts = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
        group = group.reshape(-1)
        for i in np.flatnonzero(counts >= MIN_SUPPORT):
            own = np.flatnonzero(group == i)
            length = len(self.punctuation[int(own[0])].as_py())
            n_national = self.n_digits[own[0]] - self.n_leading[own[0]]
            if n_national >= N_DIGITS_MIN and length <= LENGTH_MAX:
                yield own, characters_of(texts.take(pa.array(own, pa.int64())), length)

    def prefixes(self, members: Int64s, depth: int) -> Int64s:
        """Return the first `depth` national digits of texts with equally many leading digits, as numbers."""
        if not len(members):
            return np.zeros(0, np.int64)
        first = int(self.n_leading[members[0]])
        return _number_of(self.digits[members, first : first + depth])

    def own_places(self, text: int) -> Int64s:
        """Return the positions of a text's national digits."""
        characters = self.punctuation[text].as_py()
        places = [i for i, character in enumerate(characters) if character == "9"]
        return np.array(places[self.n_leading[text] : self.n_digits[text]], np.int64)

    def written_as(self, positions: tuple[str, ...], own: Int64s, n_fixed: int) -> Characters:
        """Return the numbers with the national length and first digits of a form, written in that form.

        Parameters
        ----------
        positions : tuple of str
            Positions of the form.
        own : array of shape (n_national,)
            Positions of the national digits.
        n_fixed : int
            Number of national digits that must be equal to those of the form.
        """
        members = np.flatnonzero(self.n_digits - self.n_leading == len(own))
        places = self.n_leading[members, None] + np.arange(len(own))
        national = self.digits[members[:, None], places]
        for i, place in enumerate(own[:n_fixed]):
            if len(positions[place]) == 1:
                national = national[national[:, i] == int(positions[place])]
        fixed = np.array([ord(p) if len(p) == 1 else ord("0") for p in positions], np.uint32)
        written = np.tile(fixed, (len(national), 1))
        written[:, own] = national.astype(np.uint32) + np.uint32(ord("0"))
        return np.unique(written, axis=0)


def read_digits(texts: ArrowArray, calling_code: str) -> PhoneDigits:
    """Return the digits of phone numbers.

    Parameters
    ----------
    calling_code : str
        Calling code to assume for numbers that contain none.
    """
    is_north_american = calling_code == NORTH_AMERICA
    main = pc.replace_substring_regex(texts, pattern=r"(?s)\s*(?:\pL|#|;).*$", replacement="")
    plain = pc.replace_substring_regex(main, pattern="[^0-9]", replacement="")
    digits, n_digits = _digits_of(plain)
    is_international = np.asarray(pc.match_substring_regex(main, r"^\s*[(]?\s*(?:[+]|00[1-9])"))
    n_zeros = np.where(np.asarray(pc.match_substring_regex(main, r"^\s*[(]?\s*00")), 2, 0)
    shifted = digits[np.arange(len(digits))[:, None], np.clip(n_zeros[:, None] + np.arange(3), 0, 17)]
    start = _number_of(np.maximum(shifted, 0))
    length = _code_lengths()[start]
    code = np.where(is_international, start // 10 ** (3 - length), int(calling_code))
    n_code = np.where(is_international, n_zeros + length, 0)
    next_digit = digits[np.arange(len(digits)), np.clip(n_code, 0, N_DIGITS_MAX - 1)]
    # A leading one is the trunk prefix of North America.
    is_one = ~is_international & (n_digits == 11) & (next_digit == 1) & is_north_american
    n_leading = n_code + ((next_digit == 0) | is_one)
    is_american = (n_digits - n_leading == 10) & (code == int(NORTH_AMERICA))
    is_unmarked = ~is_international & (n_leading == 0) & (n_digits >= 10)
    depth = np.where(is_american, DEPTH_NORTH_AMERICAN, np.where(is_unmarked, DEPTH_UNMARKED, DEPTH))
    has_extension = np.asarray(pc.binary_length(main)) != np.asarray(pc.binary_length(texts))
    punctuation = pc.replace_substring_regex(texts, pattern="[0-9]", replacement="9")
    return PhoneDigits(digits, n_digits, n_leading, depth, has_extension, code, punctuation)


def _digits_of(plain: ArrowArray) -> tuple[Digits, Int64s]:
    """Return the digits of each text of digits, and their number, which is 0 for texts that are too long."""
    n_digits = np.asarray(pc.binary_length(plain)).astype(np.int64)
    n_digits[n_digits > N_DIGITS_MAX] = 0
    padded = pc.utf8_rpad(pc.utf8_slice_codeunits(plain, 0, N_DIGITS_MAX), N_DIGITS_MAX, "/")
    codes = characters_of(padded.cast(pa.large_string()), N_DIGITS_MAX)
    return (codes.astype(np.int16) - ord("0")).astype(np.int8), n_digits


def _number_of(digits: npt.NDArray[Any]) -> Int64s:
    """Return the number that each row of digits forms."""
    weights = 10 ** np.arange(digits.shape[1] - 1, -1, -1, dtype=np.int64)
    numbers: Int64s = digits.astype(np.int64) @ weights
    return numbers


@lru_cache(maxsize=1)
def _code_lengths() -> Int64s:
    """Return the number of digits of the calling code for the first three digits of a number."""
    lengths = np.full(1000, 3, np.int64)
    for number in range(1000):
        text = f"{number:03d}"
        lengths[number] = next((n for n in (1, 2) if text[:n] in _SHORT_CODES), 3)
    return lengths
