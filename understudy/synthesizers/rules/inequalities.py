"""Inequalities: pairs of columns where one value never exceeds the other."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from understudy.synthesizers.rules.columns import Columns
from understudy.synthesizers.rules.significance import is_significant
from understudy.synthesizers.rules.values import Numbers, Values, order_kind
from understudy.transformers.base import Mask

# Maximum number of numeric and time columns to search. Further columns are ignored.
N_COLUMNS_MAX = 64
# Number of sampled rows for the first check and for measuring the evidence.
N_ROWS_FIRST = 512
_EXACT_MAX = 2**53
# Unit of dates, in seconds.
DAY = Fraction(86_400)


@dataclass(frozen=True)
class Inequality:
    """Rule that `low` <= `high`, or `low` < `high` if strict, in every row where both are present."""

    low: str
    high: str
    is_strict: bool

    def holds(self, low: Numbers, high: Numbers, missing: Mask | None) -> Mask:
        """Return a mask of rows that satisfy the rule, given comparable numbers and the missing values."""
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
    """Return two columns as comparable numbers: integers if their units are equal, otherwise floats.

    A timestamp and a date are compared by date.
    """
    if unit_a is not None and unit_a == unit_b:
        return a.numbers, b.numbers
    if has_dates(unit_a, unit_b):
        return _as_dates(a, unit_a), _as_dates(b, unit_b)
    return _as_floats(a, unit_a), _as_floats(b, unit_b)


def has_dates(unit_a: Fraction | None, unit_b: Fraction | None) -> bool:
    """Return whether exactly one of two units is the unit of dates."""
    return (unit_a == DAY) != (unit_b == DAY)


def _as_dates(values: Values, unit: Fraction | None) -> Numbers:
    """Return the day number of every value."""
    return values.numbers // int(DAY / unit) if unit else values.numbers


def either_missing(a: Values, b: Values) -> Mask | None:
    """Return a mask of rows where at least one of two columns is missing, or None if there is no such row."""
    if a.missing is None or b.missing is None:
        return b.missing if a.missing is None else a.missing
    return a.missing | b.missing


def find_inequalities(columns: Columns, implied: set[tuple[str, str]]) -> tuple[Inequality, ...]:
    """Return the significant inequalities that hold in all rows and do not follow from other inequalities.

    Parameters
    ----------
    implied : set of (low, high)
        Pairs that are excluded because another rule enforces them.
    """
    groups = _groups(columns)
    n_hypotheses = sum(len(names) * (len(names) - 1) for names in groups)
    found: dict[tuple[str, str], bool] = {}
    for names in groups:
        found |= _prove(columns, _unrefuted(columns, names, n_hypotheses))
    at = {name: i for i, name in enumerate(columns.names)}
    order = sorted(found.keys() - implied, key=lambda pair: (at[pair[0]], at[pair[1]]))
    return tuple(Inequality(low, high, found[low, high]) for low, high in order)


def _prove(columns: Columns, candidates: list[tuple[str, str]]) -> dict[tuple[str, str], bool]:
    """Return the inequalities that hold in all rows and are not implied, mapped to whether they are strict.

    An inequality follows from two others only if their common column is never missing. Adjacent columns are
    checked first, so that most inequalities of a long chain follow without a check.
    """
    # Columns with an inequality in both directions are equal. A linear rule covers equal columns.
    left = set(candidates) - {pair[::-1] for pair in candidates}
    above: dict[str, set[str]] = {}
    for low, high in left:
        above.setdefault(low, set()).add(high)
    below = {high: {low for low, other in left if other == high} for _, high in left}
    known: dict[str, set[str]] = {low: set() for low in above}
    found = {}
    for low, high in sorted(left, key=lambda pair: (len(above[pair[0]] & below[pair[1]]), pair)):
        between = [m for m in known[low] if high in known.get(m, ()) and columns.all(m).missing is None]
        is_strict = None if between else _is_strict(columns, low, high)
        if is_strict is not None:
            found[low, high] = is_strict
        if between or is_strict is not None:
            known[low].add(high)
    return found


def _groups(columns: Columns) -> list[list[str]]:
    """Return groups of columns with comparable values."""
    groups: dict[str, list[str]] = {}
    quantities = [name for name in columns.names if columns.is_quantity(name)][:N_COLUMNS_MAX]
    for name in quantities:
        kind = order_kind(columns.table.schema.field(name).type)
        if kind:
            groups.setdefault(kind, []).append(name)
    return [names for names in groups.values() if len(names) > 1]


def _unrefuted(columns: Columns, names: list[str], n_hypotheses: int) -> list[tuple[str, str]]:
    """Return the pairs with an inequality that holds in the sample with significant evidence."""
    samples = [columns.sample(name) for name in names]
    units = [columns.sample_unit(name) for name in names]
    # Rounding to floats is monotonic, so a violation between floats is a violation between the values.
    floats = np.array([_as_floats(v, u) for v, u in zip(samples, units, strict=True)])
    floats[np.array([v.mask for v in samples])] = np.nan
    every = max(floats.shape[1] // N_ROWS_FIRST, 1)
    is_date = np.array([unit == DAY for unit in units])
    is_mixed = bool(is_date.any() and not is_date.all())
    days = np.floor(floats / float(DAY)) if is_mixed else floats
    candidates = []
    for i in range(len(names)):
        low, high = np.broadcast_to(floats[i], floats.shape), floats
        if is_mixed:
            by_day = (is_date | is_date[i])[:, None]
            low, high = np.where(by_day, days[i], low), np.where(by_day, days, high)
        for j in np.flatnonzero(~(low[:, ::every] > high[:, ::every]).any(axis=1)):
            is_kept = i != j and not (low[j] > high[j]).any()
            if is_kept and _is_evident(low[j, ::every], high[j, ::every], columns.n_rows, n_hypotheses):
                candidates.append((names[i], names[j]))
    return candidates


def _is_evident(low: Numbers, high: Numbers, n_rows: int, n_hypotheses: int) -> bool:
    """Return whether the inequality would be unlikely to hold if the values of `high` were permuted."""
    is_present = ~(np.isnan(low) | np.isnan(high))
    lows, highs = low[is_present], np.sort(high[is_present])
    if not len(lows):
        return False
    # If the inequality holds in all rows, at most half of all pairs (low, high) break it, so the share is
    # below 1.
    share = float(np.searchsorted(highs, lows).sum()) / len(lows) ** 2
    return is_significant(-math.log1p(-share) * len(lows) * n_rows / len(low), n_hypotheses)


def _is_strict(columns: Columns, low: str, high: str) -> bool | None:
    """Return whether the inequality is strict in all rows, or None if a row breaks it."""
    a, b = columns.all(low), columns.all(high)
    unit_a, unit_b = columns.unit(low), columns.unit(high)
    is_exact = unit_a == unit_b or has_dates(unit_a, unit_b)
    if not is_exact and not (_is_exact_as_float(a) and _is_exact_as_float(b)):
        return None
    numbers = comparable(a, b, unit_a, unit_b)
    missing = either_missing(a, b)
    if not Inequality(low, high, is_strict=False).holds(*numbers, missing).all():
        return None
    return bool(Inequality(low, high, is_strict=True).holds(*numbers, missing).all())


def _as_floats(values: Values, unit: Fraction | None) -> Numbers:
    numbers = values.numbers.astype(np.float64)
    if unit is None or unit == 1:
        return numbers
    # Division by a power of ten rounds correctly, in contrast to multiplication by its inverse.
    return numbers / float(1 / unit)


def _is_exact_as_float(values: Values) -> bool:
    numbers = values.numbers
    return (
        numbers.dtype == np.float64
        or not len(numbers)
        or (int(numbers.max()) <= _EXACT_MAX and int(numbers.min()) >= -_EXACT_MAX)
    )
