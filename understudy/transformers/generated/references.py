"""Find columns with values that an identifier contains in nearly all rows."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from understudy.transformers.base import ArrowArray, ArrowColumn
from understudy.transformers.generated.locations import N_MARKS_MAX, Location, locate
from understudy.transformers.generated.renderings import Rendering, renderings_of

# Number of rows to compare, and number of rows for the initial quick check.
N_ROWS_COMPARED, N_ROWS_FIRST = 1_000, 24
# Minimum number of rows with both values.
N_ROWS_MIN = 20
# Minimum share of rows that agree, and maximum number of rows that disagree, as a fraction of the number that
# disagree after the values are shuffled.
AGREEMENT_MIN, BEYOND_CHANCE_MAX = 0.99, 0.2
# Minimum number of rows that disagree after the values are shuffled.
N_INFORMATIVE_MIN = 10
_SEED = 0

Texts = list[str]


@dataclass(frozen=True)
class Reference:
    """A part of an identifier that is a value from another column.

    Parameters
    ----------
    column : str
        Name of the other column.
    rendering : Rendering
        Form in which the identifier contains the value.
    fallback : str
        Text for rows where the other column has no value.
    """

    column: str
    rendering: Rendering
    fallback: str


@dataclass(frozen=True)
class Part:
    """A reference with its location in the identifier, and properties of its values.

    Parameters
    ----------
    place : int
        Position of the other column in the table.
    reference : Reference
        The reference to the other column.
    location : Location
        Location of the value in the identifier.
    mean_width : float
        Mean number of characters in a value.
    n_distinct : int
        Number of distinct values in the compared rows.
    is_number : bool
        Whether all texts consist of digits.
    """

    place: int
    reference: Reference
    location: Location
    mean_width: float
    n_distinct: int
    is_number: bool


class Sampled:
    """Sampled rows for comparing columns. The rows are spread over all rows that have an identifier."""

    def __init__(self, identifier: ArrowColumn) -> None:
        present = np.flatnonzero(np.asarray(identifier.is_valid(), np.bool_))
        n = len(present)
        self.rows = present[np.unique(np.linspace(0, n - 1, min(n, N_ROWS_COMPARED)).astype(np.int64))]
        self.texts: Texts = [str(text) for text in self.take(identifier).cast(pa.large_string()).to_pylist()]
        # A subset of the rows is checked first. The subset is random because neighboring rows are often
        # alike.
        self.first = np.random.default_rng(_SEED).permutation(len(self.rows))[:N_ROWS_FIRST]
        self.first_texts = [self.texts[i] for i in self.first]

    def take(self, column: ArrowColumn) -> ArrowArray:
        """Return the values of a column in the sampled rows."""
        return _taken(column, self.rows)

    def take_first(self, column: ArrowColumn) -> ArrowArray:
        """Return the values of a column in the rows that are checked first."""
        return _taken(column, self.rows[self.first])


def _taken(column: ArrowColumn, rows: npt.NDArray[np.int64]) -> ArrowArray:
    taken: Any = column.take(pa.array(rows, pa.int64()))
    return pa.concat_arrays(taken.chunks) if taken.num_chunks != 1 else taken.chunk(0)


def _has_whole_numbers(values: ArrowArray) -> bool:
    """Return whether all numbers are whole numbers. Identifiers contain no decimals."""
    if not pa.types.is_floating(values.type):
        return True
    numbers = values.drop_null().to_numpy(zero_copy_only=False)
    return bool((numbers == np.floor(numbers)).all())


def find_parts(identifier: ArrowColumn, others: Iterable[tuple[int, str, ArrowColumn]]) -> Candidates:
    """Return the parts of an identifier that are values of other columns. The parts may overlap.

    Parameters
    ----------
    identifier : ChunkedArray
        Values of the identifier.
    others : iterable of (int, str, ChunkedArray)
        Position, name and values of the other columns.
    """
    sampled = Sampled(identifier)
    if len(sampled.rows) < N_ROWS_MIN:
        return Candidates([], [])
    found = [part for place, name, column in others for part in _parts_of(sampled, place, name, column)]
    # Longer parts explain more of the identifier. The order of columns and renderings breaks ties.
    found.sort(key=lambda part: -part.mean_width)
    return Candidates(found, sampled.texts)


@dataclass(frozen=True)
class Candidates:
    """Candidate parts of an identifier in order of preference, and the identifiers in some rows."""

    parts: list[Part]
    texts: Texts

    def choose(self) -> list[Part]:
        """Return parts that do not overlap."""
        chosen: list[Part] = []
        for part in self.parts:
            if len(chosen) < N_MARKS_MAX and not _overlaps(part, chosen, self.texts):
                chosen.append(part)
        return chosen

    def without(self, place: int) -> Candidates:
        """Return the parts that are not values of the column at the given position."""
        return Candidates([part for part in self.parts if part.place != place], self.texts)


def _overlaps(part: Part, chosen: Sequence[Part], texts: Texts) -> bool:
    for text in texts[:: max(len(texts) // 50, 1)]:
        span = part.location.find(text)
        for other in chosen:
            taken = other.location.find(text)
            if span and taken and span[0] < taken[1] and taken[0] < span[1]:
                return True
    return False


def _parts_of(sampled: Sampled, place: int, name: str, column: ArrowColumn) -> Iterator[Part]:
    first = sampled.take_first(column)
    if not _has_whole_numbers(first):
        return
    values: ArrowArray | None = None
    confirmed: list[tuple[str, ...]] = []
    is_core_contained: dict[Rendering, bool] = {}
    for rendering in renderings_of(column.type):
        core = rendering.core
        if core not in is_core_contained:
            is_core_contained[core] = _are_contained(sampled.first_texts, core.write(first).to_pylist())
        if not is_core_contained[core]:
            continue
        written = tuple(text or "" for text in rendering.write(first).to_pylist())
        # A text within a longer text that the identifier contains adds no evidence.
        is_new = not any(all(map(operator.contains, longer, written)) for longer in confirmed)
        if not is_new or not _seems_contained(sampled.first_texts, written):
            continue
        values = sampled.take(column) if values is None else values
        part = _confirmed(sampled.texts, values, Reference(name, rendering, ""), place)
        if part is not None:
            confirmed.append(written)
            yield part


def _seems_contained(texts: Sequence[str], values: Sequence[str]) -> bool:
    """Return whether all texts, except at most one, contain the value of their row at the same location."""
    if not _are_contained(texts, values):
        return False
    pairs = [(text, value) for text, value in zip(texts, values, strict=True) if value]
    located = locate([text for text, _ in pairs], [value for _, value in pairs])
    return bool(located) and located[0][1] >= len(pairs) - 1


def _are_contained(texts: Sequence[str], values: Sequence[str | None]) -> bool:
    n = sum(bool(value) for value in values)
    n_contained = sum(value in text for text, value in zip(texts, values, strict=True) if value)
    return n > 0 and n_contained >= n - 1


def _confirmed(texts: Texts, values: ArrowArray, reference: Reference, place: int) -> Part | None:
    """Return the part if nearly all texts contain their value at the same location, not just by chance."""
    written = reference.rendering.write(values).to_pylist()
    pairs = [(text, value) for text, value in zip(texts, written, strict=True) if value]
    n = len(pairs)
    if n < N_ROWS_MIN:
        return None
    own, rendered = [text for text, _ in pairs], [value for _, value in pairs]
    order = np.random.default_rng(_SEED).permutation(n)
    for location, n_agreeing in locate(own, rendered)[:8]:
        if n_agreeing < AGREEMENT_MIN * n:
            return None
        spans = [location.find(text) for text in own]
        cut = [text[slice(*span)] if span else "" for text, span in zip(own, spans, strict=True)]
        n_chance = sum(cut[i] == rendered[j] for i, j in enumerate(order))
        if n - n_chance >= N_INFORMATIVE_MIN and n - n_agreeing <= BEYOND_CHANCE_MAX * (n - n_chance):
            texts_found = set(rendered)
            return Part(
                place,
                Reference(reference.column, reference.rendering, _fallback(rendered)),
                location,
                sum(map(len, rendered)) / n,
                len(texts_found),
                all(text.isdigit() for text in texts_found),
            )
    return None


def _fallback(rendered: Texts) -> str:
    """Return a text of zeros with the most frequent length, for rows where the other column has no value."""
    lengths = np.bincount([len(text) for text in rendered])
    return "0" * int(lengths.argmax())
