"""Evaluation of synthetic frames, Arrow tables or files against real data."""

from __future__ import annotations

import pyarrow as pa

from understudy.engine import arguments
from understudy.engine.arguments import OptionsLike, SchemaLike
from understudy.engine.fitting import infer_schema
from understudy.engine.model import Model
from understudy.engine.tables import only_name
from understudy.errors import InvalidInput
from understudy.evaluation import report
from understudy.evaluation.comparison import ComparisonTables
from understudy.evaluation.report import Report
from understudy.frames.datasets import Frames, read_dataset
from understudy.parameters import calls
from understudy.parameters.calls import checked, validated, whole_number
from understudy.parameters.evaluation_options import EvaluationOptions
from understudy.tables.findings import ColumnFindings, Findings, TableFindings
from understudy.tables.inference import InferredTable
from understudy.tables.schema import DatasetSchema, TableSchema


@checked(
    real=calls.tables,
    synthetic=calls.tables,
    holdout=calls.tables,
    canaries=calls.tables,
    schema=arguments.schema_or_model,
    options=validated(EvaluationOptions),
    seed=whole_number(is_optional=False),
)
def evaluate(
    real: Frames,
    synthetic: Frames,
    *,
    schema: SchemaLike | None = None,
    holdout: Frames | None = None,
    canaries: Frames | None = None,
    options: OptionsLike | None = None,
    seed: int = 0,
) -> Report:
    """Evaluate a synthetic table against a real table: fidelity, usefulness, bias and privacy.

    Parameters
    ----------
    real : pandas.DataFrame, polars.DataFrame, pyarrow.Table, path, or mapping of a table name to one of these
        Real rows that the model was fitted on.
    synthetic : same types as `real`
        Rows sampled from the model.
    schema : DatasetSchema, TableSchema, dict or Model, optional
        Schema of the table, or a model that provides the schema. Inferred from the real rows if omitted.
    holdout : same types as `real`, optional
        Real rows that the model was not fitted on. Some privacy and usefulness scores require them.
    canaries : same types as `real`, optional
        Canary records, some of which were planted in the training table before the fit.
        `understudy fit --canaries` writes a table of canary records.
    options : EvaluationOptions or dict, optional
        Target, protected and sensitive columns, queries, and the policy of the verdict.
    seed : int, default 0
        Seed of the random number generator. The same tables, options and seed give the same report.

    Returns
    -------
    Report
        The scores, with a verdict under the policy. `Report.save` writes it as HTML or JSON.

    Raises
    ------
    InvalidInput
        If a table does not conform to the schema, if the data has several tables, or if an option names an
        unknown column or policy.

    Examples
    --------
    >>> import pandas as pd
    >>> import understudy
    >>> people = pd.DataFrame({"age": range(20, 80), "city": ["Oslo", "Rome", "Lima"] * 20})
    >>> model = understudy.fit(people, seed=1)
    >>> report = understudy.evaluate(people, model.sample(60, seed=2), schema=model)
    >>> report.verdict.outcome in ("pass", "warn", "fail", "inconclusive")
    True
    """
    dataset_schema, findings = _described(real, schema)
    name, table = _only_table(dataset_schema)
    tables = _comparison_tables(name, real, synthetic, holdout, canaries)
    inferred = InferredTable(table, _examined(table, findings.table(name)))
    return report.evaluate(tables, inferred, options=options, seed=seed)


def _described(real: Frames, schema: DatasetSchema | Model | None) -> tuple[DatasetSchema, Findings]:
    if schema is None:
        return infer_schema(real, with_findings=True)
    if isinstance(schema, Model):
        return schema.schema, schema.findings or Findings()
    return schema, Findings()


def _only_table(schema: DatasetSchema) -> tuple[str, TableSchema]:
    if only_name(schema) is None:
        raise InvalidInput(
            f"The data has {len(schema.tables)} tables, but a report covers one. Evaluate each table "
            "separately.",
            code="invalid_parameters",
        )
    return next(iter(schema.tables.items()))


def _comparison_tables(
    name: str, real: Frames, synthetic: Frames, holdout: Frames | None, canaries: Frames | None
) -> ComparisonTables:
    return ComparisonTables(
        _rows(real, name),
        _rows(synthetic, name),
        holdout=None if holdout is None else _rows(holdout, name),
        canaries=None if canaries is None else _rows(canaries, name),
    )


def _rows(data: Frames, name: str) -> pa.Table:
    tables = read_dataset(data, name=name).tables
    if name not in tables:
        raise InvalidInput(
            f"The data has no table {name!r}. Give its table the same name as in the schema.",
            code="unknown_table",
        )
    return tables[name]


def _examined(schema: TableSchema, findings: TableFindings) -> TableFindings:
    """Return findings for every column. A column without a finding counts as declared in the schema."""
    declared = ColumnFindings(confidence=1, evidence="Declared in the schema.")
    columns = {column.name: declared for column in schema.columns} | findings.columns
    return findings.model_copy(update={"columns": columns})
