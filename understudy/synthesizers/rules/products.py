"""Product rules: columns that are a product or a quotient of other columns, rounded to their unit.

For example, amount = quantity * price * (1 - discount), or bmi = weight / height².
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from understudy.synthesizers.rules.linear import Writing, any_missing, limits
from understudy.synthesizers.rules.values import Floats, Numbers, Values
from understudy.transformers.base import ArrowArray, Mask

# Relative error of products in double precision.
PRECISION = 1e-9

# Name of the function that computes the value of a factor: the column itself, 1 plus or minus a share, 1 plus
# or minus a percentage, or a logarithm.
Shape = Literal["value", "plus", "minus", "plus percent", "minus percent", "log", "log plus one"]
_SLOPES: dict[Shape, float] = {"plus": 1.0, "minus": -1.0, "plus percent": 0.01, "minus percent": -0.01}
# Rounding modes for ties.
Rounding = Literal["away", "even", "float"]
MODES: tuple[Rounding, ...] = ("away", "even", "float")
SHARES: tuple[Shape, ...] = ("plus", "minus")
PERCENTAGES: tuple[Shape, ...] = ("plus percent", "minus percent")
LOGARITHMS: tuple[Shape, ...] = ("log", "log plus one")
SHAPES: tuple[Shape, ...] = ("value", *SHARES, *PERCENTAGES, *LOGARITHMS)
# Minimum root mean square error of rounded results, in steps, and minimum value of the largest error. For
# uniform errors, the root mean square is 0.29 and the largest error is nearly 0.5.
_ROUNDED_MIN, _LARGEST_MIN = 0.15, 0.4


@dataclass(frozen=True)
class Factor:
    """A factor of a product.

    Parameters
    ----------
    column : str
        Name of the column.
    exponent : int
        Exponent of the factor, which is not zero.
    shape : Shape
        Function from the number x in the column to the value of the factor: x, 1 + x, 1 - x, 1 + x / 100, 1 -
        x / 100, log10(x) or log10(1 + x).
    unit : float
        Unit of the column's stored numbers.
    """

    column: str
    exponent: int
    shape: Shape
    unit: float

    def value(self, values: Values) -> Floats:
        """Return the factor without its exponent."""
        numbers = values.numbers.astype(np.float64) * self.unit
        if self.shape in LOGARITHMS:
            with np.errstate(divide="ignore", invalid="ignore"):
                logarithms: Floats = np.log10(numbers + (self.shape == "log plus one"))
            return logarithms
        return numbers if self.shape == "value" else 1 + _SLOPES[self.shape] * numbers

    def invert(self, value: Floats) -> Floats:
        """Return the numbers of the column that yield the given values of the factor without its exponent."""
        if self.shape in LOGARITHMS:
            numbers: Floats = 10.0**value - (self.shape == "log plus one")
        else:
            numbers = value if self.shape == "value" else (value - 1) / _SLOPES[self.shape]
        return numbers / self.unit

    def power(self, values: Values) -> Floats:
        """Return the factor with its exponent. Divisions by zero give infinity."""
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            powers: Floats = self.value(values) ** float(self.exponent)
        return powers

    def describe(self) -> str:
        """Return the factor in words."""
        if self.shape in LOGARITHMS:
            return f"log10({self.column}{' + 1' if self.shape == 'log plus one' else ''})"
        slope = _SLOPES.get(self.shape, 0.0)
        text = f"({1} {'+' if slope > 0 else '-'} {self.column}{'' if abs(slope) == 1 else ' / 100'})"
        text = self.column if self.shape == "value" else text
        return text if abs(self.exponent) == 1 else f"{text}^{abs(self.exponent)}"


@dataclass(frozen=True)
class Product:
    """Rule that target = constant * product of factors, rounded to a multiple of step.

    The target is missing exactly where a factor is missing.

    Parameters
    ----------
    target : str
        Name of the computed column.
    factors : tuple of Factor
        Factors of different columns.
    constant : float
        Constant factor.
    unit : float
        Unit of the target's stored numbers.
    step : int
        Rounding unit of the product, in stored numbers, or 0 if the product is not rounded.
    ties : {"away", "even", "float"}
        Rounding mode for products halfway between two multiples of the step: away from zero, to the even
        multiple, or in the direction of the product in double precision, which varies from tie to tie.
    """

    target: str
    factors: tuple[Factor, ...]
    constant: float
    unit: float
    step: int
    ties: Rounding = "float"

    @property
    def terms(self) -> tuple[str, ...]:
        """Column names of the factors."""
        return tuple(factor.column for factor in self.factors)

    def compute(self, terms: list[Values]) -> Floats:
        """Return the target in stored numbers, without rounding."""
        product: Floats = np.full(len(terms[0].keys), self.constant / self.unit)
        with np.errstate(invalid="ignore", over="ignore"):
            for factor, values in zip(self.factors, terms, strict=True):
                product = product * factor.power(values)
        return product

    def derive(self, terms: list[Values], writing: Writing) -> ArrowArray:
        """Return the target's values. Numbers outside the type's range are clipped, which breaks the rule."""
        return write_products(self.compute(terms), any_missing(terms), self, writing)

    def holds(self, target: Values, terms: list[Values]) -> Mask:
        """Return a mask of rows that satisfy the rule."""
        product = self.compute(terms)
        own = any_missing(terms)
        missing = ~np.isfinite(product) if own is None else own | ~np.isfinite(product)
        with np.errstate(invalid="ignore"):
            distance = np.abs(target.numbers.astype(np.float64) - product)
            agrees = distance <= self.step / 2 + PRECISION * np.abs(product)
        return np.where(missing | target.mask, missing == target.mask, agrees)

    def solve(self, place: int, target: Values, terms: list[Values]) -> Numbers | None:
        """Return the numbers of one term that nearly satisfy the rule."""
        own = self.factors[place]
        rest = np.full(len(terms[0].keys), self.constant / self.unit)
        with np.errstate(all="ignore"):
            for i, (factor, values) in enumerate(zip(self.factors, terms, strict=True)):
                rest = rest if i == place else rest * factor.power(values)
            numbers = own.invert((target.numbers.astype(np.float64) / rest) ** (1 / own.exponent))
        guess = terms[place].numbers
        is_usable = np.isfinite(numbers) & (np.abs(numbers) < 2.0**62)
        solved: npt.NDArray[np.float64] = np.where(is_usable, numbers, guess)
        return solved if guess.dtype == np.float64 else np.rint(solved).astype(np.int64)

    def describe(self, types: dict[str, pa.DataType], decimals: dict[str, int]) -> str:
        """Return the rule as a sentence."""
        above = [factor.describe() for factor in self.factors if factor.exponent > 0]
        below = [factor.describe() for factor in self.factors if factor.exponent < 0]
        constant = [] if self.constant == 1 else [f"{self.constant:.12g}"]
        text = " * ".join(constant + above) or "1"
        text += "".join(f" / {factor}" for factor in below)
        return f"{self.target} = {text}{', rounded,' if self.step else ''} in every row."


class Rounded(Protocol):
    """A rule with rounded results. See `Product`."""

    @property
    def unit(self) -> float:
        """Unit of the target's stored numbers."""
        ...

    @property
    def step(self) -> int:
        """Rounding unit of the results, in stored numbers, or 0 if the results are not rounded."""
        ...

    @property
    def ties(self) -> Rounding:
        """Rounding mode for ties."""
        ...


