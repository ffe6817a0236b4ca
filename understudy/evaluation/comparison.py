"""What a metric is given: the tables of one comparison, encoded once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from understudy.errors import InvalidInput
from understudy.evaluation.encoding import EncodedTable, TableEncoder
from understudy.tables.schema import Column, Schema
from understudy.tables.validation import conform

# Enough for every share to be exact to a tenth of a percent; what is above is drawn by the seed.
N_ROWS_MAX_REAL = 500_000
N_ROWS_MAX_OTHER = 250_000


@dataclass(frozen=True)
class Comparison:
    """A real table, the table that is held against it, and what helps to judge.

    Parameters
    ----------
    encoder : TableEncoder
        What the arrays' codes stand for.
    real, synthetic : EncodedTable
        The rows that were learnt from, and the rows that are judged.
    holdout : EncodedTable or None
        Real rows that nothing was learnt from.
    target : str or None
        The column that somebody wants to predict.
    seed : int
        Of every random choice.
    """

    encoder: TableEncoder
    real: EncodedTable
    synthetic: EncodedTable
    holdout: EncodedTable | None = None
    target: str | None = None
    seed: int = 0

    @property
    def columns(self) -> Sequence[Column]:
        """The schema's columns, in the order of the arrays."""
        return [encoder.column for encoder in self.encoder.columns]

    def encoder_index(self, name: str) -> int:
        """Return the position of a column."""
        return [column.name for column in self.columns].index(name)

    def rng(self, purpose: str) -> np.random.Generator:
        """Return a generator of its own for each purpose, so that no metric shifts another's draws."""
        return np.random.default_rng([self.seed, *purpose.encode()])


def compare(
    real: pa.Table,
    synthetic: pa.Table,
    schema: Schema,
    *,
    holdout: pa.Table | None = None,
    target: str | None = None,
    seed: int = 0,
) -> Comparison:
    """Check and encode the tables of a comparison.

    Raises
    ------
    InvalidInput
        If a table has no rows or does not conform to the schema, or the target is not in the schema.
    """
    tables = {"real": real, "synthetic": synthetic} | ({} if holdout is None else {"holdout": holdout})
    for role, table in tables.items():
        if table.num_rows == 0:
            raise InvalidInput(f"The {role} table has no rows; there is nothing to compare.", code="no_rows")
    if target is not None:
        schema.column(target)
    tables = {role: conform(table, schema) for role, table in tables.items()}
    encoder = TableEncoder.fit(
        tables["real"], [table for role, table in tables.items() if role != "real"], schema
    )
    encoded = {role: encode(encoder, table, role=role, seed=seed) for role, table in tables.items()}
    return Comparison(
        encoder, encoded["real"], encoded["synthetic"], encoded.get("holdout"), target=target, seed=seed
    )


def encode(encoder: TableEncoder, table: pa.Table, *, role: str, seed: int) -> EncodedTable:
    """Return a table, perhaps a part of its rows, as arrays."""
    n_rows_max = N_ROWS_MAX_REAL if role == "real" else N_ROWS_MAX_OTHER
    return encoder.encode(table, n_rows_max=n_rows_max, rng=np.random.default_rng([seed, *role.encode()]))
