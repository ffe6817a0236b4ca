"""The table that every score is read against: columns drawn independently of each other."""

from __future__ import annotations

import pyarrow as pa

from understudy.synthesizers import IndependentParameters, make_synthesizer
from understudy.tables.schema import Schema


def draw_independent(real: pa.Table, schema: Schema, n_rows: int, *, seed: int) -> pa.Table:
    """Return rows of the `independent` synthesizer, fitted on the real table.

    Parameters
    ----------
    real : pyarrow.Table
        Conforms to the schema; not changed.
    """
    synthesizer = make_synthesizer(IndependentParameters(name="independent"), seed=seed)
    synthesizer.fit(real, schema)
    return pa.Table.from_batches(synthesizer.sample(n_rows, seed=seed), schema=schema.to_arrow())
