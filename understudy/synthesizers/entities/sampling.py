"""Sampling of entity columns, once for each entity."""

from __future__ import annotations

from collections.abc import Callable, Collection

import numpy as np

from understudy.synthesizers.entities.grouping import Places
from understudy.synthesizers.entities.groups import Entities
from understudy.transformers.base import Codes, CodesByColumn, NumberedRows, RowNumbers

# Function that takes row numbers, the codes of some columns, and the required columns, and returns the codes
# of accepted rows.
DrawRows = Callable[[NumberedRows, CodesByColumn, Collection[int]], CodesByColumn]


def draw_entities(
    entities: Entities, draw: DrawRows, rows: RowNumbers, places: list[Places]
) -> tuple[NumberedRows, dict[int, Codes]]:
    """Return rows with their entity numbers, and the codes of all entity columns.

    For each entity, one accepted row is sampled under the entity's number. The entity columns are taken from
    this row, and the rows of the entity are then sampled given these columns. The entity columns thus have
    the same distribution as in accepted rows.

    Parameters
    ----------
    entities : Entities
        Entities of the table.
    draw : callable
        Function that samples accepted rows, given the codes of some columns.
    rows : array of shape (n,)
        Numbers of the rows.
    places : list of Places
        Entities of the rows, for each group (see `Entities.places`).
    """
    numbered = entities.with_numbers(rows, [own.numbers for own in places], places)
    given: dict[int, Codes] = {}
    for g in entities.draw_order():
        group = entities.groups[g]
        numbers, first, entity = np.unique(places[g].numbers, return_index=True, return_inverse=True)
        above = [j for other in entities.coarser(g) for j in entities.groups[other].columns]
        levels = {j: numbered.levels[j][first] for j in (*above, *group.columns) if j in numbered.levels}
        own_rows = NumberedRows(numbers, {j: numbered.of(j)[first] for j in above}, levels=levels)
        known = {j: given[j][first] for j in above if j in given}
        known |= {j: codes[places[g].slots[first]] for j, codes in group.known_codes.items()}
        drawn = draw(own_rows, known, group.columns)
        given |= {j: drawn[j][entity] for j in group.columns if j in drawn}
    return numbered, given
