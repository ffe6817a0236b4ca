"""How many threads a classifier may use."""

from __future__ import annotations

from contextlib import AbstractContextManager


def one_thread() -> AbstractContextManager[object]:
    """Return a context in which classifiers use one thread.

    Trees over a few ten thousand rows gain nothing from a second one, and lose ten-fold where another process
    wants the core: OpenMP's threads spin while they wait. And sums come out the same on every machine.
    """
    # Imported late, as the catalogue of metrics is listed by processes that never compute one; and before the
    # limit is set, which knows only those libraries that are loaded.
    import sklearn.ensemble  # noqa: F401
    from threadpoolctl import threadpool_limits

    limits: AbstractContextManager[object] = threadpool_limits(limits=1, user_api="openmp")
    return limits
