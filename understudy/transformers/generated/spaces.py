"""The texts of a pattern that nobody in the table has, counted so that each row gets one of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, Protocol, Self, TypeVar

import numpy as np
import numpy.typing as npt

from understudy.kernels import hashing, permutation
from understudy.transformers.array_reader import ArrayReader, require
from understudy.transformers.base import ArrowArray, RowStream
from understudy.transformers.generated.patterns import Characters, Pattern, UInt64s

# The texts of a pattern are shuffled by one known key, so that real ones that are near each other spread
# evenly over the blocks.
SHUFFLE = np.uint64(0x5DEECE66D)
N_FREE_BLOCKS_MAX = 2**16
# More rows than anybody asks for.
N_ROWS_ENOUGH = 2**48
# Streams of the further chunks of a long pattern.
CHUNK = 1 << 40


class Numbered(Protocol):
    """Texts that are numbered: those of a pattern, or of a template."""

    @property
    def chunks(self) -> list[list[int]]:
        """The variable parts, in chunks."""
        ...

    def count_texts(self, chunk: int = 0) -> int:
        """Return how many texts the parts of a chunk can be."""
        ...

    def write(self, indices: list[UInt64s]) -> ArrowArray:
        """Return texts from their index in each chunk."""
        ...

    def find(self, characters: Characters) -> UInt64s:
        """Return the indices in chunk 0 of texts."""
        ...


P = TypeVar("P", bound=Numbered)

Blocks = npt.NDArray[np.uint32]


@dataclass(frozen=True)
class Space(Generic[P]):
    """The free texts of a pattern.

    Parameters
    ----------
    n_blocks : int
        The shuffled texts are cut into so many blocks of equal size.
    free : array of shape (n_free,)
        Blocks, ascending, in which no text of the table lies.
    """

    pattern: P
    n_blocks: int
    free: Blocks

    @classmethod
    def from_arrays(cls, pattern: P, n_blocks: Any, name: str, reader: ArrayReader) -> Self:
        """Return the space whose free blocks are an array of this name."""
        n_texts = pattern.count_texts()
        require(type(n_blocks) is int and 1 <= n_blocks <= min(n_texts, 2**31), "blocks are not valid")
        return cls(pattern, n_blocks, reader.indices(name, np.uint32, (None,), 0, n_blocks))

    @property
    def block_size(self) -> int:
        """How many texts a block has."""
        return self.pattern.count_texts() // self.n_blocks

    @property
    def capacity(self) -> int:
        """How many rows find a text."""
        return len(self.free) * self.block_size

    def make(self, stream: RowStream) -> ArrowArray:
        """Return the texts of rows whose numbers are below the capacity; no two are equal."""
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
    """Return the free texts of a pattern.

    Parameters
    ----------
    characters : array of shape (n_texts, length) or None
        All texts of the table that have the pattern's length.
    """
    n_texts = pattern.count_texts()
    taken = pattern.find(characters) if characters is not None else np.zeros(0, np.uint64)
    if not len(taken):
        return Space(pattern, 1, np.zeros(1, np.uint32))
    # With four times as many blocks as texts more than three quarters are free.
    n_blocks = min(n_texts, 1 << (4 * len(taken) - 1).bit_length(), 2**31)
    size = n_texts // n_blocks
    shuffled = np.empty_like(taken)
    permutation.unpermute(taken, np.uint64(n_texts), SHUFFLE, shuffled)
    block = np.minimum(shuffled // np.uint64(size), np.uint64(n_blocks)).astype(np.int64)
    is_free = np.bincount(block, minlength=n_blocks + 1)[:n_blocks] == 0
    n_wanted = min(N_FREE_BLOCKS_MAX, -(-N_ROWS_ENOUGH // size))
    return Space(pattern, n_blocks, np.flatnonzero(is_free)[:n_wanted].astype(np.uint32))


def widen_spaces(base: Pattern, others: list[Pattern], texts: dict[int, Characters]) -> list[Space[Pattern]]:
    """Return spaces of longer texts, each larger than the one before, up to N_ROWS_ENOUGH.

    Parameters
    ----------
    others : list of Pattern
        None of the longer texts is of one of these.
    """
    spaces: list[Space[Pattern]] = []
    n = 0
    while not spaces or spaces[-1].capacity < N_ROWS_ENOUGH:
        n += 1
        pattern = base.widen(n)
        if any(pattern.overlaps(other) for other in others):
            continue
        space = fit_space(pattern, texts.get(len(pattern.positions)))
        if not spaces or space.capacity > spaces[-1].capacity:
            spaces.append(space)
    return spaces
