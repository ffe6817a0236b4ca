"""All pairs of columns as squares, the deeper the larger their number."""

from __future__ import annotations

from collections.abc import Sequence

from understudy.evaluation.page import formatting
from understudy.evaluation.page.formatting import escape

OPACITIES = (0.0, 0.12, 0.24, 0.37, 0.51, 0.66, 0.82, 1.0)
# Numbers from which on a square has the next deeper colour: of differences of distributions, of strengths
# between 0 and 1, and of changes of strengths.
DIFFERENCES = (0.02, 0.04, 0.07, 0.10, 0.15, 0.20, 0.30)
STRENGTHS = (0.02, 0.05, 0.10, 0.20, 0.35, 0.50, 0.75)
CHANGES = (0.01, 0.02, 0.04, 0.07, 0.10, 0.20, 0.40)
CELL = 20

Matrix = Sequence[Sequence[float | None]]


def draw(
    columns: Sequence[str], matrix: Matrix, label: str, *, limits: Sequence[float], has_names: bool
) -> str:
    """Return the squares; negative numbers have a colour of their own.

    The label, for those who cannot see it, has to be safe already.
    """
    n = len(columns)
    margin, head, right = (132, 100, 56) if has_names else (0, 0, 0)
    width, height = margin + n * CELL + right, head + n * CELL
    paths: dict[tuple[int, int], list[str]] = {}
    for i, row in enumerate(matrix):
        for j, value in enumerate(row):
            square = f"M{margin + j * CELL + 1} {head + i * CELL + 1}h18v18h-18z"
            paths.setdefault(_level(value, limits), []).append(square)
    ground = "".join("".join(squares) for (level, _), squares in paths.items() if level >= 0)
    drawn = f'<path class="tile" d="{ground}"/>' + "".join(
        f'<path class="{"heat" if sign > 0 else "heat less"}" opacity="{OPACITIES[level]}" '
        f'd="{"".join(squares)}"/>'
        for (level, sign), squares in sorted(paths.items())
        if level > 0
    )
    names = _names(columns, margin, head) if has_names else ""
    return f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{label}">{drawn}{names}</svg>'


def _level(value: float | None, limits: Sequence[float]) -> tuple[int, int]:
    """Return how deep a square is, -1 where there is none, and the sign of its number."""
    if value is None:
        return -1, 1
    return sum(abs(value) >= limit for limit in limits), -1 if value < 0 else 1


def _names(columns: Sequence[str], margin: int, head: int) -> str:
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


def legend(limits: Sequence[float], meaning: str, *, is_signed: bool = False) -> str:
    """Return the scale of colours, with what it means; the meaning has to be safe already."""
    rows = [("heat", 0), *([("heat less", 14)] if is_signed else [])]
    n, height = len(OPACITIES), 16 + 14 * len(rows)
    squares = "".join(
        f'<rect class="tile" x="{i * 34}" y="{y + 1}" width="32" height="11" rx="2"/>'
        f'<rect class="{kind}" opacity="{opacity}" x="{i * 34}" y="{y + 1}" width="32" height="11" rx="2"/>'
        for kind, y in rows
        for i, opacity in enumerate(OPACITIES)
    )
    labels = "".join(
        f'<text x="{(i + 1) * 34 - 1}" y="{height - 3}" font-size="10" text-anchor="middle">{limit:g}</text>'
        for i, limit in enumerate(limits)
    )
    return (
        f'<div class="heat-legend small muted"><span>{meaning}</span><svg viewBox="0 0 {n * 34} {height}" '
        f'width="{n * 34}" height="{height}" role="img" aria-label="Colours: from less than {limits[0]}, '
        f'palest, to {limits[-1]} and more, deepest">{squares}{labels}</svg></div>'
    )
