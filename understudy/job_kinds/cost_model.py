"""Cost estimates for jobs.

The estimates are fitted by hand to the results of `python -m benchmarks.stack` and
`python -m benchmarks.engine`.

Callers use these estimates to decide whether to submit a job. The service uses them to reject jobs that do
not fit into memory. Memory tends to be overestimated. Times are accurate within a factor of three on a
machine from 2026.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from understudy.job_kinds.base import Estimate
from understudy.parameters.synthesizers import SynthesizerParameters
from understudy.synthesizers import synthesizer_entry

if TYPE_CHECKING:
    from understudy.db.dataset_tables import Table
    from understudy.db.orm import Model

MEBIBYTE = 1 << 20
# Memory of the engine without data. Only `evaluate` loads scikit-learn.
ENGINE_BYTES = 220 * MEBIBYTE
CLASSIFIERS_BYTES = 350 * MEBIBYTE

DRAW_SECONDS_PER_CELL = 4e-7
# Number of candidate rows per row that satisfies a condition or is imputed.
N_CANDIDATES = 30
SAMPLE_BYTES = 100 * MEBIBYTE
# Memory for a loaded model, per byte of its file: the mapped file, category strings, and copies for checks.
MODEL_FACTOR = 3
# Memory of the table and its codes.
IMPUTE_BYTES_PER_CELL = 30

# Maximum number of rows that classifiers and attacks use.
N_ROWS_ASKED_MAX = 25_000
SCORE_SECONDS, SCORE_SECONDS_OF_ASKED_ROWS = 5.0, 35.0
SCORE_SECONDS_PER_COLUMN = 0.3
SCORE_SECONDS_PER_CELL = 5e-6
SCORE_BYTES_PER_CELL = 80
# Memory for each cell of a table that is read and split. The number was measured with two files of a million
# rows and 6 columns each.
READ_BYTES_PER_CELL = 21
# Larger tables are scored on a random sample with this number of rows.
N_ROWS_SCORED_MAX = 500_000
REPORT_BYTES = MEBIBYTE

FEW_ROWS = 1_000


def estimate_train(table: Table, parameters: SynthesizerParameters) -> Estimate:
    """Return the cost of training a model on a table, based on the synthesizer's entry."""
    cost = synthesizer_entry(parameters.name).estimate(parameters, table.n_rows, table.n_columns)
    return Estimate(
        cpu_seconds=cost.cpu_seconds,
        peak_memory_bytes=ENGINE_BYTES + cost.memory_bytes,
        size_bytes=cost.model_bytes,
        warnings=() if table.n_rows >= FEW_ROWS else (_few_rows(table.n_rows),),
    )


def estimate_sample(model: Model, trained_on: Table, n_rows: int, *, is_constrained: bool) -> Estimate:
    """Return the cost of sampling rows from a model. The memory does not depend on the number of rows."""
    n_columns = trained_on.n_columns
    bytes_per_row = trained_on.size_bytes / max(trained_on.n_rows, 1)
    n_candidates = N_CANDIDATES if is_constrained else 1
    return Estimate(
        cpu_seconds=n_rows * n_columns * n_candidates * DRAW_SECONDS_PER_CELL,
        peak_memory_bytes=ENGINE_BYTES + SAMPLE_BYTES + MODEL_FACTOR * model.size_bytes,
        size_bytes=int(n_rows * bytes_per_row),
    )


def estimate_impute(model: Model, table: Table, n_draws: int) -> Estimate:
    """Return the cost of imputing a table. The table is in memory while the imputed rows are streamed."""
    n_cells = table.n_rows * table.n_columns
    return Estimate(
        cpu_seconds=n_cells * n_draws * N_CANDIDATES * DRAW_SECONDS_PER_CELL,
        peak_memory_bytes=ENGINE_BYTES
        + SAMPLE_BYTES
        + MODEL_FACTOR * model.size_bytes
        + n_cells * IMPUTE_BYTES_PER_CELL,
        size_bytes=table.size_bytes * n_draws,
    )


def estimate_evaluate(real: Table, synthetic: Table) -> Estimate:
    """Return the cost of evaluating a synthetic table."""
    n_cells = sum(min(table.n_rows, N_ROWS_SCORED_MAX) * table.n_columns for table in (real, synthetic))
    # All rows are read before a sample of rows is chosen.
    n_cells_read = sum(table.n_rows * table.n_columns for table in (real, synthetic))
    n_rows = min(real.n_rows, synthetic.n_rows)
    seconds_of_asked_rows = SCORE_SECONDS_OF_ASKED_ROWS * min(n_rows / N_ROWS_ASKED_MAX, 1.0)
    warnings = [] if n_rows >= FEW_ROWS else [_few_rows(n_rows)]
    if synthetic.dataset.origin == "imputation":
        warnings.append(
            "The dataset to evaluate was imputed, so its rows contain real values, regardless of the "
            "privacy scores."
        )
    return Estimate(
        cpu_seconds=SCORE_SECONDS
        + seconds_of_asked_rows
        + real.n_columns * SCORE_SECONDS_PER_COLUMN
        + n_cells * SCORE_SECONDS_PER_CELL,
        peak_memory_bytes=CLASSIFIERS_BYTES
        + n_cells * SCORE_BYTES_PER_CELL
        + n_cells_read * READ_BYTES_PER_CELL,
        size_bytes=REPORT_BYTES,
        warnings=tuple(warnings),
    )


def _few_rows(n_rows: int) -> str:
    return (
        f"The table has only {n_rows:,} row{'' if n_rows == 1 else 's'}: scores are less certain, and a model"
        " reveals more about each row."
    )
