"""The report on a synthetic table: the scores of all metrics with their baselines, and a verdict."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field

from understudy.errors import InvalidInput
from understudy.evaluation.baselines import independent_columns, leaky_copy
from understudy.evaluation.comparison import IS_PLANTED, ORIGINS, Comparison, ComparisonTables, compare
from understudy.evaluation.excluded_columns import ExcludedColumn, exclude_columns, select
from understudy.evaluation.overlap import HoldoutOverlap, count_shared_rows
from understudy.evaluation.overview import FRAME_NUMBERS, SummaryRow, describe, frame_rows, summary_row
from understudy.evaluation.scores import MetricScores, score_all
from understudy.evaluation.statistics.distributions import ColumnDistribution, distribution
from understudy.evaluation.subjects import count_subjects
from understudy.evaluation.verdict import Verdict, check_policy, judge
from understudy.parameters import calls
from understudy.parameters.calls import checked
from understudy.parameters.evaluation_options import EvaluationOptions
from understudy.parameters.policy import resolve_policy
from understudy.progress import Progress, no_progress
from understudy.tables.findings import TableFindings
from understudy.tables.inference import InferredTable, examine
from understudy.tables.schema import TableSchema
from understudy.tables.validation import conform

if TYPE_CHECKING:
    import pandas as pd

# Minimum confidence of a target that the caller did not name. Only a column with a matching header reaches
# this confidence. Being the last column of the table is not sufficient.
CONFIDENCE_MIN = 0.8


class TableSize(BaseModel):
    """The sizes of a table and of its scored sample."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    n_rows: int
    n_rows_used: Annotated[
        int,
        Field(
            description="Number of rows sampled for the scores. The `n_rows` of a metric's result can be "
            "smaller."
        ),
    ]
    n_subjects: Annotated[
        int | None,
        Field(description="Number of subjects in the sampled rows. Null if no subject is declared."),
    ] = None


