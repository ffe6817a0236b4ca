"""Postal codes that match the city, the state or the country of their row.

For each level of a place column, beginnings that enough postal codes share are sampled in their proportions.
The remaining characters are random.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from understudy.kernels import hashing
from understudy.tables.schema import ColumnKind
from understudy.transformers.array_reader import ArrayReader, require
from understudy.transformers.base import (
    MIN_SUPPORT,
    Arrays,
    ArrowArray,
    Codes,
    CodesByColumn,
    Json,
    Mask,
    RowStream,
    Subjects,
)
from understudy.transformers.generated.coded import PatternCodes
from understudy.transformers.generated.patterns import LENGTH_MAX, Pattern
from understudy.transformers.generated.texts import join, pc
from understudy.transformers.generated.transformer import N_ROWS_ANY

# Maximum share of a postal code's characters that are learned.
SHARE_LEARNED_MAX = 0.6
# Maximum number of place columns, and maximum number of postal code beginnings per place column.
N_PLACES_MAX, N_BEGINNINGS_MAX = 3, 2**17
# Numbers of characters of the compared beginnings, and minimum share of rows, in excess of chance, that must
# have the most frequent beginning for their place. Otherwise, postal codes do not depend on the place.
_N_CHARACTERS_COMPARED, _BEYOND_CHANCE_MIN = (0, 1, 2), 0.1
# Offset of the random stream that chooses a beginning.
_BEGINNING = 1 << 52
_SEED = 0

Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Beginnings:
    """The beginnings of postal codes for each level in a place column.

    Parameters
    ----------
    place : int
        Position of the column in the table.
    n_codes : int
        Number of codes in the column.
    code, pattern, count : array of shape (n_beginnings,)
        For each beginning, the code of the place column (in ascending order), the pattern of the postal code,
        and the number of rows.
    texts : tuple of str
        The leading characters.
    """

    place: int
    n_codes: int
    code: Int64s
    pattern: Int64s
    count: Int64s
    texts: tuple[str, ...]

    def choose(self, codes: Codes, fraction: npt.NDArray[np.float64]) -> Int64s:
        """Return the index of a beginning for each row, or -1 if the code has none.

        Parameters
        ----------
        codes : array of shape (n,)
            Codes of the column.
        fraction : array of shape (n,)
            Random numbers from 0 to 1.
        """
        sums = np.concatenate(([0], np.cumsum(self.count)))
        first = np.searchsorted(self.code, np.arange(self.n_codes))
        last = np.searchsorted(self.code, np.arange(self.n_codes), side="right")
        low, high = sums[first], sums[last]
        target = low[codes] + fraction * (high - low)[codes]
        index = np.searchsorted(sums, target, side="right") - 1
        return np.where(high[codes] > low[codes], np.clip(index, first[codes], last[codes] - 1), -1)

    def to_arrays(self) -> tuple[Json, dict[str, npt.NDArray[Any]]]:
        """Return the beginnings as JSON and arrays."""
        manifest: Json = {"place": self.place, "n_codes": self.n_codes, "texts": list(self.texts)}
        return manifest, {"code": self.code, "pattern": self.pattern, "count": self.count}

    @classmethod
    def from_reader(cls, reader: ArrayReader, patterns: Sequence[Pattern]) -> Self:
        """Load beginnings from the output of `to_arrays`."""
        texts, n_codes = reader.texts("texts"), reader.whole("n_codes", 1, 2**16)
        n = len(texts)
        code = reader.indices("code", np.int64, (n,), 0, n_codes)
        require(bool((np.diff(code) >= 0).all()), "beginnings of postal codes are not in order")
        pattern = reader.indices("pattern", np.int64, (n,), 0, len(patterns))
        is_short = all(len(t) <= len(patterns[p].positions) for t, p in zip(texts, pattern, strict=True))
        require(0 < n <= N_BEGINNINGS_MAX and is_short, "beginnings of postal codes are too long")
        count = reader.indices("count", np.int64, (n,), 1, 2**40)
        return cls(reader.whole("place"), n_codes, code, pattern, count, tuple(texts))


@dataclass(frozen=True)
class PlacedCodes:
    """A generator of postal codes that match the place columns in the same row.

    Parameters
    ----------
    rest : PatternCodes
        Generator of postal codes for rows without a known place, and patterns of all postal codes.
    places : tuple of Beginnings
        Beginnings for each place column, from the most to the least specific.
    codes : mapping of int to array, optional
        Codes in these columns for the generated rows.
    """

    rest: PatternCodes
    places: tuple[Beginnings, ...]
    codes: CodesByColumn | None = None

    @property
    def n_rows_max(self) -> int:
        """The number of rows is not limited."""
        return N_ROWS_ANY

    def given(self, codes: CodesByColumn) -> Self:
        """Return a generator for rows with the given codes in the table's columns."""
        return replace(self, codes=codes)

    def make(self, stream: RowStream) -> ArrowArray:
        """Return a postal code for each row."""
        words = np.empty(len(stream.rows), np.uint64)
        hashing.hash_rows(*RowStream(stream.seed, stream.stream + _BEGINNING, stream.rows).key(), words)
        fraction = (words >> np.uint64(11)).astype(np.float64) * 2.0**-53
        values, pending = self.rest.make(stream), np.ones(len(words), np.bool_)
        for own in self.places:
            if self.codes is None or own.place not in self.codes or not pending.any():
                continue
            chosen = np.where(pending, own.choose(self.codes[own.place], fraction), -1)
            values = self._begin(values, own, chosen, stream)
            pending &= chosen < 0
        return values

    def _begin(self, values: ArrowArray, own: Beginnings, chosen: Int64s, stream: RowStream) -> ArrowArray:
        """Return the values, with new postal codes in rows for which a beginning was chosen."""
        places = [np.flatnonzero(chosen < 0)]
        parts = [values.take(pa.array(places[0], pa.int64()))]
        lengths = np.array([len(text) for text in own.texts])
        beginnings = pa.array(own.texts, pa.large_string())
        shapes = own.pattern * (LENGTH_MAX + 1) + lengths
        for shape in np.unique(shapes[np.unique(chosen[chosen >= 0])]):
            at = np.flatnonzero((chosen >= 0) & (shapes[chosen] == shape))
            pattern, length = divmod(int(shape), LENGTH_MAX + 1)
            written = self.rest.write(pattern, stream, at)
            begun = beginnings.take(pa.array(chosen[at], pa.int64()))
            parts.append(join([begun, pc.utf8_slice_codeunits(written, length, 2**30)], ""))
            places.append(at)
        order = np.argsort(np.concatenate(places), kind="stable")
        return pa.concat_arrays(parts).take(pa.array(order, pa.int64()))

    def describe(self) -> Json:
        """Return the number of patterns, and the number of place columns that the postal codes match."""
        return self.rest.describe() | {"form": "placed", "places": len(self.places)}

    def to_arrays(self) -> tuple[Json, Arrays]:
        """Return the patterns and the beginnings."""
        manifest, arrays = self.rest.to_arrays()
        parts = [own.to_arrays() for own in self.places]
        own: Json = {"form": "placed", "rest": manifest, "places": [part for part, _ in parts]}
        named = {f"place_{i}.{name}": a for i, (_, more) in enumerate(parts) for name, a in more.items()}
        return own, {f"rest.{name}": array for name, array in arrays.items()} | named

    @classmethod
    def from_arrays(cls, kind: ColumnKind, type_: pa.DataType, reader: ArrayReader) -> Self:
        """Load a generator from the output of `to_arrays`."""
        own = reader.part(reader.manifest.get("rest"), reader.prefix + "rest.")
        rest = PatternCodes.from_arrays(kind, type_, own)
        written: Any = reader.manifest.get("places")
        is_list = isinstance(written, list) and 0 < len(written) <= N_PLACES_MAX
        require(is_list, "postal codes have no places or too many")
        places = tuple(
            Beginnings.from_reader(reader.part(entry, f"{reader.prefix}place_{i}."), rest.patterns)
            for i, entry in enumerate(written)
        )
        if pa.types.is_integer(type_):
            is_number = all(text.isdigit() or not text for place in places for text in place.texts)
            require(is_number, "an integer column has characters other than digits")
        return cls(rest, places)


