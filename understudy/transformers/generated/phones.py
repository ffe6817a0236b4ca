"""The forms of a column's phone numbers: prefix, grouping, separators and extension, with their shares.

A form fixes the calling code or trunk zero, and the first digits after it, which distinguish mobile numbers
from landlines. All other digits are random.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from understudy.kernels import decoding
from understudy.transformers.array_reader import ArrayReader, require
from understudy.transformers.base import MIN_SUPPORT, Arrays, ArrowArray, Codes, Json, Mask, RowStream
from understudy.transformers.categorical import cumulate
from understudy.transformers.generated.patterns import LENGTH_MAX, Pattern, by_length
from understudy.transformers.generated.phone_digits import PhoneDigits, read_digits
from understudy.transformers.generated.reserved_phones import find_range
from understudy.transformers.generated.spaces import Space, fit_space
from understudy.transformers.generated.texts import gather, pc

# Maximum numbers of forms per column, of texts from which forms are learned, and of country codes.
N_FORMS_MAX, N_TEXTS_MAX, N_GROUPS_MAX = 256, 50_000, 2**16
# Minimum share of the numbers with the same punctuation that must begin with the fixed digits of a form.
SHARE_MIN = 0.005
# Minimum share of the numbers that the learned forms must cover.
COVERED_MIN = 0.8
# If at least this many numbers have no zero at a position, made-up numbers have no zero there either.
N_TEXTS_SURE = 40
# Offset of the random stream for the choice of a form.
_CHOICE = 1 << 50

Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True)
class PhoneForms:
    """The forms of phone numbers and their counts.

    Parameters
    ----------
    spaces : tuple of Space
        For each form, the numbers that do not occur in the table.
    counts : array of shape (n_groups, n_spaces)
        Number of phone numbers with each form: in the table (group 0), and in the rows with code i of the
        country column (group i + 1).
    """

    spaces: tuple[Space[Pattern], ...]
    counts: Int64s

    def covers(self, groups: Int64s) -> Mask:
        """Return a mask of the groups whose forms are known."""
        is_known: Mask = self.counts.sum(axis=1) > 0
        return is_known[groups]

    def make(self, stream: RowStream, groups: Int64s) -> ArrowArray:
        """Return a phone number for each row, given the group of each row."""
        choice = np.zeros(len(groups), np.uint16)
        for group in np.unique(groups):
            own = np.flatnonzero(groups == group)
            drawn = np.zeros(len(own), np.uint16)
            key = RowStream(stream.seed, stream.stream + _CHOICE, stream.rows[own]).key()
            decoding.draw_from_marginal(cumulate(self.counts[group]), key, drawn)
            choice[own] = drawn
        parts, places = [], []
        for i in np.unique(choice):
            own, space = np.flatnonzero(choice == i), self.spaces[i]
            # Phone numbers may repeat, unlike identifiers.
            rows = stream.rows[own] % np.uint64(space.capacity)
            parts.append(space.make(replace(stream, rows=rows)))
            places.append(own)
        return gather(parts, places)

    def by_country(self, values: ArrowArray, codes: Codes, calling_code_of: list[str | None]) -> Self:
        """Return the forms with their counts in the rows of each country.

        Parameters
        ----------
        values : array of shape (n_rows,)
            Phone numbers.
        codes : array of shape (n_rows,)
            Codes of the country column.
        calling_code_of : list of str or None
            For each code of the country column, the country's calling code if it is known.
        """
        form = self._find_forms(values)
        counts = np.zeros((len(calling_code_of), len(self.spaces)), np.int64)
        np.add.at(counts, (codes[form >= 0], form[form >= 0]), 1)
        counts[counts < MIN_SUPPORT] = 0
        for code, calling_code in enumerate(calling_code_of):
            for i in np.flatnonzero(counts[code]):
                if not _belongs_to(self.spaces[i].pattern, calling_code):
                    counts[code, i] = 0
        # Without a known country, forms of the whole table are used.
        for code, calling_code in enumerate(calling_code_of):
            if calling_code is None and not counts[code].any():
                counts[code] = self.counts[0]
        return replace(self, counts=np.vstack([self.counts[:1], counts]))

    def _find_forms(self, values: ArrowArray) -> Int64s:
        """Return the first form that matches each value, or -1."""
        encoded: Any = values.dictionary_encode()
        distinct = encoded.dictionary
        form = np.full(len(distinct), -1, np.int64)
        for i, space in enumerate(self.spaces):
            is_match = np.asarray(pc.match_substring_regex(distinct, _regex_of(space.pattern)))
            form[(form < 0) & is_match] = i
        index = np.asarray(pc.fill_null(encoded.indices, -1))
        of_rows: Int64s = np.append(form, -1)[index]
        return of_rows

    def to_arrays(self) -> tuple[Json, Arrays]:
        """Return the patterns and their counts."""
        manifest: Json = {
            "phone_patterns": [list(space.pattern.positions) for space in self.spaces],
            "phone_blocks": [space.n_blocks for space in self.spaces],
        }
        free = {f"phone_free_{i}": space.free for i, space in enumerate(self.spaces)}
        return manifest, {"phone_counts": self.counts} | free

    @classmethod
    def from_reader(cls, reader: ArrayReader) -> Self:
        """Load forms from the output of `to_arrays`."""
        written: Any = reader.manifest.get("phone_patterns")
        is_list = isinstance(written, list) and 0 < len(written) <= N_FORMS_MAX
        require(is_list, "the list of forms of phone numbers is invalid")
        n_blocks = reader.parts("phone_blocks", len(written))
        spaces = tuple(
            Space.from_arrays(Pattern.from_positions(positions), n, f"phone_free_{i}", reader)
            for i, (positions, n) in enumerate(zip(written, n_blocks, strict=True))
        )
        require(all(space.capacity for space in spaces), "a form of phone numbers has no free numbers")
        counts = reader.indices("phone_counts", np.int64, (None, len(spaces)), 0, 2**40)
        is_valid = 0 < len(counts) <= N_GROUPS_MAX and bool(counts[0].any())
        require(is_valid, "the counts of phone numbers are invalid")
        return cls(spaces, counts)


def fit_phone_forms(distinct: ArrowArray, shared: ArrowArray, calling_code: str) -> PhoneForms | None:
    """Return the forms of phone numbers, or None if too few numbers have a common form.

    Parameters
    ----------
    distinct : array of shape (n_distinct,)
        Distinct phone numbers of the table, which are never generated.
    shared : array of shape (n_shared,)
        Distinct phone numbers from which forms are learned.
    calling_code : str
        Calling code to assume for numbers that contain none.
    """
    step = max(len(shared) // N_TEXTS_MAX, 1)
    learned_from = shared.take(pa.array(np.arange(0, len(shared), step), pa.int64()))
    digits, taken = (read_digits(texts, calling_code) for texts in (learned_from, distinct))
    learned = sorted(_learn(learned_from, digits), key=lambda form: (-form.n_fixed, -form.count))
    spaces, counts = [], []
    for form in learned[:N_FORMS_MAX]:
        space = _free_space(form, distinct, taken)
        if space is not None:
            spaces.append(space)
            counts.append(form.count)
    if sum(counts) < max(COVERED_MIN * len(learned_from), MIN_SUPPORT):
        return None
    return PhoneForms(tuple(spaces), np.array([counts], np.int64))


@dataclass(frozen=True)
class _Form:
    """A learned form.

    Parameters
    ----------
    positions : tuple of str
        Positions of the pattern.
    count : int
        Number of phone numbers with the form.
    own : array of shape (n_own,)
        Positions of the national digits in the text, without the trunk zero and the extension.
    n_fixed : int
        Number of national digits that the form fixes.
    calling_code : str
        Calling code of the numbers.
    has_extension : bool
        Whether an extension follows the number.
    """

    positions: tuple[str, ...]
    count: int
    own: Int64s
    n_fixed: int
    calling_code: str
    has_extension: bool

    def fictional(self) -> tuple[str, ...] | None:
        """Return the pattern positions of numbers reserved for fiction, or None if there are none."""
        first = "".join(self.positions[place] for place in self.own[: self.n_fixed])
        reserved = find_range(self.calling_code, first, len(self.own))
        if reserved is None:
            return None
        positions = list(self.positions)
        for place, digit in zip(self.own, reserved.digits.ljust(len(self.own), "#"), strict=True):
            if digit != "?":
                positions[place] = "digit" if digit == "#" else digit
        return tuple(positions)


def _learn(texts: ArrowArray, digits: PhoneDigits) -> Iterator[_Form]:
    """Yield the forms that at least k texts share."""
    for members, characters in digits.by_punctuation(texts):
        n_min = max(MIN_SUPPORT, int(SHARE_MIN * len(members)))
        rest = np.arange(len(members))
        for depth in range(int(digits.depth[members].max(initial=0)), -1, -1):
            keys = digits.prefixes(members[rest], depth)
            _, group, counts = np.unique(keys, return_inverse=True, return_counts=True)
            group = group.reshape(-1)
            for i in np.flatnonzero(counts >= n_min):
                own = rest[group == i]
                yield _form_of(characters[own], digits, members[own], depth)
            rest = rest[counts[group] < n_min]


def _form_of(characters: npt.NDArray[np.uint32], digits: PhoneDigits, members: Int64s, depth: int) -> _Form:
    first = int(members[0])
    own = digits.own_places(first)
    positions = []
    for i in range(characters.shape[1]):
        occurring = np.unique(characters[:, i])
        if len(occurring) == 1:
            positions.append(chr(int(occurring[0])))
        else:
            has_zero = occurring[0] == ord("0")
            positions.append("digit" if has_zero or len(members) < N_TEXTS_SURE else "nonzero")
    has_extension = bool(digits.has_extension[first])
    code = str(int(digits.calling_code[first]))
    return _Form(tuple(positions), len(members), own, min(depth, len(own)), code, has_extension)


def _free_space(form: _Form, distinct: ArrowArray, taken: PhoneDigits) -> Space[Pattern] | None:
    """Return the numbers of a form that do not occur in the table in any form, or None if there are none."""
    for positions in (form.fictional(), form.positions):
        if positions is None:
            continue
        pattern = Pattern(positions)
        if len(positions) > LENGTH_MAX or pattern.count_texts() == 1:
            continue
        if form.has_extension:
            characters = by_length(distinct).get(len(positions))
        else:
            characters = taken.written_as(positions, form.own, form.n_fixed)
        space = fit_space(pattern, characters)
        if space.capacity:
            return space
    return None


def _regex_of(pattern: Pattern) -> str:
    classes = {"digit": "[0-9]", "nonzero": "[1-9]"}
    return "^" + "".join(classes.get(p) or f"\\x{{{ord(p):x}}}" for p in pattern.positions) + "$"


def _belongs_to(pattern: Pattern, calling_code: str | None) -> bool:
    """Return whether numbers of a pattern are national, or begin with the calling code of a country."""
    if calling_code is None:
        return True
    text = "".join(p if len(p) == 1 else "?" for p in pattern.positions)
    plain = "".join(c for c in text if c.isdigit() or c in "+?")
    if plain.startswith("00"):
        plain = "+" + plain[2:]
    return not plain.startswith("+") or plain[1:].startswith(calling_code)
