"""Rules that every real row satisfies, and the share of synthetic rows that violate one.

There are three kinds of rules: a functional dependency between two columns, a number that is a linear
function of one or two other numbers, and a number that never exceeds another number. A rule counts only if it
is violated often enough when one of its columns is permuted. A rule that is rarely violated by permuted
values follows from the ranges of the columns.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, permutations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from benchmarks.engine.judges.features import Matrix, encode

BROKEN_SHUFFLED_MIN = 0.01
N_ROWS_TRIED = 2_000
# Tolerance for rounding errors of sums in double precision, relative to the largest number.
PRECISION = 1e-6


@dataclass(frozen=True)
class Dependency:
    """A functional dependency: column a determines column b."""

    a: int
    b: int

    def broken(self, rows: Matrix, real: Matrix) -> npt.NDArray[np.bool_]:
        """Return a mask of the rows that violate the rule.

        A value of column a that does not occur in any real row does not violate the rule.
        """
        codes_a, n_a = _codes(np.concatenate([real[:, self.a], rows[:, self.a]]))
        codes_b, _ = _codes(np.concatenate([real[:, self.b], rows[:, self.b]]))
        determined = np.full(n_a, -1)
        determined[codes_a[: len(real)]] = codes_b[: len(real)]
        expected = determined[codes_a[len(real) :]]
        return (expected >= 0) & (expected != codes_b[len(real) :])


@dataclass(frozen=True)
class Equation:
    """A linear equation: column c is a weighted sum of other columns and a constant."""

    c: int
    terms: tuple[int, ...]
    weights: tuple[float, ...]

    def broken(self, rows: Matrix, real: Matrix) -> npt.NDArray[np.bool_]:
        """Return a mask of the rows that violate the rule.

        A row with a missing number does not violate the rule.
        """
        sums = rows[:, list(self.terms)] @ np.array(self.weights[:-1]) + self.weights[-1]
        tolerance = PRECISION * max(np.nanmax(np.abs(real[:, [self.c, *self.terms]])), 1.0)
        return np.abs(rows[:, self.c] - sums) > tolerance


@dataclass(frozen=True)
class Order:
    """An order: column a is never above column b."""

    a: int
    b: int

    def broken(self, rows: Matrix, real: Matrix) -> npt.NDArray[np.bool_]:
        """Return a mask of the rows where a is above b."""
        return rows[:, self.a] > rows[:, self.b]


Rule = Dependency | Equation | Order


def broken_share(real: pa.Table, synthetic: pa.Table) -> dict[str, float]:
    """Return the share of synthetic rows that violate any rule of the real table, and shares by kind of rule.

    Parameters
    ----------
    real : pyarrow.Table
        All real rows, which satisfy every rule.
    """
    known, rows = encode([real, synthetic])
    rules = find_rules(known, real.schema)
    figures = {f"n_{name}": float(sum(isinstance(rule, kind) for rule in rules)) for name, kind in _KINDS}
    is_broken = np.zeros(len(rows), dtype=bool)
    for name, kind in _KINDS:
        is_broken_kind = np.zeros(len(rows), dtype=bool)
        for rule in rules:
            if isinstance(rule, kind):
                is_broken_kind |= rule.broken(rows, known)
        figures[f"broken_{name}"] = float(is_broken_kind.mean())
        is_broken |= is_broken_kind
    return figures | {"broken_rules": float(is_broken.mean())}


_KINDS = (("dependencies", Dependency), ("equations", Equation), ("orders", Order))


def find_rules(rows: Matrix, schema: pa.Schema) -> list[Rule]:
    """Return the rules that all rows satisfy and that a permuted column would violate."""
    is_number = [pa.types.is_integer(type_) or pa.types.is_floating(type_) for type_ in schema.types]
    numbers = [i for i in np.flatnonzero(is_number) if np.nanmin(rows[:, i]) < np.nanmax(rows[:, i])]
    candidates = [*_dependencies(rows), *_equations(rows, numbers), *_orders(rows, numbers)]
    return [rule for rule in candidates if _is_telling(rule, rows)]


def _dependencies(rows: Matrix) -> Iterator[Dependency]:
    coded = [_codes(column) for column in rows.T]
    for a, b in permutations(range(rows.shape[1]), 2):
        (codes_a, n_a), (codes_b, n_b) = coded[a], coded[b]
        # If most values of column a occur only once, almost no row could contradict the rule.
        if n_b > 1 and n_a <= len(rows) // 2 and _decides(codes_a, codes_b, n_a):
            yield Dependency(a, b)


def _decides(codes_a: npt.NDArray[np.int64], codes_b: npt.NDArray[np.int64], n_a: int) -> bool:
    decided = np.full(n_a, -1)
    for part in (slice(N_ROWS_TRIED), slice(None)):
        decided[codes_a[part]] = codes_b[part]
        if (decided[codes_a[part]] != codes_b[part]).any():
            return False
    return True


def _equations(rows: Matrix, numbers: list[int]) -> Iterator[Equation]:
    known = rows[~np.isnan(rows[:, numbers]).any(axis=1)]
    if len(known) < N_ROWS_TRIED:
        return
    found: list[set[int]] = []
    for n_terms in (1, 2):
        for c in numbers:
            for terms in combinations([i for i in numbers if i != c], n_terms):
                # Skip equations that rearrange a known equation or add a column to it.
                if any(other <= {c, *terms} for other in found):
                    continue
                equation = _fit_equation(known, c, terms)
                if equation and not equation.broken(known, known).any():
                    found.append({c, *terms})
                    yield equation


def _fit_equation(rows: Matrix, c: int, terms: tuple[int, ...]) -> Equation | None:
    """Return the rounded least-squares equation of the given rows if they satisfy it."""
    some = rows[:: max(len(rows) // N_ROWS_TRIED, 1)]
    design = np.column_stack([some[:, list(terms)], np.ones(len(some))])
    weights, _, rank, _ = np.linalg.lstsq(design, some[:, c], rcond=None)
    if rank < design.shape[1]:
        return None
    equation = Equation(c, terms, tuple(np.round(weights, 6).tolist()))
    return None if equation.broken(some, rows).any() else equation


def _orders(rows: Matrix, numbers: list[int]) -> Iterator[Order]:
    for a, b in permutations(numbers, 2):
        order = Order(a, b)
        if not order.broken(rows, rows).any():
            yield order


def _is_telling(rule: Rule, rows: Matrix) -> bool:
    """Return whether permuting the rule's column a or c violates it in many rows."""
    shuffled = rows.copy()
    moved = rule.c if isinstance(rule, Equation) else rule.a
    shuffled[:, moved] = np.random.default_rng(0).permutation(rows[:, moved])
    return float(rule.broken(shuffled, rows).mean()) >= BROKEN_SHUFFLED_MIN


def _codes(column: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.int64], int]:
    """Return an integer code for each value, and the number of codes. All missing values share one code."""
    values, codes = np.unique(column, return_inverse=True, equal_nan=True)
    return codes.astype(np.int64), len(values)
