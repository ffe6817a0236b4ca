"""Columns with the typical values of entities, on which columns that vary within an entity depend.

Like the sizes of entities, these columns are drawn but are not part of the sampled rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from understudy.synthesizers.entities.detection import FoundGroup, Int64s, first_rows_of
from understudy.synthesizers.entities.groups import ROWS
from understudy.synthesizers.entities.profiles import Similarity, draw_typical, measure_similarity
from understudy.synthesizers.tree_chain.chain import Arranged
from understudy.synthesizers.tree_chain.difference_columns import (
    DrawnTable,
    difference_column,
    with_columns,
)
from understudy.transformers.generated.transformer import GeneratedTransformer
from understudy.transformers.labels import LabelTransformer
from understudy.transformers.table_fitting import fit_column

# Stream number of the random generator for typical values. Other random generators of a fit have other
# numbers.
_TYPICAL = 6
# Maximum number of columns with typical values. The columns with the most similar rows are chosen.
N_PROFILES_MAX = 32
# Minimum similarity of rows within one kind of entity, relative to the highest similarity for any kind. Of
# the kinds that reach it, the kind with the fewest entities is used.
NEARLY = 0.9


@dataclass(frozen=True)
class _Profile:
    """Column with similar values in the units of an entity."""

    column: int
    group: int
    units: Int64s
    similarity: Similarity


def add_profile_columns(drawn: DrawnTable, found: list[FoundGroup], seed: int) -> DrawnTable:
    """Add a column of typical values for each column with similar values within entities."""
    if not found:
        return drawn
    profiles = sorted(_find_profiles(drawn, found), key=lambda own: -own.similarity.share)[:N_PROFILES_MAX]
    table, codes = drawn.transformer, list(drawn.codes)
    groups, names, owners = list(drawn.entities.groups), [], {}
    for profile in profiles:
        entities = found[profile.group].entities
        rng = np.random.default_rng([seed, _TYPICAL, profile.column])
        typical = draw_typical(
            drawn.codes[profile.column][profile.units],
            entities[profile.units],
            profile.similarity.share,
            rng,
            is_ordinal=drawn.transformer.columns[profile.column].is_ordinal,
        )
        name = f"typical {table.schema.names[profile.column]}"
        while name in table.schema.names:
            name += "_"
        values = pa.chunked_array([pa.array(typical[entities], pa.int64())])
        transformer, own_codes = fit_column(difference_column(name), values, entities)
        if transformer.n_codes < 2:
            continue
        place = len(table.columns)
        table = with_columns(table, {name: transformer})
        codes.append(own_codes)
        own = groups[profile.group]
        groups[profile.group] = replace(own, columns=(*own.columns, place))
        names.append(name)
        owners[place] = profile.column
    return replace(
        drawn,
        transformer=table,
        codes=codes,
        entities=replace(drawn.entities, groups=tuple(groups)),
        sizes=(*drawn.sizes, *names),
        profiles=owners,
    )


def hide_profiles(arranged: Arranged, drawn: DrawnTable) -> Arranged:
    """Return an arrangement in which the typical values of a column are used only to draw that column.

    Likewise, the first values and the steps of a sequence are used only to draw the sequence. Columns of
    entities, however, may depend on all typical values and first values.
    """
    seen_by = {**drawn.seen_by} | {place: frozenset({column}) for place, column in drawn.profiles.items()}
    if not seen_by:
        return arranged
    visible = dict(arranged.visible)
    everything = set(arranged.order)
    for j in arranged.order:
        if j not in drawn.entities.group_of:
            others = {place for place, columns in seen_by.items() if j not in columns}
            visible[j] = set(visible.get(j, everything)) - others
    return replace(arranged, visible=visible)


def _find_profiles(drawn: DrawnTable, found: list[FoundGroup]) -> Iterator[_Profile]:
    """Yield the columns with similar values within entities, each with the kind of entity to use."""
    taken = {j for position in drawn.entities.positions for j in position.columns}
    sequences = drawn.entities.sequences
    taken |= frozenset() if sequences is None else sequences.values
    steps = set() if sequences is None else {own.step for own in sequences.columns}
    units_of = {g: first_rows_of(own.entities) for g, own in enumerate(found)}
    units_of[ROWS] = np.arange(drawn.rows.num_rows)
    for j, transformer in enumerate(drawn.transformer.columns):
        name = drawn.transformer.schema.names[j]
        is_learned = not isinstance(transformer, GeneratedTransformer | LabelTransformer)
        is_free = j not in taken and name not in drawn.rules.derived
        is_free &= name not in drawn.sizes or j in steps
        if not is_learned or not is_free or transformer.n_codes < 2:
            continue
        owner = drawn.entities.group_of.get(j, ROWS)
        groups = range(len(found)) if owner == ROWS else drawn.entities.coarser(owner)
        units = units_of[owner]
        similar = [
            _Profile(
                j,
                g,
                units,
                measure_similarity(
                    drawn.codes[j][units], found[g].entities[units], is_ordinal=transformer.is_ordinal
                ),
            )
            for g in groups
            if found[g].keys
        ]
        relevant = [own for own in similar if own.similarity.is_relevant]
        enough = NEARLY * max((own.similarity.share for own in relevant), default=0.0)
        similar_enough = [own for own in relevant if own.similarity.share >= enough]
        if similar_enough:
            yield min(similar_enough, key=lambda own: found[own.group].n_values)
