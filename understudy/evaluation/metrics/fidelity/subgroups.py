"""Subgroup similarity: the similarity between real and synthetic columns within groups of rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from understudy.evaluation.comparison import Comparison
from understudy.evaluation.encoding import Values, is_missing
from understudy.evaluation.metrics.base import Metric, MetricResult, RealBaseline, UnscoredResult
from understudy.evaluation.metrics.fidelity.pair_cells import quantile_edges
from understudy.evaluation.statistics.distributions import N_ROWS_SHOWN_MIN

N_ROWS_MAX = 50_000
N_REAL_MIN = 50
N_GROUPING_MAX = 12
N_GROUPS_MAX = 12
N_GROUPS_SHOWN = 20
# Number of bins per column. Numeric values are binned at quantiles of the real values. Each of the most
# frequent categories has its own bin, and all other categories share one bin.
N_BINS = 50
QUARTERS = ("lowest quarter", "second quarter", "third quarter", "highest quarter")

Floats = NDArray[np.float64]
Bins = NDArray[np.int64]


class SubgroupScore(BaseModel):
    """Similarity between the real and synthetic rows of one group."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str
    group: str
    n_real: int
    n_synthetic: int
    score: Annotated[
        float,
        Field(description="Mean similarity, within the group, of the columns that do not define the group."),
    ]
    chance: Annotated[
        float,
        Field(
            description="Approximate score of the group if its synthetic rows were replaced with real rows."
        ),
    ]
    worst: Annotated[str, Field(description="Column whose distributions differ most within the group.")]


class SmallSubgroup(BaseModel):
    """A group with too few real rows to be scored."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str
    group: str


class SubgroupsResult(MetricResult):
    """Similarity of the column distributions within groups. The overall score is the mean over groups."""

    metric: Literal["subgroups"] = "subgroups"
    whole: Annotated[float, Field(description="Similarity of the columns over all rows.")]
    n_groups: int
    groups: Annotated[list[SubgroupScore], Field(description="Groups, furthest below `chance` first.")]
    too_small: Annotated[
        list[SmallSubgroup], Field(description="Groups of 5 to 49 real rows, which are not scored.")
    ]


@dataclass(frozen=True)
class _Binned:
    """Bins of a column in both tables, with -1 for a missing value."""

    real: Bins
    synthetic: Bins
    n_bins: int
    is_ordered: bool


@dataclass(frozen=True)
class _Grouping:
    """Groups of a column in both tables, with -1 for a row outside all groups."""

    i: int
    labels: Sequence[str]
    real: Bins
    synthetic: Bins


def score(comparison: Comparison) -> SubgroupsResult | UnscoredResult:
    """Return the mean similarity of the other columns within each group, averaged over groups."""
    if len(comparison.columns) < 2:
        return UnscoredResult(reason="needs at least two columns")
    rng = comparison.rng("subgroups")
    drawn = comparison.with_tables(
        real=comparison.real.draw(N_ROWS_MAX, rng), synthetic=comparison.synthetic.draw(N_ROWS_MAX, rng)
    )
    binned = [_binned(drawn, i) for i in range(len(drawn.columns))]
    groups: list[SubgroupScore] = []
    too_small: list[SmallSubgroup] = []
    for grouping in _groupings(drawn):
        judged, small = _judged(drawn, grouping, binned)
        groups += judged
        too_small += small
    if not groups:
        return UnscoredResult(reason=f"finds no groups of at least {N_REAL_MIN} real rows")
    return SubgroupsResult(
        score=float(np.mean([group.score for group in groups])),
        whole=_whole(binned),
        n_groups=len(groups),
        groups=sorted(groups, key=lambda group: group.score - group.chance)[:N_GROUPS_SHOWN],
        too_small=too_small,
        n_rows={"real": drawn.real.n_rows, "synthetic": drawn.synthetic.n_rows},
    )


def _binned(comparison: Comparison, i: int) -> _Binned:
    tables = comparison.real.columns[i], comparison.synthetic.columns[i]
    if comparison.encoder.columns[i].is_categorical:
        real, synthetic = (np.minimum(values, N_BINS).astype(np.int64) for values in tables)
        return _Binned(real, synthetic, N_BINS + 1, is_ordered=False)
    edges = quantile_edges(tables[0], N_BINS)
    real, synthetic = (
        np.where(is_missing(values), -1, np.searchsorted(edges, values, side="left")) for values in tables
    )
    return _Binned(real, synthetic, len(edges) + 1, is_ordered=True)


def _groupings(comparison: Comparison) -> list[_Grouping]:
    """Return the groupings by the protected columns, then by columns with few categories."""
    named = [comparison.encoder_index(name) for name in comparison.options.protected]
    others = [
        i
        for i, encoder in enumerate(comparison.encoder.columns)
        if encoder.is_categorical and 2 <= encoder.n_categories_real <= N_GROUPS_MAX and i not in named
    ]
    return [_grouping(comparison, i) for i in [*dict.fromkeys(named), *others[:N_GROUPING_MAX]]]


def _grouping(comparison: Comparison, i: int) -> _Grouping:
    real, synthetic = comparison.real.columns[i], comparison.synthetic.columns[i]
    encoder = comparison.encoder.columns[i]
    if not encoder.is_categorical:
        return _quarters(i, real, synthetic)
    # Codes are ordered by the frequency of the real values, most frequent first.
    labels = encoder.labels[: min(N_GROUPS_MAX, encoder.n_categories_real)]
    groups = [np.where(values < len(labels), values, -1).astype(np.int64) for values in (real, synthetic)]
    return _Grouping(i, labels, *groups)


def _quarters(i: int, real: Values, synthetic: Values) -> _Grouping:
    edges = quantile_edges(real, len(QUARTERS))
    groups = [
        np.where(is_missing(values), -1, np.searchsorted(edges, values, side="left"))
        for values in (real, synthetic)
    ]
    # If many values are equal, there are fewer than three edges, and the parts are not quarters.
    labels = (
        QUARTERS if len(edges) == 3 else [f"part {k + 1} of {len(edges) + 1}" for k in range(len(edges) + 1)]
    )
    return _Grouping(i, labels, *groups)


def _judged(
    comparison: Comparison, grouping: _Grouping, binned: Sequence[_Binned]
) -> tuple[list[SubgroupScore], list[SmallSubgroup]]:
    n_groups = len(grouping.labels)
    n_real, n_synthetic = (
        np.bincount(part[part >= 0], minlength=n_groups) for part in (grouping.real, grouping.synthetic)
    )
    others = [i for i in range(len(binned)) if i != grouping.i]
    distances, by_chance = (
        np.array(part) for part in zip(*(_distances(grouping, binned[i]) for i in others), strict=True)
    )
    name = comparison.columns[grouping.i].name
    judged = [
        SubgroupScore(
            column=name,
            group=grouping.labels[k],
            n_real=int(n_real[k]),
            n_synthetic=int(n_synthetic[k]),
            score=1 - float(distances[:, k].mean()),
            chance=1 - float(by_chance[:, k].mean()),
            worst=comparison.columns[others[int((distances - by_chance)[:, k].argmax())]].name,
        )
        for k in _where(n_real >= N_REAL_MIN)
    ]
    is_small = (n_real >= N_ROWS_SHOWN_MIN) & (n_real < N_REAL_MIN)
    return judged, [SmallSubgroup(column=name, group=grouping.labels[k]) for k in _where(is_small)]


def _where(mask: NDArray[np.bool_]) -> list[int]:
    return [int(k) for k in np.flatnonzero(mask)]


def _distances(grouping: _Grouping, column: _Binned) -> tuple[Floats, Floats]:
    """Return the distance between the column's two distributions in each group, and the expected distance."""
    real, synthetic = (
        _counts(groups, bins, len(grouping.labels), column.n_bins)
        for groups, bins in ((grouping.real, column.real), (grouping.synthetic, column.synthetic))
    )
    return distances(real, synthetic, is_ordered=column.is_ordered), expected_distances(
        real, synthetic, is_ordered=column.is_ordered
    )


