"""One column's two distributions, laid over each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from understudy.evaluation.page import formatting
from understudy.evaluation.page.formatting import escape
from understudy.evaluation.statistics.distributions import ColumnDistribution

WIDTH, HEIGHT = 320, 184
LEFT, RIGHT, TOP, BOTTOM = 36, 6, 8, 22
N_TICKS = 4


def histogram(distribution: ColumnDistribution) -> str:
    """Return the overlaid histograms of one column: real as an area, synthetic as a line."""
    edges = distribution.edges
    # Bins that were merged are wider: heights are shares per width of the narrowest bin.
    narrowest = min(right - left for left, right in pairwise(edges))
    scales = [narrowest / (right - left) for left, right in pairwise(edges)]
    real = [share * scale for share, scale in zip(distribution.real, scales, strict=True)]
    synthetic = [share * scale for share, scale in zip(distribution.synthetic, scales, strict=True)]
    top = max(*real, *synthetic, 1e-9)
    span = edges[-1] - edges[0]
    xs = [LEFT + (edge - edges[0]) / span * (WIDTH - LEFT - RIGHT) for edge in edges]
    bottom = HEIGHT - BOTTOM
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{_finding(distribution)}">'
        f"{_grid(top)}"
        f'<path class="area f-real" d="{_outline(xs, real, top)}Z"/>'
        f'<path class="step s-synthetic" d="{_outline(xs, synthetic, top)}"/>'
        f'<path class="s-line" d="M{LEFT} {bottom}H{WIDTH - RIGHT}"/>'
        f"{_ticks(edges, xs, distribution)}</svg>"
    )


def _outline(xs: Sequence[float], heights: Sequence[float], top: float) -> str:
    bottom = HEIGHT - BOTTOM
    points = [f"M{xs[0]:.1f} {bottom}"]
    for (left, right), share in zip(pairwise(xs), heights, strict=True):
        y = bottom - share / top * (bottom - TOP)
        points.append(f"L{left:.1f} {y:.1f}H{right:.1f}")
    return "".join(points) + f"V{bottom}"


def _finding(distribution: ColumnDistribution) -> str:
    """Say in words where the two differ most; safe inside an attribute."""
    bins = list(zip(pairwise(distribution.edges), distribution.real, distribution.synthetic, strict=True))
    (left, right), real, synthetic = max(bins, key=lambda one: abs(one[1] - one[2]))
    ends = formatting.edge_labels([left, right], distribution.kind)
    return (
        f"Histogram of {escape(distribution.column)}. Real and synthetic rows differ most between "
        f"{escape(ends[0])} and {escape(ends[1])}: {formatting.percent(real)} of the real rows, "
        f"{formatting.percent(synthetic)} of the synthetic ones"
    )


def _grid(top: float) -> str:
    """Return lines at a round share and at half of it, for the scale."""
    bottom = HEIGHT - BOTTOM
    power = 10.0 ** math.floor(math.log10(top))
    share = max(step * power for step in (0.5, 1, 2, 5) if step * power <= top)
    lines = []
    for part in (share / 2, share):
        y = bottom - part / top * (bottom - TOP)
        lines.append(
            f'<path class="s-line" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke-dasharray="2 3"/>'
            f'<text x="{LEFT - 5}" y="{y + 3.5:.1f}" font-size="10" text-anchor="end">{part * 100:.3g} '
            "%</text>"
        )
    return "".join(lines)


def _ticks(edges: list[float], xs: list[float], distribution: ColumnDistribution) -> str:
    last = len(edges) - 1
    if edges[0] % 1 == 0.5:
        # Bins around whole numbers: the label belongs to the middle.
        edges = [(left + right) / 2 for left, right in pairwise(edges)]
        xs = [(left + right) / 2 for left, right in pairwise(xs)]
        last -= 1
    at = sorted({round(i * last / (N_TICKS - 1)) for i in range(N_TICKS)})
    labels = formatting.edge_labels([edges[i] for i in at], distribution.kind)
    texts = []
    for i, label in zip(at, labels, strict=True):
        is_cut = xs[i] + 3 * len(label) > WIDTH
        anchor = "end" if is_cut else "start" if i == 0 and len(label) > 6 else "middle"
        texts.append(
            f'<text x="{xs[i]:.1f}" y="{HEIGHT - 7}" font-size="10" '
            f'text-anchor="{anchor}">{escape(label)}</text>'
        )
    return "".join(texts)
