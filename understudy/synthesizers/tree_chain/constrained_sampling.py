"""Constrained sampling: the assignment of rows to groups, and the rows of each group."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from understudy.errors import InvalidInput
from understudy.kernels import hashing
from understudy.parameters.constraints import SampleCondition, SamplingConstraints
from understudy.synthesizers.tree_chain.conditional_sampling import N_ROWS_BLOCK, Conditioner
from understudy.synthesizers.tree_chain.rule_enforcement import RuleEnforcer
from understudy.transformers.base import NumberedRows, RowNumbers, consecutive_rows
from understudy.transformers.generated.transformer import GeneratedTransformer
from understudy.transformers.table import Drawn, TableTransformer

# Hash stream that assigns rows to the groups of a rebalanced column.
GROUPS = 1 << 38


@dataclass(frozen=True)
class ConstrainedSampler:
    """Row sampler under constraints. Conditions limit the number of rows; a rebalanced column does not.

    Parameters
    ----------
    constraints : SamplingConstraints
        Conditions, or new shares for the values of a column.
    conditioners : tuple of Conditioner
        Samplers of the groups.
    table : TableTransformer
        Transformers of the columns.
    enforcer : RuleEnforcer
        Rules of the table.
    """

    constraints: SamplingConstraints
    conditioners: tuple[Conditioner, ...]
    table: TableTransformer
    enforcer: RuleEnforcer

    def draw(self, seed: int, rows: RowNumbers) -> pa.RecordBatch:
        """Return the rows with the given consecutive numbers."""
        first, last = int(rows[0]) // N_ROWS_BLOCK, int(rows[-1]) // N_ROWS_BLOCK
        blocks = pa.Table.from_batches([self._draw_block(seed, b) for b in range(first, last + 1)])
        wanted = blocks.slice(int(rows[0]) - first * N_ROWS_BLOCK, len(rows))
        return wanted.combine_chunks().to_batches()[0]

    def _draw_block(self, seed: int, block: int) -> pa.RecordBatch:
        """Return a whole block, so that a row does not depend on which other rows are requested."""
        numbers = consecutive_rows(block * N_ROWS_BLOCK, N_ROWS_BLOCK)
        group = groups_of_rows(self.constraints, seed, numbers)
        parts, places = [], []
        for g in range(len(self.conditioners)):
            place = np.flatnonzero(group == g)
            if len(place):
                parts.append(self._draw_group(g, seed, block, numbers[place]))
                places.append(place)
        order = np.argsort(np.concatenate(places))
        rows = pa.Table.from_batches(parts).take(pa.array(order, pa.int64()))
        return rows.combine_chunks().to_batches()[0]

    def _draw_group(self, group: int, seed: int, block: int, rows: RowNumbers) -> pa.RecordBatch:
        conditioner = self.conditioners[group]
        own_seed = int(hashing.stream_key(np.uint64(seed), np.uint64(GROUPS + 1 + group)))
        drawn = conditioner.draw(own_seed, block, len(rows))
        generated = [j for j in drawn.codes if isinstance(self.table.columns[j], GeneratedTransformer)]
        learned = [j for j in drawn.codes if j not in generated]
        generated = [j for j in generated if j not in self.table.composed]
        columns = self.table.decode_columns(learned, drawn.codes, drawn.seed, drawn.numbers)
        # Identifiers are generated from the row numbers, which makes them unique.
        columns |= self.table.decode_columns(generated, drawn.codes, seed, NumberedRows(rows))
        constants = conditioner.group.constants(len(rows))
        return self.enforcer.complete(
            columns | constants, self.table, Drawn(drawn.codes, seed, NumberedRows(rows))
        )


def conditions_of(constraints: SamplingConstraints) -> list[SampleCondition]:
    """Return the condition of every group. The condition of a rebalanced value has one row."""
    if constraints.rebalance is None:
        return list(constraints.conditions)
    column = constraints.rebalance.column
    return [
        SampleCondition.model_validate(
            {"where": {column: {"is_missing": True} if s.value is None else {"equals": s.value}}, "n_rows": 1}
        )
        for s in constraints.rebalance.shares
        if s.share > 0
    ]


def groups_of_rows(constraints: SamplingConstraints, seed: int, numbers: RowNumbers) -> npt.NDArray[np.int64]:
    """Return the index of each row's group.

    The rows of each condition are consecutive. For shares, a hash of the row number selects the group. Rows
    after the last condition get the number of groups as their index.
    """
    if constraints.rebalance is None:
        ends = np.cumsum([condition.n_rows for condition in constraints.conditions]).astype(np.uint64)
        return np.searchsorted(ends, numbers, side="right")
    words = np.empty(len(numbers), np.uint64)
    hashing.hash_rows(np.uint64(seed), np.uint64(GROUPS), numbers, words)
    shares = np.array([s.share for s in constraints.rebalance.shares if s.share > 0])
    bounds = np.cumsum(shares / shares.sum())[:-1]
    return np.searchsorted(bounds, (words >> np.uint64(11)) * 2.0**-53, side="right")


def first_rows(constraints: SamplingConstraints) -> RowNumbers:
    """Return the number of the first row of each group, which is 0 for groups of a rebalanced column."""
    if constraints.rebalance is not None:
        return np.zeros(len(constraints.rebalance.shares), np.uint64)
    sizes = [condition.n_rows for condition in constraints.conditions]
    return (np.cumsum(sizes) - sizes).astype(np.uint64)


def check_rows(constraints: SamplingConstraints, n_rows: int, offset: int) -> None:
    """Raise InvalidInput if `n_rows` and `offset` exceed the rows of the conditions."""
    total = sum(condition.n_rows for condition in constraints.conditions)
    if constraints.rebalance is None and n_rows + offset > total:
        raise InvalidInput(
            f"The conditions request {total:,} rows in total, but n_rows and offset add up to"
            f" {n_rows + offset:,}. Reduce n_rows or offset, or raise the n_rows of the conditions.",
            code="invalid_parameters",
        )
