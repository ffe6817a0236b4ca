"""Expressions: columns that equal a rounded quotient of two sums of products of other columns.

For example, pay = hours * rate + bonus, change = (new - old) / old, or excess = max(claim - deductible, 0).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa

from understudy.synthesizers.rules.linear import Writing, any_missing
from understudy.synthesizers.rules.products import PRECISION, Rounding, write_products
from understudy.synthesizers.rules.values import Floats, Numbers, Values
from understudy.transformers.base import ArrowArray, Mask


@dataclass(frozen=True)
class Monomial:
    """A constant times the product of different columns. A monomial without columns is a constant."""

    factor: float
    columns: tuple[str, ...] = ()

    def value(self, values: dict[str, Floats], n_rows: int) -> Floats:
        """Return the product in each row."""
        product: Floats = np.full(n_rows, self.factor)
        for name in self.columns:
            product = product * values[name]
        return product

    def describe(self) -> str:
        """Return the product in words, with a leading minus if the factor is negative."""
        if not self.columns:
            return f"{self.factor:.12g}"
        text = " * ".join(self.columns)
        if abs(self.factor) != 1:
            return f"{self.factor:.12g} * {text}"
        return text if self.factor > 0 else f"-{text}"


@dataclass(frozen=True)
class Expression:
    """Rule: target = sum of products / sum of products, rounded to a multiple of step.

    The target is missing exactly where a term is missing or the divisor is zero.

    Parameters
    ----------
    target : str
        Name of the computed column.
    above, below : tuple of Monomial
        Terms of the dividend and of the divisor. If `below` is empty, the divisor is one.
    units : dict of str to float
        Unit of the stored numbers in each term column, in column order.
    unit : float
        Unit of the target's stored numbers.
    step : int
        Rounding unit of the quotient, in stored numbers, or 0 if the quotient is not rounded.
    ties : {"away", "even", "float"}
        See `Product`.
    is_positive_part : bool
        Whether the target is zero where the quotient is negative.
    """

    target: str
    above: tuple[Monomial, ...]
    below: tuple[Monomial, ...]
    units: dict[str, float]
    unit: float
    step: int
    ties: Rounding = "float"
    is_positive_part: bool = False

    @cached_property
    def terms(self) -> tuple[str, ...]:
        """Names of the columns that the target is computed from."""
        return tuple(self.units)

    def compute(self, terms: list[Values]) -> Floats:
        """Return the target in stored numbers, without rounding. Divisions by zero give NaN."""
        return self._compute(terms)[0]

    def _compute(self, terms: list[Values]) -> tuple[Floats, Floats]:
        """Return the target, and the sum of the dividend's absolute terms divided by the absolute divisor."""
        n_rows = len(terms[0].keys)
        values = self._values(terms)
        parts = [own.value(values, n_rows) for own in self.above]
        divisor = self._divisor(values, n_rows) * self.unit
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            quotient = np.sum(parts, axis=0) / divisor
            size: Floats = np.sum(np.abs(parts), axis=0) / np.abs(divisor)
        quotient[~np.isfinite(quotient)] = np.nan
        return np.maximum(quotient, 0.0) if self.is_positive_part else quotient, size

    def _values(self, terms: list[Values]) -> dict[str, Floats]:
        return {
            name: own.numbers.astype(np.float64) * self.units[name]
            for name, own in zip(self.units, terms, strict=True)
        }

    def _divisor(self, values: dict[str, Floats], n_rows: int) -> Floats:
        if not self.below:
            return np.ones(n_rows)
        divisor: Floats = np.sum([own.value(values, n_rows) for own in self.below], axis=0)
        return divisor

    def derive(self, terms: list[Values], writing: Writing) -> ArrowArray:
        """Return the target's values. Numbers outside the type's range are clipped, which breaks the rule."""
        return write_products(self.compute(terms), any_missing(terms), self, writing)

    def holds(self, target: Values, terms: list[Values]) -> Mask:
        """Return a mask of rows that satisfy the rule."""
        value, size = self._compute(terms)
        own = any_missing(terms)
        missing = np.isnan(value) if own is None else own | np.isnan(value)
        with np.errstate(invalid="ignore"):
            distance = np.abs(target.numbers.astype(np.float64) - value)
            agrees = distance <= self.step / 2 + PRECISION * np.maximum(size, 1e-9)
        return np.where(missing | target.mask, missing == target.mask, agrees)

    def solve(self, place: int, target: Values, terms: list[Values]) -> Numbers | None:
        """Return the numbers of one term that nearly satisfy the rule.

        The dividend and the divisor are linear in each column.
        """
        name, n_rows = self.terms[place], len(terms[0].keys)
        values = self._values(terms)
        guess = values[name]
        wanted = target.numbers.astype(np.float64) * self.unit
        ends = []
        for number in (0.0, 1.0):
            at = values | {name: np.full(n_rows, number)}
            above = np.sum([own.value(at, n_rows) for own in self.above], axis=0)
            ends.append(above - wanted * self._divisor(at, n_rows))
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            solved = ends[0] / (ends[0] - ends[1]) / self.units[name]
        is_usable = np.isfinite(solved) & (np.abs(solved) < 2.0**62)
        if self.is_positive_part:
            # Where the target is zero, every value with a negative quotient is a solution.
            is_usable &= (wanted != 0) | (self.compute(terms) > 0)
        solved = np.where(is_usable, solved, guess / self.units[name])
        stored = terms[place].numbers.dtype
        return solved if stored == np.float64 else np.rint(solved).astype(np.int64)

    def describe(self, types: dict[str, pa.DataType], decimals: dict[str, int]) -> str:
        """Return the rule as a sentence."""
        above, below = (
            " + ".join(own.describe() for own in part).replace("+ -", "- ")
            for part in (self.above, self.below)
        )
        text = f"({above}) / ({below})" if below else above
        text = f"max({text}, 0)" if self.is_positive_part else text
        return f"{self.target} = {text}{', rounded,' if self.step else ''} in every row."
