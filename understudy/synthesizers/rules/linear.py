"""Linear rules: columns that are a linear combination of other columns, computed in exact integers."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from understudy.synthesizers.rules.values import Int64s, Numbers, Values, comparable_kind, unit_of
from understudy.transformers.base import ArrowArray, Mask
from understudy.transformers.integer_units import array_of_integers

# Rounding mode for numbers halfway between two integers: to the even integer, or away from zero.
Ties = Literal["even", "away"]
# Exclusive upper bound on sums, so that a sum can be doubled in 64 bits.
SUM_MAX = 2**61


@dataclass(frozen=True)
class Linear:
    """Rule that target = (offset + sum of factor * term) / divisor, rounded to a multiple of step.

    All numbers are integers in the units that the columns store. Floats are counted in units of their last
    decimal place. The target is missing exactly where a term is missing.

    Parameters
    ----------
    target : str
        Name of the computed column.
    terms : tuple of str
        Names of the columns that are added, each multiplied by its factor.
    factors : tuple of int
        Factor of each term.
    offset : int
        Constant that is added to the sum.
    divisor, step : int
        Divisor of the sum, and rounding unit of the quotient.
    ties : {"even", "away"}
        Rounding mode for quotients halfway between two integers.
    is_nonnegative : bool
        Whether the target is at least zero in all rows.
    """

    target: str
    terms: tuple[str, ...]
    factors: tuple[int, ...]
    offset: int
    divisor: int
    step: int
    ties: Ties
    is_nonnegative: bool

    def compute(self, terms: list[Values]) -> Numbers:
        """Return the target as integers. The values are arbitrary where a term is missing.

        Python integers are used if 64 bits might overflow.
        """
        dtype: Any = np.int64 if self.fits_64_bits(terms) else object
        total: Numbers = np.full(len(terms[0].numbers), self.offset, dtype)
        for factor, term in zip(self.factors, terms, strict=True):
            numbers = term.numbers.astype(dtype, copy=False)
            total += numbers if factor == 1 else numbers * factor
        return divide(total, self.divisor, self.ties) * self.step

    def fits_64_bits(self, terms: list[Values]) -> bool:
        """Return whether no intermediate result from the terms to the target can exceed 64 bits."""
        reach = abs(self.offset) + sum(
            abs(factor) * _largest(term.numbers) for factor, term in zip(self.factors, terms, strict=True)
        )
        return max(reach, self.divisor) < SUM_MAX and (reach // self.divisor + 1) * self.step < SUM_MAX

    def holds(self, target: Values, terms: list[Values]) -> Mask:
        """Return a mask of rows that satisfy the rule."""
        missing = any_missing(terms)
        # Values of uint64 above the maximum of int64 become negative. No valid target contains these values.
        is_unsigned = target.numbers.dtype == np.uint64
        numbers = target.numbers.view(np.int64) if is_unsigned else target.numbers
        agrees: Mask = np.asarray(self.compute(terms) == numbers, dtype=np.bool_)
        if self.is_nonnegative or is_unsigned:
            agrees &= numbers >= 0
        if missing is None and target.missing is None:
            return agrees
        is_missing = np.zeros(len(numbers), np.bool_) if missing is None else missing
        return np.where(is_missing | target.mask, is_missing == target.mask, agrees)

    def derive(self, terms: list[Values], writing: Writing) -> ArrowArray:
        """Return the target's values. Numbers outside the type's range are clipped, which breaks the rule."""
        low, high = limits(writing.type_, writing.decimals)
        numbers = np.clip(self.compute(terms), low, high).astype(np.int64)
        return writing.write(numbers, any_missing(terms))

    def solve(self, place: int, target: Values, terms: list[Values]) -> Numbers | None:
        """Return the numbers of one term that satisfy the rule. Quotients are rounded."""
        own = self.factors[place]
        total: Numbers = target.numbers.astype(object) // self.step * self.divisor - self.offset
        for i, (factor, term) in enumerate(zip(self.factors, terms, strict=True)):
            if i != place:
                total = total - term.numbers.astype(object) * factor
        solved = divide(total if own > 0 else -total, abs(own), "even")
        return np.asarray(np.clip(solved, -SUM_MAX, SUM_MAX), dtype=np.int64)

    def describe(self, types: dict[str, pa.DataType], decimals: dict[str, int]) -> str:
        """Return the rule as a sentence."""
        units = {name: _unit(name, types, decimals) for name in (self.target, *self.terms)}
        unit = units[self.target]
        scale = unit * self.step / self.divisor
        texts = [
            _term(scale * factor / units[term], term)
            for factor, term in zip(self.factors, self.terms, strict=True)
        ]
        text = " + ".join(texts) + _constant(scale * self.offset, types[self.target])
        rounding = ", rounded," if self.divisor > 1 else ""
        return f"{self.target} = {text.replace('+ -', '- ')}{rounding} in every row."


@dataclass(frozen=True)
class Writing:
    """Conversion of a column's integers to Arrow values."""

    type_: pa.DataType
    decimals: int
    nullable: bool

    def write(self, numbers: Int64s, missing: Mask | None) -> ArrowArray:
        """Return the numbers as an array of the column's exact type."""
        if not pa.types.is_floating(self.type_):
            return array_of_integers(numbers, self.type_, missing)
        floats = (numbers / 10.0**self.decimals).astype(self.type_.to_pandas_dtype())
        if missing is not None and not self.nullable:
            floats[missing] = np.nan
            return pa.array(floats, type=self.type_)
        return pa.array(floats, type=self.type_, mask=missing)


