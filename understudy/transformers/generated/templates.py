"""Number the texts of an identifier format. The module `patterns` numbers the texts of patterns."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from understudy.tables.identifier_formats import IDENTIFIER_FORMATS, IdentifierFormat
from understudy.tables.identifier_formats.base import CHECK, Codes
from understudy.transformers.base import ArrowArray
from understudy.transformers.generated.patterns import N_TEXTS_CHUNK, Characters, UInt64s, array_of_characters

Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Template:
    """The texts of an identifier format, numbered within chunks of parts from the last chunk to the first.

    Parameters
    ----------
    scheme_name : str
        Name of the format in `IDENTIFIER_FORMATS`.
    """

    scheme_name: str

    @property
    def identifier_format(self) -> IdentifierFormat:
        """The identifier format."""
        return IDENTIFIER_FORMATS[self.scheme_name]

    @cached_property
    def chunks(self) -> list[list[int]]:
        """The variable parts from right to left, in chunks of at most `N_TEXTS_CHUNK` texts."""
        chunks: list[list[int]] = [[]]
        n_texts = 1
        for i in range(len(self.identifier_format.parts) - 1, -1, -1):
            size = len(self.identifier_format.parts[i])
            if n_texts * size > N_TEXTS_CHUNK:
                chunks.append([])
                n_texts = 1
            n_texts *= size
            if size > 1:
                chunks[-1].append(i)
        return chunks

    @cached_property
    def starts(self) -> list[int]:
        """The position at which each part begins, and the length of a text."""
        return [
            sum(len(part[0]) for part in self.identifier_format.parts[:i])
            for i in range(len(self.identifier_format.parts) + 1)
        ]

    def count_texts(self, chunk: int = 0) -> int:
        """Return the number of texts that the parts of a chunk can form."""
        n_texts = 1
        for i in self.chunks[chunk]:
            n_texts *= len(self.identifier_format.parts[i])
        return n_texts

    def write(self, indices: list[UInt64s]) -> ArrowArray:
        """Return the texts with the given indices in each chunk, including check characters."""
        codes = np.empty((len(indices[0]), self.identifier_format.length), np.uint8)
        for i, part in enumerate(self.identifier_format.parts):
            codes[:, self.starts[i] : self.starts[i + 1]] = np.frombuffer(part[0].encode(), np.uint8)
        for chunk, rest in zip(self.chunks, indices, strict=True):
            for i in chunk:
                size = np.uint64(len(self.identifier_format.parts[i]))
                shorter = rest // size
                place = (rest - shorter * size).astype(np.intp)
                codes[:, self.starts[i] : self.starts[i + 1]] = self._letters(i)[place]
                rest = shorter
        self.identifier_format.finish(codes)
        return array_of_characters(codes)

    def find(self, characters: Characters) -> UInt64s:
        """Return the indices in chunk 0 of those texts that the template can produce, sorted and distinct.

        Parameters
        ----------
        characters : array of shape (n_texts, length)
            Texts with the same length as the format.
        """
        is_match = np.ones(len(characters), np.bool_)
        places: dict[int, UInt64s] = {}
        for i, part in enumerate(self.identifier_format.parts):
            if part is CHECK:
                continue
            place = self._places(i, characters)
            is_match &= place >= 0
            places[i] = place.astype(np.uint64)
        index = np.zeros(int(is_match.sum()), np.uint64)
        for i in reversed(self.chunks[0]):
            index = index * np.uint64(len(self.identifier_format.parts[i])) + places[i][is_match]
        return np.unique(index)

    def _letters(self, i: int) -> Codes:
        part = self.identifier_format.parts[i]
        return np.frombuffer("".join(part).encode(), np.uint8).reshape(len(part), -1)

    def _places(self, i: int, characters: Characters) -> Int64s:
        """Return the index of the part's text in each row, or -1 if the row contains none of these texts."""
        here = characters[:, self.starts[i] : self.starts[i + 1]].astype(np.int64)
        letters = self._letters(i).astype(np.int64)
        bases = 2**21 ** np.minimum(np.arange(letters.shape[1]), 2)
        if letters.shape[1] > 3:
            return _places_of_long(here, letters)
        codes, known = here @ bases, letters @ bases
        order = np.argsort(known)
        nearest = np.minimum(np.searchsorted(known[order], codes), len(known) - 1)
        return np.where(known[order][nearest] == codes, order[nearest], -1)


def _places_of_long(here: Int64s, letters: Int64s) -> Int64s:
    places = np.full(len(here), -1, np.int64)
    for place, text in enumerate(letters):
        places[(here == text).all(axis=1)] = place
    return places


def characters_of_length(compact: ArrowArray, length: int) -> Characters | None:
    """Return the characters of the ASCII texts of a given length, or None if there are no such texts."""
    written: list[Any] = compact.cast(pa.large_binary()).to_pylist()
    plain = [text for text in written if len(text) == length]
    if not plain:
        return None
    return np.frombuffer(b"".join(plain), np.uint8).reshape(-1, length).astype(np.uint32)
