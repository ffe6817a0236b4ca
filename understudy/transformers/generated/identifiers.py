"""Generators of identifiers: sequential numbers, UUIDs and texts that match a pattern.

New identifiers are unique and do not occur in the table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from understudy.kernels import decoding, hashing
from understudy.tables.inference.numbers import highest_of
from understudy.tables.inference.texts import find_matches
from understudy.tables.inference.unrecognized_text import UUID_TEXT
from understudy.tables.schema import ColumnKind
from understudy.transformers.array_reader import ArrayReader, require
from understudy.transformers.base import MIN_SUPPORT, Arrays, ArrowArray, Json, RowNumbers, RowStream
from understudy.transformers.categorical import cumulate
from understudy.transformers.generated.patterns import (
    N_PATTERNS_MAX,
    Characters,
    Pattern,
    array_of_characters,
    by_length,
    characters_of,
    learn_patterns,
)
from understudy.transformers.generated.spaces import Space, fit_space, widen_spaces
from understudy.transformers.generated.transformer import N_ROWS_ANY

# Pattern for new identifiers if the table's identifiers do not share a pattern.
OPAQUE = Pattern(("alnum_lower",) * 12)
# Minimum share of texts in a UUID column that must be UUIDs.
UUID_SHARE_MIN = 0.95

# Maximum number of blocks in a sequence of numbers.
N_BLOCKS_MAX = 1000

_DASHES = (8, 13, 18, 23)
_PLACE_OF_VERSION = 14
_LOW_HEX = np.frombuffer(b"0123456789abcdef", np.uint8)
_HIGH_HEX = np.frombuffer(b"0123456789ABCDEF", np.uint8)
# Offsets of the random streams for the choice of a pattern and for the second half of a UUID.
_CHOICE, _SECOND_HALF = 1 << 50, 1 << 51


NO_TEXTS: ArrowArray = pa.array([], pa.large_string())


@dataclass(frozen=True)
class Sequence:
    """A generator of sequential numbers that begin above the highest number in the table.

    Parameters
    ----------
    start : int
        First number of the first block.
    step : int
        Distance between consecutive numbers.
    limit : int
        Highest number that the column's type can store.
    n_rows_block, n_blocks : int
        Number of rows in a block, and number of blocks. The seed modulo `n_blocks` selects the first block
        for a sample, so samples with consecutive seeds have different identifiers.
    """

    start: int
    step: int
    limit: int
    n_rows_block: int = 0
    n_blocks: int = 1

    @property
    def n_rows_max(self) -> int:
        """The number of identifiers that fit in the column's type if a sample begins in the last block."""
        first = self.start + (self.n_blocks - 1) * self.n_rows_block * self.step
        return max((self.limit - first) // self.step + 1, 0)

    def make(self, stream: RowStream) -> ArrowArray:
        """Return an identifier for each row."""
        own = stream.of_identifiers()
        rows = own.rows
        if stream.id_start is None:
            rows = rows + np.uint64(own.seed % self.n_blocks * self.n_rows_block)
        numbers = np.uint64(self.start % 2**64) + rows * np.uint64(self.step)
        is_unsigned = self.limit >= 2**63
        array: ArrowArray = pa.array(numbers if is_unsigned else numbers.view(np.int64))
        return array

    def describe(self) -> Json:
        """Return the form and the step."""
        return {"form": "sequential", "step": self.step}

    def to_arrays(self) -> tuple[Json, Arrays]:
        """Return the start, the step and the blocks."""
        blocks = {"n_rows_block": self.n_rows_block, "n_blocks": self.n_blocks}
        return {"form": "sequential", "start": self.start, "step": self.step} | blocks, {}

    @classmethod
    def from_arrays(cls, kind: ColumnKind, type_: pa.DataType, reader: ArrayReader) -> Self:
        """Load a generator from the output of `to_arrays`."""
        start, step = reader.whole("start", -(2**63), 2**64), reader.whole("step", 1, 2**64 - 1)
        is_signed = not pa.types.is_unsigned_integer(type_)
        require(
            start >= (-highest_of(type_) - 1 if is_signed else 0),
            "a sequence begins below the range of its type",
        )
        limit = highest_of(type_)
        if "n_blocks" not in reader.manifest:
            # Samples from older models begin at `start` for every seed.
            return cls(start, step, limit)
        n_blocks = reader.whole("n_blocks", 1, N_BLOCKS_MAX + 1)
        n_rows_block = reader.whole("n_rows_block", 0, 2**63)
        last = start + (n_blocks - 1) * n_rows_block * step
        require(last <= limit, "a sequence exceeds the range of its type")
        return cls(start, step, limit, n_rows_block, n_blocks)


def fit_sequence(numbers: npt.NDArray[Any], limit: int) -> Sequence:
    """Return a sequence that begins at a round number above the given numbers and reveals none of them."""
    ordered = np.unique(numbers)
    steps = np.diff(ordered)
    step = int(steps[0]) if len(steps) >= MIN_SUPPORT and (steps == steps[0]).all() else 1
    highest, span = int(ordered[-1]), int(ordered[-1]) - int(ordered[0])
    rounding = max(10 ** (len(str(max(span, 1))) - 1), 1)
    start = (highest // rounding + 1) * rounding
    start += (highest - start) % step
    n_rows_block = 10 * 10 ** len(str(max(len(ordered), 100) - 1))
    # If the first number is below 2**30, the numbers of all blocks fit in 32 bits. Half of the range is
    # reserved for rows after the last block.
    room = ((min(limit, 2**31 - 1) if start < 2**30 else limit) - start) // step // 2
    return Sequence(start, step, limit, n_rows_block, min(max(room // n_rows_block, 1), N_BLOCKS_MAX))


@dataclass(frozen=True)
class Uuids:
    """A generator of UUIDs with one version and letter case. Each contains a permuted 64-bit row number."""

    version: int
    is_upper: bool

    @property
    def n_rows_max(self) -> int:
        """The number of rows is not limited."""
        return N_ROWS_ANY

    def make(self, stream: RowStream) -> ArrowArray:
        """Return a UUID for each row."""
        stream = stream.of_identifiers()
        first, second = np.empty((2, len(stream.rows)), np.uint64)
        hashing.hash_rows(*stream.key(), first)
        hashing.hash_rows(*RowStream(stream.seed, stream.stream + _SECOND_HALF, stream.rows).key(), second)
        digits = np.empty((32, len(first)), np.uint8)
        for i in range(16):
            digits[i] = (first >> np.uint64(4 * i)) & np.uint64(15)
            digits[16 + i] = (second >> np.uint64(4 * i)) & np.uint64(15)
        # The version digit replaces a random digit of the first half, and the replaced digit is moved to the
        # second half.
        digits[17] = digits[12]
        digits[12] = self.version
        digits[16] = 8 | (digits[16] & 3)
        characters = np.full((36, len(first)), ord("-"), np.uint8)
        places = [i for i in range(36) if i not in _DASHES]
        characters[places] = (_HIGH_HEX if self.is_upper else _LOW_HEX)[digits]
        return array_of_characters(characters.T)

    def describe(self) -> Json:
        """Return the form and the version."""
        return {"form": "uuid", "version": self.version}

    def to_arrays(self) -> tuple[Json, Arrays]:
        """Return the version and the case."""
        return {"form": "uuid", "version": self.version, "is_upper": self.is_upper}, {}

    @classmethod
    def from_arrays(cls, kind: ColumnKind, type_: pa.DataType, reader: ArrayReader) -> Self:
        """Load a generator from the output of `to_arrays`."""
        return cls(reader.whole("version", 0, 15), reader.truth("is_upper"))


@dataclass(frozen=True)
class PatternTexts:
    """A generator of unique texts with one or more patterns, in the same proportions as in the table.

    Parameters
    ----------
    spaces : tuple of Space
        For each pattern, the texts that do not occur in the table.
    counts : array of shape (n_spaces,)
        Number of texts in the table that have each pattern.
    wider : tuple of Space
        For each longer pattern, the texts that do not occur in the table. The patterns are in ascending order
        of capacity. If a row's pattern has too few texts, the row uses the first longer pattern with enough
        texts.
    """

    spaces: tuple[Space[Pattern], ...]
    counts: npt.NDArray[np.int64]
    wider: tuple[Space[Pattern], ...] = ()

    @property
    def n_rows_max(self) -> int:
        """The number of rows for which a new text exists, regardless of the sampled patterns."""
        return max(min(space.capacity for space in self.spaces), *(space.capacity for space in self.wider), 0)

    def make(self, stream: RowStream) -> ArrowArray:
        """Return a text for each row."""
        stream = stream.of_identifiers()
        choice = self._choose(stream)
        parts, places = [], []
        for i, space in enumerate((*self.spaces, *self.wider)):
            own = np.flatnonzero(choice == i)
            if len(own):
                parts.append(space.make(RowStream(stream.seed, stream.stream, stream.rows[own])))
                places.append(own)
        if len(parts) == 1:
            return parts[0]
        order = np.argsort(np.concatenate([*places, np.zeros(0, np.int64)]), kind="stable")
        return pa.concat_arrays([*parts, NO_TEXTS]).take(pa.array(order, pa.int64()))

    def _choose(self, stream: RowStream) -> npt.NDArray[np.int32]:
        rows = stream.rows
        choice = np.zeros(len(rows), np.int32)
        if len(self.spaces) > 1:
            key = RowStream(stream.seed, stream.stream + _CHOICE, rows).key()
            drawn = np.zeros(len(rows), np.uint16)
            decoding.draw_from_marginal(cumulate(self.counts), key, drawn)
            choice[:] = drawn
        return self._find_room(choice, rows)

    def _find_room(self, choice: npt.NDArray[np.int32], rows: RowNumbers) -> npt.NDArray[np.int32]:
        capacity = np.array([space.capacity for space in self.spaces], np.uint64)
        is_beyond = rows >= capacity[choice]
        if is_beyond.any():
            rooms = np.array([space.capacity for space in self.wider], np.uint64)
            wider = np.searchsorted(rooms, rows[is_beyond], side="right")
            choice[is_beyond] = len(self.spaces) + wider
        return choice

    def describe(self) -> Json:
        """Return the number of patterns, and the number of rows that they suffice for."""
        n_rows = min(space.capacity for space in self.spaces)
        return {"form": "pattern", "patterns": len(self.spaces), "rows_before_widening": n_rows}

    def to_arrays(self) -> tuple[Json, Arrays]:
        """Return the patterns, their counts and free blocks."""
        spaces = (*self.spaces, *self.wider)
        manifest: Json = {
            "form": "pattern",
            "patterns": [list(space.pattern.positions) for space in spaces],
            "n_wider": len(self.wider),
            "n_blocks": [space.n_blocks for space in spaces],
        }
        free = {f"free_{i}": space.free for i, space in enumerate(spaces)}
        return manifest, {"counts": self.counts} | free

    @classmethod
    def from_arrays(cls, kind: ColumnKind, type_: pa.DataType, reader: ArrayReader) -> Self:
        """Load a generator from the output of `to_arrays`."""
        written: Any = reader.manifest.get("patterns")
        require(
            isinstance(written, list) and 0 < len(written) <= 2 * N_PATTERNS_MAX,
            "the list of patterns is invalid",
        )
        n_own = len(written) - reader.whole("n_wider", 0, len(written) - 1)
        n_blocks = reader.parts("n_blocks", len(written))
        spaces = [
            Space.from_arrays(Pattern.from_positions(positions), n, f"free_{i}", reader)
            for i, (positions, n) in enumerate(zip(written, n_blocks, strict=True))
        ]
        if pa.types.is_integer(type_):
            n_digits = len(str(highest_of(type_))) - 1
            is_number = all(space.pattern.has_digits_only(n_digits) for space in spaces)
            require(is_number, "an integer column has characters other than digits")
        capacities = [space.capacity for space in spaces[n_own:]]
        require(capacities == sorted(capacities), "wider patterns are not in ascending order")
        return cls(tuple(spaces[:n_own]), reader.counts("counts", n_own), tuple(spaces[n_own:]))


def fit_texts(distinct: ArrowArray, shared: ArrowArray | None = None) -> Uuids | PatternTexts:
    """Return a generator of identifiers that resemble the given texts.

    Parameters
    ----------
    distinct : array of shape (n_distinct,)
        Distinct texts of the table, which are never generated.
    shared : array of shape (n_shared,), optional
        Texts from which patterns are learned. Defaults to all texts.
    """
    is_uuid = find_matches(distinct, UUID_TEXT)
    if len(distinct) and is_uuid.mean() >= UUID_SHARE_MIN:
        return _fit_uuids(characters_of(distinct.filter(pa.array(is_uuid)), 36))
    texts = by_length(distinct)
    return fit_patterns(learn_patterns(texts if shared is None else by_length(shared)), texts)


def _fit_uuids(characters: Characters) -> Uuids:
    version = int(chr(np.bincount(characters[:, _PLACE_OF_VERSION]).argmax()), 16)
    is_letter = characters >= ord("A")
    n_small = int((characters >= ord("a")).sum())
    return Uuids(version, is_upper=int(is_letter.sum()) > 2 * n_small)


def fit_patterns(
    learned: list[tuple[Pattern, int]], texts: dict[int, Characters], *, length_max: int | None = None
) -> PatternTexts:
    """Return a generator of new texts with the given patterns.

    Parameters
    ----------
    learned : list of (Pattern, int)
        Patterns, and the number of texts in the table with each pattern.
    texts : dict of length to characters
        Texts of the table.
    length_max : int, optional
        Maximum length of a new text.
    """
    learned = learned or [(OPAQUE, 1)]
    patterns = [pattern for pattern, _ in learned]
    spaces = [fit_space(pattern, texts.get(len(pattern.positions))) for pattern in patterns]
    wider = widen_spaces(patterns[0], patterns, texts)
    if length_max is not None:
        wider = [space for space in wider if len(space.pattern.positions) <= length_max]
    return PatternTexts(tuple(spaces), np.array([count for _, count in learned], np.int64), tuple(wider))
