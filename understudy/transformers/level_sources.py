"""Columns whose levels determine other columns. In those columns, the level replaces the row number."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from understudy.transformers.base import DECODING, CodesByColumn, NumberedRows, RowNumbers, RowStream
from understudy.transformers.categorical import CategoricalTransformer, Int32s


@dataclass(frozen=True, eq=False, repr=False)
class LevelSource:
    """A column whose levels determine other columns.

    A code of the column can represent several levels. A level is chosen for each row, or for each level of
    the parent.

    Parameters
    ----------
    column : int
        Position of the column in the table.
    transformer : CategoricalTransformer
        Transformer of the column.
    parent : LevelSource, optional
        Column whose level determines this column.
    """

    column: int
    transformer: CategoricalTransformer
    parent: LevelSource | None = None

    def draw(self, codes: CodesByColumn, seed: int, rows: NumberedRows) -> Int32s:
        """Return the level index in each row. For missing values, the index equals the number of levels."""
        numbers = rows.of_values(self.column)
        if self.parent is not None:
            numbers = self.parent.number(codes, seed, rows)
        drawn = self.transformer.draw_levels(
            codes[self.column], RowStream(seed, DECODING + self.column, numbers)
        )
        known = rows.levels.get(self.column)
        return drawn if known is None else np.where(known >= 0, known, drawn)

    def number(self, codes: CodesByColumn, seed: int, rows: NumberedRows) -> RowNumbers:
        """Return the level of each row, as a number that replaces the row number."""
        return self.draw(codes, seed, rows).astype(np.uint64)
