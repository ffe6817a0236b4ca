"""How a fit or a sample is run: its seed, its threads, and what may end it early."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from understudy.errors import Conflict, InvalidInput, TooLarge
from understudy.progress import Progress, no_progress

if TYPE_CHECKING:
    from understudy.parameters.constraints import SamplingConstraints
    from understudy.tables.schema import DatasetSchema

N_THREADS_MAX = 8


def count_threads() -> int:
    """Return how many threads are worth starting: the processors that this process may use, up to a limit."""
    n = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(n, N_THREADS_MAX)


def _never() -> bool:
    return False


@dataclass(frozen=True)
class FitContext:
    """How a fit is run.

    Parameters
    ----------
    seed : int, optional
        From 0 to 2**64 - 1; the same table, parameters and seed give the same model. Without one, the seed
        comes from the operating system's entropy.
    n_threads : int, optional
        At most so many threads; as many as the process has processors if omitted.
    progress : Progress, optional
        Called with the phase and the fraction that is done.
    budget_seconds : float, optional
        The fit ends with an error when it has taken longer.
    is_cancelled : callable () -> bool, optional
        Asked at each step of the progress; the fit ends with an error when it returns true.
    """

    seed: int | None = None
    n_threads: int = field(default_factory=count_threads)
    progress: Progress = no_progress
    budget_seconds: float | None = None
    is_cancelled: Callable[[], bool] = _never
    began: float = field(default_factory=time.monotonic)

    def choose_seed(self) -> int:
        """Return the seed, or one from the operating system's entropy."""
        return choose_seed(self.seed)

    def report(self, phase: str, fraction: float) -> None:
        """Report progress; raises as `check`."""
        self.check()
        self.progress(phase, fraction)

    def check(self) -> None:
        """End the fit if it has to end.

        Raises
        ------
        Conflict
            If the fit was cancelled.
        TooLarge
            If it has taken longer than its budget.
        """
        check_cancelled(self.is_cancelled)
        if self.budget_seconds is not None and time.monotonic() - self.began > self.budget_seconds:
            raise TooLarge(
                f"The fit took longer than its budget of {self.budget_seconds:g} seconds. Raise the budget,"
                " or choose faster parameters.",
                code="time_limit",
            )


@dataclass(frozen=True)
class LearnRun:
    """The run of a fit: its context, the seed that was chosen, and the locale of generated values."""

    context: FitContext
    seed: int
    locale: str = "en"

    @property
    def n_threads(self) -> int:
        """At most so many threads."""
        return self.context.n_threads


@dataclass(frozen=True)
class SampleContext:
    """How rows are sampled.

    Parameters
    ----------
    seed : int, optional
        As for a fit: the same model, plan and seed give the same rows.
    n_threads : int, optional
        As for a fit.
    is_cancelled : callable () -> bool, optional
        Asked before each block of rows.
    """

    seed: int | None = None
    n_threads: int = field(default_factory=count_threads)
    is_cancelled: Callable[[], bool] = _never

    def choose_seed(self) -> int:
        """Return the seed, or one from the operating system's entropy."""
        return choose_seed(self.seed)


@dataclass(frozen=True)
class SamplePlan:
    """The rows that are wanted.

    Parameters
    ----------
    n_rows : mapping of table name to int
        The number of rows of each data table that is not the child of another; children follow from their
        parents, and reference tables are copied.
    offset : int
        Rows to skip, of synthesizers whose rows are addressable.
    constraints : SamplingConstraints, optional
        Conditions on groups of rows, or other shares of a column's values.
    """

    n_rows: Mapping[str, int]
    offset: int = 0
    constraints: SamplingConstraints | None = None


def plan_rows(
    schema: DatasetSchema, n_rows: int, *, offset: int = 0, constraints: SamplingConstraints | None = None
) -> SamplePlan:
    """Return the plan for a number of rows of the only table that others depend on.

    Raises
    ------
    InvalidInput
        If there are several such tables.
    """
    roots = root_tables(schema)
    if len(roots) != 1:
        raise InvalidInput(
            f"The model has {len(roots)} tables that are no other's child. Give n_rows by table.",
            code="table_required",
        )
    return SamplePlan({roots[0]: n_rows}, offset, constraints)


def root_tables(schema: DatasetSchema) -> list[str]:
    """Return the names of the data tables that are not the child of another data table."""
    data = {name for name, table in schema.tables.items() if table.role == "data"}
    children = {relation.child for relation in schema.relationships if relation.parent in data}
    return [name for name in schema.tables if name in data - children]


def choose_seed(seed: int | None) -> int:
    """Return a seed, or one from the operating system's entropy.

    Raises
    ------
    InvalidInput
        If it is out of range.
    """
    if seed is None:
        return secrets.randbits(63)
    if not 0 <= seed < 2**64:
        raise InvalidInput("seed must be a whole number from 0 to 2**64 - 1.", code="invalid_parameters")
    return seed


def check_cancelled(is_cancelled: Callable[[], bool]) -> None:
    """Raise Conflict if the work was cancelled."""
    if is_cancelled():
        raise Conflict("The work was cancelled.", code="cancelled")
