"""Distributions of columns that are safe to publish in a report.

Reports are shared, so no bin, edge or label represents fewer than `N_ROWS_SHOWN_MIN` real rows, and no edge
is the minimum or maximum of the real table.
"""

from __future__ import annotations

import math
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from understudy.evaluation.comparison import Comparison
from understudy.evaluation.encoding import (
    MISSING,
    N_SHOWN_MIN,
    SECONDS_PER_DAY,
    ColumnEncoder,
    Values,
    is_missing,
)
from understudy.evaluation.statistics.written_values import written
from understudy.tables.notation import Notation
from understudy.tables.schema import ColumnKind

# Minimum number of real rows that a bin, edge or label must represent.
N_ROWS_SHOWN_MIN = N_SHOWN_MIN
# Minimum number of known values that a column must have to be shown.
N_KNOWN_MIN = 20
# Share of the values that lie beyond each end of a histogram.
TAIL_FRACTION = 0.005
N_BINS_WISHED = 32
N_CATEGORIES_SHOWN = 7
N_LETTERS_SHOWN = 40

OTHER_LABEL = "all other values"
UNSEEN_LABEL = "values not in the real table"
MISSING_LABEL = "missing"

TEMPORAL_KINDS = frozenset({ColumnKind.date, ColumnKind.time, ColumnKind.timestamp, ColumnKind.duration})
_SECONDS_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200)
_DAYS_STEPS = (1, 2, 7, 14, 28, 56, 91, 182, 365, 730, 1825, 3650, 7300, 18250, 36500)

Shares = list[float]
Form = Literal["histogram", "bars", "hidden"]


