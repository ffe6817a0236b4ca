"""The progress of scoring. The first pass over the metrics measures how long each later pass will take."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Mapping

from understudy.progress import Progress

# Share of the first pass in the whole work, until it is measured.
FIRST_SHARE = 0.2


class ScoringProgress:
    """Reports the completed fraction of the scoring as phase `scoring`.

    Parameters
    ----------
    progress : Progress
        Callback that receives the fraction.
    n_metrics : int
        Number of metrics in the first pass.
    """

    def __init__(self, progress: Progress, n_metrics: int) -> None:
        self._progress = progress
        self._n_metrics = n_metrics
        self._seconds: dict[str, float] = {}
        self._expected: float | None = None
        self._done = 0.0

    def plan(self, n_passes: Mapping[str, int]) -> None:
        """Set the number of later passes that score each metric."""
        self._expected = sum(self._seconds.get(name, 0.0) * n for name, n in n_passes.items())

    def watch(self, names: Iterable[str]) -> Iterator[str]:
        """Yield the names of metrics, and report after the score of each."""
        for name in names:
            began = time.monotonic()
            yield name
            if self._expected is None:
                self._seconds[name] = time.monotonic() - began
            else:
                self._done += self._seconds.get(name, 0.0)
            self._report()

    def _report(self) -> None:
        first = sum(self._seconds.values())
        if self._expected is None:
            fraction = FIRST_SHARE * len(self._seconds) / self._n_metrics
        else:
            whole = first + self._expected
            fraction = (first + self._done) / whole if whole else 1.0
        self._progress("scoring", min(1.0, fraction))


def count_passes(*passes: tuple[Collection[str], int]) -> dict[str, int]:
    """Return how often each metric is scored, from collections of names and their numbers of repetitions."""
    counts: dict[str, int] = {}
    for names, n in passes:
        for name in names:
            counts[name] = counts.get(name, 0) + n
    return counts