@dataclass(frozen=True)
class LearnedPlace:
    """A learned column of places.

    Parameters
    ----------
    place : int
        Position of the column in the table.
    is_exact : array of shape (n_codes,)
        Mask of the codes that represent one level. Other codes have no beginnings.
    codes : array of shape (n_rows,)
        Codes of the table.
    """

    place: int
    is_exact: Mask
    codes: Codes


def fit_placed(
    rest: PatternCodes,
    values: ArrowArray,
    places: Sequence[LearnedPlace],
    subjects: Subjects | None,
) -> PlacedCodes | None:
    """Return a generator of postal codes that match place columns, or None if no column determines the codes.

    Parameters
    ----------
    rest : PatternCodes
        Generator for the column's postal codes.
    values : array of shape (n_rows,)
        Postal codes of the table as text.
    places : sequence of LearnedPlace
        Columns of places.
    subjects : array of shape (n_rows,), optional
        Subject of each row.
    """
    encoded: Any = values.dictionary_encode()
    index = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    texts = np.array([*encoded.dictionary.to_pylist(), ""], dtype=object)[index]
    pattern = np.append(_patterns_of(rest.patterns, encoded.dictionary), -1)[index]
    units = np.arange(len(values)) if subjects is None else subjects
    found: list[tuple[float, Beginnings]] = []
    for learned in places:
        known = np.flatnonzero((pattern >= 0) & learned.is_exact[learned.codes])
        rows, codes = _Rows(texts[known], pattern[known], units[known]), learned.codes[known].astype(np.int64)
        if len(known) and rows.is_determined_by(codes):
            beginnings = rows.beginnings_of(learned.place, len(learned.is_exact), codes)
            if len(beginnings.texts):
                weights = [len(text) * n for text, n in zip(beginnings.texts, beginnings.count, strict=True)]
                found.append((sum(weights) / max(int(beginnings.count.sum()), 1), beginnings))
    # The place column with the longest beginnings is the most specific column.
    found.sort(key=lambda pair: -pair[0])
    chosen = tuple(beginnings for _, beginnings in found[:N_PLACES_MAX])
    return PlacedCodes(rest, chosen) if chosen else None