class ColumnDistribution(BaseModel):
    """The distribution of one column in the real and in the synthetic table."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str
    kind: ColumnKind
    form: Form
    edges: Annotated[
        list[float],
        Field(
            description="Rounded bin edges of a histogram. Times are in seconds, and dates and timestamps "
            "are in seconds since 1970-01-01. The outermost bins include all values beyond them."
        ),
    ] = []
    texts: Annotated[
        list[str],
        Field(description="Bin edges in the notation of the column. Empty if the column has no notation."),
    ] = []
    notation: Annotated[
        Notation | None,
        Field(description="Notation of the column's values. Null if the column has no notation."),
    ] = None
    labels: Annotated[
        list[str],
        Field(description="Labels of the bars: the most frequent values, followed by the pooled values."),
    ] = []
    real: Annotated[Shares, Field(description="Share of all real rows in each bin or bar.")] = []
    synthetic: Annotated[Shares, Field(description="Share of all synthetic rows in each bin or bar.")] = []
    missing_real: float
    missing_synthetic: float


def distribution(comparison: Comparison, i: int) -> ColumnDistribution:
    """Return the distribution of a column, reduced to the parts that are safe to show."""
    real, synthetic = comparison.real.columns[i], comparison.synthetic.columns[i]
    column = comparison.columns[i]
    missing = [float(np.mean(is_missing(values))) for values in (real, synthetic)]
    known = real[~is_missing(real)]
    form: Form = "hidden"
    edges = np.array([])
    labels: list[str] = []
    shares: list[Shares] = [[], []]
    encoder = comparison.encoder.columns[i]
    if encoder.is_categorical and len(known) >= N_KNOWN_MIN:
        form = "bars"
        labels, shares = _bars(encoder, real, synthetic)
    elif len(known) >= N_KNOWN_MIN:
        form = "histogram"
        edges = _merged(known, round_edges(known, column.kind))
        shares = [_shares(values, edges) for values in (real, synthetic)]
    return ColumnDistribution(
        column=column.name,
        kind=column.kind,
        form=form,
        edges=[float(edge) for edge in edges],
        texts=written(column.notation, column.kind, edges.tolist()) or [],
        notation=column.notation,
        labels=labels,
        real=shares[0],
        synthetic=shares[1],
        missing_real=missing[0],
        missing_synthetic=missing[1],
    )


def _bars(encoder: ColumnEncoder, real: Values, synthetic: Values) -> tuple[list[str], list[Shares]]:
    """Return the labels and heights of bars, with frequent values first and nonempty pools last."""
    categories, n_real = encoder.labels, encoder.n_categories_real
    counts = np.bincount(real[real != MISSING], minlength=n_real)
    # Codes are ordered by descending frequency.
    named = [code for code in np.flatnonzero(counts >= N_ROWS_SHOWN_MIN).tolist() if code not in encoder.rare]
    named = named[:N_CATEGORIES_SHOWN]
    n_shown = len(named)
    pools = np.full(len(categories) + 1, n_shown)
    pools[named] = np.arange(n_shown)
    pools[n_real:] = n_shown + 1
    # MISSING is -1, which indexes the last position.
    pools[-1] = n_shown + 2
    labels = [shortened(categories[code]) for code in named] + [
        OTHER_LABEL,
        UNSEEN_LABEL,
        MISSING_LABEL,
    ]
    heights = [
        np.bincount(pools[values], minlength=n_shown + 3) / len(values) for values in (real, synthetic)
    ]
    shown = [i for i in range(n_shown + 3) if i < n_shown or heights[0][i] + heights[1][i] > 0]
    return [labels[i] for i in shown], [[_rounded(height[i]) for i in shown] for height in heights]


def shortened(label: str) -> str:
    """Truncate a label to the space next to a bar."""
    return label if len(label) <= N_LETTERS_SHOWN else label[: N_LETTERS_SHOWN - 1] + "…"


def round_edges(known: Values, kind: ColumnKind) -> NDArray[np.float64]:
    """Return rounded edges for bins of equal width that span the inner 99% of the values."""
    n_beyond = max(N_ROWS_SHOWN_MIN, math.ceil(len(known) * TAIL_FRACTION)) - 1
    ordered = np.partition(known, [n_beyond, len(known) - 1 - n_beyond])
    low, high = float(ordered[n_beyond]), float(ordered[len(known) - 1 - n_beyond])
    step = _round_step((high - low) / N_BINS_WISHED, kind)
    first, last = math.floor(low / step), math.floor(high / step) + 1
    if kind == ColumnKind.integer and step == 1:
        # Each whole number has its own bin and is at the center of this bin.
        return np.arange(first, last + 1, dtype=np.float64) - 0.5
    return np.arange(first, last + 1, dtype=np.float64) * np.float64(step)


def _round_step(wished: float, kind: ColumnKind) -> float:
    if kind in TEMPORAL_KINDS and kind != ColumnKind.date and wished <= _SECONDS_STEPS[-1]:
        return float(next(step for step in _SECONDS_STEPS if step >= wished))
    if kind in TEMPORAL_KINDS:
        days = wished / SECONDS_PER_DAY
        return SECONDS_PER_DAY * next((step for step in _DAYS_STEPS if step >= days), math.ceil(days))
    if wished <= 0 or (kind == ColumnKind.integer and wished <= 1):
        return 1.0
    power = 10.0 ** math.floor(math.log10(wished))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= wished * (1 - 1e-9))


def _merged(known: Values, edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Merge bins until none contains fewer than `N_ROWS_SHOWN_MIN` real rows, except for empty bins."""
    counts = np.histogram(np.clip(known, edges[0], edges[-1]), edges)[0]
    kept, pooled = [edges[0]], 0
    for count, right in zip(counts, edges[1:], strict=True):
        pooled += count
        if pooled == 0 or pooled >= N_ROWS_SHOWN_MIN:
            kept.append(right)
            pooled = 0
    if pooled:
        # Remaining rows at the right end are merged into the last bin with enough rows.
        while len(kept) > 1 and pooled < N_ROWS_SHOWN_MIN:
            left = kept.pop()
            pooled += int(np.sum((known >= kept[-1]) & (known < left)))
        kept.append(edges[-1])
    return np.array(kept)


def _shares(values: Values, edges: NDArray[np.float64]) -> Shares:
    known = np.clip(values[~is_missing(values)], edges[0], edges[-1])
    return [_rounded(count / len(values)) for count in np.histogram(known, edges)[0]]


def _rounded(share: float) -> float:
    return round(float(share), 6)
