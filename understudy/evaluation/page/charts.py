"""Drawings as inline SVG, made on the server: the page needs no script and no network."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

from understudy.evaluation.distributions import Distribution
from understudy.evaluation.page import formatting
from understudy.evaluation.page.formatting import escape

WIDTH, HEIGHT = 320, 184
LEFT, RIGHT, TOP, BOTTOM = 36, 6, 8, 22
N_TICKS = 4

# Difference of a pair (1 - similarity) from which on a cell has the next deeper colour.
HEAT_LIMITS = (0.02, 0.04, 0.07, 0.10, 0.15, 0.20, 0.30)
HEAT_OPACITIES = (0.0, 0.12, 0.24, 0.37, 0.51, 0.66, 0.82, 1.0)
CELL = 20

Matrix = Sequence[Sequence[float | None]]


def histogram(distribution: Distribution) -> str:
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
    height = bottom - TOP

    def outline(heights: list[float]) -> str:
        points = [f"M{xs[0]:.1f} {bottom}"]
        for left, right, share in zip(xs, xs[1:], heights, strict=False):
            y = bottom - share / top * height
            points.append(f"L{left:.1f} {y:.1f}H{right:.1f}")
        return "".join(points) + f"V{bottom}"

    name = escape(distribution.column)
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="Histogram of {name}, real rows as an area and synthetic rows as a line">'
        f"{_grid(top, height, bottom)}"
        f'<path class="area f-real" d="{outline(real)}Z"/>'
        f'<path class="step s-synthetic" d="{outline(synthetic)}"/>'
        f'<path class="s-line" d="M{LEFT} {bottom}H{WIDTH - RIGHT}"/>'
        f"{_ticks(edges, xs, distribution)}</svg>"
    )


def _grid(top: float, height: float, bottom: float) -> str:
    """Return lines at a round share and at half of it, for the scale."""
    power = 10.0 ** math.floor(math.log10(top))
    share = max(step * power for step in (0.5, 1, 2, 5) if step * power <= top)
    lines = []
    for part in (share / 2, share):
        y = bottom - part / top * height
        lines.append(
            f'<path class="s-line" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke-dasharray="2 3"/>'
            f'<text x="{LEFT - 5}" y="{y + 3.5:.1f}" font-size="10" text-anchor="end">{part * 100:.3g} '
            "%</text>"
        )
    return "".join(lines)


def _ticks(edges: list[float], xs: list[float], distribution: Distribution) -> str:
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
                f'<i class="{name}" style="width:{max(length, 0) * 100:.2f}%"></i>'
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


def strip(scores: Mapping[str, float | None], *, best: float, gap_shown_min: float, label: str) -> str:
    """Return where scores lie between the worst of them and the best possible, at the right.

    Parameters
    ----------
    scores : mapping
        Of `synthetic`, and of `independent` and `real` where there are such.
    gap_shown_min : float
        The left end is at least so far from the best score: small gaps shall look small.
    label : str
        For those who cannot see it; has to be safe already.
    """
    gaps = {name: abs(score - best) for name, score in scores.items() if score is not None}
    widest = max(*gaps.values(), gap_shown_min) * 1.04
    xs = {name: 208 - gap / widest * 196 for name, gap in gaps.items()}
    marks = [
        '<path class="s-line" stroke-width="3" stroke-linecap="round" d="M8 12H212"/>',
        '<path class="s-line" stroke-width="2" d="M212 6V18"/>',
    ]
    if "real" in xs:
        marks.append(f'<path class="s-real" stroke-width="3" d="M{xs["real"]:.1f} 4V20"/>')
    if "independent" in xs:
        marks.append(diamond(xs["independent"], 12))
    marks.append(f'<circle class="f-synthetic" cx="{xs["synthetic"]:.1f}" cy="12" r="6"/>')
    return f'<svg viewBox="0 0 220 24" role="img" aria-label="{label}">{"".join(marks)}</svg>'


def diamond(x: float, y: float) -> str:
    """Return the mark of the independent."""
    return f'<path class="s-independent f-card" stroke-width="2.4" d="M{x - 6:.1f} {y:.1f}l6 -6l6 6l-6 6z"/>'


def heat_map(columns: Sequence[str], matrix: Matrix, label: str, *, has_names: bool) -> str:
    """Return the differences of all pairs as squares, the deeper the larger.

    The label, for those who cannot see it, has to be safe already.
    """
    n = len(columns)
    margin, head, right = (132, 100, 56) if has_names else (0, 0, 0)
    width, height = margin + n * CELL + right, head + n * CELL
    paths: dict[int, list[str]] = {}
    for i, row in enumerate(matrix):
        for j, similarity in enumerate(row):
            level = -1 if similarity is None else sum(1 - similarity >= limit for limit in HEAT_LIMITS)
            square = f"M{margin + j * CELL + 1} {head + i * CELL + 1}h18v18h-18z"
            paths.setdefault(level, []).append(square)
    ground = "".join("".join(squares) for level, squares in paths.items() if level >= 0)
    drawn = f'<path class="tile" d="{ground}"/>' + "".join(
        f'<path class="heat" opacity="{HEAT_OPACITIES[level]}" d="{"".join(squares)}"/>'
        for level, squares in sorted(paths.items())
        if level > 0
    )
    names = _heat_names(columns, margin, head) if has_names else ""
    return f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{label}">{drawn}{names}</svg>'


def _heat_names(columns: Sequence[str], margin: int, head: int) -> str:
    texts = []
    for i, column in enumerate(columns):
        name = escape(formatting.shortened(column, 18))
        middle = i * CELL + CELL / 2
        texts.append(
            f'<text x="{margin - 8}" y="{head + middle + 4:.0f}" font-size="12" '
            f'text-anchor="end">{name}</text>'
            f'<text transform="translate({margin + middle + 4:.0f} {head - 8}) rotate(-52)" '
            f'font-size="12">{name}</text>'
        )
    return "".join(texts)


def heat_legend() -> str:
    """Return the scale of the heat maps."""
    n = len(HEAT_OPACITIES)
    squares = "".join(
        f'<rect class="tile" x="{i * 34}" y="1" width="32" height="12" rx="2"/>'
        f'<rect class="heat" opacity="{opacity}" x="{i * 34}" y="1" width="32" height="12" rx="2"/>'
        for i, opacity in enumerate(HEAT_OPACITIES)
    )
    labels = "".join(
        f'<text x="{(i + 1) * 34 - 1}" y="26" font-size="10" text-anchor="middle">{limit:.2f}</text>'
        for i, limit in enumerate(HEAT_LIMITS)
    )
    return (
        f'<svg viewBox="0 0 {n * 34} 30" width="{n * 34}" height="30" role="img" '
        'aria-label="Colour scale: differences from 0 to more than '
        f'{HEAT_LIMITS[-1]}">{squares}{labels}</svg>'
    )
