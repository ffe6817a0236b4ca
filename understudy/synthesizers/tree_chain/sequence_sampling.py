"""Draw the columns that are computed by adding up steps, once for all rows of an entity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from understudy.kernels import hashing
from understudy.synthesizers.entities.grouping import Places
from understudy.synthesizers.entities.sequences import (
    N_CHANGES_MAX,
    Int64s,
    Sequences,
    add_up,
    ranks_within,
    reaches,
    snap,
    stages_of,
)
from understudy.synthesizers.entities.sequences import Sequence as EntitySequence
from understudy.synthesizers.tree_chain.chain import Link
from understudy.synthesizers.tree_chain.proposals import attempt_seed
from understudy.synthesizers.tree_chain.sampling import Drawing, draw_codes
from understudy.transformers.base import Codes, CodesByColumn, Mask, NumberedRows, RowNumbers
from understudy.transformers.numeric import NumericTransformer
from understudy.transformers.numeric_integers import to_integers
from understudy.transformers.table import TableTransformer

# Maximum number of attempts to draw steps that keep an entity's values within the column's range.
N_ATTEMPTS = 8
# Hash stream for moving entities with values outside the column's range.
MOVING = 1 << 45


@dataclass(frozen=True)
class SequenceSampler:
    """Sampler for the sequences of a table.

    Parameters
    ----------
    sequences : Sequences
        Columns to draw.
    table : TableTransformer
        Transformers of the chain's columns.
    links : sequence of Link
        Links of the chain.
    """

    sequences: Sequences
    table: TableTransformer
    links: Sequence[Link]

    def draw(
        self, rows: NumberedRows, given: CodesByColumn, places: Places, order: RowNumbers | Int64s, seed: int
    ) -> tuple[dict[int, Codes], NumberedRows]:
        """Return the codes of the sequences and their hidden columns, and the rows with the drawn values.

        Parameters
        ----------
        rows : NumberedRows
            All rows of some entities.
        given : mapping of int to array of shape (n,)
            Codes of the entity columns, and of the columns that row positions determine.
        places : Places
            Entities of the rows.
        order : array of shape (n,)
            Numbers that determine the row order within an entity.
        seed : int
            Seed of the sample.
        """
        ranks = ranks_within(places.numbers, order)
        known = dict(given)
        if self.sequences.rank >= 0:
            codes = self.sequences.rank_codes
            known[self.sequences.rank] = codes[np.minimum(ranks, len(codes) - 1)]
        whole = _Rows(rows, places.numbers, ranks, seed)
        steps, integers = self._draw_steps(whole, known)
        changed, labels = self._draw_changes(whole, known)
        known_codes = {j: known[j] for j in (self.sequences.rank,) if j >= 0}
        numbered = replace(rows, integers=integers, of_labels={**rows.of_labels, **labels})
        return known_codes | steps | changed, numbered

    def _draw_changes(
        self, own: _Rows, given: CodesByColumn
    ) -> tuple[dict[int, Codes], dict[int, RowNumbers]]:
        """Return the codes of columns that rarely change, and the numbers for decoding these codes."""
        codes, numbers = {}, {}
        _, entity, counts = np.unique(own.entities, return_inverse=True, return_counts=True)
        for change in self.sequences.changes:
            n_changes, *others = (self._integers(j, given, own) for j in change.hidden)
            values, shares = others[: len(change.values)], others[len(change.values) :]
            stages = stages_of(n_changes, shares, own.ranks, counts[entity])
            n_codes = self.table.columns[change.column].n_codes
            own_codes = np.stack(values)[stages, np.arange(len(stages))]
            codes[change.column] = np.clip(own_codes, 0, n_codes - 1).astype(np.uint16)
            stage = stages.astype(np.uint64)
            numbers[change.column] = own.entities * np.uint64(N_CHANGES_MAX + 1) + stage
        return codes, numbers

    def _draw_steps(self, whole: _Rows, known: CodesByColumn) -> tuple[dict[int, Codes], dict[int, Int64s]]:
        """Return the codes of the sequences and their steps, and the values of the sequences."""
        if not self.sequences.columns:
            return {}, {}
        rows = whole.rows
        pending = np.arange(len(rows))
        drawn: dict[int, Codes] = {}
        sums: dict[int, Int64s] = {}
        for attempt in range(N_ATTEMPTS):
            own_seed = attempt_seed(whole.seed, attempt)
            own = _Rows(rows.take(pending), whole.entities[pending], whole.ranks[pending], own_seed)
            own_codes, own_sums = self._add_up(own, {j: codes[pending] for j, codes in known.items()})
            for into, part in ((drawn, own_codes), (sums, own_sums)):
                for j, array in part.items():
                    into.setdefault(j, np.empty(len(rows), array.dtype))[pending] = array
            pending = pending[self._exceeds(own_sums, own.entities)]
            if not len(pending):
                break
        finished = {own.column: self._finish(own, sums, whole) for own in self.sequences.columns}
        codes_of = {j: own_codes for j, (_, own_codes) in finished.items()}
        return drawn | codes_of, {j: values for j, (values, _) in finished.items()}

    def _add_up(self, own: _Rows, given: CodesByColumn) -> tuple[dict[int, Codes], dict[int, Int64s]]:
        """Return the codes of the steps, and the sums of the steps and the times of day, by column."""
        hidden = self.sequences.hidden
        last = max(p for p, link in enumerate(self.links) if link.column in hidden)
        codes = draw_codes(self.links[: last + 1], Drawing(own.seed, own.rows), given)[0]
        codes = {j: codes[j] for j in hidden if j != self.sequences.rank}
        every = {**given, **codes}
        sums: dict[int, Int64s] = {}
        for sequence in self.sequences.columns:
            start, step = (self._integers(j, every, own) for j in (sequence.start, sequence.step))
            sums[sequence.step] = add_up(start, step, own.entities, own.ranks)
            if sequence.clock >= 0:
                sums[sequence.clock] = self._integers(sequence.clock, every, own)
        return codes, sums

    def _integers(self, j: int, codes: CodesByColumn, own: _Rows) -> Int64s:
        values = self.table.decode_columns([j], codes, own.seed, own.rows)[self.table.schema.names[j]]
        return np.asarray(values.to_numpy(zero_copy_only=False)).astype(np.int64)

    def _exceeds(self, sums: dict[int, Int64s], entities: RowNumbers) -> Mask:
        """Return a mask that selects all rows of each entity with a value outside its column's range."""
        exceeds = np.zeros(len(entities), np.bool_)
        for sequence in self.sequences.columns:
            low, high = self._range(sequence)
            lowest, highest = reaches(sums[sequence.step], entities)
            exceeds |= (lowest < low) | (highest > high)
        return exceeds

    def _range(self, sequence: EntitySequence) -> tuple[int, int]:
        low, high = self._spans(sequence)
        return int(low[0]) // sequence.unit, int(high[-1]) // sequence.unit

    def _spans(self, sequence: EntitySequence) -> tuple[Int64s, Int64s]:
        transformer = self.table.columns[sequence.column]
        assert isinstance(transformer, NumericTransformer)
        low, high = (to_integers(values, transformer) for values in transformer.spans())
        return low, high

    def _finish(self, sequence: EntitySequence, sums: dict[int, Int64s], own: _Rows) -> tuple[Int64s, Codes]:
        """Return the values of a sequence within the range of its column, and their codes."""
        values = _move_into(sums[sequence.step], own, sequence.column, *self._range(sequence))
        if sequence.clock >= 0:
            values = values * sequence.unit + sums[sequence.clock]
            # Two rows on the same day may have times in the wrong order, so the values are sorted.
            by_rank = np.lexsort((own.ranks, own.entities))
            by_value = np.lexsort((-values if sequence.is_descending else values, own.entities))
            values[by_rank] = values[by_value]
        # The code of missing values precedes the spans.
        low, high = self._spans(sequence)
        is_exact = self.table.columns[sequence.column].is_exact
        first = len(is_exact) - len(low)
        values, place = snap(values, low, high, is_exact[first:])
        return values, (place + first).astype(np.uint16)


@dataclass(frozen=True)
class _Rows:
    """Rows with their entities, their ranks within the entities, and the seed of the draws."""

    rows: NumberedRows
    entities: RowNumbers
    ranks: Int64s
    seed: int


def _move_into(values: Int64s, own: _Rows, column: int, low: int, high: int) -> Int64s:
    """Return the values. Entities that exceed the range are moved to a random position within it."""
    lowest, highest = reaches(values, own.entities)
    exceeds = (lowest < low) | (highest > high)
    if not exceeds.any():
        return values
    words = np.empty(len(values), np.uint64)
    hashing.hash_rows(np.uint64(own.seed), np.uint64(MOVING + column), own.entities, words)
    room = np.maximum(high - low - (highest - lowest), 0)
    first = low + ((words >> np.uint64(11)) * 2.0**-53 * room).astype(np.int64)
    # Entities that span more than the range are compressed.
    scale = np.minimum((high - low) / np.maximum(highest - lowest, 1), 1.0)
    moved = first + np.where(scale < 1, np.rint((values - lowest) * scale).astype(np.int64), values - lowest)
    return np.where(exceeds, moved, values)
