"""Constrained sampling of tables with entities. Different conditions never share an entity.

The columns of an entity are drawn first, then the rows of the entity, given these columns. Each entity and
each row is chosen from several proposals, with a probability proportional to the weight of the proposal
(sampling importance resampling, Rubin 1988).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Set
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from understudy.kernels import hashing
from understudy.synthesizers.entities.groups import Entities
from understudy.synthesizers.entities.sampling import draw_entities
from understudy.synthesizers.tree_chain.conditional_sampling import (
    N_POOLS_TRIED,
    N_PROPOSALS_MAX,
    N_ROWS_BLOCK,
    Conditioner,
    draw_weighted,
)
from understudy.synthesizers.tree_chain.conditioned_positions import (
    ConditionedEntities,
    condition_positions,
)
from understudy.synthesizers.tree_chain.constrained_sampling import (
    GROUPS,
    ConstrainedSampler,
    first_rows,
    groups_of_rows,
)
from understudy.synthesizers.tree_chain.predicates import impossible
from understudy.synthesizers.tree_chain.sampling import Drawing
from understudy.synthesizers.tree_chain.unique_entities import UniqueEntities
from understudy.transformers.base import ArrowArray, Codes, CodesByColumn, NumberedRows, RowNumbers
from understudy.transformers.generated.transformer import GeneratedTransformer
from understudy.transformers.table import Drawn, TableTransformer

# Difference between the first proposal numbers of two consecutive rows.
SPACING = np.uint64(N_POOLS_TRIED * N_PROPOSALS_MAX)
# Number of pools of proposals per stage. In each further stage, a row gets another position within its
# entity, and larger pools.
N_POOLS_EACH = 8
# Maximum total number of proposals in larger pools, over all rows.
# Number of the first proposal in larger pools.
N_POOL_MAX, LARGER_POOLS = 500_000, 1 << 49
# Hash stream for choosing a proposal.
CHOOSING = 1 << 43

Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True)
class ConstrainedEntitySampler:
    """Sampler of rows under constraints, for a table with entities."""

    plain: ConstrainedSampler
    entities: Entities
    unique: UniqueEntities

    @property
    def conditioners(self) -> tuple[Conditioner, ...]:
        """Samplers for the groups of rows."""
        return self.plain.conditioners

    def draw(self, seed: int, rows: RowNumbers) -> pa.RecordBatch:
        """Return the rows with the given consecutive numbers."""
        batches = [
            self._draw_block(seed, rows[i : i + N_ROWS_BLOCK]) for i in range(0, len(rows), N_ROWS_BLOCK)
        ]
        return pa.Table.from_batches(batches).combine_chunks().to_batches()[0]

    def _draw_block(self, seed: int, rows: RowNumbers) -> pa.RecordBatch:
        group = self._groups_of(seed, rows)
        parts, places = [], []
        for g in range(len(self.conditioners)):
            place = np.flatnonzero(group == g)
            if len(place):
                parts.append(self._draw_group(g, seed, rows[place]))
                places.append(place)
        order = np.argsort(np.concatenate(places))
        drawn = pa.Table.from_batches(parts).take(pa.array(order, pa.int64()))
        return drawn.combine_chunks().to_batches()[0]

    def _groups_of(self, seed: int, rows: RowNumbers) -> Int64s:
        """Return the group of each row.

        If the rebalanced column belongs to an entity, all rows of the entity are in the same group.
        """
        rebalance = self.plain.constraints.rebalance
        owners = {self.plain.table.schema.names[j]: g for j, g in self.entities.group_of.items()}
        if rebalance is None or rebalance.column not in owners:
            return groups_of_rows(self.plain.constraints, seed, rows)
        g = owners[rebalance.column]
        shares = np.array([s.share for s in rebalance.shares if s.share > 0])
        phase = self.entities.groups[g].grouping.phases(self.entities.places(rows, seed)[g])
        return np.searchsorted(np.cumsum(shares / shares.sum())[:-1], phase, side="right")

    def _draw_group(self, group: int, seed: int, rows: RowNumbers) -> pa.RecordBatch:
        conditioner = self.conditioners[group]
        own_seed = int(hashing.stream_key(np.uint64(seed), np.uint64(GROUPS + 1 + group)))
        # The rows of a condition are numbered from 0, so that its first entity is complete.
        own_rows = rows - first_rows(self.plain.constraints)[group]
        optional = self.entities.distinct_columns
        chooser = _Chooser(conditioner, own_seed, self.unique, self.plain.table, optional)
        conditioned = self._conditioned[group]
        entities, own_places = conditioned.own, conditioned.places(own_rows, seed)
        places = [replace(own, numbers=self._of_group(own.numbers, group)) for own in own_places]
        numbered, given = draw_entities(entities, chooser.choose, own_rows, places)
        allows = self.plain.enforcer.allowing(given)

        def positions(attempt: int) -> CodesByColumn:
            return entities.codes_of_positions(places, own_seed, attempt, allows)

        codes, numbers = chooser.choose_rows(numbered, given, positions=positions)
        generated = [j for j in codes if isinstance(self.plain.table.columns[j], GeneratedTransformer)]
        learned = [j for j in codes if j not in generated]
        generated = [j for j in generated if j not in self.plain.table.composed]
        columns = self.plain.table.decode_columns(
            learned, codes, own_seed, chooser.with_proposals(numbered, numbers)
        )
        of_rows = NumberedRows(rows, numbered.of_columns, numbered.of_labels)
        if self._has_ids_of_rows:
            first = conditioned.first_rows(own_places, seed)
            of_rows = self.entities.with_numbers(rows, [self._of_group(own, group) for own in first])
        columns |= self.plain.table.decode_columns(generated, codes, seed, of_rows)
        constants: dict[str, ArrowArray] = {
            predicate.column.name: predicate.constant(len(rows))
            for predicate in conditioner.group.predicates
            if predicate.is_one_value
        }
        columns |= entities.numbers_of_counters(places, self.plain.table.schema)
        drawn = Drawn(codes, seed, of_rows)
        return self.plain.enforcer.complete(columns | constants, self.plain.table, drawn)

    @cached_property
    def _conditioned(self) -> list[ConditionedEntities]:
        """Entities of the rows of each group."""
        return [condition_positions(self.entities, own, self.plain.table) for own in self.conditioners]

    @property
    def _has_ids_of_rows(self) -> bool:
        """Whether row numbers determine the identifiers of entities, so that samples share no identifiers."""
        return self.plain.table.id_start is not None or len(self.plain.constraints.conditions) > 1

    def _of_group(self, numbers: RowNumbers, group: int) -> RowNumbers:
        """Return numbers of entities that are not used in any other group."""
        if self.plain.constraints.rebalance is None:
            first: np.uint64 = first_rows(self.plain.constraints)[group]
            return numbers + first
        return numbers * np.uint64(len(self.conditioners)) + np.uint64(group)


@dataclass
class _Chooser:
    """Choice of one of several proposals for each row, or for each entity.

    Parameters
    ----------
    conditioner : Conditioner
        Sampler for the group of rows.
    seed : int
        Seed of the group.
    unique : UniqueEntities
        Real entities that must not be copied.
    table : TableTransformer
        Transformers of the columns.
    optional : set of int
        Columns whose given codes may be replaced. If three quarters of the attempts for a row fail, drawn
        codes replace the given codes.
    chosen : dict of int to (array, array)
        Numbers of entities in ascending order, and the numbers of their chosen proposals, by column.
    """

    conditioner: Conditioner
    seed: int
    unique: UniqueEntities
    table: TableTransformer
    optional: Set[int] = frozenset()
    chosen: dict[int, tuple[RowNumbers, RowNumbers]] = field(default_factory=dict)

    def choose(self, rows: NumberedRows, given: CodesByColumn, wanted: Collection[int]) -> dict[int, Codes]:
        """Return the codes of one proposal for each entity (see `draw_entities`)."""
        codes, numbers = self.choose_rows(rows, given, wanted)
        self.chosen |= dict.fromkeys(wanted, (rows.rows, numbers))
        return codes

    def choose_rows(
        self,
        rows: NumberedRows,
        given: CodesByColumn,
        wanted: Collection[int] = (),
        positions: Callable[[int], CodesByColumn] | None = None,
    ) -> tuple[dict[int, Codes], RowNumbers]:
        """Return the codes and the numbers of one proposal for each row.

        Parameters
        ----------
        positions : callable, optional
            Function that returns the codes of the columns that a row's position within its entity determines.
            The argument is the number of failed attempts.

        Raises
        ------
        InvalidInput
            If all proposals of a row have weight 0.
        """
        allowed = self.conditioner.group.allowed
        # Each entity already determines whether its key is missing, unless there is a condition on the key.
        known = {j: codes for j, codes in given.items() if j in rows.of_columns or j not in allowed}
        codes: dict[int, Codes] = {}
        taken = np.zeros(len(rows), np.uint64)
        pending = np.arange(len(rows))
        for attempt in range(N_POOLS_TRIED):
            if positions is not None and attempt % N_POOLS_EACH == 0:
                known |= positions(attempt // N_POOLS_EACH)
            if attempt >= N_POOLS_TRIED * 3 // 4:
                known = {j: own for j, own in known.items() if j not in self.optional}
            own, numbers, is_possible = self._try(rows.take(pending), _take(known, pending), attempt, wanted)
            if not attempt:
                codes = {j: np.zeros(len(rows), np.uint16) for j in own}
            for j, drawn in own.items():
                codes[j][pending[is_possible]] = drawn[is_possible]
            taken[pending[is_possible]] = numbers[is_possible]
            pending = pending[~is_possible]
            if not len(pending):
                return codes, taken
        raise impossible("The model generated no rows for one of the conditions")

    def with_proposals(self, rows: NumberedRows, numbers: RowNumbers) -> NumberedRows:
        """Return rows numbered by proposals, with entities numbered by their chosen proposals."""
        of_columns = {}
        for j, entities in rows.of_columns.items():
            known, chosen = self.chosen[j]
            of_columns[j] = chosen[np.searchsorted(known, entities)]
        return self.conditioner.group.with_levels(NumberedRows(numbers, of_columns))

    def _try(
        self, rows: NumberedRows, given: CodesByColumn, attempt: int, wanted: Collection[int]
    ) -> tuple[dict[int, Codes], RowNumbers, npt.NDArray[np.bool_]]:
        """Return the codes and numbers of the chosen proposals.

        The third value is a mask of the rows that have a proposal with a weight above 0.
        """
        n, n_each = len(rows), self.conditioner.n_proposals
        stage, step = divmod(attempt, N_POOLS_EACH)
        n_each <<= stage
        if stage and n * n_each > N_POOL_MAX:
            raise impossible("The model generated almost no rows for one of the conditions")
        row = np.repeat(np.arange(n), n_each)
        if stage:
            base = np.uint64(LARGER_POOLS) + rows.rows[row] * (SPACING << np.uint64(stage))
            first = (stage * N_POOLS_EACH + step) * n_each
        else:
            base, first = rows.rows[row] * SPACING, attempt * n_each
        numbers = base + np.tile(np.arange(first, first + n_each, dtype=np.uint64), n)
        proposals = self.with_proposals(rows.take(row), numbers)
        allowed, links = self.conditioner.group.allowed, self.conditioner.links
        redrawing = self.conditioner.redrawing(self.seed)
        codes, coarse, weight = draw_weighted(
            links, allowed, Drawing(self.seed, proposals), _take(given, row), redrawing
        )
        possible = np.flatnonzero(weight > 0)
        some, own = _take(codes, possible), proposals.take(possible)
        weight[possible] *= self.conditioner.accept(some, coarse[possible], self.seed, own)
        weight[possible] *= self.unique.is_new(wanted, self.table, some, self.seed, own)
        sums = np.cumsum(weight.reshape(n, n_each), axis=1)
        words = np.empty(n, np.uint64)
        hashing.hash_rows(np.uint64(self.seed), np.uint64(CHOOSING + attempt), rows.rows, words)
        points = (words >> np.uint64(11)) * 2.0**-53 * sums[:, -1]
        at = np.arange(n) * n_each + np.minimum((sums <= points[:, None]).sum(axis=1), n_each - 1)
        return _take(codes, at), numbers[at], sums[:, -1] > 0


def _take(codes: CodesByColumn, rows: Int64s) -> dict[int, Codes]:
    return {j: own[rows] for j, own in codes.items()}
