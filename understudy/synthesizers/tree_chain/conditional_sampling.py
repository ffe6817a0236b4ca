"""Conditional sampling: weighted proposals that satisfy a condition, and resampling by their weights.

A column with a condition is drawn from the allowed codes, and the row's weight is the probability of these
codes, given the preceding columns. Rows are then chosen from many proposals by their weights: sampling
importance resampling (Rubin 1988), with systematic resampling (Kitagawa 1996). A pool of proposals serves a
block of rows, so that row k for a given seed does not depend on which other rows are requested.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from understudy.kernels import drawing, hashing, restricting
from understudy.kernels.restricting import Restricted, WeightedCodes
from understudy.parameters.constraints import SampleCondition
from understudy.synthesizers.tree_chain.chain import Link
from understudy.synthesizers.tree_chain.predicates import CodePredicate, impossible
from understudy.synthesizers.tree_chain.rule_enforcement import RuleEnforcer
from understudy.synthesizers.tree_chain.sampling import NOTHING_GIVEN, Drawing, Redraws
from understudy.transformers.base import (
    ArrowArray,
    Codes,
    CodesByColumn,
    Mask,
    NumberedRows,
    consecutive_rows,
)
from understudy.transformers.categorical import CategoricalTransformer
from understudy.transformers.labels import LabelTransformer
from understudy.transformers.table import TableTransformer

# Number of rows that are drawn from one pool of proposals.
N_ROWS_BLOCK = 1024
# Target number of effective proposals per row, and maximum number of proposals per row.
N_EFFECTIVE = 8
N_PROPOSALS_MAX = 128
# Initial and maximum number of proposals for estimating a group's effective share. The number is increased as
# long as all weights are 0.
N_TRIED = 8192
N_TRIED_MAX = 262_144
N_POOLS_TRIED = 64
# First hash stream for deriving pool seeds, and seed of the trial.
POOLS, TRIAL_SEED = 1 << 37, 1

Weights = npt.NDArray[np.float64]
# Function that returns the acceptance probability of each proposal, given codes, coarse codes, seed and row
# numbers.
Accept = Callable[[dict[int, Codes], npt.NDArray[np.uint8], int, NumberedRows], Weights]
Redrawer = Callable[[int], Redraws | None]


@dataclass(frozen=True)
class Group:
    """Group of rows that satisfy the same condition.

    Parameters
    ----------
    predicates : tuple of CodePredicate
        Predicates of the condition, one for each column.
    allowed : mapping of column to array of shape (n_codes,)
        Mask of allowed codes for each restricted column, by column index in the table.
    filters : tuple of CodePredicate
        Predicates that cannot be checked on codes alone. They are checked on the decoded values of proposals.
    levels : mapping of int to int
        Level that a condition requires, for each column with levels that determine other columns.
    """

    predicates: tuple[CodePredicate, ...]
    allowed: Mapping[int, Mask]
    filters: tuple[CodePredicate, ...]
    levels: Mapping[int, int] = field(default_factory=dict)

    def with_levels(self, rows: NumberedRows) -> NumberedRows:
        """Return the rows, with the levels that the condition requires."""
        levels = {j: np.full(len(rows), level, np.int32) for j, level in self.levels.items()}
        return replace(rows, levels=levels)

    def constants(self, n_rows: int) -> dict[str, ArrowArray]:
        """Return constant columns for the columns that the condition fixes to a single value."""
        return {own.column.name: own.constant(n_rows) for own in self.predicates if own.is_one_value}


def make_group(
    condition: SampleCondition, table: TableTransformer, enforcer: RuleEnforcer, links: Sequence[Link]
) -> Group:
    """Return the group of rows for a condition.

    Raises
    ------
    InvalidInput
        If a column is unknown, or cannot have the required value.
    """
    names, derived = table.schema.names, set(enforcer.rules.derived)
    visible = enforcer.visible_schema(table.schema)
    predicates = tuple(
        CodePredicate(visible.column(name), constraint) for name, constraint in condition.where.items()
    )
    allowed: dict[int, Mask] = {}
    filters = []
    for predicate in predicates:
        if predicate.column.name in derived:
            filters.append(predicate)
            continue
        j = names.index(predicate.column.name)
        allowed[j], is_whole = predicate.codes(table.columns[j])
        is_set_later = predicate.column.name in enforcer.rules.value_rules.targets
        is_drawn_level = j in table.numbered_by and isinstance(table.columns[j], CategoricalTransformer)
        if is_set_later or (not is_whole and (is_drawn_level or not predicate.is_one_value)):
            filters.append(predicate)
    for j, fits in _bases_of(filters, table, enforcer):
        allowed[j] = allowed.get(j, np.ones(len(fits), np.bool_)) & fits
        if not allowed[j].any():
            raise impossible(f"No learned value of column {names[j]!r} satisfies the conditions")
    levels = _find_levels(predicates, table)
    return Group(predicates, _with_sources(allowed, table, links), tuple(filters), levels)


def _find_levels(predicates: Sequence[CodePredicate], table: TableTransformer) -> dict[int, int]:
    """Return the levels that conditions require, for columns with levels that determine other columns."""
    levels: dict[int, int] = {}
    sources = {source.column for source in table.numbered_by.values()} - set(table.numbered_by)
    for predicate in predicates:
        j = table.schema.names.index(predicate.column.name)
        transformer = table.columns[j]
        if isinstance(transformer, LabelTransformer):
            j, known = transformer.column_of_code, transformer.labels_of_levels
        elif isinstance(transformer, CategoricalTransformer):
            known = transformer.levels
        if not predicate.is_one_value or j not in sources:
            continue
        level = int(np.flatnonzero(predicate.holds(known))[0])
        if levels.setdefault(j, level) != level:
            raise impossible(
                f"The conditions on column {predicate.column.name!r} and another column contradict each other"
            )
    return levels


def _bases_of(
    filters: Sequence[CodePredicate], table: TableTransformer, enforcer: RuleEnforcer
) -> Iterator[tuple[int, Mask]]:
    """Yield the base columns of restricted derived columns, with the codes that can satisfy the restriction.

    The restriction of the base columns only reduces the number of proposals. Filters check the proposals
    later.
    """
    by_target = {difference.target: difference for difference in enforcer.rules.differences}
    for predicate in filters:
        difference = by_target.get(predicate.column.name)
        if difference is not None and difference.base not in by_target and not predicate.is_about_missing:
            j = table.schema.names.index(difference.base)
            has_missing = bool(getattr(table.columns[j], "has_missing", False))
            reach = enforcer.reach_of(difference, table)
            yield j, np.append(np.zeros(int(has_missing), np.bool_), predicate.overlaps(*reach))


def _with_sources(
    allowed: dict[int, Mask], table: TableTransformer, links: Sequence[Link]
) -> dict[int, Mask]:
    """Return the allowed codes, including the codes of columns that determine restricted columns."""
    wider = dict(allowed)
    looked_up = {link.column: link for link in links if link.source >= 0}
    waiting = list(allowed)
    while waiting:
        dependent = waiting.pop()
        if dependent in looked_up:
            determinant = looked_up[dependent].source
            fits = looked_up[dependent].find_sources(wider[dependent])
            wider[determinant] = (
                wider.get(determinant, np.ones(table.columns[determinant].n_codes, np.bool_)) & fits
            )
            if not wider[determinant].any():
                name = table.schema.columns[dependent].name
                raise impossible(
                    f"No row of the table combines an allowed value of column {name!r} with the other"
                    " conditions"
                )
            waiting.append(determinant)
    return wider


def draw_weighted(
    links: Sequence[Link],
    allowed: Mapping[int, Mask],
    draws: Drawing,
    given: CodesByColumn = NOTHING_GIVEN,
    redrawing: Redraws | None = None,
) -> tuple[dict[int, Codes], npt.NDArray[np.uint8], Weights]:
    """Return codes and coarse codes of proposals (see `chain.draw_codes`), and their weights."""
    n = len(draws.numbers)
    codes = {link.column: np.zeros(n, np.uint16) for link in links} | dict(given)
    rows, weight = np.zeros((n, len(links)), np.uint8), np.ones(n)
    for position, link in enumerate(links):
        own, fits = codes[link.column], allowed.get(link.column)
        if link.column in given:
            rows[:, position] = link.coarse[own]
        elif link.source >= 0:
            own[:] = draws.look_up(link, codes)
            rows[:, position] = link.coarse[own]
        elif len(link.child):
            stream = draws.stream(link.column)
            if fits is None:
                drawing.draw_column(rows, position, stream, link.conditional, own)
                if redrawing is not None:
                    redrawing.redraw(link, rows, position, codes, draws)
                continue
            within = Restricted(link.conditional, restricting.restrict(link.child, fits))
            restricting.draw_within(rows, position, stream, within, WeightedCodes(own, weight))
        if fits is not None:
            weight *= fits[own]
    return codes, rows, weight


@dataclass(frozen=True)
class Proposals:
    """Rows as codes, with the seed and the row numbers for decoding their values."""

    codes: dict[int, Codes]
    seed: int
    numbers: NumberedRows


@dataclass(frozen=True)
class Conditioner:
    """Sampler for the rows of a group.

    Parameters
    ----------
    links : sequence of Link
        Conditional distributions of the columns.
    group : Group
        Group of rows.
    accept : callable
        Function that returns the acceptance probability of each proposal, which depends on rules, unique
        rows, the refinement and the group's filters.
    redrawing : callable
        Function that returns a `Redrawing` of single columns, given the seed of the proposals.
    n_proposals : int
        Number of proposals per row.
    effective_share : float
        Number of independent rows, from 0 to 1, that contain as much information as one drawn row.
    """

    links: Sequence[Link]
    group: Group
    accept: Accept
    redrawing: Redrawer
    n_proposals: int = N_PROPOSALS_MAX
    effective_share: float = 0.0

    def draw(self, seed: int, block: int, n: int) -> Proposals:
        """Draw the n rows of a block.

        Raises
        ------
        InvalidInput
            If all proposals have weight 0.
        """
        for attempt in range(N_POOLS_TRIED):
            own_seed = int(hashing.stream_key(np.uint64(seed), np.uint64(POOLS + attempt)))
            first = block * N_ROWS_BLOCK * N_PROPOSALS_MAX
            rows = NumberedRows(consecutive_rows(first, n * self.n_proposals))
            numbers = self.group.with_levels(rows)
            codes, weight = propose(self, own_seed, numbers)
            if weight.sum() > 0:
                taken = resample(weight, n, np.random.default_rng([own_seed, block]))
                return Proposals({j: c[taken] for j, c in codes.items()}, own_seed, numbers.take(taken))
        raise impossible("The model generated no rows for one of the conditions")


def make_conditioner(links: Sequence[Link], group: Group, accept: Accept, redrawing: Redrawer) -> Conditioner:
    """Return the sampler for a group's rows. A trial determines the number of proposals.

    Raises
    ------
    InvalidInput
        If all proposals of the trial have weight 0.
    """
    trial = Conditioner(links, group, accept, redrawing)
    n = N_TRIED
    while n <= N_TRIED_MAX:
        numbers = group.with_levels(NumberedRows(consecutive_rows(0, n)))
        weight = propose(trial, TRIAL_SEED, numbers)[1]
        if weight.sum() > 0:
            share = float(weight.sum() ** 2 / (weight**2).sum() / n)
            n_proposals = int(min(max(np.ceil(N_EFFECTIVE / share), 2), N_PROPOSALS_MAX))
            effective_share = min(share * n_proposals, 1.0)
            return replace(trial, n_proposals=n_proposals, effective_share=effective_share)
        n *= 4
    names = ", ".join(repr(predicate.column.name) for predicate in group.predicates)
    raise impossible(f"The model generated no row that satisfies the condition on {names}")


def propose(conditioner: Conditioner, seed: int, numbers: NumberedRows) -> tuple[dict[int, Codes], Weights]:
    """Return the codes and weights of the proposals for a group."""
    codes, rows, weight = draw_weighted(
        conditioner.links,
        conditioner.group.allowed,
        Drawing(seed, numbers),
        redrawing=conditioner.redrawing(seed),
    )
    possible = np.flatnonzero(weight > 0)
    some = {j: own[possible] for j, own in codes.items()}
    weight[possible] *= conditioner.accept(some, rows[possible], seed, numbers.take(possible))
    return codes, weight


def resample(weight: Weights, n: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Return n indices in random order, by systematic resampling with the given weights."""
    sums = np.cumsum(weight)
    points = (np.arange(n) + rng.random()) / n * sums[-1]
    return rng.permutation(np.minimum(np.searchsorted(sums, points, side="right"), len(weight) - 1))
