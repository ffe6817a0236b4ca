"""Unary rules: columns that are the absolute value, the positive or negative part or the sign of a column."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

import numpy as np
import pyarrow as pa

from understudy.synthesizers.rules.columns import Columns
from understudy.synthesizers.rules.linear import Linear, Writing
from understudy.synthesizers.rules.relations import Guess, fit_values, is_evident, roundest, simplest
from understudy.synthesizers.rules.values import Floats, Int64s, Numbers, Values
from understudy.transformers.base import MIN_SUPPORT, ArrowArray, Mask

# Maximum number of numeric columns to search. Further columns are ignored.
N_COLUMNS_MAX = 64

Function = Literal["absolute", "positive", "negative", "sign"]
FUNCTIONS: dict[Function, Callable[[Int64s], Int64s]] = {
    "absolute": np.abs,
    "positive": lambda numbers: np.maximum(numbers, 0),
    "negative": lambda numbers: np.maximum(-numbers, 0),
    "sign": np.sign,
}
# Inverse of each function except `sign`. A guess supplies the information that the target lacks, such as the
# sign of an absolute value.
_INVERSE: dict[Function, Callable[[Int64s, Int64s], Int64s]] = {
    "absolute": lambda target, guess: np.where(guess < 0, -target, target),
    "positive": lambda target, guess: np.where(target > 0, target, np.minimum(guess, 0)),
    "negative": lambda target, guess: np.where(target > 0, -target, np.maximum(guess, 0)),
}
_TEXTS: dict[Function, str] = {
    "absolute": "the absolute value of {}",
    "positive": "the positive part of {}",
    "negative": "the negative part of {}",
    "sign": "the sign of {}",
}


@dataclass(frozen=True)
class Unary:
    """Rule that a column is a linear function of the values of `function` for another column.

    Parameters
    ----------
    function : {"absolute", "positive", "negative", "sign"}
        Function of the source's integers.
    linear : Linear
        Linear rule with the function's values as its only term.
    """

    function: Function
    linear: Linear

    @property
    def target(self) -> str:
        """Name of the computed column."""
        return self.linear.target

    @property
    def terms(self) -> tuple[str, ...]:
        """Name of the column that the target is computed from."""
        return self.linear.terms

    def derive(self, terms: list[Values], writing: Writing) -> ArrowArray:
        """Return the target's values. Numbers outside the type's range are clipped, which breaks the rule."""
        return self.linear.derive([apply(self.function, terms[0])], writing)

    def holds(self, target: Values, terms: list[Values]) -> Mask:
        """Return a mask of rows that satisfy the rule."""
        return self.linear.holds(target, [apply(self.function, terms[0])])

    def solve(self, place: int, target: Values, terms: list[Values]) -> Numbers | None:
        """Return the source's numbers. Unknown signs are taken from the guesses."""
        inverse = _INVERSE.get(self.function)
        numbers = self.linear.solve(place, target, [apply(self.function, terms[0])])
        if inverse is None or numbers is None:
            return None
        return inverse(numbers, terms[0].numbers.astype(np.int64))

    def describe(self, types: dict[str, pa.DataType], decimals: dict[str, int]) -> str:
        """Return the rule as a sentence."""
        (source,) = self.terms
        text = _TEXTS[self.function].format(source)
        is_sign = self.function == "sign"
        known = {text: decimals[source]} if source in decimals and not is_sign else {}
        type_ = pa.int64() if is_sign else types[source]
        return replace(self.linear, terms=(text,)).describe(types | {text: type_}, decimals | known)


def apply(function: Function, values: Values) -> Values:
    """Return the values of the function for the given values of the source."""
    return Values(pa.array(FUNCTIONS[function](values.numbers.astype(np.int64))), values.missing)


def find_unary(columns: Columns, targets: list[str], sources: list[str]) -> tuple[Unary, ...]:
    """Return the significant unary rules that hold in all rows, at most one for each target.

    Parameters
    ----------
    targets, sources : list of str
        Names of the possible targets, and of the possible sources.
    """
    signed = [name for name in sources if _is_signed(columns, name)][:N_COLUMNS_MAX]
    found: dict[str, Unary] = {}
    for source in signed:
        for target in targets[:N_COLUMNS_MAX]:
            if target not in found and target != source:
                rule = _find(columns, target, source, len(signed) * len(FUNCTIONS))
                if rule is not None:
                    found[target] = rule
    return tuple(found.values())


def _is_signed(columns: Columns, name: str) -> bool:
    if not (columns.is_quantity(name) and columns.has_unit(name)):
        return False
    if pa.types.is_temporal(columns.table.schema.field(name).type):
        return False
    numbers = columns.sample(name).numbers
    n_least = min(int(np.count_nonzero(numbers < 0)), int(np.count_nonzero(numbers > 0)))
    return n_least >= MIN_SUPPORT


def _find(columns: Columns, target: str, source: str, n_tried: int) -> Unary | None:
    units = columns.sample_unit(target), columns.sample_unit(source)
    if None in units or pa.types.is_temporal(columns.table.schema.field(target).type):
        return None
    t, x = columns.sample(target), columns.sample(source)
    present = ~(t.mask | x.mask)
    if present.sum() < MIN_SUPPORT:
        return None
    for function in FUNCTIONS:
        values = FUNCTIONS[function](x.numbers[present].astype(np.int64)).astype(np.float64)
        unit = _unit(function, units[1])
        scale = Fraction(units[0] or 1) / Fraction(unit or 1)
        for coefficient in _coefficients(t.numbers[present].astype(np.float64), values, float(scale)):
            rule = _prove(columns, Guess(target, {source: coefficient}), function, n_tried)
            if rule is not None:
                return rule
    return None


def _unit(function: Function, unit: Fraction | None) -> Fraction | None:
    """Return the unit of a function's values, given the unit of its source. Signs have no unit."""
    return Fraction(1) if function == "sign" else unit


def _coefficients(target: Floats, values: Floats, scale: float) -> list[Fraction]:
    """Return simple ratios of two series if they are proportional up to rounding and a constant.

    The series are integers, and `scale` is the unit of the target divided by the unit of the values.
    """
    centred = values - values.mean()
    variance = float(centred @ centred)
    if variance == 0 or target.max() == target.min():
        return []
    slope = float(centred @ (target - target.mean())) / variance
    rest = target - target.mean() - slope * centred
    # Rounding changes the target by at most one step. The tolerance includes the error of the slope.
    if slope == 0 or rest.max() - rest.min() > 2 + 1e-9 * np.abs(target).max():
        return []
    error = 5 * math.sqrt(float(np.mean(rest**2)) / variance) + 1e-11 * abs(slope)
    ratios = (simplest(slope * scale, error * scale), roundest(slope * scale, error * scale))
    return [ratio for ratio in dict.fromkeys(ratios) if ratio]


def _prove(columns: Columns, guess: Guess, function: Function, n_tried: int) -> Unary | None:
    """Return the rule if it holds in all rows and is significant."""
    (source,) = guess.coefficients
    target_unit, unit = columns.unit(guess.target), _unit(function, columns.unit(source))
    if target_unit is None or unit is None or columns.unit(source) is None:
        return None
    values = [columns.all(guess.target), apply(function, columns.all(source))]
    linear = fit_values(guess, values, [target_unit, unit], is_amount=True)
    if linear is None:
        return None
    numbers = [guess.coefficients[source], Fraction(linear.offset, linear.divisor)]
    return Unary(function, linear) if is_evident(columns, guess.target, numbers, n_tried) else None
