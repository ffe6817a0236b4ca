"""Full names that occur in the table, which made-up people must not have.

Names are divided into blocks by a hash of their words. Only blocks that contain no name from the table are
used. Every block also contains names that are not in the table.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from understudy.tables.inference import wordlists
from understudy.transformers.array_reader import ArrayReader, require
from understudy.transformers.base import Arrays, Json, Mask

UInt64s = npt.NDArray[np.uint64]

_N_BLOCKS_MIN, _N_BLOCKS_MAX = 1 << 6, 1 << 22
_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True)
class TakenNames:
    """The blocks of full names that are never generated.

    Parameters
    ----------
    is_taken : array of shape (n_blocks,)
        Mask of the blocks that contain a name from the table. The number of blocks is a power of two.
    """

    is_taken: Mask

    def contain(self, hashes: UInt64s) -> Mask:
        """Return a mask of names in blocks that are never generated, given the hash sums of their words."""
        is_taken: Mask = self.is_taken[_blocks_of(hashes, len(self.is_taken))]
        return is_taken

    def to_arrays(self) -> tuple[Json, Arrays]:
        """Return the number of blocks, and the mask as packed bits."""
        return {"n_blocks_of_names": len(self.is_taken)}, {"taken_names": np.packbits(self.is_taken)}

    @classmethod
    def from_arrays(cls, reader: ArrayReader) -> Self:
        """Load the blocks from the output of `to_arrays`."""
        n_blocks = reader.whole("n_blocks_of_names", _N_BLOCKS_MIN, _N_BLOCKS_MAX + 1)
        require(n_blocks & (n_blocks - 1) == 0, "the number of blocks of names is not a power of two")
        packed = reader.array("taken_names", np.uint8, (n_blocks // 8,))
        return cls(np.unpackbits(packed).astype(np.bool_))


def fit_taken_names(names: Iterable[str]) -> TakenNames | None:
    """Return the blocks that contain names of at least two words, or None if there are no such names."""
    hashes = {hash_of_words(name) for name in names if len(_WORD.findall(name)) > 1}
    if not hashes:
        return None
    # With eight times as many blocks as names, at least seven eighths of the blocks are used.
    n_blocks = min(max(1 << (8 * len(hashes) - 1).bit_length(), _N_BLOCKS_MIN), _N_BLOCKS_MAX)
    is_taken = np.zeros(n_blocks, np.bool_)
    is_taken[_blocks_of(np.array(list(hashes), np.uint64), n_blocks)] = True
    return TakenNames(is_taken)


def hash_of_words(name: str) -> int:
    """Return the sum of the hashes of a name's words, which does not depend on their order."""
    return sum(_hash_of(wordlists.plain(word)) for word in _WORD.findall(name)) % 2**64


def _hash_of(word: str) -> int:
    return int.from_bytes(blake2b(word.encode(), digest_size=8).digest(), "little")


def _blocks_of(hashes: UInt64s, n_blocks: int) -> npt.NDArray[Any]:
    return (hashes >> np.uint64(20)) & np.uint64(n_blocks - 1)
