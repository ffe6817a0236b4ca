"""Cost estimates of fits, accurate to within an order of magnitude."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from understudy.parameters.synthesizers import SynthesizerParameters

ENCODE_SECONDS_PER_CELL = 4e-7
TRAIN_BYTES_PER_CELL = 60
MODEL_BYTES_PER_CELL = 3


@dataclass(frozen=True)
class FitCost:
    """Estimated cost of one fit, excluding the cost of loading the engine.

    Parameters
    ----------
    cpu_seconds : float
        CPU time.
    memory_bytes : int
        Peak memory, including the table.
    model_bytes : int
        Size of the model file.
    """

    cpu_seconds: float
    memory_bytes: int
    model_bytes: int


@dataclass(frozen=True)
class FitPhase:
    """A phase that a fit reports, and its usual share of the fit time, relative to the other phases."""

    name: str
    weight: float


# (parameters) -> phases of a fit, in order.
PhasesOf = Callable[[SynthesizerParameters], tuple[FitPhase, ...]]


def fitting_only(parameters: SynthesizerParameters) -> tuple[FitPhase, ...]:
    """Return the default phases, for synthesizers that declare none."""
    return (FitPhase("encoding", 30), FitPhase("fitting", 65))


# (parameters, number of rows, number of columns) -> cost.
Estimator = Callable[[SynthesizerParameters, int, int], FitCost]


def estimate_codes(parameters: SynthesizerParameters, n_rows: int, n_columns: int) -> FitCost:
    """Estimate the cost of reading a table, encoding its columns and counting their codes."""
    n_cells = n_rows * n_columns
    return FitCost(
        cpu_seconds=n_cells * ENCODE_SECONDS_PER_CELL,
        memory_bytes=n_cells * TRAIN_BYTES_PER_CELL,
        model_bytes=n_cells * MODEL_BYTES_PER_CELL,
    )