def _patterns_of(patterns: Sequence[Pattern], distinct: ArrowArray) -> Int64s:
    """Return the index of the first pattern that fits each text, or -1 if no pattern fits."""
    own = np.full(len(distinct), -1, np.int64)
    alphabets = [[set(map(chr, alphabet.tolist())) for alphabet in p.alphabets] for p in patterns]
    texts: list[str] = [str(text) for text in distinct.to_pylist()]
    for i, text in enumerate(texts):
        for j, sets in enumerate(alphabets):
            if len(sets) == len(text) and all(c in some for c, some in zip(text, sets, strict=True)):
                own[i] = j
                break
    return own


@dataclass(frozen=True)
class _Rows:
    """Postal codes of a table, with their patterns and subjects."""

    texts: npt.NDArray[Any]
    pattern: Int64s
    units: Int64s

    def is_determined_by(self, codes: Int64s) -> bool:
        """Return whether a place predicts the beginning of postal codes better than chance."""
        shuffled = np.random.default_rng(_SEED).permutation(codes)
        return any(
            _share_of_mode(codes, keys) - _share_of_mode(shuffled, keys) >= _BEYOND_CHANCE_MIN
            for keys in (self._keys(n) for n in _N_CHARACTERS_COMPARED)
        )

    def _keys(self, n: int) -> Int64s:
        """Return a number for the pattern and the first n characters of each postal code."""
        begun = [f"{p} {text[:n]}" for p, text in zip(self.pattern, self.texts, strict=True)]
        keys: Int64s = np.unique(np.array(begun), return_inverse=True)[1].astype(np.int64)
        return keys

    def beginnings_of(self, place: int, n_codes: int, codes: Int64s) -> Beginnings:
        """Return, for each level, the longest beginnings that enough rows or subjects share."""
        length = np.array([len(text) for text in self.texts])
        learned_max = np.floor(length * SHARE_LEARNED_MAX).astype(np.int64)
        pending = np.ones(len(self.texts), np.bool_)
        found: list[tuple[int, int, str, int]] = []
        for n in range(int(learned_max.max(initial=0)), -1, -1):
            # An empty beginning is used for places without longer beginnings. It determines only the pattern.
            fits = (learned_max >= n) if n else ~np.isin(codes, [entry[0] for entry in found])
            at = np.flatnonzero(pending & fits)
            if not len(at):
                continue
            keys = self._keys(n)[at]
            groups, own = np.unique(codes[at] << 32 | keys, return_inverse=True)
            is_shared = _count_units(own, self.units[at], len(groups)) >= MIN_SUPPORT
            counts, first = np.bincount(own), np.unique(own, return_index=True)[1]
            for group in np.flatnonzero(is_shared):
                row = at[first[group]]
                entry = int(codes[row]), int(self.pattern[row]), str(self.texts[row])[:n], int(counts[group])
                found.append(entry)
            pending[at[is_shared[own]]] = False
        found.sort()
        columns = [np.array([entry[i] for entry in found], np.int64) for i in (0, 1, 3)]
        texts = tuple(entry[2] for entry in found)
        return Beginnings(place, n_codes, columns[0], columns[1], columns[2], texts)


def _count_units(groups: Int64s, units: Int64s, n: int) -> Int64s:
    """Return the number of distinct subjects in each group."""
    pairs = np.unique(groups.astype(np.int64) * (int(units.max(initial=0)) + 1) + units)
    return np.bincount(pairs // (int(units.max(initial=0)) + 1), minlength=n)


def _share_of_mode(codes: Int64s, keys: Int64s) -> float:
    """Return the share of rows that have the most frequent key for their code."""
    pairs, counts = np.unique(codes << 32 | keys, return_counts=True)
    best = np.zeros(int(codes.max(initial=0)) + 1, np.int64)
    np.maximum.at(best, pairs >> 32, counts)
    return float(best.sum() / max(len(codes), 1))
