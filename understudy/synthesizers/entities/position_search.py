"""Search for columns that number an entity's rows, or have a different value in each of its rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from understudy.synthesizers.entities.detection import FoundGroup
from understudy.synthesizers.entities.groups import ROWS, Entities
from understudy.synthesizers.entities.positions import N_COMBINATIONS_MAX, Counter, Distinct, Int64s, Position
from understudy.transformers.base import MIN_SUPPORT, N_CODES_MAX, ArrowColumn, Codes
from understudy.transformers.table import TableTransformer

# Minimum number of pairs of rows that would share a value within an entity if the values were independent.
N_EXPECTED_MIN = 10.0
# Number of largest entities that are checked first, and maximum number of their rows.
N_ENTITIES_FIRST, N_ROWS_FIRST = 50, 2000


@dataclass(frozen=True)
class FittedRows:
    """Rows of a table, with the transformers and codes of its columns."""

    rows: pa.Table
    transformer: TableTransformer
    codes: Sequence[Codes]


def find_positions(
    table: FittedRows, entities: Entities, found: list[FoundGroup], excluded: set[str]
) -> tuple[Position, ...]:
    """Return at most one `Counter` and one `Distinct` for each group whose units are rows.

    Parameters
    ----------
    table : FittedRows
        Rows and their codes.
    entities : Entities
        Entities of the table.
    found : list of FoundGroup
        Entity of each row, for each group.
    excluded : set of str
        Names of columns that are computed from other columns.
    """
    names = table.transformer.schema.names
    positions: list[Position] = []
    for g, own in enumerate(found):
        if own.source != ROWS or not own.keys:
            continue
        free = [
            j
            for j in range(min(len(names), len(table.rows.column_names)))
            if j not in entities.group_of
            and names[j] not in excluded
            and not any(j in position.columns for position in positions)
        ]
        sizes = np.bincount(own.entities)
        n_pairs = float((sizes * (sizes - 1) / 2).sum())
        if n_pairs < N_EXPECTED_MIN:
            continue
        counter = next(_find_counters(table, g, own, free), None)
        if counter is not None:
            positions.append(counter)
            free.remove(counter.column)
        distinct = next(_find_values(table, g, own, free), None)
        if distinct is not None:
            positions.append(distinct)
    return tuple(positions)


def _find_counters(table: FittedRows, g: int, own: FoundGroup, free: list[int]) -> Iterator[Counter]:
    sizes = np.bincount(own.entities)
    for j in free:
        if (first := _find_counter(table.rows.column(j), own.entities, sizes)) is not None:
            yield Counter(g, j, first, np.zeros(1, np.uint16))


def _find_values(table: FittedRows, g: int, own: FoundGroup, free: list[int]) -> Iterator[Distinct]:
    sizes = np.bincount(own.entities)
    n_pairs = float((sizes * (sizes - 1) / 2).sum())
    countable = [j for j in free if _is_countable(table, j)]
    largest = np.flatnonzero(np.isin(own.entities, np.argsort(-sizes)[:N_ENTITIES_FIRST]))[:N_ROWS_FIRST]
    for columns in (*((j,) for j in countable), *combinations(countable, 2)):
        if not _are_distinct(own.entities[largest], [table.codes[j][largest] for j in columns]):
            continue
        distinct = _find_distinct(table, g, own.entities, columns)
        if distinct is not None and n_pairs * _chance(distinct.counts) >= N_EXPECTED_MIN:
            yield distinct


def _are_distinct(entities: Int64s, codes: Sequence[npt.NDArray[Any]]) -> bool:
    """Return whether no two rows of an entity have equal codes."""
    cells = entities
    for own in codes:
        cells = cells * N_CODES_MAX + own
    return len(np.unique(cells)) == len(cells)


def _find_counter(values: ArrowColumn, entities: Int64s, sizes: Int64s) -> int | None:
    """Return the first number if a column numbers the rows of every entity from the same number, or None."""
    if not pa.types.is_integer(values.type) or values.null_count or (sizes > 1).sum() < MIN_SUPPORT:
        return None
    numbers = values.to_numpy().astype(np.int64)
    first = int(numbers.min())
    # Only the last row of the largest entity can have the highest number.
    if int(numbers.max()) - first != int(sizes.max()) - 1:
        return None
    order = np.lexsort((numbers, entities))
    ranks = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return first if np.array_equal(numbers[order] - first, ranks) else None


def _is_countable(table: FittedRows, j: int) -> bool:
    transformer = table.transformer.columns[j]
    is_whole = bool(transformer.is_exact.all()) and not getattr(transformer, "has_missing", False)
    return is_whole and 1 < transformer.n_codes <= N_COMBINATIONS_MAX


def _find_distinct(table: FittedRows, g: int, entities: Int64s, columns: tuple[int, ...]) -> Distinct | None:
    stacked = np.stack([table.codes[j] for j in columns], axis=1)
    found, cell, counts = np.unique(stacked, axis=0, return_inverse=True, return_counts=True)
    cell = cell.reshape(-1)
    n_largest = int(np.bincount(entities).max())
    if not n_largest <= len(found) <= N_COMBINATIONS_MAX or counts.min() < MIN_SUPPORT:
        return None
    if not _are_distinct(entities, [cell]):
        return None
    order = np.argsort(entities, kind="stable")
    is_same = entities[order][1:] == entities[order][:-1]
    is_sorted = bool((np.diff(cell[order])[is_same] > 0).all())
    return Distinct(g, columns, found.astype(np.uint16), counts.astype(np.int64), is_sorted)


def _chance(counts: Int64s) -> float:
    """Return the probability that two independent rows have the same combination."""
    shares = counts / counts.sum()
    return float((shares**2).sum())
