"""The base class of identifier formats, which consist of parts and check characters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from string import ascii_uppercase, digits
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

# ASCII codes of texts, of shape (n_texts, length).
Codes = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
Texts: TypeAlias = "pa.Array[Any]"
# The permitted texts of a part. All texts of a part have the same length.
Part = tuple[str, ...]
# A function that writes the check characters in place. It returns a mask of the texts that have no valid
# check character, or None if every text has one.
Complete = Callable[[Codes], Mask | None]

# Any: the stubs of these functions do not support types that are known only at run time.
pc: Any = pyarrow.compute

DIGIT: Part = tuple(digits)
NONZERO: Part = tuple(digits[1:])
UPPER: Part = tuple(ascii_uppercase)
ALNUM: Part = tuple(digits + ascii_uppercase)
# Placeholder for a check character.
CHECK: Part = ("0",)


def numbers(first: int, last: int, n_digits: int = 2) -> Part:
    """Return the integers from first to last as texts with leading zeros."""
    return tuple(f"{number:0{n_digits}}" for number in range(first, last + 1))


YEAR, MONTH, DAY = numbers(0, 99), numbers(1, 12), numbers(1, 28)


@dataclass(frozen=True)
class IdentifierFormat:
    """The format of one kind of identifier, such as Spanish DNI numbers.

    Parameters
    ----------
    name : str
        Name of the format in model files.
    words : str
        Description of the identifiers in the plural, such as "Spanish DNI numbers".
    pattern : str
        Regular expression that matches a complete text in capital letters and without separators.
    parts : tuple of Part
        Parts of new texts, in order; `CHECK` represents a check character.
    complete : callable (codes) -> mask, optional
        Function that writes the check characters into codes after all other characters are set.
    bumped : int, optional
        Position of a digit that is incremented if no check character exists.
    is_distinctive : bool
        Whether texts can be recognized without evidence from the column name. This is possible if the format
        has check characters or is otherwise unambiguous.
    separators : str
        Characters that may separate groups of characters.
    """

    name: str
    words: str
    pattern: str
    parts: tuple[Part, ...]
    complete: Complete | None = None
    bumped: int | None = None
    is_distinctive: bool = True
    separators: str = "-./ "

    @property
    def length(self) -> int:
        """The length of a new text without separators, in characters."""
        return sum(len(part[0]) for part in self.parts)

    @property
    def lengths(self) -> tuple[int, int]:
        """The possible lengths of a text without separators. The last character may be optional."""
        return self.length - 1, self.length

    @property
    def is_numeral(self) -> bool:
        """Whether texts without separators consist of digits only."""
        return not any(character.isupper() for character in self.pattern)

    def find(self, compact: Texts) -> Mask:
        """Return a mask of the texts that have the format and valid check characters.

        Parameters
        ----------
        compact : pyarrow.Array of string
            Texts without separators and in capital letters, as `compacted` returns them.
        """
        matches = pc.match_substring_regex(compact, rf"\A(?:{self.pattern})\z").fill_null(False)
        is_match: Mask = matches.to_numpy(zero_copy_only=False).copy()
        if self.complete is None or not is_match.any():
            return is_match
        codes = codes_of(compact.filter(matches))
        if codes is None:
            return np.zeros(len(compact), np.bool_)
        completed = codes.copy()
        impossible = self.complete(completed)
        is_valid = (completed == codes).all(axis=1)
        is_match[is_match] = is_valid if impossible is None else is_valid & ~impossible
        return is_match

    def finish(self, codes: Codes) -> None:
        """Write the check characters in place. If none exist, first increment the digit at `bumped`."""
        if self.complete is None:
            return
        for _ in range(len(digits)):
            impossible = self.complete(codes)
            if impossible is None or self.bumped is None or not impossible.any():
                return
            digit = codes[impossible, self.bumped] - ord("0")
            codes[impossible, self.bumped] = (digit + 1) % 10 + ord("0")


def codes_of(texts: Texts) -> Codes | None:
    """Return the codes of ASCII texts, or None if the texts differ in length or the array is empty."""
    plain: list[Any] = texts.cast(pa.large_binary()).to_pylist()
    length = len(plain[0]) if plain else 0
    if length == 0 or any(len(text) != length for text in plain):
        return None
    return np.frombuffer(b"".join(plain), np.uint8).reshape(-1, length).copy()


def compacted(texts: Texts, separators: str = "-./ ") -> Texts:
    """Return texts in capital letters and without separators."""
    plain: Texts = pc.replace_substring_regex(pc.utf8_trim_whitespace(texts), f"[{separators}]", "")
    upper: Texts = pc.ascii_upper(plain)
    return upper


def digits_of(codes: Codes) -> npt.NDArray[np.int64]:
    """Return the values of digits and letters in base 36, where A is 10."""
    values = codes.astype(np.int64) - ord("0")
    return np.where(codes >= ord("A"), codes.astype(np.int64) - ord("A") + 10, values)
