"""Numbering of a pattern's texts that do not occur in the table. Each row gets a different text."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, count
from typing import Any, Generic, Protocol, Self, TypeVar

import numpy as np
import numpy.typing as npt

from understudy.kernels import hashing, permutation
from understudy.transformers.array_reader import ArrayReader, require
from understudy.transformers.base import ArrowArray, RowStream
from understudy.transformers.generated.patterns import Characters, Pattern, UInt64s

# Key for shuffling a pattern's texts so that similar texts from the table are spread evenly over the blocks.
# The key is not secret.
SHUFFLE = np.uint64(0x5DEECE66D)
# Maximum number of free blocks stored in a model file.
N_FREE_BLOCKS_MAX = 2**16
# Number of distinct texts that is enough for any sample. In practice, samples have far fewer rows.
N_ROWS_ENOUGH = 2**48
# Offset between the random streams for the chunks in a long pattern.
CHUNK = 1 << 40


class Numbered(Protocol):
    """The numbered texts that a pattern or template can form."""

    @property
    def chunks(self) -> list[list[int]]:
        """The variable parts, grouped into chunks."""
        ...

    def count_texts(self, chunk: int = 0) -> int:
        """Return the number of strings that the parts of a chunk can form."""
        ...

    def write(self, indices: list[UInt64s]) -> ArrowArray:
        """Return the texts with the given indices in each chunk."""
        ...

    def find(self, characters: Characters) -> UInt64s:
        """Return the indices in chunk 0 of the texts that belong to the pattern or template."""
        ...


P = TypeVar("P", bound=Numbered)

Blocks = npt.NDArray[np.uint32]


@dataclass(frozen=True)
class Space(Generic[P]):
    """The texts of a pattern that do not occur in the table.

    Parameters
    ----------
    pattern : Numbered
        The pattern or template.
    n_blocks : int
        Number of equal blocks that contain the shuffled texts.
    free : array of shape (n_free,)
        Indices of the blocks that contain no text from the table, in ascending order.
    """

    pattern: P
    n_blocks: int
    free: Blocks

    @classmethod
    def from_arrays(cls, pattern: P, n_blocks: Any, name: str, reader: ArrayReader) -> Self:
        """Load a space, given the name of the array with its free blocks."""
        n_texts = pattern.count_texts()
        require(
            type(n_blocks) is int and 1 <= n_blocks <= min(n_texts, 2**31),
            "the number of blocks is out of range",
        )
        return cls(pattern, n_blocks, reader.indices(name, np.uint32, (None,), 0, n_blocks))

    @property
    def block_size(self) -> int:
        """The number of texts in a block."""
        return self.pattern.count_texts() // self.n_blocks

    @property
    def capacity(self) -> int:
        """The number of unused texts."""
        return len(self.free) * self.block_size

    def make(self, stream: RowStream) -> ArrowArray:
        """Return a different text for each row with a number below the capacity."""
        seed, stream_number, rows = stream.key()
        places = np.empty(len(rows), np.uint64)
        key = hashing.stream_key(seed, stream_number)
        permutation.permute(rows, np.uint64(self.capacity), np.uint64(key), places)
        block, within = np.divmod(places, np.uint64(self.block_size))
        shuffled = self.free[block].astype(np.uint64) * np.uint64(self.block_size) + within
        index = np.empty_like(shuffled)
        permutation.permute(shuffled, np.uint64(self.pattern.count_texts()), SHUFFLE, index)
        return self.pattern.write([index, *self._further_chunks(stream)])

    def _further_chunks(self, stream: RowStream) -> list[UInt64s]:
        indices = []
        for chunk in range(1, len(self.pattern.chunks)):
            words = np.empty(len(stream.rows), np.uint64)
            hashing.hash_rows(
                *RowStream(stream.seed, stream.stream + chunk * CHUNK, stream.rows).key(), words
            )
            indices.append(words % np.uint64(self.pattern.count_texts(chunk)))
        return indices


def fit_space(pattern: P, characters: Characters | None) -> Space[P]:
    """Return the texts of a pattern that do not occur in the table.

    Parameters
    ----------
    characters : array of shape (n_texts, length) or None
        All texts in the table with the pattern's length, or None if there are no such texts.
    """
    n_texts = pattern.count_texts()
    taken = pattern.find(characters) if characters is not None else np.zeros(0, np.uint64)
    if not len(taken):
        return Space(pattern, 1, np.zeros(1, np.uint32))
    # With four times as many blocks as texts, at least three quarters of the blocks are free.
    n_blocks = min(n_texts, 1 << (4 * len(taken) - 1).bit_length(), 2**31)
    size = n_texts // n_blocks
    shuffled = np.empty_like(taken)
    permutation.unpermute(taken, np.uint64(n_texts), SHUFFLE, shuffled)
    block = np.minimum(shuffled // np.uint64(size), np.uint64(n_blocks)).astype(np.int64)
    is_free = np.bincount(block, minlength=n_blocks + 1)[:n_blocks] == 0
    n_wanted = min(N_FREE_BLOCKS_MAX, -(-N_ROWS_ENOUGH // size))
    return Space(pattern, n_blocks, np.flatnonzero(is_free)[:n_wanted].astype(np.uint32))


def widen_spaces(base: Pattern, others: list[Pattern], texts: dict[int, Characters]) -> list[Space[Pattern]]:
    """Return spaces of longer texts in ascending order of capacity, up to at least `N_ROWS_ENOUGH`.

    Patterns with digits in place of the base pattern's leading zeros come first, because they do not make the
    texts longer.

    Parameters
    ----------
    base : Pattern
        Pattern to widen.
    others : list of Pattern
        Patterns that the longer texts must not match.
    texts : dict of length to characters
        Texts of the table.
    """
    spaces: list[Space[Pattern]] = []
    candidates = chain(base.fill_zeros(), (base.widen(n) for n in count(1)))
    while not spaces or spaces[-1].capacity < N_ROWS_ENOUGH:
        pattern = next(candidates)
        if any(pattern.overlaps(other) for other in others):
            continue
        space = fit_space(pattern, texts.get(len(pattern.positions)))
        if not spaces or space.capacity > spaces[-1].capacity:
            spaces.append(space)
    return spaces
