"""Pairs of columns of which one is never above the other."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from understudy.synthesizers.rules.closure import reduce_transitively
from understudy.synthesizers.rules.columns import Columns
from understudy.synthesizers.rules.evidence import is_significant
from understudy.synthesizers.rules.values import Numbers, Values, comparable_kind, unit_of
from understudy.transformers.base import Mask

# Of tables with more numbers and times the first are searched.
N_COLUMNS_MAX = 64
_EXACT_MAX = 2**53


@dataclass(frozen=True)
class Order:
    """`low` is at most `high`, or below it if the rule is strict, in every row where both are present."""

    low: str
    high: str
    is_strict: bool

    def holds(self, low: Numbers, high: Numbers, missing: Mask | None) -> Mask:
        """Return which rows keep the rule, by comparable numbers and where either is missing."""
        kept: Mask = low < high if self.is_strict else low <= high
        return kept if missing is None else kept | missing

    def describe(self) -> str:
        """Return the rule as a sentence."""
        return (
            f"{self.low} {'<' if self.is_strict else '<='} {self.high} in every row where both are present."
        )


def comparable(
    a: Values, b: Values, unit_a: Fraction | None, unit_b: Fraction | None
) -> tuple[Numbers, Numbers]:
    """Return numbers of two columns that compare as their values do: whole ones if the units are the same."""
    if unit_a is not None and unit_a == unit_b:
        return a.numbers, b.numbers
    return _as_floats(a, unit_a), _as_floats(b, unit_b)


def either_missing(a: Values, b: Values) -> Mask | None:
    """Return where one of two columns is missing, None if nowhere."""
    if a.missing is None or b.missing is None:
        return b.missing if a.missing is None else a.missing
    return a.missing | b.missing


def find_orders(columns: Columns, implied: set[tuple[str, str]]) -> tuple[Order, ...]:
    """Return the orders that all rows keep and chance would break, less those that follow from others.

    Parameters
    ----------
    implied : set of (low, high)
        Pairs not to look at, because another rule keeps them.
    """
    groups = _groups(columns)
    n_hypotheses = sum(len(names) * (len(names) - 1) for names in groups)
    found: dict[tuple[str, str], bool] = {}
    for names in groups:
        for low, high in _unrefuted(columns, names, n_hypotheses):
            is_strict = _is_kept(columns, low, high)
            if is_strict is not None:
                found[low, high] = is_strict
    # Equal columns are below each other; a linear rule says more.
    kept = reduce_transitively({pair for pair in found if pair[::-1] not in found})
    names = columns.names
    order = sorted(kept - implied, key=lambda pair: (names.index(pair[0]), names.index(pair[1])))
    return tuple(Order(low, high, found[low, high]) for low, high in order)


def _groups(columns: Columns) -> list[list[str]]:
    """Return the columns that can be compared, by kind."""
    groups: dict[str, list[str]] = {}
    quantities = [name for name in columns.names if columns.is_quantity(name)][:N_COLUMNS_MAX]
    for name in quantities:
        kind = comparable_kind(columns.table.schema.field(name).type)
        if kind:
            groups.setdefault(kind, []).append(name)
    return [names for names in groups.values() if len(names) > 1]


def _unrefuted(columns: Columns, names: list[str], n_hypotheses: int) -> list[tuple[str, str]]:
    """Return the pairs that the sample keeps, and would break if they were independent."""
    samples = [columns.sample(name) for name in names]
    units = [unit_of(columns.table.schema.field(n).type, columns.sample_decimals(n)) for n in names]
    # Rounding to floats keeps orders: what breaks them as floats breaks them.
    floats = np.array([_as_floats(v, u) for v, u in zip(samples, units, strict=True)])
    floats[np.array([v.mask for v in samples])] = np.nan
    some = floats[:, :: max(floats.shape[1] // 256, 1)]
    candidates = []
    for i, row in enumerate(some):
        for j in np.flatnonzero(~(row > some).any(axis=1)):
            is_kept = i != j and not (floats[i] > floats[j]).any()
            if is_kept and _is_evident(floats[i], floats[j], columns.n_rows, n_hypotheses):
                candidates.append((names[i], names[j]))
    return candidates


def _is_evident(low: Numbers, high: Numbers, n_rows: int, n_hypotheses: int) -> bool:
    """Return whether so many rows would hardly keep the order if the highs were dealt out anew."""
    is_present = ~(np.isnan(low) | np.isnan(high))
    lows, highs = low[is_present], np.sort(high[is_present])
    if not len(lows):
        return False
    # Where all rows keep the order, at most half of all lows and highs break it: the share is below 1.
    share = float(np.searchsorted(highs, lows).sum()) / len(lows) ** 2
    return is_significant(-math.log1p(-share) * len(lows) * n_rows / len(low), n_hypotheses)


def _is_kept(columns: Columns, low: str, high: str) -> bool | None:
    """Return whether the order is strict in all rows, or None if a row breaks it."""
    a, b = columns.all(low), columns.all(high)
    unit_a, unit_b = (unit_of(columns.table.schema.field(n).type, columns.decimals(n)) for n in (low, high))
    if unit_a != unit_b and not (_is_exact_as_float(a) and _is_exact_as_float(b)):
        return None
    numbers = comparable(a, b, unit_a, unit_b)
    missing = either_missing(a, b)
    if not Order(low, high, is_strict=False).holds(*numbers, missing).all():
        return None
    return bool(Order(low, high, is_strict=True).holds(*numbers, missing).all())


def _as_floats(values: Values, unit: Fraction | None) -> Numbers:
    numbers = values.numbers.astype(np.float64)
    if unit is None or unit == 1:
        return numbers
    # Dividing by a power of ten rounds correctly, multiplying by its inverse does not.
    return numbers / float(1 / unit)


def _is_exact_as_float(values: Values) -> bool:
    numbers = values.numbers
    return (
        numbers.dtype == np.float64
        or not len(numbers)
        or (int(numbers.max()) <= _EXACT_MAX and int(numbers.min()) >= -_EXACT_MAX)
    )
