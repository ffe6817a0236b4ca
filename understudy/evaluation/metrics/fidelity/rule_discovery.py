"""Discovery of rules that nearly every real row satisfies and that chance does not explain.

The exact rules of `synthesizers.rules` have no exceptions and guide sampling. The rules here can have a few
exceptions and are used only for evaluation. A rule is proposed from one half of the real rows and confirmed
on the other half.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, permutations
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from understudy.evaluation.encoding import Values, is_missing

# Maximum share of real rows that break a rule, for example because of data entry errors.
BROKEN_MAX = 0.005
# Minimum share of rows that must break a rule after one of its columns is shuffled. The first limit is
# absolute. The second is a multiple of the share of original rows that break the rule.
BROKEN_SHUFFLED_MIN = 0.005
BROKEN_SHUFFLED_FACTOR = 10
N_LEVELS_MAX = 1_000
N_COUNTS_MAX = 250_000
N_ROWS_A_LEVEL_MIN = 5
# Minimum share of rows that a functional dependency covers. Rows with rare values of the first column
# are not covered.
DECIDED_MIN = 0.9
N_NUMBERS_MAX = 40
N_ROWS_TRIED = 200
# Rounding error of sums in double precision, relative to the largest number.
PRECISION = 1e-9
N_RULES_MAX = 100

Kind = Literal["decides", "order", "sum", "missing"]
Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]
Columns: TypeAlias = Sequence[Values]


@dataclass(frozen=True)
class Decides:
    """Functional dependency: the first column determines the second, except for rare values of the first.

    Parameters
    ----------
    known : float array of shape (n_levels,)
        Frequent values of the first column, in ascending order.
    determined : float array of shape (n_levels,)
        Value of the second column for each value in `known`.
    """

    columns: tuple[int, int]
    known: Floats
    determined: Floats
    kind: Kind = "decides"

    def is_kept(self, rows: Columns) -> Mask:
        """Return a mask of the rows that satisfy the rule."""
        by, of = (_with_missing(rows[i]) for i in self.columns)
        at = np.minimum(np.searchsorted(self.known, by), len(self.known) - 1)
        return np.asarray((self.known[at] != by) | (self.determined[at] == of))

    def sentence(self, names: Sequence[str]) -> str:
        """Return the rule in words."""
        return f"{names[0]} determines {names[1]}"


@dataclass(frozen=True)
class Order:
    """Inequality: the first value is at most the second in all rows with both values known."""

    columns: tuple[int, int]
    kind: Kind = "order"

    def is_kept(self, rows: Columns) -> Mask:
        """Return a mask of the rows that satisfy the rule."""
        # A comparison with a missing number is false.
        return np.asarray(~(rows[self.columns[0]] > rows[self.columns[1]]))

    def sentence(self, names: Sequence[str]) -> str:
        """Return the rule in words."""
        return f"{names[0]} is at most {names[1]}"


@dataclass(frozen=True)
class Sum:
    """Sum: the first two values add up to the third in all rows with all three values known."""

    columns: tuple[int, int, int]
    tolerance: float
    kind: Kind = "sum"

    def is_kept(self, rows: Columns) -> Mask:
        """Return a mask of the rows that satisfy the rule."""
        first, second, total = (rows[i] for i in self.columns)
        return np.asarray(~(np.abs(first + second - total) > self.tolerance))

    def sentence(self, names: Sequence[str]) -> str:
        """Return the rule in words."""
        return f"{names[0]} and {names[1]} add up to {names[2]}"


@dataclass(frozen=True)
class Missing:
    """Joint missingness: the second value is missing whenever the first is, and optionally vice versa."""

    columns: tuple[int, int]
    is_mutual: bool = False
    kind: Kind = "missing"

    def is_kept(self, rows: Columns) -> Mask:
        """Return a mask of the rows that satisfy the rule."""
        first, second = (is_missing(rows[i]) for i in self.columns)
        return np.asarray(first == second) if self.is_mutual else ~first | second

    def sentence(self, names: Sequence[str]) -> str:
        """Return the rule in words."""
        if self.is_mutual:
            return f"{names[0]} and {names[1]} are missing together"
        return f"{names[1]} is missing where {names[0]} is"


Rule: TypeAlias = Decides | Order | Sum | Missing


@dataclass(frozen=True)
class Halves:
    """Two sets of real rows. Rules are proposed from the first set and confirmed on the second.

    Parameters
    ----------
    groups : sequence of str
        Group of each column. Columns in the same group have comparable values. The group of a categorical
        column is an empty string.
    """

    guess: Columns
    proof: Columns
    groups: Sequence[str]


def find_rules(halves: Halves, rng: np.random.Generator) -> list[Rule]:
    """Return at most `N_RULES_MAX` rules."""
    rules: list[Rule] = [*_mutual([rule for rule in _missing(halves) if _is_proven(rule, halves, rng)])]
    for candidates in (_sums(halves), _decisions(halves), _orders(halves)):
        rules += [rule for rule in candidates if _is_proven(rule, halves, rng)]
    return rules[:N_RULES_MAX]


def _is_proven(rule: Rule, halves: Halves, rng: np.random.Generator) -> bool:
    """Return whether both halves satisfy the rule, but no longer do so if any of its columns is shuffled."""
    broken = max(1 - float(rule.is_kept(rows).mean()) for rows in (halves.guess, halves.proof))
    if broken > BROKEN_MAX:
        return False
    return all(
        _broken_shuffled(rule, halves.proof, i, rng)
        >= max(BROKEN_SHUFFLED_MIN, BROKEN_SHUFFLED_FACTOR * broken)
        for i in rule.columns
    )


def _broken_shuffled(rule: Rule, rows: Columns, i: int, rng: np.random.Generator) -> float:
    shuffled = list(rows)
    shuffled[i] = rng.permutation(rows[i])
    return 1 - float(rule.is_kept(shuffled).mean())


def _missing(halves: Halves) -> Iterator[Missing]:
    masks = [is_missing(values) for values in halves.guess]
    affected = [i for i, mask in enumerate(masks) if mask.any() and not mask.all()]
    for i, j in permutations(affected, 2):
        if float((masks[i] & ~masks[j]).mean()) <= BROKEN_MAX:
            yield Missing((i, j))


def _mutual(rules: list[Missing]) -> Iterator[Missing]:
    """Yield the rules, with each pair of reverse rules combined into one mutual rule."""
    known = {rule.columns for rule in rules}
    for rule in rules:
        first, second = rule.columns
        is_mutual = (second, first) in known
        if not is_mutual or first < second:
            yield replace(rule, is_mutual=is_mutual)


def _sums(halves: Halves) -> Iterator[Sum]:
    numbers = _numbers(halves)
    if len(numbers) < 3:
        return
    rows = np.column_stack([halves.guess[i] for i in numbers])
    rows = rows[~np.isnan(rows).any(axis=1)][:N_ROWS_TRIED]
    if len(rows) < N_ROWS_TRIED // 4:
        return
    tolerances = PRECISION * np.abs(rows).max(axis=0)
    for i, j in combinations(range(len(numbers)), 2):
        gaps = np.abs((rows[:, i] + rows[:, j])[:, None] - rows)
        # By chance, a small sample can contain a higher share of exceptions than the whole table.
        fits = (gaps > tolerances).mean(axis=0) <= 2 * BROKEN_MAX
        for k in np.flatnonzero(fits):
            if k not in (i, j):
                yield Sum((numbers[i], numbers[j], numbers[k]), float(tolerances[k]))


def _orders(halves: Halves) -> Iterator[Order]:
    for i, j in permutations(_numbers(halves), 2):
        if halves.groups[i] == halves.groups[j]:
            yield Order((i, j))


def _numbers(halves: Halves) -> list[int]:
    """Return the columns of numbers and times that are not constant."""
    numbers = [i for i, group in enumerate(halves.groups) if group]
    known = [halves.guess[i][~np.isnan(halves.guess[i])] for i in numbers]
    varying = [i for i, part in zip(numbers, known, strict=True) if len(part) and part.min() < part.max()]
    return varying[:N_NUMBERS_MAX]


def _decisions(halves: Halves) -> Iterator[Decides]:
    levels = [np.unique(_with_missing(values), return_inverse=True) for values in halves.guess]
    n_rows = len(halves.guess[0])
    few = [i for i, (occurring, _) in enumerate(levels) if 1 < len(occurring) <= N_LEVELS_MAX]
    for i, j in permutations(few, 2):
        (known, by), (values, of) = levels[i], levels[j]
        if len(known) * N_ROWS_A_LEVEL_MIN > n_rows or len(known) * len(values) > N_COUNTS_MAX:
            continue
        counts = np.bincount(by * len(values) + of, minlength=len(known) * len(values))
        counts = counts.reshape(len(known), len(values))
        seen = counts.sum(axis=1) >= N_ROWS_A_LEVEL_MIN
        n_decided = counts[seen].sum()
        if (
            n_decided >= DECIDED_MIN * n_rows
            and counts[seen].max(axis=1).sum() >= (1 - BROKEN_MAX) * n_decided
        ):
            yield Decides((i, j), known[seen], values[counts[seen].argmax(axis=1)])


def _with_missing(values: Values) -> Floats:
    """Return the values as floats, with missing values as minus infinity."""
    return np.where(is_missing(values), -np.inf, values)
