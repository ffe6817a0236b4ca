"""Sample rows without conditions: first the entities, then positions and sequences, then the rows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa

from understudy.synthesizers.entities.grouping import Places
from understudy.synthesizers.entities.groups import Entities
from understudy.synthesizers.entities.sampling import draw_entities
from understudy.synthesizers.tree_chain.chain import Link
from understudy.synthesizers.tree_chain.proposals import Acceptance, draw_accepted
from understudy.synthesizers.tree_chain.redrawing import Redrawing
from understudy.synthesizers.tree_chain.refinement import Refinement
from understudy.synthesizers.tree_chain.row_order import RowOrder, with_numbers_of_first_rows
from understudy.synthesizers.tree_chain.rule_enforcement import RuleEnforcer
from understudy.synthesizers.tree_chain.sequence_sampling import SequenceSampler
from understudy.synthesizers.tree_chain.unique_entities import UniqueEntities
from understudy.transformers.base import CodesByColumn, Mask, NumberedRows, RowNumbers
from understudy.transformers.table import Drawn, TableTransformer

# (codes, seed, rows) -> mask of the proposals that pass all checks.
Passes = Callable[[CodesByColumn, int, NumberedRows], Mask]


@dataclass(frozen=True)
class RowSampler:
    """Sampler of rows for a seed.

    Parameters
    ----------
    links : sequence of Link
        Links of the chain.
    table : TableTransformer
        Transformers of the chain's columns.
    entities : Entities
        Entities of the table.
    unique_entities : UniqueEntities
        Real entities that must not be copied.
    enforcer : RuleEnforcer
        Rules of the chain.
    refinement : Refinement, optional
        Refinement of the chain.
    passes : callable
        Function that checks the proposals.
    redrawing : Redrawing, optional
        Redrawing of single columns for the seed.
    seed : int
        Seed of the sample.
    """

    links: Sequence[Link]
    table: TableTransformer
    entities: Entities
    unique_entities: UniqueEntities
    enforcer: RuleEnforcer
    refinement: Refinement | None
    passes: Passes
    redrawing: Redrawing | None
    seed: int

    def draw(self, wanted: RowNumbers) -> pa.RecordBatch:
        """Return the rows with the given numbers."""
        entities, table, seed = self.entities, self.table, self.seed
        numbers = self._row_order.extend(wanted, seed)
        places = entities.places(numbers, seed)
        rows, given = draw_entities(entities, self._draw_entity, numbers, places)
        positions = entities.codes_of_positions(places, seed, allows=self.enforcer.allowing(given))
        known, rows = self._draw_sequences(rows, {**given, **positions}, places)
        codes, released_at = draw_accepted(self.links, self._acceptance, seed, rows, known)
        rows = self._acceptance.release(rows, released_at)
        drawn, places = self._row_order.apply(Drawn(codes, seed, rows), places, wanted)
        learned = sorted(codes.keys() - table.composed)
        columns = table.decode_columns(learned, drawn.codes, seed, drawn.rows)
        columns |= entities.numbers_of_counters(places, table.schema)
        if table.id_start is not None and entities.groups:
            drawn = with_numbers_of_first_rows(entities, drawn, places)
            columns |= table.decode_generated(drawn.codes, seed, drawn.rows)
        return self.enforcer.complete(columns, table, drawn)

    def _draw_entity(
        self, rows: NumberedRows, given: CodesByColumn, wanted: Collection[int]
    ) -> CodesByColumn:
        if given.keys() >= set(wanted):
            return given
        unique, table, seed = self.unique_entities, self.table, self.seed
        of_entity = Acceptance(
            self.refinement,
            lambda codes, own: self.passes(codes, seed, own) & unique.is_new(wanted, table, codes, seed, own),
            self.redrawing,
        )
        return draw_accepted(self.links, of_entity, seed, rows, given)[0]

    def _draw_sequences(
        self, rows: NumberedRows, known: CodesByColumn, places: list[Places]
    ) -> tuple[CodesByColumn, NumberedRows]:
        """Return the known codes and rows, extended by the columns that are computed by adding up steps."""
        sequences = self.entities.sequences
        if sequences is None:
            return known, rows
        own = places[sequences.group]
        sampler = SequenceSampler(sequences, self.table, self.links)
        codes, rows = sampler.draw(rows, known, own, self._row_order.numbers(rows, own), self.seed)
        return {**known, **codes}, rows

    @cached_property
    def _row_order(self) -> RowOrder:
        return RowOrder(self.entities, self.table)

    @cached_property
    def _optional(self) -> frozenset[int]:
        """Columns whose given codes are replaced if the rules exclude them."""
        sequences = self.entities.sequences
        return self.entities.distinct_columns | (frozenset() if sequences is None else sequences.values)

    @cached_property
    def _acceptance(self) -> Acceptance:
        return Acceptance(
            self.refinement,
            lambda codes, rows: self.passes(codes, self.seed, rows),
            self.redrawing,
            self._optional,
            frozenset(determinant for _, determinant in self.enforcer.levels),
        )
