"""Search for columns that rarely change within an entity, such as a plan or a diagnosis."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from understudy.synthesizers.entities.sequences import N_CHANGES_MAX

Int64s = npt.NDArray[np.int64]

# Minimum expected number of returns to an earlier value if the rows of each entity are in random order. The
# second value is the maximum number of actual returns, as a fraction of this expected number.
N_RETURNS_MIN, RETURNS_MAX = 20.0, 0.02
# Maximum share of changes among the steps from one row of an entity to its next row.
CHANGES_MAX = 0.4
# The share of changes is first measured on this number of rows.
N_ROWS_FIRST = 8192
# Maximum share of entities with more than `N_CHANGES_MAX` changes.
MORE_CHANGES_MAX = 0.02


def changes_rarely(values: Int64s, entities: Int64s) -> bool:
    """Return whether values rarely differ from the entity's previous value. The rows are sorted by entity."""
    is_same = entities[1:] == entities[:-1]
    n_changes = int((values[1:] != values[:-1])[is_same].sum())
    return 0 < n_changes <= CHANGES_MAX * int(is_same.sum())


def persists(values: Int64s, entities: Int64s, order: Int64s) -> bool:
    """Return whether the values of entities change rarely and almost never return to an earlier value.

    Parameters
    ----------
    values : array of shape (n,)
        Value of each row, as a number from 0.
    entities : array of shape (n,)
        Entity of each row.
    order : array of shape (n,)
        Row indices, sorted by entity and then by table order.
    """
    if not changes_rarely(values[order], entities[order]):
        return False
    is_change = (entities[order][1:] == entities[order][:-1]) & (values[order][1:] != values[order][:-1])
    n_changes_of = np.bincount(entities[order][1:][is_change], minlength=int(entities.max()) + 1)
    if (n_changes_of > N_CHANGES_MAX).mean() > MORE_CHANGES_MAX:
        return False
    n_values = int(values.max()) + 1
    cells, counts = np.unique(entities * n_values + values, return_counts=True)
    sizes = np.bincount(entities)
    n_entities = len(sizes)
    # Each distinct value of an entity has a first run of equal values. Every further run is a return to that
    # value.
    n_returns = int(n_changes_of.sum()) + n_entities - len(cells)
    rest = sizes[cells // n_values] - counts
    expected = float((counts * rest / sizes[cells // n_values]).sum()) + n_entities - len(cells)
    return expected >= N_RETURNS_MIN and n_returns <= RETURNS_MAX * expected
