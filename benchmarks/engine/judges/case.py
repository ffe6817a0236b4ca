"""The input of a judge."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from benchmarks.engine.tables import Split, draw
from understudy.tables.schema import TableSchema

Figures = dict[str, float | None]


@dataclass(frozen=True)
class Case:
    """A sample with the real rows for comparison.

    Parameters
    ----------
    split : Split
        Both halves of the real table.
    synthetic, holdout : pyarrow.Table
        The sample, and the same number of real rows that were not used for training.
    target : str
        Column that a model is trained to predict.
    is_whole_holdout : bool
        Whether the sample contains no rows of the holdout. The sample contains holdout rows only if real rows
        are judged.
    seed : int
        Seed of the random number generator.
    """

    split: Split
    synthetic: pa.Table
    holdout: pa.Table
    target: str
    seed: int
    is_whole_holdout: bool = True

    @property
    def schema(self) -> TableSchema:
        """The schema of all tables."""
        return self.split.schema

    def draw(self, rows: pa.Table) -> pa.Table:
        """Return random rows of a table. Their number equals the number of rows in the sample."""
        return draw(rows, min(len(self.synthetic), len(rows)), seed=self.seed)