def _counts(groups: Bins, bins: Bins, n_groups: int, n_bins: int) -> Floats:
    both = (groups >= 0) & (bins >= 0)
    counts = np.bincount(groups[both] * n_bins + bins[both], minlength=n_groups * n_bins)
    return counts.reshape(n_groups, n_bins).astype(np.float64)


def distances(real: Floats, synthetic: Floats, *, is_ordered: bool) -> Floats:
    """Return the distance between the real and the synthetic distribution for each row of counts.

    The distance is the Kolmogorov-Smirnov distance for ordered bins and the total variation distance for
    other bins. It is 1 if only one of the two tables has rows, and 0 if neither table has rows.
    """
    gaps = _shares(real) - _shares(synthetic)
    between = np.abs(np.cumsum(gaps, axis=1)).max(axis=1) if is_ordered else np.abs(gaps).sum(axis=1) / 2
    has_rows = real.any(axis=1), synthetic.any(axis=1)
    return np.asarray(
        np.where(has_rows[0] & has_rows[1], between, has_rows[0] != has_rows[1]), dtype=np.float64
    )


def expected_distances(real: Floats, synthetic: Floats, *, is_ordered: bool) -> Floats:
    """Return the approximate mean distance between two samples of these sizes from the same distribution.

    Notes
    -----
    The total variation distance uses the mean absolute deviation of each share under the normal
    approximation. The Kolmogorov-Smirnov distance uses the smaller of this value and the mean of the largest
    absolute value of a Brownian bridge, sqrt(pi / 2) log 2 (Kolmogorov 1933).
    """
    n_real, n_synthetic = (np.maximum(counts.sum(axis=1), 1) for counts in (real, synthetic))
    scale = np.sqrt(1 / n_real + 1 / n_synthetic)
    shares = _shares(real)
    varied = math.sqrt(2 / math.pi) * np.sqrt(shares * (1 - shares)).sum(axis=1) / 2 * scale
    if is_ordered:
        varied = np.minimum(varied, math.sqrt(math.pi / 2) * math.log(2) * scale)
    return np.asarray(np.minimum(varied, 1.0))


def _shares(counts: Floats) -> Floats:
    return np.asarray(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1))


def _whole(binned: Sequence[_Binned]) -> float:
    column_distances = []
    for column in binned:
        real, synthetic = (
            np.bincount(part[part >= 0], minlength=column.n_bins)[None, :].astype(np.float64)
            for part in (column.real, column.synthetic)
        )
        column_distances.append(float(distances(real, synthetic, is_ordered=column.is_ordered)[0]))
    return 1 - float(np.mean(column_distances))


SUBGROUPS = Metric(
    name="subgroups",
    title="Subgroup similarity",
    summary="Similarity of the column distributions within each group of rows, such as one sex or one "
    "region, averaged over groups. A table can match overall and still be wrong for small groups.",
    concern="in some groups, the synthetic rows differ from the real rows",
    source="Compare SDMetrics: KSComplement and TVComplement, here within groups and on bins",
    topic="fidelity",
    direction="higher",
    range=(0.0, 1.0),
    best=1.0,
    result=SubgroupsResult,
    score=score,
    real_baseline=RealBaseline.bootstrap,
)
