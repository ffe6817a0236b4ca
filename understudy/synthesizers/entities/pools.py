"""Pairs of columns with keys from one pool, such as the senders and recipients of payments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from understudy.tables.schema import TableSchema
from understudy.transformers import generated
from understudy.transformers.base import MIN_SUPPORT, ArrowArray, NumberedRows, Transformer
from understudy.transformers.generated.recognition import recognize
from understudy.transformers.generated.transformer import GeneratedTransformer
from understudy.transformers.table import TableTransformer

if TYPE_CHECKING:
    from understudy.synthesizers.entities.detection import FoundGroup
    from understudy.synthesizers.entities.grouping import Places
    from understudy.synthesizers.entities.groups import Entities

# Minimum share of the keys of the column with fewer keys that also occur in the other column.
_SHARED_MIN = 0.5
# Minimum number of possible values per key of the pool.
_CAPACITY_MIN = 100


@dataclass(frozen=True)
class Pool:
    """Two columns with keys from one pool. Each column is the only column of its group.

    Parameters
    ----------
    first, second : int
        Columns. The generator of the first column makes the keys of both.
    n_shared : int
        Number of keys of a period that occur in both columns.
    has_equal : bool
        Whether a row can have the same key in both columns.
    """

    first: int
    second: int
    n_shared: int
    has_equal: bool


def find_pools(
    rows: pa.Table, schema: TableSchema, columns: Sequence[Transformer], found: Sequence[FoundGroup]
) -> tuple[Pool, ...]:
    """Return the pairs of columns that share most of their keys. A column is part of at most one pair."""
    keys = [group.keys[0] for group in found if _is_single(group) and is_poolable(columns[group.keys[0]])]
    pools: list[Pool] = []
    for first, second in () if schema.subject else combinations(sorted(keys), 2):
        taken = {j for pool in pools for j in (pool.first, pool.second)}
        if not {first, second} & taken and _are_alike(columns[first], columns[second]):
            pools += _pool_of(rows, first, second, columns[first])
    return tuple(pools)


def _is_single(group: FoundGroup) -> bool:
    return len(group.keys) == 1 and group.columns == group.keys and not group.labels


def is_poolable(column: Transformer) -> bool:
    """Return whether the values of a column depend only on their numbers."""
    return (
        isinstance(column, GeneratedTransformer)
        and column.n_codes == column.has_values
        and not isinstance(column.generator, generated.Composed | generated.PlacedCodes)
    )


def _are_alike(first: Transformer, second: Transformer) -> bool:
    assert isinstance(first, GeneratedTransformer)
    assert isinstance(second, GeneratedTransformer)
    return (first.arrow_type, first.generated) == (second.arrow_type, second.generated)


def _pool_of(rows: pa.Table, first: int, second: int, column: Transformer) -> Iterator[Pool]:
    assert isinstance(column, GeneratedTransformer)
    one, other = (_distinct(rows, j) for j in (first, second))
    n_shared = int(np.count_nonzero(pc.is_in(one, value_set=other)))
    n_min = max(MIN_SUPPORT, _SHARED_MIN * min(len(one), len(other)))
    n_keys = len(one) + len(other) - n_shared
    if n_shared >= n_min and column.generator.n_rows_max >= _CAPACITY_MIN * n_keys:
        has_equal = pc.any(pc.equal(rows.column(first), rows.column(second))).as_py() is True
        yield Pool(first, second, n_shared, has_equal)


def _distinct(rows: pa.Table, j: int) -> ArrowArray:
    return rows.column(j).combine_chunks().unique()


def with_generators(
    table: TableTransformer, pools: Sequence[Pool], rows: pa.Table, locale: str
) -> TableTransformer:
    """Return a table whose pools generate no key of either column."""
    columns = list(table.columns)
    for pool in pools:
        own = columns[pool.first]
        assert isinstance(own, GeneratedTransformer)
        if not isinstance(own.generator, generated.Personal):
            both = [*rows.column(pool.first).chunks, *rows.column(pool.second).chunks]
            values = pa.chunked_array(both)
            subjects = np.asarray(values.combine_chunks().dictionary_encode().indices).astype(np.int64)
            column = table.schema.columns[pool.first]
            recognition = recognize(column, values)
            if recognition is not None:
                columns[pool.first] = generated.fit_generated(column, values, recognition, locale, subjects)[
                    0
                ]
    return replace(table, columns=tuple(columns))


def with_pools(entities: Entities, rows: NumberedRows, places: Sequence[Places]) -> NumberedRows:
    """Return rows whose keys in the columns of pools are numbered within their pool."""
    labels, sources = dict(rows.of_labels), {}
    for pool in entities.pools:
        groups = [entities.group_of[j] for j in (pool.first, pool.second)]
        first, second = (places[g] for g in groups)
        n_first, n_second = (len(entities.groups[g].grouping.sizes) for g in groups)
        n_keys = n_first + n_second - pool.n_shared
        slots = np.where(second.slots < pool.n_shared, second.slots, second.slots + (n_first - pool.n_shared))
        if not pool.has_equal:
            # A key that would meet itself is replaced with the next key.
            slots = np.where(slots == first.slots, (slots + 1) % pool.n_shared, slots)
        for own, n, j, slot in (
            (first, n_first, pool.first, first.slots),
            (second, n_second, pool.second, slots),
        ):
            period = own.numbers // np.uint64(n)
            labels[j] = period * np.uint64(n_keys) + slot.astype(np.uint64)
        sources[pool.second] = pool.first
    return replace(rows, of_labels=labels, sources=sources)
