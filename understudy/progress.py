"""The progress callback of long-running work, which keeps the engine independent of jobs and terminals."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """A callback that receives the current phase, the completed fraction (0 to 1) and the number of rows."""

    def __call__(
        self, phase: str, fraction: float, *, rows_done: int | None = None, rows_total: int | None = None
    ) -> None: ...


def no_progress(
    phase: str, fraction: float, *, rows_done: int | None = None, rows_total: int | None = None
) -> None:
    """Ignore the progress."""
