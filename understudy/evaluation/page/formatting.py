"""Formatting of numbers, times and labels as plain text, which the templates escape."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from understudy.tables.schema import ColumnKind

_DAY = 86_400
MINUS = "\u2212"
NO_BREAK_SPACE = "\u00a0"
# Text that is shown instead of a missing number.
NONE = "\u2013"


def shortened(text: str, n_letters_max: int) -> str:
    """Truncate text to a maximum length and add an ellipsis."""
    return text if len(text) <= n_letters_max else text[: n_letters_max - 1] + "…"


def score(value: float | None, metric: str) -> str:
    """Format a score: exact copies as a percentage, all other metrics as a decimal."""
    if value is None:
        return NONE
    if metric == "exact_copies":
        return percent(value, digits=2)
    return decimal(value)


def decimal(value: float | None) -> str:
    """Format a number with three decimals."""
    if value is None:
        return NONE
    # A value that rounds to zero is shown without a sign.
    return f"{value:.3f}".replace("-0.000", "0.000").replace("-", MINUS)


def change(value: float) -> str:
    """Format a difference with its sign."""
    return f"+{value:.3f}" if value >= 0.0005 else decimal(value)


def span(interval: tuple[float, float] | None) -> str:
    """Format an interval as `low to high`, or None as an empty string."""
    return "" if interval is None else f"{decimal(interval[0])} to {decimal(interval[1])}"


def half_width(interval: tuple[float, float] | None) -> str:
    """Format half the width of an interval as `± half`, or None as an empty string."""
    if interval is None:
        return ""
    half = (interval[1] - interval[0]) / 2
    return f"± {half:.3f}" if half >= 0.0005 else "± < 0.001"


def plural(n: int, singular: str, several: str) -> str:
    """Format a count with its noun in the singular or plural."""
    return f"{count(n)} {singular if n == 1 else several}"


def p_value(value: float) -> str:
    """Format a p-value. Values below 0.001 are shown as `< 0.001` instead of zero."""
    return "less than 0.001" if value < 0.001 else decimal(value)


def share(value: float | None) -> str:
    """Format a share as a percentage, or None as a dash."""
    return NONE if value is None else percent(value)


def percent(share: float, *, digits: int = 1) -> str:
    """Format a share as a percentage. A small share is shown with `<` instead of zero."""
    smallest = 10.0**-digits
    if 0 < share * 100 < smallest:
        return f"< {smallest:.{digits}f}%"
    return f"{share * 100:.{digits}f}%"


def count(n: int) -> str:
    """Format a count with thousands separators."""
    return f"{n:,}"


def edge_labels(edges: Sequence[float], kind: ColumnKind) -> list[str]:
    """Return labels for histogram edges, formatted for the column's kind."""
    span = edges[-1] - edges[0]
    if kind in (ColumnKind.date, ColumnKind.timestamp):
        return [_moment(edge, span) for edge in edges]
    if kind == ColumnKind.time:
        return [_clock(edge) for edge in edges]
    if kind == ColumnKind.duration:
        return [_duration(edge, span) for edge in edges]
    return [number(edge) for edge in edges]


def number(value: float) -> str:
    """Format a number with four significant digits and a unit suffix, in about six characters."""
    for limit, unit, letter in ((1e12, 1e12, "T"), (1e9, 1e9, "G"), (1e6, 1e6, "M"), (1e4, 1e3, "k")):
        if 1e15 > abs(value) >= limit:
            return f"{value / unit:.4g}{letter}".replace("-", MINUS)
    return f"{value:.4g}".replace("-", MINUS).replace("e+", "e")


def seconds(value: float) -> str:
    """Format a time difference in days, hours, minutes or seconds."""
    return _duration(value, abs(value))


def _moment(seconds: float, span: float) -> str:
    text = str(np.datetime64(int(seconds), "s"))
    day, _, clock = text.partition("T")
    if span <= 2 * _DAY:
        return clock[:8] if span < 120 else clock[:5]
    return day if span < 3 * 365 * _DAY else day.rsplit("-", 1)[0]


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}" + (f":{rest:02d}" if rest else "")


def _duration(seconds: float, span: float) -> str:
    for unit, letter in ((_DAY, "d"), (3600, "h"), (60, "min")):
        if span >= 3 * unit:
            return f"{number(seconds / unit)} {letter}"
    return f"{number(seconds)} s"
