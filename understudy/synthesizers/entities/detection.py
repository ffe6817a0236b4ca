"""Search for the columns that identify entities, and for the columns that are constant within an entity.

A generated column with repeated values identifies entities. A column belongs to the coarsest group of
entities that determines it in every row. Each row with a missing key is a separate entity.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from understudy.synthesizers.entities.groups import ROWS
from understudy.synthesizers.entities.keys import KeyColumn
from understudy.synthesizers.entities.persistence import N_ROWS_FIRST, changes_rarely, persists
from understudy.tables.schema import ColumnKind, TableSchema
from understudy.transformers.base import ArrowColumn

# Maximum ratio of entity combinations to rows. Above this ratio, the combinations do not form a group.
COMBINED_MAX = 0.95
# Minimum surprise, in nats, that a column has one value per entity. The surprise is computed under the
# assumption that rows are independent.
SURPRISE_MIN = 5.0
# Maximum share of rows that differ from the most frequent value of their entity: absolute, and relative to
# the share expected for independent rows. The first row of each entity is not counted.
OTHERS_MAX, OTHERS_RELATIVE_MAX = 0.05, 0.1
# The first test of such a column uses 1 / `N_PARTS` of the rows.
N_PARTS = 8
# Rows that are used for the first test of whether a column has one value per entity.
_FIRST = slice(0, 4096)

# Maximum number of rows in an entity if the rows depend on each other. All rows of an entity are sampled
# together.
N_ROWS_MAX = 4096
# Kinds of columns that are learned instead of generated.
LEARNED = {
    ColumnKind.category,
    ColumnKind.boolean,
    ColumnKind.integer,
    ColumnKind.float,
    ColumnKind.decimal,
    ColumnKind.date,
}

Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True)
class FoundGroup:
    """Entities of one kind that were found in a table.

    Parameters
    ----------
    keys, columns, labels : tuple of int
        See `EntityGroup`.
    values : array of shape (n_rows,)
        Value of the key in each row, or -1 for a missing key.
    entities : array of shape (n_rows,)
        Entity of each row, from 0. Each row with a missing key is a separate entity.
    source, n_parts : int
        See `EntityGroup`.
    changing : tuple of int
        Columns that rarely change within an entity.
    """

    keys: tuple[int, ...]
    values: Int64s
    columns: tuple[int, ...] = ()
    labels: tuple[int, ...] = ()
    entities: Int64s = field(default_factory=lambda: np.zeros(0, np.int64))
    source: int = ROWS
    n_parts: int = 1
    changing: tuple[int, ...] = ()

    @property
    def n_values(self) -> int:
        """Number of distinct keys that are not missing."""
        return int(self.values.max(initial=-1)) + 1


def make_groups(table: pa.Table, schema: TableSchema, keys: Sequence[KeyColumn]) -> list[FoundGroup]:
    """Return the groups of entities that the given keys identify, each after the group that is its source."""
    groups = _divide(_nest(_merge(keys), table.num_rows))
    return _assign(table, _with_changing(table, schema, groups))


def candidates(found: Sequence[FoundGroup]) -> Iterator[int]:
    """Yield the groups whose units are rows or combinations of entities, fewest entities first."""
    for g in sorted(range(len(found)), key=lambda own: found[own].n_values):
        source = found[g].source
        while source != ROWS and not found[source].keys:
            source = found[source].source
        sizes = np.bincount(found[g].entities)
        if source == ROWS and found[g].keys and sizes.max() <= N_ROWS_MAX:
            yield g


def _with_changing(table: pa.Table, schema: TableSchema, groups: list[FoundGroup]) -> list[FoundGroup]:
    """Return the groups, and add the columns that rarely change to the first group that has such columns."""
    keys = {j for group in groups for j in group.keys}
    learned = [j for j, own in enumerate(schema.columns) if own.kind in LEARNED and j not in keys]
    for g in candidates(groups):
        entities = groups[g].entities
        order = np.argsort(entities, kind="stable")
        first = order[:N_ROWS_FIRST]
        rare = [
            j for j in learned if changes_rarely(number_values(table.column(j).take(first)), entities[first])
        ]
        changing = tuple(j for j in rare if persists(number_values(table.column(j)), entities, order))
        if changing:
            return [replace(own, changing=changing) if i == g else own for i, own in enumerate(groups)]
    return groups


def _merge(keys: Sequence[KeyColumn]) -> list[FoundGroup]:
    """Return one group for each set of keys that determine each other, the finest group first.

    A key that corresponds almost one to one to a finer key, such as a customer's name, gets no group here.
    `_assign` treats this key like any other column.
    """
    groups: list[FoundGroup] = []
    for key in sorted(keys, key=lambda own: (-own.n_values, own.n_missing, own.preference)):
        owner = next(
            (
                g
                for g, group in enumerate(groups)
                if key.n_values > key.nested_max * group.n_values and is_label(key.values, group.values)
            ),
            None,
        )
        if owner is None:
            groups.append(FoundGroup(key.columns, key.values, n_parts=len(key.columns)))
        elif is_label(groups[owner].values, key.values):
            groups[owner] = replace(groups[owner], keys=groups[owner].keys + key.columns)
    return groups


def _nest(groups: list[FoundGroup], n_rows: int) -> list[FoundGroup]:
    """Set the source of each group. If combinations of entities repeat, add a group for the combinations."""
    roots = [
        own
        for own in groups
        if not any(is_determined(own.values, other.values) for other in groups if other is not own)
    ]
    if len(roots) > 1:
        combined = np.zeros(n_rows, np.int64)
        for root in roots:
            combined = np.unique(combined * (root.n_values + 1) + root.values, return_inverse=True)[1]
        if combined.max() + 1 <= COMBINED_MAX * n_rows:
            groups = [FoundGroup((), combined.astype(np.int64)), *groups]
    sources = [
        max((g for g in range(i) if is_determined(own.values, groups[g].values)), default=ROWS)
        for i, own in enumerate(groups)
    ]
    return [replace(own, source=source) for own, source in zip(groups, sources, strict=True)]


def _divide(groups: list[FoundGroup]) -> list[FoundGroup]:
    """Set the entity of each row. All rows of a source entity belong to the same entity."""
    divided: list[FoundGroup] = []
    for own in groups:
        is_missing = own.values < 0
        units = np.arange(len(own.values)) if own.source == ROWS else divided[own.source].entities
        entities = np.where(is_missing, own.n_values + units, own.values)
        divided.append(replace(own, entities=np.unique(entities, return_inverse=True)[1].astype(np.int64)))
    return divided


def _assign(table: pa.Table, groups: list[FoundGroup]) -> list[FoundGroup]:
    """Set the columns and labels of each group."""
    first_rows = [first_rows_of(group.entities) for group in groups]
    keys = {j: g for g, group in enumerate(groups) for j in group.keys}
    changing = {j for group in groups for j in group.changing}
    owners: dict[int, int] = {}
    labels: dict[int, int] = {}
    for j, column in enumerate(table.columns):
        if j in changing:
            continue
        values = number_values(column)
        owner = keys.get(j, ROWS)
        if owner == ROWS:
            owner = _owner(values, groups, first_rows, is_exact=True)
            if owner == ROWS or not groups[owner].keys:
                nearly = _owner(values, groups, first_rows, is_exact=False)
                owner = owner if nearly == ROWS else nearly
        elif not is_same(values, groups[owner], first_rows[owner]):
            labels[j] = owner
            continue
        if owner != ROWS:
            owners[j] = owner
    return [
        replace(
            group,
            columns=tuple(j for j, owner in owners.items() if owner == g),
            labels=tuple(j for j, owner in labels.items() if owner == g),
        )
        for g, group in enumerate(groups)
    ]


def is_same(values: Int64s, group: FoundGroup, first_rows: Int64s) -> bool:
    """Return whether a column has the same value in all rows of every entity."""
    own = values[first_rows]
    # If the column varies within entities, it usually does so in the first rows already.
    return all((own[group.entities[part]] == values[part]).all() for part in (_FIRST, slice(None)))


def is_nearly_same(values: Int64s, group: FoundGroup) -> bool:
    """Return whether nearly all rows of each entity share one value, far more than expected by chance.

    An example is the address of a customer who moved. The column is then sampled once for each entity.
    Otherwise, it would vary from row to row.
    """
    sizes = np.bincount(group.entities)
    n_repeats = int((sizes - 1).sum())
    # The first entities usually contain enough other values to reject the column.
    some = group.entities <= np.searchsorted(np.cumsum(sizes), len(values) // N_PARTS)
    if _count_others(values[some], group.entities[some]) > OTHERS_MAX * n_repeats:
        return False
    shares = np.bincount(values) / len(values)
    n_expected = n_repeats * (1 - float((shares**2).sum()))
    limit = min(OTHERS_MAX * n_repeats, OTHERS_RELATIVE_MAX * n_expected)
    return _count_others(values, group.entities) <= limit


def _count_others(values: Int64s, entities: Int64s) -> int:
    """Return how many rows do not have the most frequent value of their entity."""
    n_values = int(values.max(initial=0)) + 1
    cells, counts = np.unique(entities * n_values + values, return_counts=True)
    most = np.zeros(int(entities.max(initial=0)) + 1, np.int64)
    np.maximum.at(most, cells // n_values, counts)
    return len(values) - int(most.sum())


def _owner(values: Int64s, groups: list[FoundGroup], first_rows: list[Int64s], *, is_exact: bool) -> int:
    """Return the coarsest group that determines a column, exactly or nearly and not by chance, or `ROWS`."""
    rows = np.arange(len(values))
    owner, units = ROWS, rows
    for g, (group, first) in enumerate(zip(groups, first_rows, strict=True)):
        is_nested = owner == ROWS or owner in _finer(groups, g)
        # If two unrelated kinds of entities, such as users and IP addresses, both determine a column, the
        # column belongs to the kind with fewer entities.
        if not is_nested and len(first) >= len(units):
            continue
        if not (is_same(values, group, first) if is_exact else is_nearly_same(values, group)):
            continue
        own_units = units if is_nested else rows
        n_repeats = len(own_units) - len(first)
        shares = np.bincount(values[own_units]) / len(own_units)
        if n_repeats and n_repeats * -np.log(float((shares**2).sum())) >= SURPRISE_MIN:
            owner, units = g, first
    return owner


def _finer(groups: list[FoundGroup], g: int) -> list[int]:
    """Return the finer groups that determine a group."""
    finer = []
    while groups[g].source != ROWS:
        g = groups[g].source
        finer.append(g)
    return finer


def number_values(column: ArrowColumn) -> Int64s:
    """Return a number for each distinct value of a column. All missing values have the same number."""
    encoded = column.combine_chunks().dictionary_encode(null_encoding="encode")
    return np.asarray(encoded.indices.to_numpy(zero_copy_only=False)).astype(np.int64)


def first_rows_of(entities: Int64s) -> Int64s:
    """Return the first row of each entity."""
    first = np.zeros(int(entities.max(initial=-1)) + 1, np.int64)
    # The assignments run in reverse order, so the first row of each entity is assigned last and prevails.
    first[entities[::-1]] = np.arange(len(entities))[::-1]
    return first


def is_label(values: Int64s, by: Int64s) -> bool:
    """Return whether one key determines another key in all rows where the other key is present."""
    present = values >= 0
    return is_determined(values[present], by[present])


def is_determined(values: Int64s, by: Int64s) -> bool:
    """Return whether rows with equal `by` have equal values. A missing value counts as a value."""
    present = by >= 0
    own, other = values[present], by[present]
    first = np.zeros(int(other.max(initial=0)) + 1, np.int64)
    first[other[::-1]] = own[::-1]
    return bool((first[other] == own).all())
