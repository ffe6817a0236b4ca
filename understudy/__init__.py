"""Understudy learns a role from the real actor and stands in: synthetic tables, and how far to trust them.

    model = understudy.fit("people.csv", seed=1)
    rows = understudy.sample(model, 1_000, seed=2)
    report = understudy.evaluate("people.csv", rows, target="income")

Tables are Arrow tables, or paths of CSV or Parquet files.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

    from understudy.evaluation.report import Report
    from understudy.synthesizers import AnySynthesizer
    from understudy.synthesizers.base import Synthesizer
    from understudy.tables.schema import Schema

__all__ = ["evaluate", "fit", "load", "sample", "save"]

# Everything is imported where it is used: `import understudy` is part of the start of every process.


def fit(
    table: pa.Table | Path | str,
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
    from understudy.synthesizers import TreeChainParameters, make_synthesizer
    from understudy.tables.inference import infer_schema
    from understudy.tables.validation import conform

    rows = _read(table)
    columns = schema or infer_schema(rows)
    unfitted = make_synthesizer(synthesizer or TreeChainParameters(name="tree_chain"), seed=seed)
    return unfitted.fit(conform(rows, columns), columns)


def sample(model: Synthesizer, n_rows: int, *, seed: int, offset: int = 0) -> pa.Table:
    """Return rows ``offset … offset + n_rows - 1`` of the endless table that the seed stands for."""
    import pyarrow as pa

    return pa.Table.from_batches(model.sample(n_rows, seed=seed, offset=offset))


def evaluate(
    real: pa.Table | Path | str,
    synthetic: pa.Table | Path | str,
    *,
    holdout: pa.Table | Path | str | None = None,
    target: str | None = None,
    seed: int = 0,
) -> Report:
    """Return the scores of a synthetic against a real table; see `understudy.evaluation.report.evaluate`."""
    from understudy.evaluation import report
    from understudy.tables.inference import infer_schema

    rows = _read(real)
    held_out = None if holdout is None else _read(holdout)
    return report.evaluate(
        rows, _read(synthetic), infer_schema(rows), holdout=held_out, target=target, seed=seed
    )


def save(model: Synthesizer, path: Path | str, *, schema: Schema) -> None:
    """Write a model file; the same model gives the same bytes."""
    from understudy.synthesizers.files import save_model

    save_model(model, Path(path), schema=schema)


def load(path: Path | str) -> Synthesizer:
    """Return the model of a file that `save` or `understudy fit` wrote."""
    from understudy.synthesizers.files import load_model

    return load_model(Path(path))[0]


def _read(table: pa.Table | Path | str) -> pa.Table:
    from understudy.tables.formats import read_table

    return read_table(Path(table)) if isinstance(table, (Path, str)) else table


def __getattr__(name: str) -> str:
    if name == "__version__":
        from importlib.metadata import version

        return version("understudy")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
