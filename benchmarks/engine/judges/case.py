"""What a judge is given."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from benchmarks.engine.tables import Split, draw
from understudy.tables.schema import TableSchema

Figures = dict[str, float | None]


@dataclass(frozen=True)
class Case:
    """A sample, and the real rows that it is judged by.

    Parameters
    ----------
    split : Split
        All real rows.
    synthetic, holdout : pyarrow.Table
        The sample, and equally many real rows that nothing has learnt from.
    target : str
        The column that a model is trained to predict.
    is_whole_holdout : bool
        Whether no row of the holdout is among the sample, as it is when real rows are judged.
    seed : int
        Of every random choice.
    """

    split: Split
    synthetic: pa.Table
    holdout: pa.Table
    target: str
    seed: int
    is_whole_holdout: bool = True

    @property
    def schema(self) -> TableSchema:
        """The columns of all tables."""
        return self.split.schema

    def draw(self, rows: pa.Table) -> pa.Table:
        """Return as many of the rows as there are in the sample."""
        return draw(rows, min(len(self.synthetic), len(rows)), seed=self.seed)
