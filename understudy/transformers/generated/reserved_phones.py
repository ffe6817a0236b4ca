"""Ranges of phone numbers that regulators reserve for fiction.

Sources: NANPA, Ofcom, ACMA, Arcep and Bundesnetzagentur.
"""

from __future__ import annotations

from typing import NamedTuple


class Range(NamedTuple):
    """A range of national numbers without the trunk zero.

    Parameters
    ----------
    digits : str
        Leading digits of the range. A `?` represents the form's own digit, and all digits after these are
        random.
    n_digits : int
        Number of digits of the numbers in the range.
    n_matching : int
        Number of leading digits that a form must share with the range.
    """

    digits: str
    n_digits: int
    n_matching: int


RANGES: dict[str, tuple[Range, ...]] = {
    "1": (Range("???55501", 10, 0),),
    "33": tuple(Range(own, 9, 1) for own in ("19900", "26191", "35301", "46571", "53649", "63998")),
    "44": (Range("2079460", 10, 2), Range("7700900", 10, 1)),
    "49": (
        *(Range("3023125", 10, 2), Range("4066969", 10, 2), Range("6990009", 10, 2)),
        *(Range("8999998", 10, 2), Range("2214710", 10, 2)),
    ),
    "61": tuple(Range(f"{area}5550", 9, 1) for area in "2378"),
}
"""Ranges by calling code. Ranges of fewer than 1,000 numbers are left out."""


def find_range(calling_code: str, first: str, n_digits: int) -> Range | None:
    """Return the range for numbers with the given first digits, or None if there is none.

    Parameters
    ----------
    first : str
        First national digits, as far as the form fixes them.
    n_digits : int
        Number of national digits.
    """
    for own in RANGES.get(calling_code, ()):
        matches = len(first) >= own.n_matching and own.digits.startswith(first[: own.n_matching])
        if own.n_digits == n_digits and matches:
            return own
    return None