class Report(BaseModel):
    """The evaluation of a synthetic table. The same tables, options and seed give the same report."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: Literal["2"] = "2"
    versions: Annotated[
        dict[str, str], Field(description="Versions of the software that computed the scores, by name.")
    ]
    seed: int
    options: Annotated[EvaluationOptions, Field(description="Resolved options of the evaluation.")]
    tables: Annotated[
        dict[str, TableSize],
        Field(description="Sizes of the tables by role: `real`, `synthetic`, `holdout`."),
    ]
    unit: Annotated[
        Literal["rows", "subjects"],
        Field(
            description="Unit that the privacy scores count: rows, or the subjects that the schema declares."
        ),
    ] = "rows"
    n_subjects_shared: Annotated[
        int | None,
        Field(
            description="Number of subjects with rows both in the real table and in the holdout. If it is "
            "not zero, the attacks have no valid control and none of their checks passes."
        ),
    ] = None
    n_rows_shared: Annotated[
        int | None,
        Field(
            description="Number of holdout rows that are identical to a row of the real table in every "
            "column, including identifiers. If it exceeds `n_rows_shared_max`, the attacks have no valid "
            "control and none of their checks passes."
        ),
    ] = None
    n_rows_shared_max: Annotated[
        int | None,
        Field(
            description="Maximum number of shared rows that a random split can explain. Only one in a "
            "million random splits of these rows results in more shared rows."
        ),
    ] = None
    is_target_chosen: Annotated[
        bool,
        Field(
            description="Whether the target was detected from its column name because the caller did not "
            "specify a target."
        ),
    ] = False
    verdict: Verdict
    metrics: list[MetricScores]
    columns: list[ColumnDistribution]
    left_out: Annotated[
        list[ExcludedColumn],
        Field(description="Columns that are not scored: identifiers, free text and personal fields."),
    ] = []

    @property
    def target(self) -> str | None:
        """The column to predict."""
        return self.options.target

    @property
    def overlap(self) -> HoldoutOverlap | None:
        """The overlap of the real table and the holdout; None if it was not computed."""
        counts = self.n_subjects_shared, self.n_rows_shared, self.n_rows_shared_max
        return None if counts == (None, None, None) else HoldoutOverlap(*counts)

    def scores(self, name: str) -> MetricScores:
        """Return the scores of a metric.

        Examples
        --------
        >>> import pandas as pd
        >>> import understudy
        >>> people = pd.DataFrame({"age": range(20, 80)})
        >>> report = understudy.evaluate(people, people)
        >>> report.scores("exact_copies").synthetic.score
        1.0
        """
        return next(scores for scores in self.metrics if scores.name == name)

    def summary(self) -> list[SummaryRow]:
        """Return the scores and their baselines, one row per metric.

        Examples
        --------
        >>> import pandas as pd
        >>> import understudy
        >>> people = pd.DataFrame({"age": range(20, 80)})
        >>> row = understudy.evaluate(people, people).summary()[0]
        >>> row.name, row.topic, row.value
        ('column_shapes', 'fidelity', 1.0)
        """
        return [summary_row(scores) for scores in self.metrics]

    def to_frame(self) -> pd.DataFrame:
        """Return the scores as a pandas DataFrame with one row per metric.

        Returns
        -------
        pandas.DataFrame
            Text columns: `topic`, `name`, `title`, `direction` (the better scores: `higher`, `lower`, or
            `nearer` to the best), `outcome` (of the policy's check; missing if the policy has none) and
            `reason` (of a missing value).
            Numeric columns (float64): `value`, `interval_low`, `interval_high`, the baselines `real`,
            `independent` and `noisy_copy`, and `best` (the best possible value).

        Examples
        --------
        >>> import pandas as pd
        >>> import understudy
        >>> people = pd.DataFrame({"age": range(20, 80)})
        >>> scores = understudy.evaluate(people, people).to_frame()
        >>> columns = ["topic", "name", "value", "best"]
        >>> print(scores.loc[scores["name"] == "exact_copies", columns].to_string(index=False))
          topic         name  value  best
        privacy exact_copies    1.0   0.0
        """
        # Local import: pandas is slow to load, and only this method needs it.
        import pandas as pd

        frame = pd.DataFrame(frame_rows(self.metrics, self.verdict))
        return frame.astype(dict.fromkeys(FRAME_NUMBERS, "float64"))

    @checked(path=calls.path)
    def save(self, path: Path | str) -> None:
        """Write the report to a file: a self-contained page (.html) or all scores (.json).

        Raises
        ------
        InvalidInput
            If the suffix is neither .html nor .json, or the file cannot be written.
        NotFound
            If the folder does not exist.

        Examples
        --------
        >>> from pathlib import Path
        >>> import pandas as pd
        >>> import understudy
        >>> people = pd.DataFrame({"age": range(20, 80)})
        >>> report = understudy.evaluate(people, people)
        >>> report.save("report.html")
        >>> Path("report.html").read_text(encoding="utf-8")[:15]
        '<!doctype html>'
        """
        # Local import: the API needs only the schema of reports and never renders a report.
        from understudy.evaluation.report_files import write_report

        write_report(self, Path(path))

    def __str__(self) -> str:
        n_rows = {role: size.n_rows for role, size in self.tables.items()}
        return describe(self.metrics, self.verdict, n_rows, n_columns=len(self.columns))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """Return the verdict and the scores as an HTML table for notebooks."""
        # Local import: the API needs only the schema of reports and never renders a report.
        from understudy.evaluation.page.notebook import render_notebook

        return render_notebook(self)


def evaluate(
    tables: ComparisonTables,
    inferred: InferredTable,
    *,
    options: EvaluationOptions | None = None,
    seed: int = 0,
    progress: Progress = no_progress,
) -> Report:
    """Evaluate a synthetic table against a real table.

    Parameters
    ----------
    inferred : InferredTable
        The schema of all tables and the inference findings. Columns without findings are examined. If the
        options do not name a target, the target candidate is used. If the schema declares a subject, the
        privacy scores count subjects instead of rows, and the subject columns are not scored.
    options : EvaluationOptions, optional
        The roles of columns, the queries, and the policy for the verdict.

    Raises
    ------
    InvalidInput
        If a table has no rows or does not conform to the schema, if the options name a column that is not
        in the schema or is a subject column, or if the policy is unknown.
    """
    progress("scoring", 0.0)
    options = options or EvaluationOptions()
    policy = resolve_policy(options.policy)
    check_policy(policy)
    options = options.model_copy(update={"policy": policy})
    inferred = examine(conform(tables.real, inferred.schema, ORIGINS["real"]), *inferred)
    candidate = choose_target(inferred.findings)
    schema, left_out = exclude_columns(tables.real, tables.synthetic, inferred, options.named_columns)
    is_target_chosen = options.target is None and candidate in set(schema.names) - set(schema.subject)
    if is_target_chosen:
        options = options.model_copy(update={"target": candidate})
    shared_rows = _count_shared_rows(tables, inferred.schema)
    if tables.canaries is not None:
        tables = replace(tables, canaries=_select_canaries(tables.canaries, schema, left_out))
    unscored = [excluded.column for excluded in left_out]
    comparison = compare(tables, inferred.schema, unscored=unscored, options=options, seed=seed)
    overlap = HoldoutOverlap(comparison.n_shared_subjects, *shared_rows)
    real = conform(tables.real, inferred.schema, ORIGINS["real"])
    metrics = score_all(comparison, _baselines(comparison, real, schema), progress)
    return Report(
        versions=software_versions(),
        seed=seed,
        options=options,
        tables=_sizes(comparison),
        is_target_chosen=is_target_chosen,
        unit="subjects" if comparison.has_subjects else "rows",
        n_subjects_shared=overlap.n_subjects,
        n_rows_shared=overlap.n_rows,
        n_rows_shared_max=overlap.n_rows_max,
        verdict=judge(policy, metrics, overlap=None if tables.holdout is None else overlap),
        metrics=metrics,
        columns=[distribution(comparison, i) for i in range(len(comparison.columns))],
        left_out=left_out,
    )


def _count_shared_rows(tables: ComparisonTables, schema: TableSchema) -> tuple[int, int] | tuple[None, None]:
    """Return the number of shared rows and the maximum expected by chance, or None for an empty table."""
    if tables.holdout is None or not tables.holdout.num_rows or not tables.real.num_rows:
        return None, None
    holdout = conform(tables.holdout, schema, ORIGINS["holdout"])
    return count_shared_rows(conform(tables.real, schema, ORIGINS["real"]), holdout)


def _select_canaries(canaries: pa.Table, schema: TableSchema, left_out: list[ExcludedColumn]) -> pa.Table:
    if IS_PLANTED not in canaries.column_names:
        raise InvalidInput(
            f"The table of canaries has no column {IS_PLANTED!r}. Provide the file that was written when the "
            "canaries were planted.",
            code="schema_mismatch",
        )
    is_planted = canaries[IS_PLANTED]
    values = select(canaries.drop_columns([IS_PLANTED]), schema, left_out, role="canaries")
    return values.append_column(IS_PLANTED, is_planted)


def choose_target(findings: TableFindings) -> str | None:
    """Return the candidate for the target if its confidence is high enough, and otherwise None."""
    candidate = findings.target
    return None if candidate is None or candidate.confidence < CONFIDENCE_MIN else candidate.columns[0]


def _baselines(
    comparison: Comparison, real: pa.Table, schema: TableSchema
) -> dict[str, Iterable[Comparison]]:
    """Return the comparisons for the baselines, with other rows in place of the synthetic rows.

    The baselines are generators so that each table is created only when it is needed.
    """

    def independent() -> Iterator[Comparison]:
        yield independent_columns(comparison, real, schema)

    def leak() -> Iterator[Comparison]:
        yield leaky_copy(comparison)

    return {"independent": independent(), "leak": leak()}


def _sizes(comparison: Comparison) -> dict[str, TableSize]:
    tables = {
        "real": comparison.real,
        "synthetic": comparison.synthetic,
        "holdout": comparison.holdout,
    }
    return {
        role: TableSize(
            n_rows=table.n_rows_total, n_rows_used=table.n_rows, n_subjects=count_subjects(table.subjects)
        )
        for role, table in tables.items()
        if table is not None
    }


def software_versions() -> dict[str, str]:
    """Return the versions of the software that computes the scores."""
    names = ("understudy", "numpy", "pyarrow", "scikit-learn")
    return {"python": platform.python_version()} | {name: version(name) for name in names}
