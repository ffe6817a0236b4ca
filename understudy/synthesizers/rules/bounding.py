"""Correction of imputed values that break an inequality. These values are set to the bound."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from understudy.synthesizers.rules.block import Block
from understudy.synthesizers.rules.inequalities import Inequality
from understudy.synthesizers.rules.linear import limits
from understudy.synthesizers.rules.rules import Rules
from understudy.synthesizers.rules.values import read_values
from understudy.transformers.base import ArrowArray


def bound(rules: Rules, given: Mapping[str, ArrowArray], completed: Mapping[str, ArrowArray]) -> Block:
    """Return completed rows in which imputed values are moved within the bounds that inequalities set.

    Values that a formula relates to other columns are not moved. Otherwise, they would violate the formula.

    Parameters
    ----------
    given : mapping of column name to pyarrow.Array
        Incomplete rows.
    completed : mapping of column name to pyarrow.Array
        The same rows, with values in all cells.
    """
    block = Block(rules, dict(completed))
    measured = {own.target for own in rules.measured}
    formulas = [rule for rule in rules.formulas if rule.target not in measured]
    fixed = {name for rule in formulas for name in (rule.target, *rule.terms)}
    # The first pass may move a value to a bound that is itself moved later, so there is a second pass.
    for _ in range(2):
        for order in rules.inequalities:
            for name, other in ((order.low, order.high), (order.high, order.low)):
                if name not in fixed:
                    _move(order, name, other, block, given)
    return block


def _move(order: Inequality, name: str, other: str, block: Block, given: Mapping[str, ArrowArray]) -> None:
    """Move the imputed values of one column that break an inequality to the value of the other column."""
    rules = block.rules
    units = rules.unit(name), rules.unit(other)
    if units[0] is None or units[0] != units[1]:
        return
    own, bounds = block.values(name), block.values(other)
    low, high = (own, bounds) if name == order.low else (bounds, own)
    is_broken = ~order.holds(low.numbers, high.numbers, low.mask | high.mask)
    is_broken &= read_values(name, given[name], None).mask
    if is_broken.any():
        distance = int(order.is_strict) * (-1 if name == order.low else 1)
        writing = rules.writing(name)
        moved = np.clip(bounds.numbers + distance, *limits(writing.type_, writing.decimals))
        numbers = np.where(is_broken, moved, own.numbers).astype(np.int64)
        block.add(name, writing.write(numbers, own.mask))
