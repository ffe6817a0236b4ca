"""Execution settings for fitting and sampling: seed, threads, time budget and cancellation."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from understudy.errors import Conflict, InvalidInput, TooLarge
from understudy.progress import Progress, no_progress
from understudy.threads import count_threads

if TYPE_CHECKING:
    import pyarrow as pa

    from understudy.parameters.constraints import SamplingConstraints
    from understudy.tables.schema import DatasetSchema


def _never() -> bool:
    return False


@dataclass(frozen=True)
class FitContext:
    """Execution settings for fitting.

    Parameters
    ----------
    seed : int, optional
        Seed from 0 to 2**64 - 1. The same table, parameters and seed give the same model. If omitted, the
        seed is drawn from the operating system's entropy.
    n_threads : int, optional
        Maximum number of threads. Default: the number of processors available to the process, at most 8.
    progress : Progress, optional
        Function that is called with the phase and the completed fraction.
    budget_seconds : float, optional
        Time limit in seconds, after which the fit raises an error.
    is_cancelled : callable () -> bool, optional
        Function that is called at each progress report. The fit raises an error when the function returns
        True.
    began : float
        Start of the fit on the monotonic clock, in seconds.
    """

    seed: int | None = None
    n_threads: int = field(default_factory=count_threads)
    progress: Progress = no_progress
    budget_seconds: float | None = None
    is_cancelled: Callable[[], bool] = _never
    began: float = field(default_factory=time.monotonic)

    def choose_seed(self) -> int:
        """Return the seed, or a random seed from the operating system if it is None."""
        return choose_seed(self.seed)

    def report(self, phase: str, fraction: float) -> None:
        """Report progress, and raise the same errors as `check`."""
        self.check()
        self.progress(phase, fraction)

    def check(self) -> None:
        """Check whether the fit was cancelled or exceeded its time budget.

        Raises
        ------
        Conflict
            If the fit was cancelled.
        TooLarge
            If the fit exceeded its time budget.
        """
        check_cancelled(self.is_cancelled)
        if self.budget_seconds is not None and time.monotonic() - self.began > self.budget_seconds:
            raise TooLarge(
                f"The fit exceeded its time budget of {self.budget_seconds:g} seconds. Raise the budget, or"
                " choose faster parameters.",
                code="time_limit",
            )


@dataclass(frozen=True)
class LearnRun:
    """Fit context with the chosen seed, the locale for generated values, and the reference tables."""

    context: FitContext
    seed: int
    locale: str = "en"
    references: Mapping[str, pa.Table] = field(default_factory=dict)

    @property
    def n_threads(self) -> int:
        """Maximum number of threads."""
        return self.context.n_threads


@dataclass(frozen=True)
class SampleContext:
    """Execution settings for sampling.

    Parameters
    ----------
    seed : int, optional
        Seed from 0 to 2**64 - 1. The same model, plan and seed give the same rows. If omitted, the seed is
        drawn from the operating system's entropy.
    n_threads : int, optional
        Maximum number of threads. Default: the number of processors available to the process, at most 8.
    is_cancelled : callable () -> bool, optional
        Function that is called before each block of rows. Sampling raises an error when the function returns
        True.
    """

    seed: int | None = None
    n_threads: int = field(default_factory=count_threads)
    is_cancelled: Callable[[], bool] = _never

    def choose_seed(self) -> int:
        """Return the seed, or a random seed from the operating system if it is None."""
        return choose_seed(self.seed)


@dataclass(frozen=True)
class SamplePlan:
    """The rows to sample: row counts, an offset and constraints.

    Parameters
    ----------
    n_rows : mapping of table name to int
        Number of rows for each root table. A root table is a data table that is not the child of another data
        table. The number of child rows depends on the parent rows, and reference tables are copied.
    offset : int
        Number of rows to skip. An offset requires a synthesizer with addressable rows.
    constraints : SamplingConstraints, optional
        Conditions on groups of rows, or new shares for the values of a column.
    id_start : int, optional
        Identifier number of row 0. If given, an identifier depends on its number instead of the seed, so
        samples with different numbers have different identifiers.
    """

    n_rows: Mapping[str, int]
    offset: int = 0
    constraints: SamplingConstraints | None = None
    id_start: int | None = None


def plan_rows(
    schema: DatasetSchema,
    n_rows: int,
    *,
    offset: int = 0,
    constraints: SamplingConstraints | None = None,
    id_start: int | None = None,
) -> SamplePlan:
    """Return a plan that samples a number of rows from the only root table.

    Raises
    ------
    InvalidInput
        If the schema has several root tables.
    """
    roots = root_tables(schema)
    if len(roots) != 1:
        raise InvalidInput(
            f"The model has {len(roots)} tables without a parent table. Set n_rows for each of them.",
            code="table_required",
        )
    return SamplePlan({roots[0]: n_rows}, offset, constraints, id_start)


def root_tables(schema: DatasetSchema) -> list[str]:
    """Return the names of the data tables without a parent data table."""
    data = {name for name, table in schema.tables.items() if table.role == "data"}
    children = {relation.child for relation in schema.relationships if relation.parent in data}
    return [name for name in schema.tables if name in data - children]


def choose_seed(seed: int | None) -> int:
    """Return the given seed, or a random seed from the operating system if it is None.

    Raises
    ------
    InvalidInput
        If the seed is out of range.
    """
    if seed is None:
        return secrets.randbits(63)
    if not 0 <= seed < 2**64:
        raise InvalidInput(
            "seed is out of range. Use an integer from 0 to 2**64 - 1.", code="invalid_parameters"
        )
    return seed


def check_cancelled(is_cancelled: Callable[[], bool]) -> None:
    """Raise Conflict if the work was cancelled."""
    if is_cancelled():
        raise Conflict("The work was cancelled.", code="cancelled")
