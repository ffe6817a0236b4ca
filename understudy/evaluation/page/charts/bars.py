"""Bars, and dots with whiskers, that lie beside their labels; plain HTML, so that long labels wrap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from understudy.evaluation.page.formatting import escape


def bars(
    rows: Sequence[tuple[str, Sequence[tuple[str, float]] | str, str]], *, pooled: Sequence[str] = ()
) -> str:
    """Return horizontal bars.

    Parameters
    ----------
    rows : sequence of (label, [(class, length 0 … 1)] or text in their place, text behind the bars)
        Labels are escaped here; the texts have to be safe already.
    pooled : sequence of str
        Labels that stand for more than one value.
    """
    result = []
    for label, lengths, text in rows:
        tracks = (
            lengths
            if isinstance(lengths, str)
            else "".join(
                f'<i class="{name}" style="width:{min(max(length, 0), 1) * 100:.2f}%"></i>'
                for name, length in lengths
            )
        )
        kind = "label pooled" if label in pooled else "label"
        name = escape(label)
        result.append(
            f'<div class="bar"><span class="{kind}" title="{name}">{name}</span>'
            f'<span class="tracks">{tracks}</span><span class="share">{text}</span></div>'
        )
    return "".join(result)


@dataclass(frozen=True)
class Estimate:
    """A number on an axis, and how sure it is.

    Parameters
    ----------
    role : str
        `real`, `synthetic` or another one that the style sheet knows.
    """

    role: str
    value: float
    interval: tuple[float, float] | None = None


def reach(rows: Sequence[Sequence[Estimate]], *also: float) -> tuple[float, float]:
    """Return the ends of an axis on which all estimates, and some other numbers, have their place."""
    ends = [*also]
    for estimate in (one for row in rows for one in row):
        ends += [estimate.value, *(estimate.interval or ())]
    low, high = min(ends, default=0.0), max(ends, default=1.0)
    margin = (high - low) * 0.04 or 0.5
    return low - margin, high + margin


def whiskers(estimates: Sequence[Estimate], axis: tuple[float, float], *, zero: float | None = None) -> str:
    """Return estimates as dots with their intervals, one below the other, on one axis."""
    low, high = axis

    def at(value: float) -> float:
        return 100 * min(max((value - low) / (high - low), 0.0), 1.0)

    line = "" if zero is None else f'<b class="zero" style="left:{at(zero):.1f}%"></b>'
    tracks = []
    for one in estimates:
        left, right = (at(end) for end in one.interval or (one.value, one.value))
        tracks.append(
            f'<span class="track {one.role}"><i style="left:{left:.1f}%;width:{right - left:.1f}%"></i>'
            f'<b style="left:{at(one.value):.1f}%"></b></span>'
        )
    return f'<span class="whiskers" aria-hidden="true">{line}{"".join(tracks)}</span>'
