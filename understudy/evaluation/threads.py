"""How many threads a classifier may use."""

from __future__ import annotations

from contextlib import AbstractContextManager


def one_thread() -> AbstractContextManager[object]:
    """Return a context in which OpenMP uses one thread.

    Trees over a few ten thousand rows gain nothing from a second one, and lose ten-fold where another process wants
    the core: threads that wait for each other spin. And sums come out the same on every machine.
    """
    # Imported late: the catalogue of metrics is listed by processes that never compute one.
    from threadpoolctl import threadpool_limits

    limits: AbstractContextManager[object] = threadpool_limits(limits=1, user_api="openmp")
    return limits
