"""Order and sizes of the entities in a period. Unit sizes may depend on the number of units per entity.

For example, users with many addresses may have fewer logins per address than users with one address. Entities
with similar numbers and sizes of units therefore form runs of k entities, and units are shuffled only within
a run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from understudy.synthesizers.entities.detection import FoundGroup, first_rows_of
from understudy.synthesizers.entities.grouping import (
    Grouping,
    Int64s,
    count_windows,
    share_units,
    smooth_sizes,
)
from understudy.synthesizers.entities.groups import ROWS
from understudy.transformers.base import Codes, Transformer
from understudy.transformers.generated.transformer import GeneratedTransformer

# Stream number of the random generator for the entity order. Other random generators of a fit have other
# numbers.
_ORDER = 5
# Maximum share of repeated keys that do not directly follow an equal key. Up to this share, the rows of each
# entity are also adjacent in samples.
SPLIT_MAX = 0.05


@dataclass(frozen=True)
class Arranged:
    """Order of a group's entities within a period, and the assignment of units to entities."""

    order: Int64s
    grouping: Grouping


def arrange_entities(
    found: list[FoundGroup], seed: int, strata: Sequence[Int64s | None] | None = None
) -> list[Arranged]:
    """Return the order and the sizes of the entities for each group.

    Parameters
    ----------
    found : list of FoundGroup
        Groups of entities. Each group contains the entity of every row.
    seed : int
        Seed of the order.
    strata : sequence of array of shape (n_entities,), optional
        Stratum of each entity, for each group. Sizes are mixed only within a stratum.
    """
    rng = np.random.default_rng([seed, _ORDER])
    sizes = [sizes_of(own, found) for own in found]
    contiguous = [_is_contiguous(own, found) for own in found]
    orders = {g: rng.permutation(len(own)) for g, own in enumerate(sizes)}

    def smoothed(g: int) -> Int64s:
        own = None if strata is None else strata[g]
        return smooth_sizes(sizes[g][orders[g]], None if own is None else own[orders[g]])

    counts = {g: smoothed(g) for g in orders}
    aligned: set[int] = set()
    # The coarsest groups come last in the list, so the loop is reversed: owners are ordered before their
    # units.
    for g in reversed(range(len(found))):
        owners = [o for o, other in enumerate(found) if other.source == g]
        # If several groups own the units, the units stay together in the group with the most units per
        # entity.
        owner = min(owners, key=lambda o: (len(sizes[o]), -len(found[o].columns)), default=None)
        if owner is None or (contiguous[_finest(found, g)] and not contiguous[owner]):
            continue
        units = _entities_of_units(found[owner], found)
        orders[g], counts[owner] = _align(units, sizes[g], orders[owner], rng)
        counts[g] = smoothed(g)
        aligned.add(owner)
    return [
        Arranged(
            orders[g],
            Grouping(counts[g], 0 if contiguous[g] or g in aligned else count_windows(counts[g])),
        )
        for g in range(len(found))
    ]


def _align(owners: Int64s, sizes: Int64s, order: Int64s, rng: np.random.Generator) -> tuple[Int64s, Int64s]:
    """Return an order of units that keeps each owner's units adjacent, and the number of units per owner.

    Parameters
    ----------
    owners : array of shape (n_units,)
        Owner of each unit.
    sizes : array of shape (n_units,)
        Size of each unit.
    order : array of shape (n_owners,)
        Order of the owners.
    rng : numpy.random.Generator
        Source of randomness.
    """
    n_units = np.bincount(owners).astype(np.int64)
    totals = np.bincount(owners, weights=sizes)
    ranked = np.lexsort((totals, n_units))
    shares, run = share_units(n_units[ranked])
    counts, runs = np.empty_like(n_units), np.empty_like(n_units)
    counts[ranked], runs[ranked] = shares, run
    # Units are sorted by run and by their rank within their owner, and assigned to the owners of the run in
    # turn. Each owner thus gets one of the largest units, one of the second largest units, and so on.
    by_size = np.lexsort((rng.random(len(owners)), -sizes, owners))
    ranks = np.empty_like(owners)
    ranks[by_size] = np.arange(len(owners)) - np.repeat(np.cumsum(n_units) - n_units, n_units)
    units = np.lexsort((rng.random(len(owners)), ranks, runs[owners]))
    of_slots = np.repeat(np.arange(len(counts)), counts)
    turns = np.arange(len(owners)) - np.repeat(np.cumsum(counts) - counts, counts)
    slots = np.lexsort((rng.random(len(owners)), turns, runs[of_slots]))
    place_of_owner = np.empty_like(order)
    place_of_owner[order] = np.arange(len(order))
    dealt = np.lexsort((rng.random(len(owners)), place_of_owner[of_slots[slots]]))
    return units[dealt], counts[order]


def strata_of(own: FoundGroup, columns: Sequence[Transformer], codes: list[Codes]) -> Int64s:
    """Return a number for each entity that indicates whether its keys are missing, placeholders or present.

    Each row with a missing key is a separate entity.
    """
    keys = [j for j in own.keys if isinstance(columns[j], GeneratedTransformer)]
    first = first_rows_of(own.entities)
    of_keys = np.stack([np.zeros(len(first), np.uint16), *(codes[j][first] for j in keys)])
    return np.unique(of_keys, axis=1, return_inverse=True)[1].astype(np.int64).ravel()


def sizes_of(own: FoundGroup, found: list[FoundGroup]) -> Int64s:
    """Return the number of units per entity. The units are rows or entities from the source group."""
    return np.bincount(_entities_of_units(own, found)).astype(np.int64)


def _entities_of_units(own: FoundGroup, found: list[FoundGroup]) -> Int64s:
    """Return the entity of each unit, in ascending order of the unit numbers."""
    if own.source == ROWS:
        return own.entities
    return own.entities[first_rows_of(found[own.source].entities)]


def _finest(found: list[FoundGroup], g: int) -> int:
    while found[g].source != ROWS:
        g = found[g].source
    return g


def _is_contiguous(own: FoundGroup, found: list[FoundGroup]) -> bool:
    """Return whether the units of each entity are adjacent, in this group or in a coarser group."""
    entities = own.entities
    if own.source != ROWS:
        entities = entities[np.sort(first_rows_of(found[own.source].entities))]
    n_entities = int(entities.max()) + 1
    n_runs = 1 + int((entities[1:] != entities[:-1]).sum())
    coarser = [other for other in found if other.source != ROWS and found[other.source] is own]
    is_own = n_runs - n_entities <= SPLIT_MAX * (len(entities) - n_entities)
    return is_own or any(_is_contiguous(other, found) for other in coarser)
