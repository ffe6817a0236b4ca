"""Row order within an entity, such as visits sorted by date."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from understudy.synthesizers.entities.detection import FoundGroup, Int64s
from understudy.synthesizers.entities.grouping import Places
from understudy.synthesizers.entities.groups import Entities
from understudy.synthesizers.entities.order_search import Order, find_order
from understudy.synthesizers.entities.positions import Counter
from understudy.synthesizers.entities.sorted_columns import SortedColumn
from understudy.synthesizers.tree_chain.difference_columns import DrawnTable
from understudy.synthesizers.tree_chain.rule_enforcement import RuleEnforcer
from understudy.transformers.base import NumberedRows, RowNumbers
from understudy.transformers.generated.transformer import N_ROWS_ANY, GeneratedTransformer
from understudy.transformers.numeric import NumericTransformer
from understudy.transformers.table import Drawn, TableTransformer


def find_row_order(drawn: DrawnTable, found: list[FoundGroup]) -> Order | None:
    """Return the columns that ascend or descend within entities."""
    return find_order(drawn.rows, found, _free_columns(drawn)) if found else None


def _free_columns(drawn: DrawnTable) -> list[int]:
    """Return the numeric columns of single rows that may be sorted, with times first."""
    names, entities = drawn.transformer.schema.names, drawn.entities
    taken = {j for position in entities.positions for j in position.columns} | set(entities.group_of)
    hidden = {*drawn.rules.derived, *drawn.sizes, *(measured.name for measured in drawn.rules.measured)}
    free = [
        j
        for j, transformer in enumerate(drawn.transformer.columns[: len(drawn.rows.column_names)])
        if isinstance(transformer, NumericTransformer) and j not in taken and names[j] not in hidden
    ]
    return sorted(free, key=lambda j: not pa.types.is_temporal(drawn.rows.schema.field(j).type))


def add_sorted_columns(drawn: DrawnTable, order: Order | None, enforcer: RuleEnforcer) -> DrawnTable:
    """Return the table with its sorted columns, which are in order within entities."""
    if order is None:
        return drawn
    names, entities = drawn.transformer.schema.names, drawn.entities
    free = _free_columns(drawn)
    fixed = [j for j in free if names[j] in enforcer.checked or any(j in pair for pair in enforcer.lookups)]
    columns = order.sorted_columns(free, fixed)
    if _ordered_columns(entities):
        # Rows that a column numbers stay in the order of these numbers, because other columns depend on them.
        columns = tuple(replace(own, moves_rows=False) for own in columns if own.column not in fixed)
    return replace(drawn, entities=replace(entities, sorted_columns=columns))


@dataclass(frozen=True)
class RowOrder:
    """Reordering of drawn rows within their entities."""

    entities: Entities
    table: TableTransformer

    def extend(self, numbers: RowNumbers, seed: int) -> RowNumbers:
        """Return all row numbers of the entities that contain the given rows, in ascending order."""
        if self.entities.sequences is not None:
            g = self.entities.sequences.group
        elif self.entities.sorted_columns:
            g = self.entities.sorted_columns[0].group
        else:
            return numbers
        of_entities = np.unique(self.entities.places(numbers, seed)[g].numbers)
        return np.sort(self.entities.rows_of(g, of_entities, seed))

    def apply(self, drawn: Drawn, places: list[Places], wanted: RowNumbers) -> tuple[Drawn, list[Places]]:
        """Return the requested rows, given all rows of their entities, in the order of the sorted columns."""
        if not self.entities.sorted_columns and self.entities.sequences is None:
            return drawn, places
        at = np.searchsorted(drawn.rows.rows, wanted)
        codes, rows = drawn.codes, drawn.rows
        stay = {*self.entities.group_of, *_ordered_columns(self.entities), *_changing(self.entities)}
        of_rows = [j for j in codes if j not in stay]
        new_codes = {j: own[at] for j, own in codes.items()}
        taken = rows.take(at)
        columns, labels = dict(taken.of_columns), dict(taken.of_labels)
        integers = dict(taken.integers)
        numbers = taken.rows
        for own in sorted(self.entities.sorted_columns, key=lambda other: not other.moves_rows):
            source = self._sources(own, drawn, places[own.group])[at]
            moved = of_rows if own.moves_rows else [own.column]
            new_codes |= {j: codes[j][source] for j in moved}
            integers |= {j: rows.integers[j][source] for j in moved if j in rows.integers}
            labels |= {j: rows.of_labels[j][source] for j in moved if j in _changing(self.entities)}
            if own.moves_rows:
                # Identifiers are unique because each row keeps its number.
                labels |= {j: taken.of(j) for j in of_rows if self._is_limited(j)}
                numbers = rows.rows[source]
            else:
                columns[own.column] = rows.rows[source]
        of_wanted = NumberedRows(numbers, columns, labels, taken.levels, integers)
        some = [Places(own.numbers[at], own.slots[at], own.ranks[at]) for own in places]
        return Drawn(new_codes, drawn.seed, of_wanted), some

    def _sources(self, own: SortedColumn, drawn: Drawn, places: Places) -> Int64s:
        name = self.table.schema.names[own.column]
        values = self.table.decode_columns([own.column], drawn.codes, drawn.seed, drawn.rows)[name]
        return own.sources(values, places.numbers, self.numbers(drawn.rows, places))

    def numbers(self, rows: NumberedRows, places: Places) -> RowNumbers:
        """Return the numbers that determine the row order within an entity."""
        return places.ranks.astype(np.uint64) if _ordered_columns(self.entities) else rows.rows

    def _is_limited(self, j: int) -> bool:
        """Return whether a column contains unique identifiers."""
        column = self.table.columns[j]
        return isinstance(column, GeneratedTransformer) and column.generator.n_rows_max < N_ROWS_ANY


def with_numbers_of_first_rows(entities: Entities, drawn: Drawn, places: list[Places]) -> Drawn:
    """Return rows that number each entity by its first row, so that samples share no entity numbers."""
    own = entities.with_numbers(drawn.rows.rows, entities.first_rows(places, drawn.seed))
    rows = replace(
        drawn.rows,
        of_columns={**drawn.rows.of_columns, **own.of_columns},
        of_labels={**drawn.rows.of_labels, **own.of_labels},
    )
    return replace(drawn, rows=rows)


def _changing(entities: Entities) -> frozenset[int]:
    """Return the columns that rarely change within an entity."""
    return frozenset() if entities.sequences is None else entities.sequences.changing


def _ordered_columns(entities: Entities) -> set[int]:
    """Return the columns that number the rows of entities, or ascend within entities."""
    return {
        j
        for position in entities.positions
        if isinstance(position, Counter) or position.is_sorted
        for j in position.columns
    }
