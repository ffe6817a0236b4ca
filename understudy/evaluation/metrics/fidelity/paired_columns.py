"""Discovery of column pairs with a meaningful difference, such as start and end, or low and high.

Two columns of the same unit belong together if their difference varies much less than the difference between
independent columns. They also belong together if the values of one column almost never exceed those of the
other, which would be unlikely for independent columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from understudy.evaluation.encoding import ColumnEncoder, EncodedTable, is_missing
from understudy.tables.schema import ColumnKind

Unit = Literal["moment", "time", "duration", "number"]
Floats: TypeAlias = NDArray[np.float64]

# Maximum number of rows that are searched for pairs, and minimum number of rows with both values known.
N_ROWS_MAX = 5_000
N_KNOWN_MIN = 100
# Maximum number of columns per unit. All pairs of these columns are examined.
N_COLUMNS_MAX = 40
N_PAIRS_MAX = 20
# Minimum number of distinct values of a column. Columns with fewer distinct values are treated as codes or
# ratings.
N_DISTINCT_MIN = 10
# Maximum width of the distribution of differences, as a share of the width expected for independent columns.
WIDTH_MAX = 0.5
# Minimum share of rows in which the first value does not exceed the second, and maximum share expected for
# independent columns.
ORDERED_MIN = 0.995
ORDERED_BY_CHANCE_MAX = 0.95
# The width of a distribution is the distance between these quantiles.
QUANTILES = (0.05, 0.95)


@dataclass(frozen=True)
class Pair:
    """Two columns and the evidence that they belong together.

    Parameters
    ----------
    first, second : int
        Positions of the columns. The median of `second` minus `first` is not negative.
    width : float
        Width of the central 90% range of the differences, divided by the width expected for independent
        columns.
    ordered, ordered_by_chance : float
        Observed share of rows in which `first` does not exceed `second`, and share expected for independent
        columns.
    """

    first: int
    second: int
    unit: Unit
    width: float
    ordered: float
    ordered_by_chance: float

    @property
    def belongs_together(self) -> bool:
        """Whether the evidence is sufficient."""
        is_ordered = self.ordered >= ORDERED_MIN and self.ordered_by_chance <= ORDERED_BY_CHANCE_MAX
        return self.width <= WIDTH_MAX or is_ordered

    def differences(self, table: EncodedTable) -> Floats:
        """Return `second` minus `first` for the rows with both values known."""
        gaps = table.columns[self.second].astype(np.float64) - table.columns[self.first]
        return gaps[~is_missing(gaps)]


def find_pairs(encoders: Sequence[ColumnEncoder], real: EncodedTable, rng: np.random.Generator) -> list[Pair]:
    """Return the pairs of columns that belong together, with the narrowest differences first."""
    rows = real.draw(N_ROWS_MAX, rng)
    by_unit: dict[Unit, list[int]] = {}
    for i, encoder in enumerate(encoders):
        unit = _unit(encoder)
        if unit is not None and _n_distinct(rows.columns[i]) >= N_DISTINCT_MIN:
            by_unit.setdefault(unit, []).append(i)
    examined = (
        _examine(rows, (i, j), unit, rng)
        for unit, columns in by_unit.items()
        for i, j in combinations(columns[:N_COLUMNS_MAX], 2)
    )
    pairs = [pair for pair in examined if pair is not None and pair.belongs_together]
    return sorted(pairs, key=lambda pair: (pair.width, pair.first, pair.second))[:N_PAIRS_MAX]


def _unit(encoder: ColumnEncoder) -> Unit | None:
    """Return the unit of a column. Columns with the same unit can be subtracted from each other."""
    kind = encoder.column.kind
    if encoder.is_categorical or kind is ColumnKind.coordinates:
        return None
    if kind in (ColumnKind.date, ColumnKind.timestamp):
        return "moment"
    if kind is ColumnKind.time:
        return "time"
    return "duration" if kind is ColumnKind.duration else "number"


def _n_distinct(values: NDArray[np.generic]) -> int:
    known = values.astype(np.float64)
    return len(np.unique(known[~np.isnan(known)]))


def _examine(
    rows: EncodedTable, columns: tuple[int, int], unit: Unit, rng: np.random.Generator
) -> Pair | None:
    """Return a pair of columns with its evidence, or None if it has too few known rows or no spread."""
    first, second = (rows.columns[i].astype(np.float64) for i in columns)
    known = ~np.isnan(first) & ~np.isnan(second)
    first, second = first[known], second[known]
    if len(first) < N_KNOWN_MIN:
        return None
    if np.median(second - first) < 0:
        first, second, columns = second, first, (columns[1], columns[0])
    shuffled = rng.permutation(second)
    width, chance = (float(np.diff(np.quantile(one - first, QUANTILES))[0]) for one in (second, shuffled))
    if chance <= 0 or width <= 0:
        return None
    return Pair(
        first=columns[0],
        second=columns[1],
        unit=unit,
        width=width / chance,
        ordered=float(np.mean(first <= second)),
        ordered_by_chance=float(np.mean(first <= shuffled)),
    )
