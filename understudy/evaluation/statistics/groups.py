"""Groups of rows by a protected column: its categories, or up to four bands of a numeric column."""

from __future__ import annotations

import datetime
import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from understudy.evaluation.comparison import Comparison
from understudy.evaluation.encoding import Values, is_missing
from understudy.evaluation.statistics.distributions import (
    MISSING_LABEL,
    N_KNOWN_MIN,
    N_ROWS_SHOWN_MIN,
    OTHER_LABEL,
    TEMPORAL_KINDS,
    round_edges,
    shortened,
)
from understudy.evaluation.statistics.written_values import written
from understudy.tables.schema import Column, ColumnKind

N_GROUPS_MAX = 12
N_BANDS = 4
# Minimum number of rows in an evaluated group. With fewer rows, the 95% interval of a share is wider than
# 0.25, so the group is listed without an evaluation.
N_ROWS_JUDGED_MIN = 50


@dataclass(frozen=True)
class Groups:
    """The groups of a column: one for each value with enough real rows, and two for all remaining values.

    Parameters
    ----------
    column : str
        The name of the column.
    labels : tuple of str
        The labels of the groups; the last two are for all other values and for missing values.
    n_hidden : int
        The number of groups that have too few real rows to be named.
    """

    column: str
    position: int
    labels: tuple[str, ...]
    n_hidden: int
    _numbers: NDArray[np.int64] | None = None
    _edges: NDArray[np.float64] | None = None

    def assign(self, values: Values) -> NDArray[np.int64]:
        """Return the group number of each value."""
        if self._numbers is not None:
            # MISSING is -1, which indexes the last position.
            return self._numbers[values.astype(np.int64)]
        assert self._edges is not None
        bands = np.searchsorted(self._edges, values, side="right").astype(np.int64)
        bands[is_missing(values)] = len(self.labels) - 1
        return bands


def groups_of(comparison: Comparison, name: str) -> Groups:
    """Return the groups of a column, which are determined by the real table."""
    return comparison.once_of_real(f"groups: {name}", lambda known: _groups_of(known, name))


def _groups_of(comparison: Comparison, name: str) -> Groups:
    i = comparison.encoder_index(name)
    values = comparison.real.columns[i]
    encoder = comparison.encoder.columns[i]
    if encoder.categories is not None:
        return _of_categories(i, name, values, encoder.labels, encoder.n_categories_real)
    return _of_numbers(i, comparison.columns[i], values[~is_missing(values)])


def _of_categories(
    i: int, name: str, values: Values, categories: tuple[str, ...], n_categories_real: int
) -> Groups:
    counts = np.bincount(values[values >= 0], minlength=n_categories_real)
    # Codes are in descending order of frequency in the real table, and approximately in this order in a
    # resampled table.
    named = np.flatnonzero(counts >= N_ROWS_SHOWN_MIN)[:N_GROUPS_MAX]
    numbers = np.full(len(categories) + 1, len(named))
    numbers[named] = np.arange(len(named))
    numbers[-1] = len(named) + 1
    labels = (*(shortened(categories[code]) for code in named), OTHER_LABEL, MISSING_LABEL)
    return Groups(name, i, labels, n_categories_real - len(named), _numbers=numbers)


def _of_numbers(i: int, column: Column, known: Values) -> Groups:
    """Return bands that are bounded by the edges of the column's histogram closest to the quartiles."""
    name = column.name
    if len(known) < N_KNOWN_MIN:
        return Groups(name, i, (OTHER_LABEL, OTHER_LABEL, MISSING_LABEL), 0, _edges=np.array([np.inf]))
    round_ = round_edges(known, column.kind)
    quartiles = np.quantile(known, np.arange(1, N_BANDS) / N_BANDS)
    wished = np.unique(round_[np.abs(round_[:, None] - quartiles).argmin(axis=0)])
    counts = np.array([np.sum(known < edge) for edge in wished])
    edges = wished[(counts >= N_ROWS_SHOWN_MIN) & (len(known) - counts >= N_ROWS_SHOWN_MIN)]
    return Groups(name, i, (*_labels(edges, column), OTHER_LABEL, MISSING_LABEL), 0, _edges=edges)


def _labels(edges: NDArray[np.float64], column: Column) -> list[str]:
    if not len(edges):
        return ["all known values"]
    # The bin of a whole number begins half a step below the number.
    shown = np.ceil(edges) if column.kind is ColumnKind.integer else edges
    texts = written(column.notation, column.kind, shown.tolist())
    texts = texts or [format_value(float(edge), column.kind) for edge in edges]
    between = [f"{low} to below {high}" for low, high in itertools.pairwise(texts)]
    return [f"below {texts[0]}", *between, f"{texts[-1]} and above"]


def format_value(value: float, kind: ColumnKind) -> str:
    """Format a number, or the time that it represents."""
    if kind in TEMPORAL_KINDS - {ColumnKind.time, ColumnKind.duration}:
        moment = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(seconds=value)
        return moment.date().isoformat() if kind is ColumnKind.date else moment.isoformat(sep=" ")[:19]
    if kind in TEMPORAL_KINDS:
        return str(datetime.timedelta(seconds=value))
    # The bin of a whole number begins half a step below the number.
    return f"{np.ceil(value):.15g}" if kind is ColumnKind.integer else f"{value:.10g}"
