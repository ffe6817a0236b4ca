"""What a scheme is: parts that may be this or that, and check characters that follow from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from string import ascii_uppercase, digits
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

# ASCII codes, of shape (n_texts, length).
Codes = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
Texts: TypeAlias = "pa.Array[Any]"
# What may stand at some positions: texts of one length.
Part = tuple[str, ...]
# Writes the check characters; returns where there are none for what stands before them.
Complete = Callable[[Codes], Mask | None]

# Any: the stubs of these functions know no type that is given at run time.
pc: Any = pyarrow.compute

DIGIT: Part = tuple(digits)
NONZERO: Part = tuple(digits[1:])
UPPER: Part = tuple(ascii_uppercase)
ALNUM: Part = tuple(digits + ascii_uppercase)
# Stands where a check character goes.
CHECK: Part = ("0",)


def numbers(first: int, last: int, n_digits: int = 2) -> Part:
    """Return the whole numbers from first to last, with leading zeros."""
    return tuple(f"{number:0{n_digits}}" for number in range(first, last + 1))


YEAR, MONTH, DAY = numbers(0, 99), numbers(1, 12), numbers(1, 28)


@dataclass(frozen=True)
class IdentifierFormat:
    """One way in which such numbers are built.

    Parameters
    ----------
    words : str
        What they are, in the plural: "Spanish DNI numbers".
    pattern : str
        Regular expression of a whole text, without separators and in capital letters.
    parts : tuple of Part
        What new ones are made of; positions of check characters are `CHECK`.
    complete : callable (codes) -> mask, optional
        Writes the check characters into codes whose other positions stand.
    bumped : int, optional
        Position of a digit that is counted up where no check character fits.
    is_telling : bool
        Whether texts can be known without a word in the header: check characters, or a form of its own.
    separators : str
        What may stand between the characters.
    """

    name: str
    words: str
    pattern: str
    parts: tuple[Part, ...]
    complete: Complete | None = None
    bumped: int | None = None
    is_telling: bool = True
    separators: str = "-./ "

    @property
    def length(self) -> int:
        """Characters of a text without separators."""
        return sum(len(part[0]) for part in self.parts)

    @property
    def lengths(self) -> tuple[int, int]:
        """Characters that a text of the format may have: the last one may be optional."""
        return self.length - 1, self.length

    @property
    def is_numeral(self) -> bool:
        """Whether texts without separators are of digits alone."""
        return not any(character.isupper() for character in self.pattern)

    def find(self, compact: Texts) -> Mask:
        """Return which texts are of the scheme; they have no separators and capital letters."""
        matches = pc.match_substring_regex(compact, rf"\A(?:{self.pattern})\z").fill_null(False)
        is_ours: Mask = matches.to_numpy(zero_copy_only=False).copy()
        if self.complete is None or not is_ours.any():
            return is_ours
        codes = codes_of(compact.filter(matches))
        if codes is None:
            return np.zeros(len(compact), np.bool_)
        completed = codes.copy()
        impossible = self.complete(completed)
        is_right = (completed == codes).all(axis=1)
        is_ours[is_ours] = is_right if impossible is None else is_right & ~impossible
        return is_ours

    def finish(self, codes: Codes) -> None:
        """Write the check characters, after counting up a digit where there are none."""
        if self.complete is None:
            return
        for _ in range(len(digits)):
            impossible = self.complete(codes)
            if impossible is None or self.bumped is None or not impossible.any():
                return
            digit = codes[impossible, self.bumped] - ord("0")
            codes[impossible, self.bumped] = (digit + 1) % 10 + ord("0")


def codes_of(texts: Texts) -> Codes | None:
    """Return the codes of ASCII texts that are all of one length, else None."""
    plain: list[Any] = texts.cast(pa.large_binary()).to_pylist()
    length = len(plain[0]) if plain else 0
    if length == 0 or any(len(text) != length for text in plain):
        return None
    return np.frombuffer(b"".join(plain), np.uint8).reshape(-1, length).copy()


def compacted(texts: Texts, separators: str = "-./ ") -> Texts:
    """Return texts without separators and in capital letters."""
    plain: Texts = pc.replace_substring_regex(pc.utf8_trim_whitespace(texts), f"[{separators}]", "")
    upper: Texts = pc.ascii_upper(plain)
    return upper


def digits_of(codes: Codes) -> npt.NDArray[np.int64]:
    """Return the digits as numbers; letters count on from 10, as in base 36."""
    values = codes.astype(np.int64) - ord("0")
    return np.where(codes >= ord("A"), codes.astype(np.int64) - ord("A") + 10, values)
