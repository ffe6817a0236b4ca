"""Hidden columns with an entity's values before and after its changes, and the positions of the changes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from understudy.synthesizers.entities.detection import number_values
from understudy.synthesizers.entities.sequences import N_CHANGES_MAX, N_PLACES, Change, Int64s
from understudy.synthesizers.tree_chain.difference_columns import DrawnTable
from understudy.synthesizers.tree_chain.hidden_columns import Builder
from understudy.transformers.base import MIN_SUPPORT, Mask
from understudy.transformers.generated.transformer import GeneratedTransformer
from understudy.transformers.labels import LabelTransformer

# The changes of two columns are drawn together if at least this share of them is in the same rows.
SHARED_MIN = 0.8


@dataclass(frozen=True)
class _Runs:
    """Changes of a column, for each entity.

    Parameters
    ----------
    counts : array of shape (n_entities,)
        Number of changes.
    values : array of shape (n_changes + 1, n_entities)
        Code before the first change, and code after each change. The last code is the code of the entity's
        last row.
    places : array of shape (n_changes, n_entities)
        Positions of the changes, as fractions of the rows in units of 1 / `N_PLACES`.
    """

    counts: Int64s
    values: Int64s
    places: Int64s


def changing_columns(drawn: DrawnTable, found: tuple[int, ...]) -> list[int]:
    """Return the columns whose changes are drawn. Columns that others determine are looked up instead."""
    names = drawn.transformer.schema.names
    place = {name: j for j, name in enumerate(names)}
    replaced = {*drawn.rules.derived, *drawn.rules.value_rules.targets}
    taken = {j for position in drawn.entities.positions for j in position.columns}
    kept: list[int] = []
    for j in found:
        sources = {
            place[rule.determinant]
            for rule in drawn.rules.functional_dependencies
            if rule.dependent == names[j]
        }
        is_looked_up = any(source in kept or source not in found for source in sources)
        is_learned = not isinstance(drawn.transformer.columns[j], GeneratedTransformer | LabelTransformer)
        if is_learned and not is_looked_up and j not in taken and names[j] not in replaced:
            kept.append(j)
    return kept


def add_changes(builder: Builder, columns: list[int], rng: np.random.Generator) -> tuple[Change, ...]:
    """Add the hidden columns of changes to the builder's table."""
    changes: list[Change] = []
    masks: list[Mask] = []
    order = np.argsort(builder.entities, kind="stable")
    for j in columns:
        codes = builder.drawn.codes[j]
        # Two values may have the same code, such as a salary before and after a raise.
        is_change = _changes(number_values(builder.drawn.rows.column(j)), builder.entities, order)
        partner = next((c for c, own in zip(changes, masks, strict=True) if _agree(own, is_change)), None)
        counts = np.bincount(builder.entities[order][is_change], minlength=int(builder.entities.max()) + 1)
        n_changes = sum(int((counts > i).sum() >= MIN_SUPPORT) for i in range(N_CHANGES_MAX))
        if not n_changes:
            continue
        owners, ordered = builder.entities[order], codes[order].astype(np.int64)
        runs = _find_runs(ordered, owners, is_change, n_changes, rng)
        changes.append(_add_change(builder, j, runs, partner))
        masks.append(is_change)
    return tuple(changes)


def _add_change(builder: Builder, j: int, runs: _Runs, partner: Change | None) -> Change:
    """Add the hidden columns for the changes of a column. Two columns may share the positions of changes."""
    name, entities = builder.drawn.transformer.schema.names[j], builder.entities

    def add(name: str, of_entities: Int64s) -> int:
        return builder.add(name, of_entities[entities], is_of_entity=True)

    if partner is not None and len(partner.places) == len(runs.places):
        count, places = partner.count, partner.places
    else:
        count = add(f"changes of {name}", runs.counts)
        places = tuple(add(f"place {i + 1} of {name}", own) for i, own in enumerate(runs.places))
    values = tuple(add(f"value {i + 1} of {name}", own) for i, own in enumerate(runs.values))
    return Change(j, count, values, places)


def _changes(values: Int64s, entities: Int64s, order: Int64s) -> Mask:
    """Return a mask of the ordered rows where the value differs from the previous value of the entity."""
    is_same = entities[order][1:] == entities[order][:-1]
    differs = values[order][1:] != values[order][:-1]
    return np.append(False, is_same & differs)


def _agree(one: Mask, other: Mask) -> bool:
    return int((one & other).sum()) >= SHARED_MIN * int((one | other).sum())


def _find_runs(
    ordered: Int64s, owners: Int64s, is_change: Mask, n_changes: int, rng: np.random.Generator
) -> _Runs:
    """Return `n_changes` changes for each entity. Missing changes are taken from other entities.

    Parameters
    ----------
    ordered, owners : array of shape (n,)
        Code and entity of each row. The rows of an entity are adjacent.
    is_change : array of shape (n,)
        Mask of the rows where the value differs from the previous value of the entity.
    n_changes : int
        Maximum number of changes per entity.
    rng : numpy.random.Generator
        Random generator that chooses places and other entities.
    """
    first = np.flatnonzero(np.append(True, owners[1:] != owners[:-1]))
    sizes = np.diff(np.append(first, len(owners)))
    at = np.flatnonzero(is_change)
    counts = np.bincount(owners[at], minlength=len(first))
    nth = np.arange(len(at)) - (np.cumsum(counts) - counts)[owners[at]]
    values = np.tile(ordered[first], (n_changes + 1, 1))
    places = rng.integers(0, N_PLACES, (n_changes, len(first)))
    for i in range(n_changes):
        rows = at[nth == i]
        entity = owners[rows]
        last = first[entity] + sizes[entity] - 1
        values[i + 1, entity] = ordered[rows if i + 1 < n_changes else last]
        within = rows - first[entity] - 1 + rng.random(len(rows))
        places[i, entity] = (within / (sizes[entity] - 1) * N_PLACES).astype(np.int64)
        values[i + 1] = _fill(values[i + 1], counts > i, values[0], rng)
    return _Runs(np.minimum(counts, n_changes), values, places)


def _fill(values: Int64s, is_known: Mask, first: Int64s, rng: np.random.Generator) -> Int64s:
    """Return the values, with unknown values taken from entities with the same first value if possible."""
    if not is_known.any():
        return values
    known, unknown = np.flatnonzero(is_known), np.flatnonzero(~is_known)
    ranked = known[np.lexsort((rng.random(len(known)), first[known]))]
    low = np.searchsorted(first[ranked], first[unknown], side="left")
    high = np.searchsorted(first[ranked], first[unknown], side="right")
    within = low + (rng.random(len(unknown)) * (high - low)).astype(np.int64)
    others = rng.integers(0, len(known), len(unknown))
    filled = values.copy()
    filled[unknown] = values[ranked[np.where(high > low, within, others)]]
    return filled
