"""Overlaid histograms of the real and synthetic values in one column."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from understudy.evaluation.page import formatting
from understudy.evaluation.statistics.distributions import ColumnDistribution
from understudy.evaluation.statistics.written_values import written

N_TICKS = 4
# Maximum total number of characters in the labels so that labels do not overlap.
N_LETTERS_MAX = 44


@dataclass(frozen=True)
class Tick:
    """A label below the histogram; `anchor` is a value of the SVG attribute `text-anchor`."""

    x: float
    text: str
    anchor: str


@dataclass(frozen=True)
class Histogram:
    """Histograms of real values (an area) and of synthetic values (a line). All numbers are SVG positions.

    Parameters
    ----------
    label : str
        The text alternative, which describes the largest difference.
    real, synthetic : str
        The SVG paths of the two histograms.
    grid : sequence of (y, text)
        Grid lines at a round share and at half of this share.
    """

    width: ClassVar[int] = 320
    height: ClassVar[int] = 184
    left: ClassVar[int] = 36
    right: ClassVar[int] = 314
    top: ClassVar[int] = 8
    bottom: ClassVar[int] = 162

    label: str
    real: str
    synthetic: str
    grid: Sequence[tuple[float, str]]
    ticks: Sequence[Tick]


def draw_histogram(distribution: ColumnDistribution) -> Histogram:
    """Return the overlaid histograms of one column."""
    edges = distribution.edges
    # Merged bins are wider than other bins, so heights are normalized to the width of the narrowest bin.
    narrowest = min(right - left for left, right in pairwise(edges))
    scales = [narrowest / (right - left) for left, right in pairwise(edges)]
    real = [share * scale for share, scale in zip(distribution.real, scales, strict=True)]
    synthetic = [share * scale for share, scale in zip(distribution.synthetic, scales, strict=True)]
    top = max(*real, *synthetic, 1e-9)
    span = edges[-1] - edges[0]
    xs = [Histogram.left + (edge - edges[0]) / span * (Histogram.right - Histogram.left) for edge in edges]
    return Histogram(
        label=_finding(distribution),
        real=_outline(xs, real, top) + "Z",
        synthetic=_outline(xs, synthetic, top),
        grid=_grid(top),
        ticks=_ticks(edges, xs, distribution),
    )


def _y(share: float, top: float) -> float:
    return Histogram.bottom - share / top * (Histogram.bottom - Histogram.top)


def _outline(xs: Sequence[float], heights: Sequence[float], top: float) -> str:
    points = [f"M{xs[0]:.1f} {Histogram.bottom}"]
    for (left, right), share in zip(pairwise(xs), heights, strict=True):
        points.append(f"L{left:.1f} {_y(share, top):.1f}H{right:.1f}")
    return "".join(points) + f"V{Histogram.bottom}"


def _finding(distribution: ColumnDistribution) -> str:
    """Return the text alternative, which describes the bin with the largest difference."""
    bins = list(zip(pairwise(distribution.edges), distribution.real, distribution.synthetic, strict=True))
    (left, right), real, synthetic = max(bins, key=lambda bin_: abs(bin_[1] - bin_[2]))
    ends = _labels(distribution, [left, right])
    return (
        f"Histogram of {distribution.column}. The largest difference is between {ends[0]} and {ends[1]}: "
        f"{formatting.percent(real)} of the real rows, {formatting.percent(synthetic)} of the synthetic rows"
    )


def _grid(top: float) -> list[tuple[float, str]]:
    power = 10.0 ** math.floor(math.log10(top))
    share = max(step * power for step in (0.5, 1, 2, 5) if step * power <= top)
    return [(round(_y(part, top), 1), f"{part * 100:.3g}%") for part in (share / 2, share)]


def _ticks(edges: list[float], xs: list[float], distribution: ColumnDistribution) -> list[Tick]:
    last = len(edges) - 1
    if edges[0] % 1 == 0.5:
        # These bins are centered on whole numbers, so labels belong to their centers.
        edges = [(left + right) / 2 for left, right in pairwise(edges)]
        xs = [(left + right) / 2 for left, right in pairwise(xs)]
        last -= 1
    longest = max(map(len, _labels(distribution, edges)))
    n_ticks = next((n for n in range(N_TICKS, 2, -1) if n * longest <= N_LETTERS_MAX), 2)
    at = sorted({round(i * last / (n_ticks - 1)) for i in range(n_ticks)})
    labels = _labels(distribution, [edges[i] for i in at])
    return [
        Tick(round(xs[i], 1), label, _anchor(xs[i], label, is_first=i == 0))
        for i, label in zip(at, labels, strict=True)
    ]


def _labels(distribution: ColumnDistribution, values: list[float]) -> list[str]:
    """Return values in the notation of the column, or as short labels if the column has no notation."""
    texts = written(distribution.notation, distribution.kind, values)
    return texts or formatting.edge_labels(values, distribution.kind)


def _anchor(x: float, label: str, *, is_first: bool) -> str:
    if x + 3 * len(label) > Histogram.width:
        return "end"
    return "start" if is_first and len(label) > 6 else "middle"
