"""Rows under conditions: drawn with weights, and drawn again from those by their weights.

A column that a condition names is drawn within it, and the row's weight is the probability that it would have
been so anyway, given the columns before. Of many such proposals some are taken by their weights: sampling,
importance, resampling (Rubin 1988), systematically (Kitagawa 1996). A pool of proposals serves a block of
rows, so that row k of a seed is the same whichever rows are asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from understudy.kernels import drawing, hashing, restricting
from understudy.kernels.hashing import StreamRows
from understudy.kernels.restricting import Restricted, WeightedCodes
from understudy.parameters.constraints import SampleCondition
from understudy.synthesizers.tree_chain.chain import Link
from understudy.synthesizers.tree_chain.predicates import CodePredicate, impossible
from understudy.synthesizers.tree_chain.rule_enforcement import RuleEnforcer
from understudy.transformers.base import Codes, Mask, RowNumbers, consecutive_rows
from understudy.transformers.table import TableTransformer

# Rows that are drawn from one pool of proposals.
N_ROWS_BLOCK = 1024
# Proposals for a row: so many effective ones are wanted, and at most so many are drawn.
N_EFFECTIVE = 8
N_PROPOSALS_MAX = 128
# Proposals from which a group's effective share is estimated; more if none of them is possible.
N_TRIED = 8192
N_TRIED_MAX = 262_144
N_POOLS_TRIED = 64
# The stream of the seeds of pools, and the seed of the trial.
POOLS, TRIAL_SEED = 1 << 37, 1

Weights = npt.NDArray[np.float64]
# The probability that each proposal is accepted, by its codes, coarse codes, seed and numbers.
Accept = Callable[[dict[int, Codes], npt.NDArray[np.uint8], int, RowNumbers], Weights]


@dataclass(frozen=True)
class Group:
    """Rows that fulfil the same condition.

    Parameters
    ----------
    demands : tuple of Demand
    allowed : mapping of column to array of shape (n_codes,)
        The codes that its columns may have, by their place in the table.
    filters : tuple of Demand
        Those whose codes do not tell everything: values are checked.
    """

    demands: tuple[CodePredicate, ...]
    allowed: Mapping[int, Mask]
    filters: tuple[CodePredicate, ...]


def make_group(
    condition: SampleCondition, table: TableTransformer, enforcer: RuleEnforcer, links: Sequence[Link]
) -> Group:
    """Return the group of a condition.

    Raises
    ------
    InvalidInput
        If a column is unknown, or cannot have such a value.
    """
    names, derived = table.schema.names, set(enforcer.rules.derived)
    demands = tuple(
        CodePredicate(table.schema.column(name), asked) for name, asked in condition.where.items()
    )
    allowed: dict[int, Mask] = {}
    filters = []
    for demand in demands:
        if demand.column.name in derived:
            filters.append(demand)
            continue
        j = names.index(demand.column.name)
        allowed[j], is_whole = demand.codes(table.columns[j])
        if not is_whole and not demand.is_one_value:
            filters.append(demand)
    return Group(demands, _with_sources(allowed, table, links), tuple(filters))


def _with_sources(
    allowed: dict[int, Mask], table: TableTransformer, links: Sequence[Link]
) -> dict[int, Mask]:
    """Return also what is allowed to columns by which others are looked up."""
    wider = dict(allowed)
    looked_up = {link.column: link for link in links if link.source >= 0}
    waiting = list(allowed)
    while waiting:
        dependent = waiting.pop()
        if dependent in looked_up:
            determinant = looked_up[dependent].source
            fits = wider[dependent][looked_up[dependent].lookup]
            wider[determinant] = (
                wider.get(determinant, np.ones(table.columns[determinant].n_codes, np.bool_)) & fits
            )
            if not wider[determinant].any():
                name = table.schema.columns[dependent].name
                raise impossible(f"No row of the table has such a value of column {name!r} with the others")
            waiting.append(determinant)
    return wider


def draw_weighted(
    links: Sequence[Link], allowed: Mapping[int, Mask], seed: int, numbers: RowNumbers
) -> tuple[dict[int, Codes], npt.NDArray[np.uint8], Weights]:
    """Return codes and coarse codes of proposals, as `chain.draw_codes`, and how likely their sets were."""
    n = len(numbers)
    codes = {link.column: np.zeros(n, np.uint16) for link in links}
    rows, weight = np.zeros((n, len(links)), np.uint8), np.ones(n)
    for position, link in enumerate(links):
        own, fits = codes[link.column], allowed.get(link.column)
        if link.source >= 0:
            own[:] = link.lookup[codes[link.source]]
            rows[:, position] = link.coarse[own]
        elif len(link.child):
            draws = StreamRows(np.uint64(seed), np.uint64(link.column), numbers)
            if fits is None:
                drawing.draw_column(rows, position, draws, link.conditional, own)
                continue
            within = Restricted(link.conditional, restricting.restrict(link.child, fits))
            restricting.draw_within(rows, position, draws, within, WeightedCodes(own, weight))
        if fits is not None:
            weight *= fits[own]
    return codes, rows, weight


@dataclass(frozen=True)
class Proposals:
    """Rows as codes, and the seed and numbers that their values are decoded with."""

    codes: dict[int, Codes]
    seed: int
    numbers: RowNumbers


@dataclass(frozen=True)
class Conditioner:
    """Draws the rows of a group.

    Parameters
    ----------
    accept : callable
        Gives the probability that a proposal is accepted: rules, copies, refinement, and the group's filters.
    n_proposals : int
        For each row.
    effective_share : float
        Independent rows that a drawn row is worth.
    """

    links: Sequence[Link]
    group: Group
    accept: Accept
    n_proposals: int
    effective_share: float

    def draw(self, seed: int, block: int, n: int) -> Proposals:
        """Return the n rows of a block.

        Raises
        ------
        InvalidInput
            If no proposal at all is possible.
        """
        for attempt in range(N_POOLS_TRIED):
            own_seed = int(hashing.stream_key(np.uint64(seed), np.uint64(POOLS + attempt)))
            numbers = consecutive_rows(block * N_ROWS_BLOCK * N_PROPOSALS_MAX, n * self.n_proposals)
            codes, weight = _propose(self, own_seed, numbers)
            if weight.sum() > 0:
                taken = resample(weight, n, np.random.default_rng([own_seed, block]))
                return Proposals({j: c[taken] for j, c in codes.items()}, own_seed, numbers[taken])
        raise impossible("The model finds no row that fulfils a condition")


def make_conditioner(links: Sequence[Link], group: Group, accept: Accept) -> Conditioner:
    """Return what draws a group's rows, after a trial that tells how many proposals it takes.

    Raises
    ------
    InvalidInput
        If no proposal is possible.
    """
    trial = Conditioner(links, group, accept, N_PROPOSALS_MAX, 0.0)
    n = N_TRIED
    while n <= N_TRIED_MAX:
        weight = _propose(trial, TRIAL_SEED, consecutive_rows(0, n))[1]
        if weight.sum() > 0:
            share = float(weight.sum() ** 2 / (weight**2).sum() / n)
            n_proposals = int(min(max(np.ceil(N_EFFECTIVE / share), 2), N_PROPOSALS_MAX))
            return Conditioner(links, group, accept, n_proposals, min(share * n_proposals, 1.0))
        n *= 4
    names = ", ".join(repr(demand.column.name) for demand in group.demands)
    raise impossible(f"The model finds no row that fulfils the condition on {names}")


def _propose(conditioner: Conditioner, seed: int, numbers: RowNumbers) -> tuple[dict[int, Codes], Weights]:
    codes, rows, weight = draw_weighted(conditioner.links, conditioner.group.allowed, seed, numbers)
    possible = np.flatnonzero(weight > 0)
    some = {j: own[possible] for j, own in codes.items()}
    weight[possible] *= conditioner.accept(some, rows[possible], seed, numbers[possible])
    return codes, weight


def resample(weight: Weights, n: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Return n places, each as often as its weight says but for a fraction, in random order."""
    sums = np.cumsum(weight)
    points = (np.arange(n) + rng.random()) / n * sums[-1]
    return rng.permutation(np.minimum(np.searchsorted(sums, points, side="right"), len(weight) - 1))
