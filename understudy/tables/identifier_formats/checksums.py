"""Compute check characters for many texts at once.

Sources: ISO/IEC 7064 (mod 97-10, mod 11-10, mod 11-2), ISO/IEC 7812-1 annex B (Luhn), Verhoeff (1969), and
the issuers' rules, which the docstrings of the functions cite.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from understudy.tables.identifier_formats.base import Codes, Complete, Mask, digits_of

Int64s = npt.NDArray[np.int64]
_ZERO = ord("0")


def _write(codes: Codes, place: int, values: Int64s, alphabet: str = "0123456789") -> None:
    letters = np.frombuffer(alphabet.encode(), np.uint8)
    codes[:, place] = letters[values]


def luhn(first: int = 0) -> Complete:
    """Return a Luhn check of the positions from `first` to the end. The last position is the check digit."""

    def complete(codes: Codes) -> None:
        body = digits_of(codes[:, first:-1])[:, ::-1]
        doubled = body[:, ::2] * 2
        total = (doubled - 9 * (doubled > 9)).sum(axis=1) + body[:, 1::2].sum(axis=1)
        _write(codes, -1, -total % 10)

    return complete


@dataclass(frozen=True)
class WeightedSum:
    """A weighted-sum check. It writes the remainder of `sign` times the sum as a character of `alphabet`.

    Parameters
    ----------
    weights : sequence of int
        Weights of the first positions. The weight of a check digit is 0.
    place : int
        Position of the check character.
    zeros : sequence of int
        Remainders that are written as 0. Other remainders outside the alphabet have no check character.
    """

    weights: Sequence[int]
    modulus: int
    place: int = -1
    sign: int = 1
    alphabet: str = "0123456789"
    zeros: Sequence[int] = ()

    def __call__(self, codes: Codes) -> Mask:
        """Write the check character in place, and return a mask of the texts that have no check character."""
        total = digits_of(codes[:, : len(self.weights)]) @ np.array(self.weights, np.int64)
        rest = self.sign * total % self.modulus
        rest[np.isin(rest, np.array(self.zeros, np.int64))] = 0
        impossible: Mask = rest >= len(self.alphabet)
        _write(codes, self.place, np.where(impossible, 0, rest), self.alphabet)
        return impossible


def both(*checks: Complete) -> Complete:
    """Return a check that applies several checks in order."""

    def complete(codes: Codes) -> Mask:
        impossible = np.zeros(len(codes), np.bool_)
        for check in checks:
            mask = check(codes)
            if mask is not None:
                impossible |= mask
        return impossible

    return complete


def remainder(
    n_digits: int, modulus: int, alphabet: str, values: Sequence[int] | None = None, place: int = -1
) -> Complete:
    """Return a check that writes the remainder of the number that the first `n_digits` digits form.

    Parameters
    ----------
    values : sequence of int, optional
        One-element sequence with the number to subtract from the value of a letter in the first position. If
        omitted, the first character must be a digit.
    """

    def complete(codes: Codes) -> None:
        read = digits_of(codes[:, :n_digits])
        if values is not None:
            # X, Y and Z have the values 0, 1 and 2.
            read[:, 0] = np.where(read[:, 0] > 9, read[:, 0] - values[0], read[:, 0])
        number = read @ (10 ** np.arange(n_digits - 1, -1, -1, dtype=np.int64))
        _write(codes, place, number % modulus, alphabet)

    return complete


def mod_11_10(codes: Codes) -> None:
    """Write the last digit of a German tax number or a Croatian personal number (ISO 7064 mod 11,10)."""
    digits = digits_of(codes)
    product = np.full(len(codes), 10, np.int64)
    for i in range(codes.shape[1] - 1):
        total = (digits[:, i] + product) % 10
        product = np.where(total == 0, 10, total) * 2 % 11
    _write(codes, -1, (11 - product) % 10)


def mod_97_iban(codes: Codes) -> None:
    """Write the two check digits of an IBAN, which follow the country code (ISO 13616)."""
    codes[:, 2:4] = _ZERO
    values = digits_of(np.concatenate((codes[:, 4:], codes[:, :4]), axis=1))
    rest = np.zeros(len(codes), np.int64)
    for i in range(values.shape[1]):
        value = values[:, i]
        rest = np.where(value > 9, rest * 100 + value, rest * 10 + value) % 97
    check = 98 - rest
    _write(codes, 2, check // 10)
    _write(codes, 3, check % 10)


def key_97(codes: Codes) -> None:
    """Write the key of a French NIR (97 minus the remainder). Departments 2A and 2B count as 19 and 18."""
    body = codes[:, :13].copy()
    is_corsica = body[:, 6] >= ord("A")
    body[is_corsica, 6] = np.where(body[is_corsica, 6] == ord("A"), ord("9"), ord("8"))
    body[is_corsica, 5] = ord("1")
    number = digits_of(body) @ (10 ** np.arange(12, -1, -1, dtype=np.int64))
    key = 97 - number % 97
    _write(codes, 13, key // 10)
    _write(codes, 14, key % 10)


_ODD = np.array(
    [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23]
)


def codice_fiscale(codes: Codes) -> None:
    """Write the last letter of an Italian codice fiscale (decree of 12 March 1974)."""
    read = digits_of(codes[:, :15])
    plain = np.where(read > 9, read - 10, read)
    total = _ODD[plain[:, 0::2]].sum(axis=1) + plain[:, 1::2].sum(axis=1)
    _write(codes, 15, total % 26, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")


def curp(codes: Codes) -> None:
    """Write the last digit of a Mexican CURP. Letters are numbered in an alphabet that includes Ñ."""
    read = digits_of(codes[:, :17])
    read = np.where(read > 23, read + 1, read)
    total = read @ np.arange(18, 1, -1, dtype=np.int64)
    _write(codes, 17, -total % 10)


def turkish(codes: Codes) -> None:
    """Write the last two digits of a Turkish identity number."""
    digits = digits_of(codes)
    tenth = (digits[:, 0:9:2].sum(axis=1) * 7 - digits[:, 1:8:2].sum(axis=1)) % 10
    _write(codes, 9, tenth)
    _write(codes, 10, (digits[:, :9].sum(axis=1) + tenth) % 10)


def baltic(codes: Codes) -> None:
    """Write the last digit of an Estonian or Lithuanian personal code."""
    digits = digits_of(codes[:, :10])
    first = digits @ np.array([1, 2, 3, 4, 5, 6, 7, 8, 9, 1]) % 11
    second = digits @ np.array([3, 4, 5, 6, 7, 8, 9, 1, 2, 3]) % 11
    _write(codes, 10, np.where(first < 10, first, second % 10 * (second < 10)))


def snils(codes: Codes) -> None:
    """Write the last two digits of a Russian SNILS."""
    total = digits_of(codes[:, :9]) @ np.arange(9, 0, -1, dtype=np.int64)
    check = total % 101 % 100
    _write(codes, 9, check // 10)
    _write(codes, 10, check % 10)


# Multiplication table of the dihedral group of ten elements, and the permutation of digits (Verhoeff 1969).
_PRODUCT = np.array(
    [[(a + b) % 5 if a < 5 else 5 + (a - 5 - b) % 5 for b in range(5)]
     + [5 + (a + b) % 5 if a < 5 else (a - b) % 5 for b in range(5)] for a in range(10)]
)  # fmt: skip
_SHIFT = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]


def verhoeff(codes: Codes) -> None:
    """Write the last digit of an Indian Aadhaar number."""
    digits = digits_of(codes)
    shifts = [np.arange(10)]
    for _ in range(7):
        shifts.append(np.array(_SHIFT)[shifts[-1]])
    check = np.zeros(len(codes), np.int64)
    for i in range(1, codes.shape[1]):
        check = _PRODUCT[check, shifts[i % 8][digits[:, -1 - i]]]
    inverse = np.array([0, 4, 3, 2, 1, 5, 6, 7, 8, 9])
    _write(codes, -1, inverse[check])


def belgian(codes: Codes) -> None:
    """Write the last two digits of a Belgian register number, which are 97 minus the remainder.

    For people born in or after 2000, the check includes a 2 before the number. The other digits do not show
    the century, so existing check digits are kept if they are valid for the later century.
    """
    body = digits_of(codes[:, :9]) @ (10 ** np.arange(8, -1, -1, dtype=np.int64))
    written = digits_of(codes[:, 9:11]) @ np.array([10, 1])
    earlier, later = 97 - body % 97, 97 - (2 * 10**9 + body) % 97
    key = np.where(written == later, later, earlier)
    _write(codes, 9, key // 10)
    _write(codes, 10, key % 10)
