"""Search for expressions, which are linear relations between columns and products of columns.

If pay = hours * rate + bonus, the product of hours and rate is in the span of pay and bonus. If change = (new
- old) / old, the product of change and old is in the span of new and old. Two products with proportional
parts outside the span form a relation. Each relation is solved for each of its columns, and least squares
with simple coefficients give the expression.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import combinations

import numpy as np
import numpy.typing as npt

from understudy.synthesizers.rules.columns import Columns
from understudy.synthesizers.rules.expressions import Expression, Monomial
from understudy.synthesizers.rules.formulas import Formula
from understudy.synthesizers.rules.product_search import N_VALUES_MIN, is_cyclic, read_sample, step_of
from understudy.synthesizers.rules.products import find_ties, is_rounded
from understudy.synthesizers.rules.relations import is_evident, roundest, simplest
from understudy.synthesizers.rules.values import Floats
from understudy.transformers.base import MIN_SUPPORT, Mask

# Maximum number of numeric columns to search.
N_COLUMNS_MAX = 16
# Minimum number of complete rows, in addition to two rows for each column.
N_ROWS_MIN = 32
# Maximum share of a product's standard deviation outside the span of the columns, and minimum correlation
# between the parts of two products outside the span.
OUTSIDE_MAX, CORRELATION_MIN = 0.03, 0.9995
# Maximum number of relations to solve: with one product, and with two products.
N_RELATIONS_MAX = 12
# Maximum distance of a value from the fitted expression, in steps: one half, plus the error of the fit.
ROUNDING = 0.75
# Number of rows for testing relations before they are solved.
N_ROWS_FIRST = 64
# Minimum share of zeros and of positive values in a column that may be the positive part of an expression,
# and maximum number of these columns.
ZEROS_MIN, N_ZEROS_MAX = 0.02, 4

Matrix = npt.NDArray[np.float64]
# A product of two columns, given by their indices.
Pair = tuple[int, int]


@dataclass(frozen=True, eq=False, repr=False)
class _Rows:
    """Complete rows of the sample.

    Parameters
    ----------
    names : list of str
        Names of the columns.
    numbers : array of shape (n_columns, n_rows)
        Numbers without missing values.
    slack : array of shape (n_columns,)
        Half of each column's rounding step.
    """

    names: list[str]
    numbers: Matrix
    slack: Floats

    def where(self, keep: Mask) -> _Rows:
        """Return the rows that the mask selects."""
        return replace(self, numbers=self.numbers[:, keep])

    @property
    def is_enough(self) -> bool:
        """Whether there are enough rows for the number of columns."""
        return bool(self.numbers.shape[1] >= N_ROWS_MIN + 2 * len(self.names))

    @cached_property
    def first(self) -> Matrix:
        """Columns and a constant in the first rows, in an array of shape (n_columns + 1, n_rows)."""
        some = self.numbers[:, :: max(self.numbers.shape[1] // N_ROWS_FIRST, 1)]
        return np.vstack((some, np.ones(some.shape[1])))

    def tolerance(self, target: int) -> float:
        """Return the maximum distance between a column and a fitted relation."""
        largest = float(np.abs(self.numbers[target]).max())
        return 2 * ROUNDING * float(self.slack[target]) + 1e-9 * largest


# Products of a relation, and the factor of the second product if there are two.
_Relation = tuple[tuple[Pair, ...], float]
NO_PRODUCTS: _Relation = ((), 0.0)


def find_expressions(
    columns: Columns, targets: Collection[str], known: Sequence[Formula]
) -> tuple[Expression, ...]:
    """Return the significant expressions that hold in all rows, at most one for each target.

    Parameters
    ----------
    targets : collection of str
        Names of the columns that may be computed. The columns that `known` computes are excluded.
    known : sequence of Formula
        Formulas of other columns.
    """
    rows = _complete_rows(columns, set(targets))
    found: dict[str, Expression] = {}
    if len(rows.names) < 3 or not rows.is_enough:
        return ()
    # The search for linear rules does not find sums that round ties in different directions, so sums are
    # candidates here too.
    candidates = [(rows, target, NO_PRODUCTS, False) for target in reversed(range(len(rows.names)))]
    candidates += [(rows, target, relation, False) for target, relation in _relations(rows)]
    candidates += [(own, t, relation, True) for t, own in _positive_rows(rows) for relation in _of(own, t)]
    may_fit = _unrefuted([(own, target, relation) for own, target, relation, _ in candidates])
    for (own, target, relation, is_part), is_open in zip(candidates, may_fit, strict=True):
        name = own.names[target]
        if name in found or not is_open:
            continue
        draft = _solve(own, target, relation, is_positive_part=is_part)
        if draft is None or is_cyclic(name, draft.terms, (*known, *found.values())):
            continue
        rule = _prove(columns, draft, len(own.names))
        if rule is not None:
            found[name] = rule
    return tuple(found.values())


def _complete_rows(columns: Columns, targets: set[str]) -> _Rows:
    """Return the rows of the sample without missing values. Columns with many missing values are omitted."""
    sample = read_sample(columns)
    kept = [i for i, name in enumerate(sample.names) if name in targets][:N_COLUMNS_MAX]
    kept = [i for i in kept if sample.slack[i] > 0]
    n_missing = np.isnan(sample.numbers).sum(axis=1) if kept else np.zeros(0, np.int64)
    while kept:
        complete = ~np.isnan(sample.numbers[kept]).any(axis=0)
        rows = _Rows([sample.names[i] for i in kept], sample.numbers[kept][:, complete], sample.slack[kept])
        if rows.is_enough or not n_missing[kept].any():
            return rows
        kept.remove(max(kept, key=lambda i: int(n_missing[i])))
    return _Rows([], np.zeros((0, 0)), np.zeros(0))


def _positive_rows(rows: _Rows) -> Iterator[tuple[int, _Rows]]:
    """Yield the columns that may be the positive part of an expression, with the rows that are positive."""
    n_found = 0
    for i, numbers in enumerate(rows.numbers):
        is_positive = numbers > 0
        share = is_positive.mean()
        if numbers.min() != 0 or not ZEROS_MIN <= share <= 1 - ZEROS_MIN or n_found == N_ZEROS_MAX:
            continue
        own = rows.where(is_positive)
        if own.is_enough and np.ptp(own.numbers[i]) > 0:
            n_found += 1
            yield i, own


def _of(rows: _Rows, target: int) -> Iterator[_Relation]:
    """Yield the relations of a target: a linear combination first, and then products."""
    yield NO_PRODUCTS
    yield from (relation for own, relation in _relations(rows) if own == target)


def _relations(rows: _Rows) -> Iterator[tuple[int, _Relation]]:
    """Yield relations of one or two products, each with a column to solve for.

    Relations with the smallest parts outside the span come first. Within a relation, columns that are not
    factors come first, in reverse table order.
    """
    d, n = rows.numbers.shape
    pairs = list(combinations(range(d), 2))
    numbers = rows.numbers / np.maximum(np.abs(rows.numbers).max(axis=1, keepdims=True), 1e-300)
    left, right = (numbers[[pair[side] for pair in pairs]] for side in (0, 1))
    products = left * right
    products -= products.mean(axis=1, keepdims=True)
    spread = np.sqrt((products**2).sum(axis=1))
    span = np.linalg.qr((numbers - numbers.mean(axis=1, keepdims=True)).T)[0]
    outside = products - (products @ span) @ span.T
    size = np.sqrt((outside**2).sum(axis=1))
    usable = spread > 1e-9 * np.sqrt(n)
    share = np.where(usable, size / np.maximum(spread, 1e-300), np.inf)
    singles = [k for k in np.argsort(share, kind="stable") if share[k] <= OUTSIDE_MAX]
    relations: list[_Relation] = [((pairs[k],), 0.0) for k in singles[:N_RELATIONS_MAX]]
    relations += _double_relations(rows, pairs, outside, share)[:N_RELATIONS_MAX]
    for relation in relations:
        factors = {i for pair in relation[0] for i in pair}
        order = sorted(range(d), key=lambda i: (i in factors, -i))
        yield from ((target, relation) for target in order)


def _double_relations(rows: _Rows, pairs: list[Pair], outside: Matrix, share: Floats) -> list[_Relation]:
    """Return relations of two products with proportional parts outside the span of the columns."""
    places = np.flatnonzero((share > OUTSIDE_MAX) & np.isfinite(share))
    if len(places) < 2:
        return []
    unit = outside[places] / np.sqrt((outside[places] ** 2).sum(axis=1, keepdims=True))
    correlation = np.triu(unit @ unit.T, 1)
    first, second = np.nonzero(np.abs(correlation) >= CORRELATION_MIN)
    best = np.argsort(-np.abs(correlation[first, second]), kind="stable")[:N_RELATIONS_MAX]
    largest = np.abs(rows.numbers).max(axis=1)
    relations: list[_Relation] = []
    for k in best:
        i, j = places[first[k]], places[second[k]]
        ratio = float((outside[i] @ outside[j]) / (outside[j] @ outside[j]))
        scale = float(np.prod(largest[list(pairs[i])]) / np.prod(largest[list(pairs[j])]))
        relations.append(((pairs[i], pairs[j]), -ratio * scale))
    return relations


def _unrefuted(candidates: Sequence[tuple[_Rows, int, _Relation]]) -> list[bool]:
    """Return whether each relation may fit the first rows if it is solved for its column.

    If the root mean square of the residuals of these rows is too large for the best weights, the largest
    residual of all rows is too large for any weights.
    """
    designs = [_first_terms(*candidate) for candidate in candidates]
    is_open = [False] * len(candidates)
    for shape in {design.shape for design in designs if design is not None}:
        places = [i for i, own in enumerate(designs) if own is not None and own.shape == shape]
        terms = np.array([designs[i] for i in places])
        terms /= np.maximum(np.abs(terms).max(axis=2, keepdims=True), 1e-300)
        # Bases of spaces that contain all terms, even if the terms are linearly dependent.
        bases = np.linalg.qr(terms.transpose(0, 2, 1))[0]
        numbers = np.array([candidates[i][0].first[candidates[i][1]] for i in places])
        weights = np.matmul(bases.transpose(0, 2, 1), numbers[:, :, None])
        residuals = numbers - np.matmul(bases, weights)[:, :, 0]
        sizes = np.sqrt(np.mean(residuals**2, axis=1)).tolist()
        for i, size in zip(places, sizes, strict=True):
            is_open[i] = size <= 1.001 * candidates[i][0].tolerance(candidates[i][1])
    return is_open


def _first_terms(rows: _Rows, target: int, relation: _Relation) -> Matrix | None:
    """Return the terms of a relation that is solved for a column, in an array of shape (n_terms, n_rows).

    The terms are computed only for the first rows. The result is None if the relation cannot be solved.
    """
    pairs, ratio = relation
    below = _below(rows.names, target, pairs, ratio)
    if below is None:
        return None
    first = rows.first
    products = [first[i] * first[j] for i, j in pairs if target not in (i, j)]
    terms = np.vstack((*products, first[:target], first[target + 1 :]))
    if below:
        divisor = np.sum([own.factor * first[rows.names.index(own.columns[0])] for own in below], axis=0)
        if (divisor == 0).any():
            return None
        terms /= divisor
    return terms


def _solve(rows: _Rows, target: int, relation: _Relation, *, is_positive_part: bool) -> Expression | None:
    """Return the relation solved for a column, if simple coefficients fit all rows, otherwise None."""
    pairs, ratio = relation
    names, numbers = rows.names, rows.numbers
    own, slack = numbers[target], rows.slack[target]
    if len(np.unique(own)) < N_VALUES_MIN:
        return None
    below = _below(names, target, pairs, ratio)
    if below is None:
        return None
    values = dict(zip(names, numbers, strict=True))
    divisor = np.sum([part.value(values, len(own)) for part in below], axis=0) if below else np.ones(len(own))
    if (divisor == 0).any():
        return None
    others = [Monomial(1.0, tuple(names[i] for i in pair)) for pair in pairs if target not in pair]
    others += [Monomial(1.0, (name,)) for i, name in enumerate(names) if i != target]
    others.append(Monomial(1.0))
    design = np.array([part.value(values, len(own)) for part in others]) / divisor
    needed = len(pairs) - sum(target in pair for pair in pairs)
    factors = _simple_factors(design, own, slack, needed)
    if factors is None:
        return None
    above = tuple(
        replace(part, factor=factor) for part, factor in zip(others, factors, strict=True) if factor
    )
    used = list(dict.fromkeys(name for part in (*above, *below) for name in part.columns))
    if not used:
        return None
    units = {name: 2 * float(rows.slack[names.index(name)]) for name in used}
    return Expression(names[target], above, below, units, 2 * float(slack), 1, "float", is_positive_part)


def _below(names: list[str], target: int, pairs: Sequence[Pair], ratio: float) -> tuple[Monomial, ...] | None:
    """Return the terms of the divisor, or None if their factors are not simple."""
    own = [i + j - target for i, j in pairs if target in (i, j)]
    if len(own) < 2:
        return tuple(Monomial(1.0, (names[i],)) for i in own)
    simple = roundest(ratio, abs(ratio) * 0.01)
    if simple is None:
        return None
    return Monomial(1.0, (names[own[0]],)), Monomial(float(simple), (names[own[1]],))


def _simple_factors(design: Matrix, target: Floats, slack: float, n_needed: int) -> list[float] | None:
    """Return simple factors that bring each row's sum within half a step of the target, or None.

    Parameters
    ----------
    design : array of shape (n_terms, n_rows)
        Terms of the sum.
    slack : float
        Half the target's unit.
    n_needed : int
        Number of leading terms that must be kept.
    """
    scale = np.abs(design).max(axis=1)
    kept = [k for k in range(len(design)) if scale[k] > 0]
    fitted = _least_squares(design[kept], target, slack)
    if fitted is None:
        return None
    weights, errors = fitted
    while len(kept) > max(n_needed, 1):
        # The least significant term is omitted if the other terms alone fit.
        strength = np.abs(weights) / np.maximum(errors, 1e-300)
        order = sorted(range(n_needed, len(kept)), key=strength.tolist().__getitem__)
        for k in order[:2]:
            rest = kept[:k] + kept[k + 1 :]
            smaller = _least_squares(design[rest], target, slack)
            if smaller is not None:
                kept, (weights, errors) = rest, smaller
                break
        else:
            break
    factors = [0.0] * len(design)
    for k, weight, error in zip(kept, weights.tolist(), errors.tolist(), strict=True):
        simple = roundest(weight, error) or simplest(weight, error)
        if not simple:
            return None
        factors[k] = float(simple)
    distance = np.abs(np.array(factors) @ design - target).max()
    return factors if distance <= slack * (1 + 1e-6) + 1e-9 * np.abs(target).max() else None


def _least_squares(design: Matrix, target: Floats, slack: float) -> tuple[Floats, Floats] | None:
    """Return the terms' weights and their errors, or None if a sum is off by more than about half a step."""
    scale = np.abs(design).max(axis=1)
    scaled = (design / scale[:, None]).T
    weights = np.linalg.lstsq(scaled, target, rcond=1e-10)[0]
    rest = target - scaled @ weights
    if np.abs(rest).max() > 2 * ROUNDING * slack + 1e-9 * np.abs(target).max():
        return None
    # The pseudo-inverse yields large errors for linearly dependent terms, so these terms are omitted.
    covariance = np.linalg.pinv(scaled.T @ scaled, rcond=1e-12, hermitian=True)
    errors = 5 * np.sqrt(np.maximum(np.diag(covariance), 0.0) * max(float(np.mean(rest**2)), 1e-30))
    return weights / scale, errors / scale + 1e-9 * np.abs(weights / scale)


def _prove(columns: Columns, draft: Expression, n_columns: int) -> Expression | None:
    """Return the rule if it holds in all rows and is significant, otherwise None."""
    names = (draft.target, *draft.terms)
    units = {name: columns.unit(name) for name in names}
    if any(unit is None for unit in units.values()):
        return None
    target, terms = columns.all(draft.target), [columns.all(name) for name in draft.terms]
    present = ~target.mask
    if present.sum() < MIN_SUPPORT:
        return None
    step = step_of(target, present)
    rule = replace(
        draft,
        units={name: float(units[name] or 1) for name in draft.terms},
        unit=float(units[draft.target] or 1),
        step=step,
    )
    numbers_of_target = target.numbers[present].astype(np.float64)
    results = rule.compute(terms)[present]
    if not rule.holds(target, terms).all() or not is_rounded(results, numbers_of_target, step):
        return None
    steps = results / step
    rule = replace(rule, ties=find_ties(steps, numbers_of_target / step))
    numbers = [Fraction(part.factor).limit_denominator(10**6) for part in (*rule.above, *rule.below)]
    numbers += [Fraction(1)] * sum(len(part.columns) for part in (*rule.above, *rule.below))
    return rule if is_evident(columns, rule.target, numbers, n_columns**2) else None
