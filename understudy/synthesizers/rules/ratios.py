"""Ratios that are learned as columns, such as tip / fare, or price / (quantity * list price).

A chain learns a column within ranges of the preceding columns. If the ratio of two columns varies much less
than a column varies within one of these ranges, the chain does not preserve the ratio. This happens, for
example, if there are only a few rates. The ratio is therefore learned as a column, and one of the columns
is derived from the ratio and the other columns.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from understudy.synthesizers.rules.products import PRECISION, Factor, Product
from understudy.synthesizers.rules.values import Floats, Values
from understudy.transformers.base import Mask

# Numbers of decimal places that a ratio may be rounded to if the derived number stays the same.
DECIMALS = range(2, 7)


@dataclass(frozen=True)
class Ratio:
    """Column that is derived from one or two other columns and its ratio to their product.

    Parameters
    ----------
    name : str
        Name of the column that contains target / product of the bases.
    target : str
        Name of the derived column.
    bases : tuple of str
        Names of one or two columns, which are factors of the derived column.
    """

    name: str
    target: str
    bases: tuple[str, ...]

    def describe(self) -> str:
        """Return the derivation as a sentence."""
        others = " and ".join(self.bases)
        return f"{self.target} is derived from {others} and their ratio, which is learned."


def rule_of(name: str, target: str, bases: tuple[Factor, ...], unit: float, step: int) -> Product:
    """Return the rule that computes a target from its bases and the column of the ratio."""
    return Product(target, (*bases, Factor(name, 1, "value", 1.0)), 1.0, unit, step)


def measure_ratio(rule: Product, target: Values, bases: list[Values]) -> tuple[Floats, Mask]:
    """Return the ratios of a target to the product of its bases, and a mask of rows without a ratio.

    Ratios are rounded to the fewest decimal places that keep the product equal to the target.
    """
    one = Values(pa.array(np.ones(len(target.keys))), None)
    product = rule.compute([*bases, one])
    numbers = target.numbers.astype(np.float64)
    missing = np.any([target.mask, *(base.mask for base in bases), ~np.isfinite(product)], axis=0)
    is_usable = ~missing & (product != 0)
    divisor = np.where(is_usable, product, 1.0)
    ratios = _simplest(np.where(is_usable, numbers / divisor, 0.0), numbers, divisor, rule.step)
    # Where both numbers are zero, any ratio is correct. These rows get the ratios of other rows, which adds
    # no new values.
    is_free = ~missing & (product == 0)
    if is_free.any():
        others = ratios[is_usable] if is_usable.any() else np.ones(1)
        ratios[is_free] = np.resize(others, int(is_free.sum()))
    return ratios, missing


def _simplest(ratios: Floats, numbers: Floats, divisor: Floats, step: int) -> Floats:
    """Return the ratios with the fewest decimals that give the same numbers after rounding."""
    simplest, is_open = ratios.copy(), np.ones(len(ratios), np.bool_)
    for decimals in DECIMALS:
        rounded = np.round(ratios, decimals)
        is_same = is_open & (np.abs(rounded * divisor - numbers) <= (0.5 + PRECISION) * step) & (rounded != 0)
        simplest[is_same] = rounded[is_same]
        is_open &= ~is_same
    return simplest
