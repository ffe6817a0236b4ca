"""Cost estimates for tree chains, calibrated manually on runs of `python -m benchmarks.engine`."""

from __future__ import annotations

from understudy.parameters.synthesizers import SynthesizerParameters
from understudy.synthesizers.costs import FitCost, FitPhase, estimate_codes
from understudy.synthesizers.tree_chain.parameters import TreeChainParameters

SECONDS_PER_ROW_AND_COLUMN_SQUARED = 1e-7
# CPU time and model size of each preset relative to `fast`.
PRESET_FACTORS = {"fast": 1, "balanced": 8, "best": 20, "guarded": 8}
# Number of earlier columns above which the cost per column stops growing; see `predecessors`.
N_PREDECESSORS_MAX = 60


def estimate_fit(parameters: SynthesizerParameters, n_rows: int, n_columns: int) -> FitCost:
    """Estimate the cost of a fit. The CPU time is at most the time budget."""
    assert isinstance(parameters, TreeChainParameters)
    codes = estimate_codes(parameters, n_rows, n_columns)
    factor = PRESET_FACTORS[parameters.preset]
    n_looks = n_rows * n_columns * min(n_columns, N_PREDECESSORS_MAX)
    seconds = codes.cpu_seconds + n_looks * SECONDS_PER_ROW_AND_COLUMN_SQUARED * factor
    return FitCost(
        cpu_seconds=min(seconds, parameters.time_budget_seconds or float("inf")),
        memory_bytes=codes.memory_bytes,
        model_bytes=codes.model_bytes * factor,
    )


# Usual shares of the phases, from the CPU time of fits on public tables (adult, diamonds, housing).
PHASE_NAMES = ("encoding", "finding rules", "ordering columns", "fitting", "refining", "checking")
PHASE_SHARES = {
    "fast": (11, 22, 0, 60, 0, 4),
    "balanced": (3, 8, 28, 59, 0, 2),
    "best": (1.5, 5, 10, 32, 50, 1.5),
    "guarded": (2, 7, 25, 64, 0, 2),
}


def phases_of(parameters: SynthesizerParameters) -> tuple[FitPhase, ...]:
    """Return the phases of a fit with their usual shares of the fit time, which depend on the preset."""
    assert isinstance(parameters, TreeChainParameters)
    # With a time budget, the fit chooses the preset later.
    preset = "balanced" if parameters.time_budget_seconds else parameters.preset
    return tuple(map(FitPhase, PHASE_NAMES, PHASE_SHARES[preset]))