def write_products(product: Floats, missing: Mask | None, rule: Rounded, writing: Writing) -> ArrowArray:
    """Return results in stored numbers as rounded values. Results that are not finite become missing."""
    is_number = np.isfinite(product)
    product = np.where(is_number, product, 0.0)
    if not is_number.all():
        missing = ~is_number if missing is None else missing | ~is_number
    if not rule.step:
        floats = (product * rule.unit).astype(writing.type_.to_pandas_dtype())
        return pa.array(floats, writing.type_, mask=missing)
    low, high = limits(writing.type_, writing.decimals)
    rounded = round_product(product / rule.step, rule.ties) * rule.step
    # The largest 64-bit integer is not a float, so clipping stays below this integer.
    numbers = np.clip(rounded, float(low), min(float(high), 2.0**63 - 1024)).astype(np.int64)
    return writing.write(numbers, missing)


def round_product(steps: Floats, ties: Rounding) -> Floats:
    """Return products as whole numbers of steps.

    Products that differ from a tie only by the precision of doubles count as ties.
    """
    size = np.abs(steps)
    slack = PRECISION * np.maximum(size, 1.0)
    rounded: Floats = np.rint(size)
    if ties != "float":
        is_tie = np.abs(size % 1 - 0.5) <= slack
        whole = np.floor(size + slack)
        rounded = np.where(is_tie, whole + (1 if ties == "away" else whole % 2), rounded)
    return np.copysign(rounded, steps)


def find_ties(steps: Floats, rounded: Floats) -> Rounding:
    """Return the rounding mode that all ties in a table share.

    Parameters
    ----------
    steps, rounded : array of shape (n,)
        Products in steps, and the numbers of the table in steps.
    """
    size = np.abs(steps)
    is_tie = np.abs(size % 1 - 0.5) <= PRECISION * np.maximum(size, 1.0)
    if is_tie.any():
        for ties in MODES[:-1]:
            if np.array_equal(round_product(steps[is_tie], ties), rounded[is_tie]):
                return ties
    return "float"


def is_rounded(results: Floats, numbers: Floats, step: int) -> bool:
    """Return whether a column contains the rounded or the exact results of a rule.

    If the errors are much smaller than rounding errors, another column of the rule is rounded. For example,
    if total = price * quantity is rounded to tens, quantity = total / price also holds, with small errors.
    However, sampled totals would not be multiples of the price.
    """
    usable = np.isfinite(results)
    if not step or not usable.any():
        return True
    errors = np.abs(numbers[usable] - results[usable]) / step
    errors = errors[errors > PRECISION * max(float(np.abs(results[usable]).max()) / step, 1.0)]
    if not len(errors):
        return True
    return bool(np.sqrt(np.mean(errors**2)) >= _ROUNDED_MIN or errors.max() >= _LARGEST_MIN)
