"""How long-running work tells how far it is: a callable, so that the engine knows no job and no terminal."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Called now and then with the phase, a word of the domain, and the fraction that is done."""

    def __call__(
        self, phase: str, fraction: float, *, rows_done: int | None = None, rows_total: int | None = None
    ) -> None: ...


def no_progress(
    phase: str, fraction: float, *, rows_done: int | None = None, rows_total: int | None = None
) -> None:
    """Tell nobody."""
