"""The small marks of the page: what stands for a table, and for an outcome. Never colour alone."""

from __future__ import annotations

from understudy.evaluation.verdict import Outcome

# A disc with a tick, a triangle, an octagon, a ring with a question mark, a ring: told apart without colour.
_SHAPES: dict[Outcome, str] = {
    "pass": '<circle class="ground" cx="10" cy="10" r="9"/><path class="sign" d="M5.8 10.4l2.9 2.9 5.5-6"/>',
    "warn": '<path class="ground" d="M10 1.2L19.4 18H.6z"/><path class="sign" d="M10 7v5.2M10 15v.2"/>',
    "fail": '<path class="ground" d="M6.2 1h7.6L19 6.2v7.6L13.8 19H6.2L1 13.8V6.2z"/>'
    '<path class="sign" d="M6.8 6.8l6.4 6.4M13.2 6.8l-6.4 6.4"/>',
    "inconclusive": '<circle class="ring" cx="10" cy="10" r="8.4"/>'
    '<path class="mark" d="M7.4 7.8a2.7 2.7 0 1 1 3.8 2.6q-1.2 .5 -1.2 1.6M10 14.6v.2"/>',
    "unscored": '<circle class="ring" cx="10" cy="10" r="8.4"/><path class="mark" d="M6 10h8"/>',
}
WORDS: dict[Outcome, str] = {
    "pass": "Pass",
    "warn": "Warn",
    "fail": "Fail",
    "inconclusive": "Inconclusive",
    "unscored": "Not scored",
}


def shape(outcome: Outcome) -> str:
    """Return the shape of an outcome; its word has to stand beside it."""
    return f'<svg class="shape {outcome}" viewBox="0 0 20 20" aria-hidden="true">{_SHAPES[outcome]}</svg>'


def outcome(value: Outcome) -> str:
    """Return an outcome as a shape and a word, both in its colour."""
    return f'<span class="outcome {value}">{shape(value)}{WORDS[value]}</span>'


def dot(x: float, y: float) -> str:
    """Return the mark of the synthetic table."""
    return f'<circle class="f-synthetic" cx="{x:.1f}" cy="{y:.1f}" r="5.5"/>'


def diamond(x: float, y: float) -> str:
    """Return the mark of the independent columns."""
    return f'<path class="s-independent f-card" stroke-width="2.2" d="M{x - 5:.1f} {y:.1f}l5 -5l5 5l-5 5z"/>'


def cross(x: float, y: float) -> str:
    """Return the mark of the noisy copy."""
    return (
        f'<path class="s-leak" stroke-width="2.4" stroke-linecap="round" '
        f'd="M{x - 4:.1f} {y - 4:.1f}l8 8m0 -8l-8 8"/>'
    )


def band(left: float, right: float, y: float) -> str:
    """Return the mark of real rows: what they score lies between the two ends."""
    return (
        f'<rect class="f-real" opacity=".5" x="{left:.1f}" y="{y - 8:.1f}" '
        f'width="{max(right - left, 0):.1f}" height="16" rx="2"/>'
    )


def post(x: float, y: float) -> str:
    """Return the mark of the mean score of real rows."""
    return f'<path class="s-real" stroke-width="2.4" d="M{x:.1f} {y - 8:.1f}v16"/>'


AREA = (
    '<svg width="20" height="12" aria-hidden="true">'
    '<rect class="area f-real" width="20" height="12" rx="2"/></svg>'
)
STEP = (
    '<svg width="20" height="12" aria-hidden="true"><path class="step s-synthetic" d="M0 10H7V3H20"/></svg>'
)


def drawn(mark: str, width: int) -> str:
    """Return a mark by itself, for a legend; it was drawn in the middle of a square of 16."""
    return f'<svg width="{width}" height="16" viewBox="0 0 {width} 16" aria-hidden="true">{mark}</svg>'


def line(role: str) -> str:
    """Return the line of a curve, in its pattern of dashes."""
    return f'<svg width="30" height="8" aria-hidden="true"><path class="curve s-{role}" d="M1 4H29"/></svg>'


def whisker(role: str) -> str:
    """Return an estimate with its interval."""
    dot = (
        f'<rect class="f-{role}-ink" x="8" y="1" width="10" height="10" rx="1"/>'
        if role == "real"
        else f'<circle class="f-{role}" cx="13" cy="6" r="5"/>'
    )
    return (
        '<svg width="26" height="12" aria-hidden="true">'
        f'<path class="s-{role}" stroke-width="2" d="M0 6H26"/>{dot}</svg>'
    )