def divide(total: Numbers, divisor: int, ties: Ties) -> Numbers:
    """Return quotients, rounded to the nearest integer."""
    if divisor == 1:
        return total
    if ties == "away":
        sign = np.where(total < 0, -1, 1)
        away: Numbers = sign * ((2 * abs(total) + divisor) // (2 * divisor))
        return away
    quotient = (2 * total + divisor) // (2 * divisor)
    is_tie = (2 * total + divisor) % (2 * divisor) == 0
    rounded: Numbers = quotient - (is_tie & (quotient % 2 == 1))
    return rounded


def any_missing(values: list[Values]) -> Mask | None:
    """Return a mask of rows where any of the columns is missing, or None if there is no such row."""
    missing: Mask | None = None
    for mask in (v.missing for v in values if v.missing is not None):
        missing = mask if missing is None else missing | mask
    return missing


def limits(type_: pa.DataType, decimals: int) -> tuple[int, int]:
    """Return the lowest and the highest integer that a type can store."""
    if pa.types.is_integer(type_):
        bits = type_.bit_width - pa.types.is_signed_integer(type_)
        low = -(2**bits) if pa.types.is_signed_integer(type_) else 0
        return low, min(2**bits, 2**63) - 1
    if pa.types.is_decimal128(type_):
        most = 10 ** min(type_.precision, 18) - 1
        return -most, most
    if pa.types.is_floating(type_):
        return -(2**53), 2**53
    if pa.types.is_time(type_):
        unit = unit_of(type_, None)
        assert unit is not None
        return 0, int(86_400 / unit) - 1
    bits = type_.bit_width - 1
    return -(2**bits), 2**bits - 1


def _largest(numbers: npt.NDArray[Any]) -> int:
    return max(int(numbers.max()), -int(numbers.min())) if len(numbers) else 0


def _unit(name: str, types: dict[str, pa.DataType], decimals: dict[str, int]) -> Fraction:
    unit = unit_of(types[name], decimals.get(name))
    assert unit is not None
    return unit


def _term(coefficient: Fraction, name: str) -> str:
    if abs(coefficient) == 1:
        return name if coefficient > 0 else f"-{name}"
    return f"{_number(coefficient)} * {name}"


def _number(value: Fraction) -> str:
    n, d = value.numerator, value.denominator
    while d % 10 == 0:
        d //= 10
    rest = d
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    return f"{float(value):.12g}" if rest == 1 else f"{n}/{value.denominator}"


def _constant(value: Fraction, type_: pa.DataType) -> str:
    if value == 0:
        return ""
    # For a timestamp, the constant would be a number of seconds since 1970, which readers cannot interpret.
    if comparable_kind(type_) != "number":
        return " + a constant"
    return f" + {_number(value)}"
