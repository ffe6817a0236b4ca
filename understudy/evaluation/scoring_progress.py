"""The progress of scoring, with the durations of later passes estimated from the first pass."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Mapping

from understudy.progress import Progress

# Prior estimate of the total duration of all later passes, as a multiple of the duration of the first pass.
# This estimate has the weight of one measured second.
LATER_SHARE = 2.5
# Weight of the prior assumption that each later pass is as fast as the first pass, as a share of the first
# pass's duration.
TRUST_SHARE = 0.1


class ScoringProgress:
    """Reporter for the completed fraction of the phase `scoring`.

    Parameters
    ----------
    progress : Progress
        Callback that receives the fraction.
    n_passes : mapping of str to int
        For each metric, the number of passes that score it after the first one.
    """

    def __init__(self, progress: Progress, n_passes: Mapping[str, int]) -> None:
        self._progress = progress
        self._n_passes = n_passes
        self._seconds: dict[str, float] = {}
        self._expected: float | None = None
        self._done = 0.0
        self._taken = 0.0
        self._fraction = 0.0

    def end_first_pass(self, n_passes: Mapping[str, int]) -> None:
        """Estimate the duration of the later passes, which omit the metrics without a score."""
        self._expected = sum(self._seconds.get(name, 0.0) * n for name, n in n_passes.items())

    def watch(self, names: Iterable[str]) -> Iterator[str]:
        """Yield the names of metrics, and report the progress after each metric."""
        for name in names:
            began = time.monotonic()
            yield name
            if self._expected is None:
                self._seconds[name] = time.monotonic() - began
            else:
                self._done += self._seconds.get(name, 0.0)
                self._taken += time.monotonic() - began
            self._report()

    def _report(self) -> None:
        first = sum(self._seconds.values())
        if self._expected is None:
            later = sum(seconds * self._n_passes[name] for name, seconds in self._seconds.items())
            n_first_passes = 1 + (later + LATER_SHARE) / (first + 1)
            fraction = len(self._seconds) / len(self._n_passes) / n_first_passes
        else:
            # Later passes can be faster than the first pass because they reuse its results. The weight of
            # their measured speed grows with the completed part.
            trust = TRUST_SHARE * first
            speed = (self._taken + trust) / (self._done + trust) if first else 1.0
            done = first + self._taken
            whole = done + max(self._expected - self._done, 0.0) * speed
            fraction = done / whole if whole else 1.0
        self._fraction = max(self._fraction, min(1.0, fraction))
        self._progress("scoring", self._fraction)


def count_passes(*passes: tuple[Collection[str], int]) -> dict[str, int]:
    """Return how often each metric is scored, from collections of names and their numbers of repetitions."""
    counts: dict[str, int] = {}
    for names, n in passes:
        for name in names:
            counts[name] = counts.get(name, 0) + n
    return counts
