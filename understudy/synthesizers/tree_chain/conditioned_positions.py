"""Positions of rows within entities, under a condition.

A condition can exclude some of the values that must be distinct within an entity, or some of its row numbers.
Entities that then have more rows than values are split, so that each value remains distinct within its
entity.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from understudy.synthesizers.entities.grouping import Grouping, Places
from understudy.synthesizers.entities.groups import ROWS, Entities
from understudy.synthesizers.entities.positions import Counter, Distinct, Position
from understudy.synthesizers.tree_chain.conditional_sampling import (
    TRIAL_SEED,
    Conditioner,
    Weights,
    propose,
)
from understudy.synthesizers.tree_chain.predicates import impossible
from understudy.transformers.base import Codes, CodesByColumn, NumberedRows, RowNumbers, consecutive_rows
from understudy.transformers.table import TableTransformer

# Number of proposals per pool, and maximum number of pools, for estimating the shares of values.
N_TRIED, N_POOLS_MAX = 16_384, 16
# The estimate stops at this number of proposals with a weight above 0.
N_POSSIBLE_MIN = 16_384
# Minimum number of proposals that must have a row number before it can be excluded. The row number is
# excluded if all of these proposals have weight 0.
N_UNSEEN_MIN = 30
# Total to which the frequencies of the values under a condition are scaled.
N_COUNTED = 1_000_000_000

Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True)
class ConditionedEntities:
    """Entities of rows that satisfy a condition.

    Parameters
    ----------
    whole : Entities
        Entities of the table.
    own : Entities
        Entities with split groups, and with positions that satisfy the condition.
    divided : mapping of int to Grouping
        Groupings with split entities, by group index.
    """

    whole: Entities
    own: Entities
    divided: dict[int, Grouping] = field(default_factory=dict)

    def places(self, rows: RowNumbers, seed: int) -> list[Places]:
        """Return the entities of rows, for each group (see `Entities.places`)."""
        places = self.whole.places(rows, seed)
        units = [rows if group.source == ROWS else places[group.source].numbers for group in self.own.groups]
        return [
            self.divided[g].find(units[g], seed, g) if g in self.divided else own
            for g, own in enumerate(places)
        ]

    def first_rows(self, places: list[Places], seed: int) -> list[RowNumbers]:
        """Return a number for each entity (see `Entities.first_rows`)."""
        return self.whole.first_rows(places, seed, self.divided)


def condition_positions(
    entities: Entities, conditioner: Conditioner, table: TableTransformer
) -> ConditionedEntities:
    """Return the entities of the rows that satisfy the condition of a sampler.

    Raises
    ------
    InvalidInput
        If no value of a position satisfies the condition.
    """
    if not entities.positions:
        return ConditionedEntities(entities, entities)
    columns = sorted({j for position in entities.positions for j in position.columns})
    codes, weight = _try(conditioner, columns)
    positions = tuple(_conditioned(own, codes, weight, conditioner, table) for own in entities.positions)
    groups = list(entities.groups)
    divided: dict[int, Grouping] = {}
    for position in positions:
        g, n = position.group, _n_choices(position)
        grouping = divided.get(g, entities.groups[g].grouping)
        if n < grouping.sizes.max():
            divided[g], slots = entities.groups[g].grouping.split(n)
            known = {j: own[slots] for j, own in entities.groups[g].known_codes.items()}
            groups[g] = replace(entities.groups[g], grouping=divided[g], known_codes=known)
    return ConditionedEntities(entities, Entities(tuple(groups), positions), divided)


def _try(conditioner: Conditioner, columns: list[int]) -> tuple[dict[int, Codes], Weights]:
    """Draw proposals under the condition, and return their codes in some columns and their weights."""
    pools: list[tuple[dict[int, Codes], Weights]] = []
    n_possible = 0
    while len(pools) < N_POOLS_MAX and n_possible < N_POSSIBLE_MIN:
        rows = NumberedRows(consecutive_rows(len(pools) * N_TRIED, N_TRIED))
        codes, weight = propose(conditioner, TRIAL_SEED, conditioner.group.with_levels(rows))
        pools.append(({j: codes[j] for j in columns}, weight))
        n_possible += int((weight > 0).sum())
    weights = np.concatenate([weight for _, weight in pools])
    return {j: np.concatenate([codes[j] for codes, _ in pools]) for j in columns}, weights


def _conditioned(
    position: Position,
    codes: CodesByColumn,
    weight: Weights,
    conditioner: Conditioner,
    table: TableTransformer,
) -> Position:
    choices = position.choices()
    own = np.stack([codes[j] for j in position.columns], axis=1)
    n_tried, mass = _shares(choices, own, weight)
    if isinstance(position, Distinct):
        kept = mass > 0
        if not kept.any():
            raise _none(position, table)
        # The mass of a value is proportional to its frequency among the rows that satisfy the condition.
        counts = np.maximum(mass[kept] / mass.sum() * N_COUNTED, 1).astype(np.int64)
        return replace(position, combinations=choices[kept], counts=counts)
    may = ((mass > 0) | (n_tried < N_UNSEEN_MIN)) & _fulfils(position, conditioner, table)
    if not may.any():
        raise _none(position, table)
    return position if may.all() else replace(position, ranks=np.flatnonzero(may))


def _shares(
    choices: npt.NDArray[np.uint16], own: npt.NDArray[np.uint16], weight: Weights
) -> tuple[Int64s, Weights]:
    """Return the number of proposals, and the sum of their weights, for each combination of codes."""
    cells = [_cell(codes) for codes in (choices, own)]
    known, place = np.unique(cells[0], return_inverse=True)
    at = np.searchsorted(known, cells[1])
    found = np.append(known, -1)[at] == cells[1]
    n_tried: Int64s = np.bincount(at[found], minlength=len(known)).astype(np.int64)
    mass: Weights = np.bincount(at[found], weights=weight[found], minlength=len(known)).astype(np.float64)
    return n_tried[place], mass[place]


def _cell(codes: npt.NDArray[np.uint16]) -> Int64s:
    cell = np.zeros(len(codes), np.int64)
    for column in codes.T:
        cell = cell << 16 | column
    return cell


def _fulfils(position: Counter, conditioner: Conditioner, table: TableTransformer) -> npt.NDArray[np.bool_]:
    """Return a mask of row numbers that satisfy the condition on their column, if there is a condition."""
    fulfils = np.ones(len(position.codes), np.bool_)
    field_ = table.schema.to_arrow().field(position.column)
    numbers = pa.array(position.first + np.arange(len(position.codes))).cast(field_.type)
    for predicate in conditioner.group.predicates:
        if predicate.column.name == field_.name:
            fulfils &= predicate.holds(numbers)
    return fulfils


def _n_choices(position: Position) -> int:
    """Return the number of values that a position allows, which limits the number of rows in an entity."""
    if isinstance(position, Distinct):
        return len(position.counts)
    return len(position.codes) if position.ranks is None else len(position.ranks)


def _none(position: Position, table: TableTransformer) -> Exception:
    names = " and ".join(repr(table.schema.names[j]) for j in position.columns)
    return impossible(f"No value of column {names} occurs in a row that satisfies the conditions")
