"""What jobs take, fitted by hand to runs of `python -m benchmarks.stack` and `python -m benchmarks.engine`.

Orders of magnitude, for a caller who decides whether to ask and for the check that a job can fit at all; the
memory is meant to be on the high side, the time to be within a factor of three on a machine of 2026.
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
# The engine itself, before any row; scikit-learn is loaded by `evaluate` only.
ENGINE_BYTES = 220 * MEBIBYTE
CLASSIFIERS_BYTES = 350 * MEBIBYTE

DRAW_SECONDS_PER_CELL = 4e-7
# Rows that fulfil a condition, or complete others, are chosen among so many.
N_CANDIDATES = 30
SAMPLE_BYTES = 100 * MEBIBYTE
# A loaded model beside its mapped file: texts of levels, and copies that the checks make.
MODEL_FACTOR = 3
# The table and its codes.
IMPUTE_BYTES_PER_CELL = 30

# The classifiers and the attacks ask about so many rows at most.
N_ROWS_ASKED_MAX = 25_000
SCORE_SECONDS, SCORE_SECONDS_OF_ASKED_ROWS = 5.0, 35.0
SCORE_SECONDS_PER_COLUMN = 0.3
SCORE_SECONDS_PER_CELL = 5e-6
SCORE_BYTES_PER_CELL = 80
# More rows than these are drawn.
N_ROWS_SCORED_MAX = 500_000
REPORT_BYTES = MEBIBYTE

FEW_ROWS = 1_000


def estimate_train(table: Table, parameters: SynthesizerParameters) -> Estimate:
    """Return what fitting a model to a table takes, as the synthesizer's entry says."""
    cost = synthesizer_entry(parameters.name).estimate(parameters, table.n_rows, table.n_columns)
    return Estimate(
        cpu_seconds=cost.cpu_seconds,
        peak_memory_bytes=ENGINE_BYTES + cost.memory_bytes,
        size_bytes=cost.model_bytes,
        warnings=() if table.n_rows >= FEW_ROWS else (_few_rows(table.n_rows),),
    )


def estimate_sample(model: Model, trained_on: Table, n_rows: int, *, is_constrained: bool) -> Estimate:
    """Return what drawing rows from a model takes; memory does not grow with their number."""
    n_columns = trained_on.n_columns
    bytes_per_row = trained_on.size_bytes / max(trained_on.n_rows, 1)
    n_candidates = N_CANDIDATES if is_constrained else 1
    return Estimate(
        cpu_seconds=n_rows * n_columns * n_candidates * DRAW_SECONDS_PER_CELL,
        peak_memory_bytes=ENGINE_BYTES + SAMPLE_BYTES + MODEL_FACTOR * model.size_bytes,
        size_bytes=int(n_rows * bytes_per_row),
    )


def estimate_impute(model: Model, table: Table, n_draws: int) -> Estimate:
    """Return what completing a table takes; it is in memory as a whole, its completions are not."""
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
    """Return what scoring a synthetic table takes."""
    n_cells = sum(min(table.n_rows, N_ROWS_SCORED_MAX) * table.n_columns for table in (real, synthetic))
    n_rows = min(real.n_rows, synthetic.n_rows)
    asked = SCORE_SECONDS_OF_ASKED_ROWS * min(n_rows / N_ROWS_ASKED_MAX, 1.0)
    warnings = [] if n_rows >= FEW_ROWS else [_few_rows(n_rows)]
    if synthetic.dataset.origin == "imputation":
        warnings.append(
            "The dataset to score completes another one: its rows are real, whatever the scores of privacy."
        )
    return Estimate(
        cpu_seconds=SCORE_SECONDS
        + asked
        + real.n_columns * SCORE_SECONDS_PER_COLUMN
        + n_cells * SCORE_SECONDS_PER_CELL,
        peak_memory_bytes=CLASSIFIERS_BYTES + n_cells * SCORE_BYTES_PER_CELL,
        size_bytes=REPORT_BYTES,
        warnings=tuple(warnings),
    )


def _few_rows(n_rows: int) -> str:
    return f"{n_rows:,} rows are few: scores have wide margins, and a model tells more of each of them."
