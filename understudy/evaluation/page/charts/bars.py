"""Horizontal bars with labels, rendered as plain HTML so that long labels wrap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Bar:
    """A label with its bars and a number.

    Parameters
    ----------
    tracks : sequence of (role, width in percent)
        The bars; empty if `text` is shown instead.
    spoken : str
        The text before the number, for screen readers only.
    is_pooled : bool
        Whether the label represents more than one value.
    """

    label: str
    tracks: Sequence[tuple[str, str]]
    number: str
    text: str = ""
    spoken: str = ""
    is_pooled: bool = False


def track(role: str, length: float) -> tuple[str, str]:
    """Return the bar for a role. `length` is a fraction of the full width."""
    return role, f"{min(max(length, 0), 1) * 100:.2f}"
