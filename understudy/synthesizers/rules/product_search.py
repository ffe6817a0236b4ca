"""Search for product rules, based on the intervals that rounding implies for the constant factor."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import combinations, islice, permutations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from understudy.synthesizers.rules.columns import Columns
from understudy.synthesizers.rules.formulas import Formula
from understudy.synthesizers.rules.products import (
    LOGARITHMS,
    PERCENTAGES,
    PRECISION,
    SHAPES,
    SHARES,
    Factor,
    Product,
    Shape,
    find_ties,
    is_rounded,
)
from understudy.synthesizers.rules.relations import is_evident, roundest, simplest
from understudy.synthesizers.rules.values import Floats, Values
from understudy.transformers.base import Mask

# Maximum number of numeric columns to search, and maximum number for which products of three plain columns
# are searched.
N_COLUMNS_MAX = 24
N_COLUMNS_CUBED = 10
# Maximum number of columns that may contain shares, such as discounts and tax rates.
N_SHARES_MAX = 4
# Number of sampled rows for the first check, and minimum number of complete rows.
N_ROWS_FIRST = 192
# Number of rows for the first test of a product. Most products fail this test.
N_ROWS_LOGS = 24
# Number of these rows that are compared first.
N_ROWS_FEW = 6
N_ROWS_MIN = 32
# Minimum number of distinct target values.
N_VALUES_MIN = 8
# Maximum relative width of the constant's interval.
WIDTH_MAX = 0.02

# Maximum number of products to compare with all columns.
N_FORMS_MAX = 1200
# Number of products that are computed at once, which limits the memory.
N_FORMS_AT_ONCE = 256

Matrix = npt.NDArray[np.float64]
# Index of a column in the sample, its exponent, and the shape of its factor.
Part = tuple[int, int, Shape]


@dataclass(frozen=True, eq=False, repr=False)
class Sample:
    """Numeric values in the first rows of the sample.

    Parameters
    ----------
    names : list of str
        Names of the columns.
    numbers : array of shape (n_columns, n_rows)
        Numbers, with NaN for missing values.
    slack : array of shape (n_columns,)
        Half of each column's rounding step.
    """

    names: list[str]
    numbers: Matrix
    slack: Floats

    @cached_property
    def _powers(self) -> dict[Part, Floats]:
        return {}

    def power(self, part: Part) -> Floats:
        """Return the values of a factor."""
        if part not in self._powers:
            i, exponent, shape = part
            values = Values(pa.array(self.numbers[i]), None)
            self._powers[part] = Factor("", exponent, shape, 1.0).power(values)
        return self._powers[part]


def find_products(
    columns: Columns, targets: Collection[str], known: Sequence[Formula]
) -> tuple[Product, ...]:
    """Return the significant product rules that hold in all rows, at most one for each target.

    Parameters
    ----------
    targets : collection of str
        Names of the columns that may be computed.
    known : sequence of Formula
        Formulas of other columns.
    """
    sample = read_sample(columns)
    found: dict[str, Product] = {}
    if len(sample.names) < 2:
        return ()
    forms = list(islice(_forms(sample), N_FORMS_MAX))
    for parts, target in _candidates(sample, forms, targets):
        named = [(sample.names[i], exponent, shape) for i, exponent, shape in parts]
        formulas = (*known, *found.values())
        if target in found or is_cyclic(target, [name for name, _, _ in named], formulas):
            continue
        rule = _prove(columns, target, named, len(sample.names))
        if rule is not None:
            found[target] = rule
    return tuple(found.values())


def is_cyclic(target: str, factors: Sequence[str], formulas: Sequence[Formula]) -> bool:
    """Return whether any factor is itself computed from the target."""
    needed = {formula.target: formula.terms for formula in formulas}
    waiting = list(factors)
    while waiting:
        name = waiting.pop()
        if name == target:
            return True
        waiting += needed.pop(name, ())
    return False


def read_sample(columns: Columns) -> Sample:
    names: list[str] = []
    numbers: list[Floats] = []
    slack: list[float] = []
    for name in columns.names:
        type_ = columns.table.schema.field(name).type
        if not columns.is_quantity(name) or pa.types.is_temporal(type_) or len(names) == N_COLUMNS_MAX:
            continue
        values, unit = columns.sample(name), columns.sample_unit(name)
        floats = values.numbers.astype(np.float64) * (1.0 if unit is None else float(unit))
        floats[values.mask | ~np.isfinite(floats)] = np.nan
        floats = floats[:: max(len(floats) // N_ROWS_FIRST, 1)]
        present = floats[~np.isnan(floats)]
        if len(present) >= N_ROWS_MIN and present.min() < present.max():
            names.append(name)
            numbers.append(floats)
            slack.append(0.0 if unit is None else float(unit) * step_of(values, ~values.mask) / 2)
    return Sample(names, np.array(numbers), np.array(slack))


def _forms(sample: Sample) -> Iterator[list[Part]]:
    """Yield products of columns, the simplest ones first."""
    n = range(len(sample.names))
    plain: list[Part] = [(i, 1, "value") for i in n]
    shares = list(_shares(sample))[: 2 * N_SHARES_MAX]
    yield from ([first, second] for first, second in combinations(plain, 2))
    yield from ([first, share] for first in plain for share in shares if first[0] != share[0])
    for first, second in combinations(plain, 2):
        yield from ([first, second, share] for share in shares if share[0] not in (first[0], second[0]))
    for exponent in (-1, -2):
        for i, j in permutations(n, 2):
            yield [plain[i], (j, exponent, "value")]
    for exponent in (2, -1):
        for i in n:
            yield [(i, exponent, "value")]
    yield from ([(i, 1, shape)] for i in n for shape in LOGARITHMS)
    if len(sample.names) <= N_COLUMNS_CUBED:
        yield from (list(triple) for triple in combinations(plain, 3))


def _shares(sample: Sample) -> Iterator[Part]:
    """Yield the columns that may contain shares or percentages, with the shapes of their factors."""
    for i, numbers in enumerate(sample.numbers):
        low, high = np.nanmin(numbers), np.nanmax(numbers)
        if low >= 0 and high <= 1:
            yield from ((i, 1, shape) for shape in SHARES)
        elif low >= 0 and high <= 100:
            yield from ((i, 1, shape) for shape in PERCENTAGES)


def _candidates(
    sample: Sample, forms: list[list[Part]], targets: Collection[str]
) -> Iterator[tuple[list[Part], str]]:
    """Yield products, and columns that are a constant multiple of them in the first rows."""
    usable = [i for i, name in enumerate(sample.names) if name in targets]
    open_ = _unrefuted(sample, forms, usable)
    for place, product in _products(sample, forms, np.flatnonzero(open_.any(axis=0)).tolist()):
        parts = forms[place]
        own = [i for i, is_open in zip(usable, open_[:, place], strict=True) if is_open]
        own = [i for i in own if i not in {part[0] for part in parts}]
        if not own:
            continue
        rows = np.isfinite(product) & (product != 0)
        low, high = _bounds(sample.numbers[own][:, rows], sample.slack[own], product[rows])
        yield from ((parts, sample.names[own[k]]) for k in np.flatnonzero(low <= high))


def _products(sample: Sample, forms: list[list[Part]], places: list[int]) -> Iterator[tuple[int, Floats]]:
    """Yield the products of the forms at the given places that are not zero in enough rows."""
    for start in range(0, len(places), N_FORMS_AT_ONCE):
        some = places[start : start + N_FORMS_AT_ONCE]
        products = np.ones((len(some), sample.numbers.shape[1]))
        with np.errstate(invalid="ignore", over="ignore"):
            for k, place in enumerate(some):
                for part in forms[place]:
                    products[k] *= sample.power(part)
        n_rows = np.count_nonzero(np.isfinite(products) & (products != 0), axis=1)
        yield from ((some[k], products[k]) for k in np.flatnonzero(n_rows >= N_ROWS_MIN))


def _unrefuted(sample: Sample, forms: list[list[Part]], targets: list[int]) -> npt.NDArray[np.bool_]:
    """Return, for each target and each form of a product, whether some constant factor fits a few rows.

    The factors are compared as logarithms.
    """
    n_rows = sample.numbers.shape[1]
    rows = np.arange(n_rows)
    every = max(n_rows // N_ROWS_LOGS, 1)
    # The rows are sorted so that those of the first tests come first.
    rows = np.argsort(rows % every > 0, kind="stable")
    parts = list(dict.fromkeys(part for form in forms for part in form))
    at = {part: k for k, part in enumerate(parts)}
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(np.abs([sample.power(part)[rows] for part in parts]))
        numbers = np.abs(sample.numbers[targets][:, rows])
        error = sample.slack[targets][:, None] + PRECISION * numbers
        least, most = np.log(np.maximum(numbers - error, 0)), np.log(numbers + error)
    logs = np.vstack((logs, np.zeros(n_rows)))
    places = np.array([[at[part] for part in form] + [-1] * (3 - len(form)) for form in forms])
    is_open = ~np.isfinite(logs)
    logs[is_open] = 0.0
    # If no constant fits a form in the first rows, the form is not computed in the other rows.
    left = np.repeat(np.arange(len(targets)), len(forms)), np.tile(np.arange(len(forms)), len(targets))
    for some in (slice(N_ROWS_FEW), slice(-(-n_rows // every)), slice(None)):
        target, form = left
        used, at_form = np.unique(form, return_inverse=True)
        product = logs[:, some][places[used]].sum(axis=1)[at_form]
        unknown = is_open[:, some][places[used]].any(axis=1)[at_form] | np.isnan(least[target, some])
        low = np.where(unknown, -np.inf, least[target, some] - product).max(axis=1)
        high = np.where(unknown, np.inf, most[target, some] - product).min(axis=1)
        fits = low <= high + PRECISION
        left = target[fits], form[fits]
    allowed = np.zeros((len(targets), len(forms)), np.bool_)
    allowed[left] = True
    return allowed


def _bounds(numbers: Matrix, slack: Floats, product: Floats) -> tuple[Floats, Floats]:
    """For each column, return the bounds on a constant that makes the column equal to the rounded product."""
    error = slack[:, None] + PRECISION * np.abs(numbers)
    signed, size = numbers * np.sign(product), np.abs(product)
    is_rare = (~np.isnan(numbers)).sum(axis=1) < N_ROWS_MIN
    low = np.fmax.reduce((signed - error) / size, axis=1, initial=-np.inf)
    high = np.fmin.reduce((signed + error) / size, axis=1, initial=np.inf)
    return np.where(is_rare, np.inf, low), high


def _prove(
    columns: Columns, target: str, named: list[tuple[str, int, Shape]], n_columns: int
) -> Product | None:
    """Return the rule if it holds in the sample and in all rows and is significant, otherwise None."""
    draft = _fit(columns, target, named, on_sample=True)
    if draft is None:
        return None
    rule = draft if columns.n_sample == columns.n_rows else _fit(columns, target, named, on_sample=False)
    if rule is None:
        return None
    constant = Fraction(rule.constant).limit_denominator(10**6)
    numbers = [Fraction(factor.exponent) for factor in rule.factors] + [constant]
    return rule if is_evident(columns, target, numbers, n_columns * len(SHAPES)) else None


def _fit(
    columns: Columns, target: str, named: list[tuple[str, int, Shape]], *, on_sample: bool
) -> Product | None:
    """Return the rule with a constant that fits all rows, or None if no constant fits."""
    values_of = columns.sample if on_sample else columns.all
    unit_of = columns.sample_unit if on_sample else columns.unit
    units = {name: unit_of(name) for name in (target, *(name for name, _, _ in named))}
    factors = tuple(Factor(name, e, s, float(units[name] or 1)) for name, e, s in named)
    own, terms = values_of(target), [values_of(name) for name, _, _ in named]
    numbers = own.numbers.astype(np.float64)
    unit = float(units[target] or 1)
    present = ~own.mask
    step = step_of(own, present) if units[target] is not None else 0
    draft = Product(target, factors, 1.0, unit, step)
    product = draft.compute(terms)
    usable = present & np.isfinite(product) & (product != 0)
    if usable.sum() < N_ROWS_MIN or len(np.unique(numbers[usable])) < N_VALUES_MIN:
        return None
    low, high = _bounds(numbers[usable][None], np.array([step / 2]), product[usable])
    if not low[0] <= high[0] or high[0] - low[0] > WIDTH_MAX * abs(high[0]):
        return None
    for constant in _constants(float(low[0]), float(high[0])):
        rule = Product(target, factors, constant, unit, step)
        if rule.holds(own, terms).all() and is_rounded(rule.compute(terms)[present], numbers[present], step):
            return _with_ties(rule, own, terms)
    return None


def _with_ties(rule: Product, target: Values, terms: list[Values]) -> Product:
    """Return the rule with the rounding mode of the table."""
    if not rule.step:
        return rule
    present = ~target.mask
    steps = rule.compute(terms)[present] / rule.step
    return replace(rule, ties=find_ties(steps, target.numbers[present] / rule.step))


def step_of(values: Values, present: Mask) -> int:
    """Return the greatest common divisor of all numbers, which is the rounding unit of the product."""
    return max(int(np.gcd.reduce(values.numbers[present].astype(np.int64))), 1) if present.any() else 1


def _constants(low: float, high: float) -> Iterator[float]:
    """Yield the roundest number and the simplest fraction between two bounds, and the mean of the bounds."""
    middle, slack = (low + high) / 2, (high - low) / 2 + 1e-12 * abs(high)
    for constant in (roundest(middle, slack), simplest(middle, slack)):
        if constant is not None and constant != 0:
            yield float(constant)
    yield middle
