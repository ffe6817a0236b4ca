"""The groups of columns that belong to entities, such as customers, orders or IP addresses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from understudy.synthesizers.entities.positions import Allows, Counter, Position
from understudy.tables.schema import TableSchema
from understudy.transformers.base import ArrowArray, Codes, NumberedRows, RowNumbers, Transformer
from understudy.transformers.categorical import CategoricalTransformer

if TYPE_CHECKING:
    from understudy.synthesizers.entities.grouping import Grouping, Places
    from understudy.synthesizers.entities.sequences import Sequences
    from understudy.synthesizers.entities.sorted_columns import SortedColumn

# Maximum number of groups in a model file.
N_GROUPS_MAX = 256
# Source of a group whose units are rows.
ROWS = -1

NOT_DIVIDED: Mapping[int, Grouping] = {}


@dataclass(frozen=True)
class EntityGroup:
    """Entities of one kind.

    Parameters
    ----------
    keys : tuple of int
        Columns that identify an entity. Empty if the entities are combinations of entities of other groups.
    columns : tuple of int
        Columns that are sampled once for each entity.
    labels : tuple of int
        Generated columns that have only one value within an entity, apart from missing values.
    source : int
        Index of the finer group if its entities are the units, or `ROWS` if the units are rows.
    grouping : Grouping
        Grouping of the units into entities.
    known_codes : mapping of int to array of shape (n_entities,)
        Codes of columns that are known for each entity of a period, such as whether the key is missing.
    n_parts : int
        Number of leading keys that identify an entity only in combination. Each remaining key alone
        identifies an entity.
    distinct : tuple of int
        Categories that have a separate made-up level for each entity of a period.
    """

    keys: tuple[int, ...]
    columns: tuple[int, ...]
    labels: tuple[int, ...]
    source: int
    grouping: Grouping
    known_codes: Mapping[int, Codes] = field(default_factory=dict)
    n_parts: int = 1
    distinct: tuple[int, ...] = ()


@dataclass(frozen=True)
class Entities:
    """All groups of a table, each after its source group, and the positions of rows within entities.

    `sorted_columns` contains the columns that ascend or descend within an entity. `sequences` contains the
    columns that are computed by adding up steps.
    """

    groups: tuple[EntityGroup, ...] = ()
    positions: tuple[Position, ...] = ()
    sorted_columns: tuple[SortedColumn, ...] = ()
    sequences: Sequences | None = None

    @cached_property
    def group_of(self) -> dict[int, int]:
        """Group of each column that is sampled once for each entity."""
        return {j: g for g, group in enumerate(self.groups) for j in group.columns}

    @cached_property
    def label_of(self) -> dict[int, int]:
        """Group of each generated column that has one value per entity but may be missing in some rows."""
        return {j: g for g, group in enumerate(self.groups) for j in group.labels}

    def coarser(self, g: int) -> Iterator[int]:
        """Yield the groups that a group determines, directly or indirectly."""
        for other, group in enumerate(self.groups):
            if group.source == g:
                yield other
                yield from self.coarser(other)

    def visible(self, j: int) -> set[int] | None:
        """Return the columns that a column may depend on, or None if it may depend on all columns."""
        if j not in self.group_of:
            return None
        own = self.group_of[j]
        return {c for g in (own, *self.coarser(own)) for c in self.groups[g].columns}

    def sees(self, j: int, other: int) -> bool:
        """Return whether a column may depend on another column."""
        visible = self.visible(j)
        return visible is None or other in visible

    def draw_order(self) -> list[int]:
        """Return the groups in sampling order, the coarsest first."""
        ordered: list[int] = []
        for g in range(len(self.groups)):
            ordered += [c for c in (*list(self.coarser(g))[::-1], g) if c not in ordered]
        return ordered

    def rank(self, j: int) -> tuple[int, int]:
        """Return a sort key for the sampling order: by the rank of the group, with known columns first.

        Columns of single rows come last. Among them, positions within entities come first, followed by the
        steps of sequences.
        """
        g = self.group_of.get(j, ROWS)
        if g != ROWS:
            return self._ranks[g], int(j not in self.groups[g].known_codes)
        if any(j in position.columns for position in self.positions):
            return len(self.groups), 0
        if self.sequences is not None and j in self.sequences.hidden:
            return len(self.groups), 1 + (j != self.sequences.rank)
        is_known = self.sequences is not None and j in self.sequences.values
        return len(self.groups), 3 if is_known else 4

    @cached_property
    def _ranks(self) -> dict[int, int]:
        return {g: rank for rank, g in enumerate(self.draw_order())}

    def places(self, rows: RowNumbers, seed: int) -> list[Places]:
        """Return the entity of each row, for each group."""
        found: list[Places] = []
        for g, group in enumerate(self.groups):
            units = rows if group.source == ROWS else found[group.source].numbers
            found.append(group.grouping.find(units, seed, g))
        return found

    def rows_of(self, g: int, numbers: RowNumbers, seed: int) -> RowNumbers:
        """Return all rows of the entities with the given numbers."""
        group = self.groups[g]
        units, _ = group.grouping.units_of(numbers, seed, g)
        return units if group.source == ROWS else self.rows_of(group.source, units, seed)

    def levels(self, places: list[Places]) -> dict[int, npt.NDArray[np.int32]]:
        """Return the levels of the columns that have a separate level for each entity."""
        return {
            j: places[g].slots.astype(np.int32) for g, group in enumerate(self.groups) for j in group.distinct
        }

    def extend(self, owners: Mapping[int, int]) -> Entities:
        """Return the entities extended by further columns, given the group of each further column."""
        groups = [
            replace(group, columns=group.columns + tuple(j for j, owner in owners.items() if owner == g))
            for g, group in enumerate(self.groups)
        ]
        return replace(self, groups=tuple(groups))

    def first_rows(
        self, places: list[Places], seed: int, divided: Mapping[int, Grouping] = NOT_DIVIDED
    ) -> list[RowNumbers]:
        """Return, for each group, a number for each entity that does not exceed the number of its first row.

        Different entities have different numbers. In contrast to `Places.numbers`, the first n rows have
        numbers below n, even if the rows of entities are permuted.

        Parameters
        ----------
        divided : mapping of int to Grouping
            Replacement groupings for some groups, by group index.
        """
        numbers = []
        for g, own in enumerate(places):
            grouping = divided.get(g, self.groups[g].grouping)
            numbers.append(
                self._first_rows_of(g, own.numbers, grouping, seed) if self._is_permuted(g) else own.numbers
            )
        return numbers

    def _is_permuted(self, g: int) -> bool:
        group = self.groups[g]
        return bool(group.grouping.n_windows) or (group.source != ROWS and self._is_permuted(group.source))

    def _first_rows_of(self, g: int, numbers: RowNumbers, grouping: Grouping, seed: int) -> RowNumbers:
        distinct, entity = np.unique(numbers, return_inverse=True)
        units, starts = grouping.units_of(distinct, seed, g)
        source = self.groups[g].source
        if source != ROWS:
            units = self._first_rows_of(source, units, self.groups[source].grouping, seed)
        first: RowNumbers = np.minimum.reduceat(units, starts)[entity]
        return first

    def with_numbers(
        self, rows: RowNumbers, numbers: list[RowNumbers], places: list[Places] | None = None
    ) -> NumberedRows:
        """Return the rows. In the columns of each group, the given entity numbers replace the row numbers.

        Parameters
        ----------
        places : list of Places, optional
            Entities of the rows. If omitted, no column has a separate level for each entity.
        """
        of_columns, of_labels = (
            {j: numbers[g] for j, g in owners.items()} for owners in (self.group_of, self.label_of)
        )
        levels = {} if places is None else self.levels(places)
        return NumberedRows(rows, of_columns, of_labels, levels)

    def codes_of_positions(
        self, places: list[Places], seed: int, attempt: int = 0, allows: Allows | None = None
    ) -> dict[int, Codes]:
        """Return the codes of the columns that a row's position within its entity determines.

        Parameters
        ----------
        attempt : int
            Number of earlier attempts that did not yield a valid row.
        allows : callable, optional
            Function that finds the combinations of values that satisfy the rules.
        """
        codes: dict[int, Codes] = {}
        for position in self.positions:
            sizes = self.groups[position.group].grouping.sizes
            codes |= position.draw(places[position.group], sizes, seed, attempt, allows)
        return codes

    @property
    def distinct_columns(self) -> frozenset[int]:
        """Columns whose values are distinct within an entity, except for columns that number the rows."""
        own = [position.columns for position in self.positions if not isinstance(position, Counter)]
        return frozenset(j for columns in own for j in columns)

    def numbers_of_counters(self, places: list[Places], schema: TableSchema) -> dict[str, ArrowArray]:
        """Return the columns that number the rows of an entity, by name."""
        types = schema.to_arrow()
        return {
            types.names[position.column]: position.values(
                places[position.group], types.field(position.column).type
            )
            for position in self.positions
            if isinstance(position, Counter)
        }


NO_ENTITIES = Entities()


def has_level_for_each(column: Transformer, n_entities: int) -> bool:
    """Return whether a categorical column has only made-up levels, exactly one per entity."""
    if not isinstance(column, CategoricalTransformer) or column.has_missing:
        return False
    return column.n_made_up == len(column.levels) == n_entities
