"""Patterns of texts, which have a fixed character or a class of characters at each position."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from string import ascii_letters, ascii_lowercase, ascii_uppercase, digits
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from understudy.tables.inference.texts import lengths_of
from understudy.transformers.array_reader import require
from understudy.transformers.base import MIN_SUPPORT, ArrowArray, Mask, Subjects
from understudy.transformers.support import count_sharers

UInt64s = npt.NDArray[np.uint64]
# The characters in texts of equal length: code points, of shape (n_texts, length).
Characters = npt.NDArray[np.uint32]

CLASSES: dict[str, str] = {
    "nonzero": digits[1:],
    "digit": digits,
    "lower": ascii_lowercase,
    "upper": ascii_uppercase,
    "hex_lower": digits + "abcdef",
    "hex_upper": digits + "ABCDEF",
    "letter": ascii_letters,
    "alnum_lower": digits + ascii_lowercase,
    "alnum_upper": digits + ascii_uppercase,
    "alnum": digits + ascii_letters,
    **{f"{low}-{high}": digits[low : high + 1] for low in range(9) for high in range(low + 1, 10)},
}
# Minimum number of texts with a pattern, and maximum number of digits in a range, for limiting the digits at
# a position to their range in the table. For example, the minutes of a time then stay below 60.
N_TEXTS_SURE, N_DIGITS_NARROW = 100, 6
# Minimum number of texts that a limited pattern must have per text of the table, so that enough new texts
# remain.
N_TEXTS_EACH_MIN = 8
# Maximum length, in characters, of texts that are used to learn patterns.
LENGTH_MAX = 64
# Maximum number of patterns in a column.
N_PATTERNS_MAX = 32
# Maximum number of texts in a chunk of positions. With this maximum, the index of a text fits in 64 bits. The
# last chunk in a pattern is numbered, and all earlier chunks are chosen at random.
N_TEXTS_CHUNK = 2**62

_DIGIT, _LOWER, _UPPER = 1, 2, 4
_KIND_OF_CHARACTER = np.zeros(128, np.uint8)
for _bit, _letters in ((_DIGIT, digits), (_LOWER, ascii_lowercase), (_UPPER, ascii_uppercase)):
    _KIND_OF_CHARACTER[[ord(c) for c in _letters]] = _bit
_IS_BEYOND_HEX = np.array([chr(c) in ascii_letters and chr(c).lower() > "f" for c in range(128)])
_CLASS_OF_KINDS = {
    _DIGIT: ("digit", "digit"),
    _LOWER: ("lower", "lower"),
    _UPPER: ("upper", "upper"),
    _LOWER | _UPPER: ("letter", "letter"),
    _DIGIT | _LOWER: ("alnum_lower", "hex_lower"),
    _DIGIT | _UPPER: ("alnum_upper", "hex_upper"),
    _DIGIT | _LOWER | _UPPER: ("alnum", "alnum"),
}


@dataclass(frozen=True)
class Pattern:
    """A pattern. Its texts are numbered within chunks of positions, from the last chunk to the first.

    Parameters
    ----------
    positions : tuple of str
        A character or the name of a class for each position.
    """

    positions: tuple[str, ...]

    @classmethod
    def from_positions(cls, positions: Any) -> Self:  # `Any` is untrusted JSON.
        """Return the pattern of the positions in a model file."""
        is_valid = isinstance(positions, list) and 0 < len(positions) <= 2 * LENGTH_MAX
        require(is_valid and all(_is_position(p) for p in positions), "a pattern is invalid")
        return cls(tuple(positions))

    def has_digits_only(self, length_max: int) -> bool:
        """Return whether all texts consist of at most `length_max` digits."""
        return len(self.positions) <= length_max and all(
            set(CLASSES.get(position, position)) <= set(CLASSES["digit"]) for position in self.positions
        )

    @cached_property
    def alphabets(self) -> list[Characters]:
        """The permitted characters of each position, in ascending order."""
        texts = [p if len(p) == 1 else CLASSES[p] for p in self.positions]
        return [np.array([ord(c) for c in sorted(text)], np.uint32) for text in texts]

    @cached_property
    def chunks(self) -> list[list[int]]:
        """The variable positions from right to left, in chunks of at most `N_TEXTS_CHUNK` texts."""
        chunks: list[list[int]] = [[]]
        n_texts = 1
        for i in range(len(self.positions) - 1, -1, -1):
            size = len(self.alphabets[i])
            if n_texts * size > N_TEXTS_CHUNK:
                chunks.append([])
                n_texts = 1
            n_texts *= size
            if size > 1:
                chunks[-1].append(i)
        return chunks

    def count_texts(self, chunk: int = 0) -> int:
        """Return the number of texts that the positions of a chunk can form."""
        n_texts = 1
        for i in self.chunks[chunk]:
            n_texts *= len(self.alphabets[i])
        return n_texts

    def write(self, indices: list[UInt64s]) -> ArrowArray:
        """Return the texts with the given indices in each chunk."""
        is_ascii = all(int(alphabet[-1]) < 128 for alphabet in self.alphabets)
        dtype = np.uint8 if is_ascii else np.uint32
        by_position = np.empty((len(self.positions), len(indices[0])), dtype)
        for i, alphabet in enumerate(self.alphabets):
            by_position[i] = alphabet[0]
        for chunk, rest in zip(self.chunks, indices, strict=True):
            for i in chunk:
                size = np.uint64(len(self.alphabets[i]))
                # NumPy divides by a scalar several times faster than divmod computes remainders.
                shorter = rest // size
                by_position[i] = self.alphabets[i].astype(dtype)[(rest - shorter * size).astype(np.intp)]
                rest = shorter
        return array_of_characters(by_position.T)

    def find(self, characters: Characters) -> UInt64s:
        """Return the indices in chunk 0 of those texts that have this pattern.

        Parameters
        ----------
        characters : array of shape (n_texts, length)
            Texts with the same length as the pattern.
        """
        is_match: Mask = np.ones(len(characters), np.bool_)
        for i, alphabet in enumerate(self.alphabets):
            is_match &= np.isin(characters[:, i], alphabet)
        matching = characters[is_match]
        index = np.zeros(len(matching), np.uint64)
        for i in reversed(self.chunks[0]):
            place = np.searchsorted(self.alphabets[i], matching[:, i]).astype(np.uint64)
            index = index * np.uint64(len(self.alphabets[i])) + place
        return index

    def overlaps(self, other: Pattern) -> bool:
        """Return whether a text can have both patterns."""
        return len(self.positions) == len(other.positions) and all(
            np.isin(a, b).any() for a, b in zip(self.alphabets, other.alphabets, strict=True)
        )

    def fill_zeros(self) -> list[Pattern]:
        """Return patterns with longer numbers in place of leading zeros, in ascending order of length."""
        patterns = []
        positions = list(self.positions)
        last = max(i for i, alphabet in enumerate(self.alphabets) if len(alphabet) > 1)
        first = last
        while first > 0 and positions[first - 1] == "digit" == positions[first]:
            first -= 1
        while first > 0 and positions[first] == "digit" and positions[first - 1] == "0":
            first -= 1
            patterns.append(Pattern((*positions[:first], "nonzero", *positions[first + 1 :])))
            positions[first] = "digit"
        return patterns

    def widen(self, n: int) -> Pattern:
        """Return the pattern with n more repetitions of the last class."""
        last = max(i for i, alphabet in enumerate(self.alphabets) if len(alphabet) > 1)
        head, tail = self.positions[: last + 1], self.positions[last + 1 :]
        more = "digit" if self.positions[last] == "nonzero" else self.positions[last]
        return Pattern(head + (more,) * n + tail)


def _is_position(position: Any) -> bool:  # `Any` is untrusted JSON.
    if not isinstance(position, str):
        return False
    return position in CLASSES or (len(position) == 1 and not 0xD800 <= ord(position) < 0xE000)


def array_of_characters(characters: npt.NDArray[np.uint8] | Characters) -> ArrowArray:
    """Return texts of equal length from ASCII codes or code points."""
    n, length = characters.shape
    if characters.dtype == np.uint8:
        data = pa.py_buffer(characters.tobytes())
        offsets = pa.py_buffer((np.arange(n + 1, dtype=np.int64) * length).tobytes())
        return pa.Array.from_buffers(pa.large_string(), n, [None, offsets, data])
    texts = np.ascontiguousarray(characters).view(f"<U{length}").reshape(n)
    array: ArrowArray = pa.array(texts, pa.large_string())
    return array


def characters_of(texts: ArrowArray, length: int) -> Characters:
    """Return the characters of texts that all have a given length. No text is missing."""
    plain = texts.cast(pa.large_binary()).to_numpy(zero_copy_only=False)
    if all(len(text) == length for text in plain):
        return np.frombuffer(b"".join(plain), np.uint8).reshape(-1, length).astype(np.uint32)
    written = np.array(texts.to_pylist(), dtype=f"<U{length}")
    return written.view(np.uint32).reshape(-1, length)


def by_length(texts: ArrowArray) -> dict[int, Characters]:
    """Return the characters of texts by length, for lengths that a pattern or a widened pattern can have."""
    lengths = lengths_of(texts)
    occurring = np.unique(lengths[(lengths > 0) & (lengths <= 2 * LENGTH_MAX)])
    return {int(n): characters_of(texts.filter(pa.array(lengths == n)), int(n)) for n in occurring}


def shared_texts(values: ArrowArray, subjects: Sequence[Subjects]) -> ArrowArray:
    """Return the distinct texts that can be used to learn patterns.

    At least k subjects share the length and the marks of each text.

    Parameters
    ----------
    values : array of shape (n_rows,)
        Texts of a column. No text is missing.
    subjects : sequence of array of shape (n_rows,)
        Arrays with the subject or entity of each row. In each array, at least k subjects must share a text.
    """
    encoded: Any = values.dictionary_encode()
    distinct: ArrowArray = encoded.dictionary
    if not subjects:
        return distinct
    lengths = lengths_of(distinct)
    groups = np.zeros(len(distinct), np.int64)
    n_groups = 1
    for length, characters in by_length(distinct).items():
        own, counts = _group(characters)
        groups[lengths == length] = own + n_groups
        n_groups += len(counts)
    index = encoded.indices.to_numpy()
    is_shared = np.ones(n_groups, np.bool_)
    for units in subjects:
        is_shared &= count_sharers(groups[index], n_groups, units) >= MIN_SUPPORT
    return distinct.filter(pa.array(is_shared[groups]))


def learn_patterns(texts: dict[int, Characters]) -> list[tuple[Pattern, int]]:
    """Return the most frequent patterns, each with its number of distinct texts, which is at least k.

    Parameters
    ----------
    texts : dict of length to characters
        Distinct texts by length.

    Notes
    -----
    Texts have the same pattern if they have the same length, and the same characters other than ASCII letters
    and digits at the same positions. Therefore no text has two patterns.
    """
    patterns: list[tuple[Pattern, int]] = []
    for characters in (texts[length] for length in texts if length <= LENGTH_MAX):
        groups, counts = _group(characters)
        for group in np.flatnonzero(counts >= MIN_SUPPORT):
            pattern = _narrowed(characters[groups == group])
            if pattern.count_texts() > 1:
                patterns.append((pattern, int(counts[group])))
    patterns.sort(key=lambda pair: (-pair[1], pair[0].positions))
    return patterns[:N_PATTERNS_MAX]


def _narrowed(characters: Characters) -> Pattern:
    """Return the pattern of texts, with limited digits where enough texts show their range."""
    positions = _positions(characters)
    plain = Pattern(tuple(positions))
    if len(characters) < N_TEXTS_SURE:
        return plain
    for i in (i for i, name in enumerate(positions) if name in ("digit", "nonzero")):
        low, high = int(characters[:, i].min()) - ord("0"), int(characters[:, i].max()) - ord("0")
        if high - low < N_DIGITS_NARROW:
            positions[i] = f"{low}-{high}"
    narrow = Pattern(tuple(positions))
    return narrow if narrow.count_texts() >= N_TEXTS_EACH_MIN * len(characters) else plain


def _kinds(characters: Characters) -> npt.NDArray[np.uint8]:
    is_ascii = characters < 128
    return np.where(is_ascii, _KIND_OF_CHARACTER[np.where(is_ascii, characters, 0)], np.uint8(0))


def _group(characters: Characters) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Group texts by their characters other than letters and digits. Return the groups and their sizes."""
    marks = np.where(_kinds(characters) == 0, characters, 0).astype(np.uint64)
    hashes = np.zeros(len(characters), np.uint64)
    for i in range(characters.shape[1]):
        hashes = (hashes + marks[:, i] + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        hashes ^= hashes >> np.uint64(29)
    _, groups, counts = np.unique(hashes, return_inverse=True, return_counts=True)
    return groups, counts


def _positions(characters: Characters) -> list[str]:
    columns = [np.unique(characters[:, i]) for i in range(characters.shape[1])]
    classes = [chr(int(c[0])) if len(c) == 1 else _class_of(c) for c in columns]
    return _unified(columns, classes)


def _class_of(characters: Characters) -> str:
    """Return the smallest class that contains the given ASCII letters and digits."""
    kinds = int(np.bitwise_or.reduce(_KIND_OF_CHARACTER[characters]))
    return _CLASS_OF_KINDS[kinds][int(not _IS_BEYOND_HEX[characters].any())]


def _unified(columns: list[Characters], classes: list[str]) -> list[str]:
    """Assign one class to all positions of a run if at least half of them mix letters and digits.

    With few texts, some positions contain only digits or only letters by chance.
    """
    out = list(classes)
    for run in _runs(classes):
        n_mixed = sum(classes[i].startswith(("hex", "alnum")) for i in run)
        if 2 * n_mixed >= len(run):
            name = _class_of(np.concatenate([columns[i] for i in run]))
            for i in run:
                out[i] = name
    return out


def _runs(classes: list[str]) -> list[list[int]]:
    runs: list[list[int]] = [[]]
    for i, name in enumerate(classes):
        if len(name) > 1:
            runs[-1].append(i)
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]
