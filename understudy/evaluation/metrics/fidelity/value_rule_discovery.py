"""Discovery of rules between single values, such as a value of one column that determines another column.

A condition is that a column has a frequent value, or that its value is missing. The condition determines the
value of another column (possibly a missing value), or whether two columns are equal. A rule is proposed from
one half of the real rows and confirmed on the other half, with a Bonferroni correction over the proposed
rules.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from understudy.evaluation.encoding import Values, is_missing

Floats: TypeAlias = NDArray[np.float64]
Codes: TypeAlias = NDArray[np.int64]
Mask: TypeAlias = NDArray[np.bool_]
Columns: TypeAlias = Sequence[Values]

# Minimum number of rows that must satisfy a condition in each half.
N_ROWS_MIN = 50
# Maximum share of these rows that may break the rule, for example because of data entry errors.
BROKEN_MAX = 0.02
# Maximum share of all other rows that may have the determined value.
SHARE_ELSEWHERE_MAX = 0.9
# Maximum numbers of columns, conditions per column, and frequent values that a rule can determine.
N_COLUMNS_MAX = 60
N_CONDITIONS_MAX = 100
N_VALUES_MAX = 50
# Range of the share of rows in which two columns are equal. Within this range, the equality is a target of
# rules.
EQUAL_RANGE = (0.005, 0.9)
# Familywise error rate of the confirmation.
ALPHA = 0.01
# Maximum share of rows that break a functional dependency. Pairs of columns with such a dependency are scored
# by the metric for functional dependencies instead.
UNDETERMINED_MAX = 0.005
# Minimum share of rows that have a frequent value in the first column of a functional dependency.
COVERED_MIN = 0.5
MISSING_VALUE = -np.inf


@dataclass(frozen=True)
class Target:
    """The quantity that a rule determines: the value of a column, or the equality (1 or 0) of two columns."""

    columns: tuple[int, ...]

    def values(self, rows: Columns) -> Floats:
        """Return the values, with missing values as minus infinity."""
        parts = [with_missing(rows[i]) for i in self.columns]
        if len(parts) == 1:
            return parts[0]
        return np.where((parts[0] == parts[1]) & (parts[0] != MISSING_VALUE), 1.0, 0.0)


@dataclass(frozen=True)
class ValueRules:
    """The rules between the values of a column and a target.

    Parameters
    ----------
    conditions : float array of shape (n_rules,)
        Values of the column, in ascending order.
    determined : float array of shape (n_rules,)
        Value of the target for each value in `conditions`.
    """

    column: int
    target: Target
    conditions: Floats
    determined: Floats

    def kept(self, rows: Columns) -> tuple[Codes, Codes]:
        """Return, for each rule, how many rows meet the condition, and how many of these satisfy the rule."""
        values = with_missing(rows[self.column])
        at = np.minimum(np.searchsorted(self.conditions, values), len(self.conditions) - 1)
        is_met = self.conditions[at] == values
        is_kept = is_met & (self.determined[at] == self.target.values(rows))
        n_met, n_kept = (np.bincount(at[mask], minlength=len(self.conditions)) for mask in (is_met, is_kept))
        return n_met, n_kept


@dataclass(frozen=True)
class _Levels:
    """A column, encoded with the values in the half that is used to propose rules."""

    values: Floats
    codes: Codes
    counts: Codes

    @classmethod
    def of(cls, values: Floats) -> _Levels:
        known, codes, counts = np.unique(values, return_inverse=True, return_counts=True)
        return cls(known, codes.astype(np.int64), counts.astype(np.int64))

    def pooled(self) -> tuple[Floats, Codes]:
        """Return the most frequent values, and codes of all values. Infrequent values share the last code."""
        frequent = np.sort(np.argsort(-self.counts, kind="stable")[:N_VALUES_MAX])
        numbers = np.full(len(self.values), len(frequent), dtype=np.int64)
        numbers[frequent] = np.arange(len(frequent))
        return self.values[frequent], numbers[self.codes]


def find_value_rules(guess: Columns, proof: Columns, groups: Sequence[str]) -> list[ValueRules]:
    """Return the rules that the first half proposes and the second half confirms.

    Parameters
    ----------
    groups : sequence of str
        Group of each column. Columns in the same group have comparable values. The group of a categorical
        column is an empty string.
    """
    n_columns = min(len(guess), N_COLUMNS_MAX)
    levels = [_Levels.of(with_missing(values)) for values in guess[:n_columns]]
    targets = [Target((j,)) for j in range(n_columns)] + list(_equalities(guess, groups[:n_columns]))
    pooled = [
        (levels[target.columns[0]] if len(target.columns) == 1 else _Levels.of(target.values(guess))).pooled()
        for target in targets
    ]
    proposed = [
        rules
        for i in range(n_columns)
        for target, values in zip(targets, pooled, strict=True)
        if i not in target.columns and (rules := _propose(i, target, levels[i], values)) is not None
    ]
    n_proposed = sum(len(rules.conditions) for rules in proposed)
    confirmed = (_confirm(rules, proof, n_proposed) for rules in proposed)
    return [rules for rules in confirmed if rules is not None]


def _equalities(rows: Columns, groups: Sequence[str]) -> Iterator[Target]:
    """Yield pairs of comparable columns that are equal in some rows."""
    for i, j in combinations([i for i, group in enumerate(groups) if group], 2):
        if groups[i] == groups[j]:
            share = float(np.mean(rows[i] == rows[j]))
            if EQUAL_RANGE[0] <= share <= EQUAL_RANGE[1]:
                yield Target((i, j))


def _propose(i: int, target: Target, levels: _Levels, pooled: tuple[Floats, Codes]) -> ValueRules | None:
    values, codes = pooled
    frequent = np.flatnonzero(levels.counts >= N_ROWS_MIN)
    if len(frequent) == 0 or len(frequent) > N_CONDITIONS_MAX or len(levels.values) < 2:
        return None
    width = len(values) + 1
    position = np.full(len(levels.values), -1)
    position[frequent] = np.arange(len(frequent))
    at = position[levels.codes]
    is_frequent = at >= 0
    counts = np.bincount(at[is_frequent] * width + codes[is_frequent], minlength=len(frequent) * width)
    counts = counts.reshape(len(frequent), width)[:, :-1]
    best = counts.argmax(axis=1)
    n_best, n_rows = counts.max(axis=1), levels.counts[frequent]
    n_frequent = int(n_rows.sum())
    is_dependency = len(target.columns) == 1 and n_best.sum() >= (1 - UNDETERMINED_MAX) * n_frequent
    if is_dependency and len(frequent) > 1 and n_frequent >= COVERED_MIN * len(levels.codes):
        return None
    n_elsewhere = np.bincount(codes, minlength=width)[best] - n_best
    n_others = len(codes) - n_rows
    holds = (n_best >= (1 - BROKEN_MAX) * n_rows) & (n_elsewhere <= SHARE_ELSEWHERE_MAX * n_others)
    conditions, determined = levels.values[frequent], values[best]
    if len(target.columns) == 2:
        holds &= determined == 1.0
    # The rules metric already covers joint missingness.
    holds &= ~((conditions == MISSING_VALUE) & (determined == MISSING_VALUE))
    return ValueRules(i, target, conditions[holds], determined[holds]) if holds.any() else None


def _confirm(rules: ValueRules, proof: Columns, n_proposed: int) -> ValueRules | None:
    """Return the rules that the second half confirms and that chance does not explain."""
    n_met, n_kept = rules.kept(proof)
    values = rules.target.values(proof)
    n_values = np.array([np.sum(values == value) for value in rules.determined])
    elsewhere = (n_values - n_kept) / np.maximum(len(values) - n_met, 1)
    share = n_kept / np.maximum(n_met, 1)
    # Chernoff bound on the probability that at least `n_kept` rows satisfy the rule by chance.
    log_p = -n_met * _divergence(share, np.maximum(elsewhere, 1 / len(values)))
    is_proven = (n_met >= N_ROWS_MIN) & (share >= 1 - BROKEN_MAX) & (elsewhere <= SHARE_ELSEWHERE_MAX)
    is_proven &= log_p <= math.log(ALPHA / n_proposed)
    if not is_proven.any():
        return None
    return ValueRules(rules.column, rules.target, rules.conditions[is_proven], rules.determined[is_proven])


def _divergence(share: Floats, chance: Floats) -> Floats:
    """Return the Kullback-Leibler divergence of two shares, or 0 if the first share is not the larger one."""
    rest = 1 - share
    with np.errstate(divide="ignore", invalid="ignore"):
        first = np.where(share > 0, share * np.log(share / chance), 0.0)
        second = np.where(rest > 0, rest * np.log(rest / (1 - chance)), 0.0)
    return np.where(share > chance, first + second, 0.0)


def with_missing(values: Values) -> Floats:
    """Return the values as floats, with missing values as minus infinity."""
    return np.where(is_missing(values), MISSING_VALUE, values)
