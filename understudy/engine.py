"""The engine as a library: what `import understudy` offers. A table is an Arrow table, or a file's path."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from understudy.evaluation import report
from understudy.evaluation.report import Report
from understudy.parameters.constraints import (
    ColumnConstraint,
    ColumnRebalance,
    SampleCondition,
    SamplingConstraints,
    TargetShare,
)
from understudy.parameters.evaluation_options import AggregateQuery, EvaluationOptions
from understudy.parameters.policy import Policy, PolicyThreshold
from understudy.synthesizers import AnySynthesizer, TreeChainParameters, make_synthesizer
from understudy.synthesizers.base import Synthesizer
from understudy.synthesizers.files import load_model, save_model
from understudy.synthesizers.groups import count_rows
from understudy.tables.formats import read_table
from understudy.tables.inference import infer_table
from understudy.tables.names import DEFAULT_NAME
from understudy.tables.schema import DatasetSchema, TableSchema
from understudy.tables.validation import conform

__all__ = [
    "AggregateQuery",
    "ColumnConstraint",
    "ColumnRebalance",
    "EvaluationOptions",
    "Policy",
    "PolicyThreshold",
    "SampleCondition",
    "SamplingConstraints",
    "TargetShare",
    "evaluate",
    "fit",
    "impute",
    "load",
    "sample",
    "save",
]

Table = pa.Table | Path | str


def fit(
    table: Table,
    *,
    seed: int,
    synthesizer: AnySynthesizer | None = None,
    schema: TableSchema | None = None,
) -> Synthesizer:
    """Return a synthesizer that has learnt a table; the same table and seed give the same one.

    Parameters
    ----------
    synthesizer : TreeChainParameters or IndependentParameters, optional
        The algorithm and its parameters; a tree chain when not given.
    schema : TableSchema, optional
        The kinds of the columns; inferred from their types when not given.
    """
    rows = _read(table)
    columns = schema or infer_table(rows).schema
    unfitted = make_synthesizer(synthesizer or TreeChainParameters(name="tree_chain"), seed=seed)
    return unfitted.fit(conform(rows, columns), columns)


def sample(
    model: Synthesizer,
    n_rows: int | None = None,
    *,
    seed: int,
    offset: int = 0,
    constraints: SamplingConstraints | None = None,
) -> pa.Table:
    """Return rows ``offset … offset + n_rows - 1`` of the endless table that the seed stands for.

    Parameters
    ----------
    n_rows : int, optional
        May be left out beside conditions, which say how many rows they have.
    constraints : SamplingConstraints, optional
        Conditions that groups of rows fulfil, or other shares of a column's values. What the rows are then
        worth, `model.effective_shares` says.
    """
    n_drawn = count_rows(constraints, n_rows, offset)
    return pa.Table.from_batches(model.sample(n_drawn, seed=seed, offset=offset, constraints=constraints))


def impute(model: Synthesizer, table: Table, *, seed: int, n_draws: int = 1) -> pa.Table:
    """Return a table with its missing values drawn, the whole table `n_draws` times, one after the other.

    What is present stays as it is. Of n rows, row i of draw d (both from 0) is row d * n + i; what differs
    between draws shows how uncertain they are.
    """
    return pa.Table.from_batches(model.impute(_read(table), seed=seed, n_draws=n_draws))


def evaluate(
    real: Table,
    synthetic: Table,
    *,
    holdout: Table | None = None,
    canaries: Table | None = None,
    options: EvaluationOptions | None = None,
    seed: int = 0,
) -> Report:
    """Return the scores of a synthetic against a real table; see `understudy.evaluation.report.evaluate`."""
    rows = _read(real)
    inferred = infer_table(rows)
    held_out, planted = (None if one is None else _read(one) for one in (holdout, canaries))
    return report.evaluate(
        rows,
        _read(synthetic),
        inferred.schema,
        findings=inferred.findings,
        holdout=held_out,
        canaries=planted,
        options=options,
        seed=seed,
    )


def save(model: Synthesizer, path: Path | str, *, schema: TableSchema) -> None:
    """Write a model file; the same model gives the same bytes."""
    save_model(model, Path(path), schema=DatasetSchema(tables={DEFAULT_NAME: schema}))


def load(path: Path | str) -> Synthesizer:
    """Return the model of a file that `save` or `understudy fit` wrote."""
    return load_model(Path(path))[0]


def _read(table: Table) -> pa.Table:
    return table if isinstance(table, pa.Table) else read_table(Path(table))
