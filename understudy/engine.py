"""The engine as a library: what `import understudy` offers. A table is an Arrow table, or a file's path."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from understudy.evaluation import report
from understudy.evaluation.report import Report
from understudy.synthesizers import AnySynthesizer, TreeChainParameters, make_synthesizer
from understudy.synthesizers.base import Synthesizer
from understudy.synthesizers.files import load_model, save_model
from understudy.tables.formats import read_table
from understudy.tables.inference import infer_schema
from understudy.tables.schema import Schema
from understudy.tables.validation import conform

Table = pa.Table | Path | str


def fit(
    table: Table,
    *,
    seed: int,
    synthesizer: AnySynthesizer | None = None,
    schema: Schema | None = None,
) -> Synthesizer:
    """Return a synthesizer that has learnt a table; the same table and seed give the same one.

    Parameters
    ----------
    synthesizer : TreeChainParameters or IndependentParameters, optional
        The algorithm and its parameters; a tree chain when not given.
    schema : Schema, optional
        The kinds of the columns; inferred from their types when not given.
    """
    rows = _read(table)
    columns = schema or infer_schema(rows)
    unfitted = make_synthesizer(synthesizer or TreeChainParameters(name="tree_chain"), seed=seed)
    return unfitted.fit(conform(rows, columns), columns)


def sample(model: Synthesizer, n_rows: int, *, seed: int, offset: int = 0) -> pa.Table:
    """Return rows ``offset … offset + n_rows - 1`` of the endless table that the seed stands for."""
    return pa.Table.from_batches(model.sample(n_rows, seed=seed, offset=offset))


def evaluate(
    real: Table,
    synthetic: Table,
    *,
    holdout: Table | None = None,
    target: str | None = None,
    seed: int = 0,
) -> Report:
    """Return the scores of a synthetic against a real table; see `understudy.evaluation.report.evaluate`."""
    rows = _read(real)
    held_out = None if holdout is None else _read(holdout)
    schema = infer_schema(rows)
    return report.evaluate(rows, _read(synthetic), schema, holdout=held_out, target=target, seed=seed)


def save(model: Synthesizer, path: Path | str, *, schema: Schema) -> None:
    """Write a model file; the same model gives the same bytes."""
    save_model(model, Path(path), schema=schema)


def load(path: Path | str) -> Synthesizer:
    """Return the model of a file that `save` or `understudy fit` wrote."""
    return load_model(Path(path))[0]


def _read(table: Table) -> pa.Table:
    return table if isinstance(table, pa.Table) else read_table(Path(table))
