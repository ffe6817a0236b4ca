"""Search for linear rules: orthogonalization finds candidates, and integer arithmetic confirms them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from understudy.synthesizers.rules.columns import Columns
from understudy.synthesizers.rules.linear import SUM_MAX, Linear, Ties, any_missing
from understudy.synthesizers.rules.products import is_rounded
from understudy.synthesizers.rules.significance import entropy, is_significant
from understudy.synthesizers.rules.values import Int64s, Values
from understudy.transformers.base import Mask

# Maximum number of numeric and time columns to search. Further columns are ignored.
N_COLUMNS_MAX = 64
# Maximum number of missing-value patterns to search. Patterns with the most complete rows come first.
N_PATTERNS_MAX = 8
# Maximum number of rows that are orthogonalized.
N_ROWS_MAX = 1024
# Minimum difference between the number of rows and the number of columns.
N_ROWS_SPARE = 16

DENOMINATORS = (1, 10, 100, 1000, 10_000)
# Minimum range of a rounded sum, in steps. Any sum would fit a column with a smaller range.
N_STEPS_MIN = 8
# Maximum distance of a rounded sum from the fitted line, in steps: one half, plus the error of the line.
ROUNDING = 0.6
_INTEGER_MAX = 2**61


@dataclass(frozen=True, eq=False, repr=False)
class _Quantity:
    """A column of the sample as integers."""

    name: str
    numbers: Int64s
    missing: Mask
    unit: Fraction


@dataclass(frozen=True)
class Guess:
    """Hypothesis that `target - sum(coefficient * term)` is constant across rows. Times are in seconds."""

    target: str
    coefficients: dict[str, Fraction]

    def solved_for(self, name: str) -> Guess:
        """Return the same relation, solved for another column."""
        if name == self.target:
            return self
        own = self.coefficients[name]
        rest = {term: -c / own for term, c in self.coefficients.items() if term != name}
        return Guess(name, {self.target: 1 / own} | rest)

    def sorted_by(self, names: list[str]) -> Guess:
        """Return the same relation with its terms in the order of the table."""
        terms = sorted(self.coefficients, key=names.index)
        return Guess(self.target, {term: self.coefficients[term] for term in terms})

    @property
    def is_sum(self) -> bool:
        """Whether at least two terms are added."""
        return len(self.coefficients) > 1 and all(c > 0 for c in self.coefficients.values())


def find_linear(columns: Columns) -> tuple[Linear, ...]:
    """Return the linear rules of a table, in a valid order of computation.

    A target is never a term of a rule found later, so the rule found last is computed first.
    """
    quantities = _quantities(columns)
    found: list[Linear] = []
    for pattern in _patterns(quantities):
        within = [q for q in quantities if not (q.missing & ~pattern).any()]
        rows = np.flatnonzero(~pattern)
        rows = rows[:: -(-len(rows) // N_ROWS_MAX) or 1]
        found += _find_within(columns, within, rows, {rule.target for rule in found})
    return tuple(reversed(found))


def _quantities(columns: Columns) -> list[_Quantity]:
    names = [name for name in columns.names if columns.is_quantity(name) and columns.has_unit(name)]
    quantities = []
    for name in names[:N_COLUMNS_MAX]:
        values = columns.sample(name)
        unit = columns.sample_unit(name)
        assert unit is not None
        present = values.numbers[~values.mask]
        if len(present) and present.min() != present.max() and _is_small(present):
            quantities.append(_Quantity(name, values.numbers.astype(np.int64), values.mask, unit))
    return quantities


def _patterns(quantities: list[_Quantity]) -> list[Mask]:
    """Return the distinct masks of missing values. Masks with the most complete rows come first."""
    different = {q.missing.tobytes(): q.missing for q in quantities}
    return sorted(different.values(), key=lambda mask: int(mask.sum()))[:N_PATTERNS_MAX]


def _find_within(
    columns: Columns, quantities: list[_Quantity], rows: Int64s, derived: set[str]
) -> list[Linear]:
    """Return the rules that hold in the given rows. The target of a rule is not a term of any later rule."""
    found: list[Linear] = []
    refused: set[frozenset[str]] = set()
    while True:
        taken = derived | {rule.target for rule in found}
        left = [q for q in quantities if q.name not in taken and _varies(q, rows)]
        if len(left) < 2 or len(rows) < len(left) + N_ROWS_SPARE:
            return found
        rule = _first_rule(columns, left, rows, refused)
        if rule is None:
            return found
        found.append(rule)


def _varies(quantity: _Quantity, rows: Int64s) -> bool:
    numbers = quantity.numbers[rows]
    return bool(numbers.min() != numbers.max())


def _first_rule(
    columns: Columns, quantities: list[_Quantity], rows: Int64s, refused: set[frozenset[str]]
) -> Linear | None:
    # Exact relations come first. For example, if sched = 100 * hour + minute, sched is also a rounded
    # multiple of hour.
    guesses = chain(_guesses(quantities, rows, is_rounded=False), _guesses(quantities, rows, is_rounded=True))
    for guess in guesses:
        involved = frozenset((guess.target, *guess.coefficients))
        if involved in refused:
            continue
        refused.add(involved)
        for target in _targets(columns, guess):
            rule = prove(columns, guess.solved_for(target).sorted_by(columns.names), len(quantities))
            if rule is not None:
                return rule
    return None


def _targets(columns: Columns, guess: Guess) -> list[str]:
    """Return the columns to solve for: sums of other columns first, otherwise in reverse table order."""
    names = [guess.target, *guess.coefficients]
    return sorted(names, key=lambda n: (not guess.solved_for(n).is_sum, -columns.names.index(n)))


def _guesses(quantities: list[_Quantity], rows: Int64s, *, is_rounded: bool) -> Iterator[Guess]:
    """Yield a relation for each column that depends linearly on previous columns with simple coefficients.

    Columns are orthogonalized one after another (Gram-Schmidt, applied twice as Kahan recommends). The column
    with the finest unit comes first, because a rounded sum is coarser than its terms.
    """
    order = sorted(quantities, key=lambda q: q.unit)
    whole = [q.numbers[rows] - q.numbers[rows].min() for q in order]
    spans = [int(w.max()) for w in whole]
    basis = np.zeros((len(order), len(rows)))
    triangle = np.zeros((len(order), len(order)))
    used: list[int] = []
    for j, quantity in enumerate(order):
        z = whole[j] / spans[j]
        z = z - z.mean()
        n = len(used)
        shares = basis[:n] @ z
        rest = z - shares @ basis[:n]
        again = basis[:n] @ rest
        rest, shares = rest - again @ basis[:n], shares + again
        steps = spans[j] // max(int(np.gcd.reduce(whole[j])), 1)
        slack = max(ROUNDING / steps if is_rounded and steps >= N_STEPS_MIN else 0.0, 1e-7)
        if n and np.abs(rest).max() <= slack:
            inverse = np.linalg.inv(triangle[:n, :n])
            terms = [(order[k], spans[k]) for k in used]
            errors = 5 * np.sqrt(np.mean(rest**2)) * np.sqrt((inverse**2).sum(axis=1))
            guess = _guess(quantity, spans[j], terms, inverse @ shares, errors)
            if guess is not None:
                yield guess
        norm = float(np.sqrt(rest @ rest))
        if norm > 1e-9 * math.sqrt(len(rows)):
            basis[n] = rest / norm
            triangle[:n, n], triangle[n, n] = shares, norm
            used.append(j)


def _guess(
    target: _Quantity,
    span: int,
    terms: list[tuple[_Quantity, int]],
    solved: npt.NDArray[np.floating],
    errors: npt.NDArray[np.floating],
) -> Guess | None:
    """Return the relation with the simplest coefficients within the error of the estimates."""
    estimates = {}
    for (term, term_span), c, error in zip(terms, solved.tolist(), errors.tolist(), strict=True):
        scale = float(target.unit * span / (term.unit * term_span))
        slack = (error + 1e-11) * scale + 1e-7 * abs(c * scale)
        if abs(c * scale) > slack:
            estimates[term.name] = c * scale, slack
    return _simple_guess(target.name, estimates)


def _simple_guess(target: str, estimates: dict[str, tuple[float, float]]) -> Guess | None:
    """Return a relation with simple coefficients, solved for the target or for one of the terms.

    For example, days = (end - start) / 86,400 has a coefficient that is not simple, in contrast to
    end = start + 86,400 * days.

    Parameters
    ----------
    estimates : dict of str to (float, float)
        Coefficient of each term, and its error.
    """
    coefficients = {name: simplest(c, slack) for name, (c, slack) in estimates.items()}
    if all(coefficients.values()):
        return Guess(target, {name: c for name, c in coefficients.items() if c is not None})
    for other, (c, slack) in estimates.items():
        relative = slack / abs(c)
        solved = {target: simplest(1 / c, relative / abs(c))}
        for name, (own, error) in estimates.items():
            if name != other:
                solved[name] = simplest(-own / c, abs(own / c) * (relative + error / abs(own)))
        if all(solved.values()):
            return Guess(other, {name: s for name, s in solved.items() if s is not None})
    return None


def simplest(value: float, slack: float) -> Fraction | None:
    """Return a fraction with a small denominator that differs from the value by at most `slack`."""
    if abs(value) <= slack:
        return Fraction(0)
    for most in DENOMINATORS:
        fraction = Fraction(value).limit_denominator(most)
        if abs(float(fraction) - value) <= slack:
            return fraction
    return None


def roundest(value: float, slack: float) -> Fraction | None:
    """Return a number with few significant digits that differs from the value by at most `slack`."""
    for n_digits in range(1, 5):
        rounded = Fraction(f"{value:.{n_digits - 1}e}")
        if rounded and abs(float(rounded) - value) <= slack:
            return rounded
    return None


def prove(columns: Columns, guess: Guess, n_columns: int) -> Linear | None:
    """Return the rule if it holds in the sample and in all rows and is significant, otherwise None."""
    if not guess.coefficients:
        return None
    is_whole = columns.n_sample == columns.n_rows
    if not is_whole and _fit(columns, guess, on_sample=True) is None:
        return None
    rule = _fit(columns, guess, on_sample=False)
    if rule is None:
        return None
    numbers = [*guess.coefficients.values(), Fraction(rule.offset, rule.divisor)]
    return rule if is_evident(columns, rule.target, numbers, n_columns) else None


def is_evident(columns: Columns, target: str, numbers: list[Fraction], n_columns: int) -> bool:
    """Return whether the target contains more information than the relation that computes the target.

    The evidence is the entropy of the target over all rows, minus the description length of the relation.

    Parameters
    ----------
    numbers : list of Fraction
        Coefficients of the terms, and the constant.
    n_columns : int
        Number of candidate columns for the terms.
    """
    coded = columns.coded(target)
    evidence = columns.n_rows * entropy(np.bincount(coded.codes, minlength=coded.n_codes))
    length = sum(2 * math.log(2 * (abs(c.numerator) + 1) * c.denominator) for c in numbers)
    length += (len(numbers) - 1) * math.log(n_columns)
    return is_significant(evidence - length, n_columns)


def _fit(columns: Columns, guess: Guess, *, on_sample: bool) -> Linear | None:
    """Return the rule with a constant that fits all rows, or None if no constant fits."""
    values = columns.sample if on_sample else columns.all
    unit_of = columns.sample_unit if on_sample else columns.unit
    names = [guess.target, *guess.coefficients]
    units = [unit for name in names if (unit := unit_of(name)) is not None]
    if len(units) < len(names):
        return None
    type_ = columns.table.schema.field(guess.target).type
    is_amount = not (pa.types.is_timestamp(type_) or pa.types.is_date(type_))
    return fit_values(guess, [values(name) for name in names], units, is_amount=is_amount)


def fit_values(
    guess: Guess, values: list[Values], units: list[Fraction], *, is_amount: bool
) -> Linear | None:
    """Return the rule with a constant that fits all rows, or None if no constant fits.

    Parameters
    ----------
    guess : Guess
        Relation without its constant.
    values, units : lists, of the target and of each term
        Values and their units.
    is_amount : bool
        Whether zero becomes the lower bound of the target if no value is negative.
    """
    target, *terms = values
    missing = any_missing(terms)
    if not np.array_equal(_mask(missing, len(target.keys)), target.mask):
        return None
    present = slice(None) if missing is None else ~missing
    kept = [Values(pa.array(v.numbers[present]), None) for v in (target, *terms)]
    if not all(_is_small(v.numbers) for v in kept):
        return None
    factors = [c * u / units[0] for c, u in zip(guess.coefficients.values(), units[1:], strict=True)]
    return _with_constant(guess, units[0], kept, factors, is_amount=is_amount)


def _mask(mask: Mask | None, n: int) -> Mask:
    return np.zeros(n, np.bool_) if mask is None else mask


def _is_small(numbers: npt.NDArray[np.integer]) -> bool:
    return not len(numbers) or (int(numbers.max()) < _INTEGER_MAX and int(numbers.min()) > -_INTEGER_MAX)


def _with_constant(
    guess: Guess, unit: Fraction, values: list[Values], factors: list[Fraction], *, is_amount: bool
) -> Linear | None:
    target, terms = values[0].numbers, values[1:]
    if not len(target):
        return None
    step = max(int(np.gcd.reduce(target)), 1)
    factors = [f / step for f in factors]
    divisor = math.lcm(*(f.denominator for f in factors))
    whole = tuple(int(f * divisor) for f in factors)
    draft = Linear(guess.target, tuple(guess.coefficients), whole, 0, 1, 1, "even", False)
    reach = max(divisor, max(abs(int(target.max())), abs(int(target.min()))) * divisor // step)
    if not draft.fits_64_bits(terms) or reach >= SUM_MAX:
        return None
    rest = target // step * divisor - draft.compute(terms)
    offset = _offset(int(rest.min()), int(rest.max()), divisor, unit * step / divisor)
    if offset is None:
        return None
    more = offset.denominator
    is_nonnegative = is_amount and int(target.min()) >= 0
    for ties in _TIES:
        rule = Linear(
            guess.target,
            tuple(guess.coefficients),
            tuple(f * more for f in whole),
            offset.numerator,
            divisor * more,
            step,
            ties,
            is_nonnegative,
        )
        if not _fits_64_bits(rule):
            return None
        if np.array_equal(rule.compute(terms), target):
            results = (target // step * divisor - rest + float(offset)) / divisor
            return rule if is_rounded(results, target / step, 1) else None
    return None


_TIES: tuple[Ties, ...] = ("even", "away")


def _fits_64_bits(rule: Linear) -> bool:
    return all(abs(n) < SUM_MAX for n in (*rule.factors, rule.offset, rule.divisor, rule.step))


def _offset(low: int, high: int, divisor: int, unit: Fraction) -> Fraction | None:
    """Return the constant that all rows share, or the roundest constant within half a step of all rows.

    Parameters
    ----------
    low, high : int
        Lowest and highest value, over all rows, of divisor * (target / step) - sum of factor * term.
    """
    if low == high:
        return Fraction(low)
    least, most = high - Fraction(divisor, 2), low + Fraction(divisor, 2)
    for exponent in range(12, -7, -1):
        grid = Fraction(10) ** exponent / unit
        constant = math.ceil(least / grid) * grid
        if constant <= most:
            return constant
    return None
