"""Horizontal bars beside their labels; plain HTML, so that long labels wrap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Bar:
    """A label, its bars, and the number behind them.

    Parameters
    ----------
    tracks : sequence of (role, percent of the width)
        Empty where `text` takes the bars' place.
    spoken : str
        Text before the number for screen readers.
    is_pooled : bool
        Whether the label covers more than one value.
    """

    label: str
    tracks: Sequence[tuple[str, str]]
    number: str
    text: str = ""
    spoken: str = ""
    is_pooled: bool = False


def track(role: str, length: float) -> tuple[str, str]:
    """Return a bar of a length between 0 and 1."""
    return role, f"{min(max(length, 0), 1) * 100:.2f}"
