"""The number of threads that this process may use for arithmetic."""

from __future__ import annotations

import os

N_THREADS_MAX = 8
# Arrow, OpenMP and BLAS libraries also read this variable. A worker sets it for its jobs, so that a job uses
# the cores of its slot.
VARIABLE = "OMP_NUM_THREADS"


def count_cores() -> int:
    """Return the number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def count_threads() -> int:
    """Return the number of threads to use: the processors of this process, or fewer if `VARIABLE` is set.

    The number is at most `N_THREADS_MAX`.
    """
    text = os.environ.get(VARIABLE, "")
    n_allowed = int(text) if text.isdecimal() and int(text) > 0 else N_THREADS_MAX
    return min(count_cores(), n_allowed, N_THREADS_MAX)
