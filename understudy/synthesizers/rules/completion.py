"""Completion of incomplete rows with the values that rules imply from the known values."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from understudy.synthesizers.rules.block import Block
from understudy.synthesizers.rules.differences import measure
from understudy.synthesizers.rules.fixed_combinations import MISSING, UNKNOWN
from understudy.synthesizers.rules.formulas import Formula
from understudy.synthesizers.rules.linear import Linear, limits
from understudy.synthesizers.rules.ratios import measure_ratio
from understudy.synthesizers.rules.rules import Rules
from understudy.synthesizers.rules.value_rules import ConditionalEquality, Implication, Literal, equal_values
from understudy.synthesizers.rules.values import Int32s, Numbers, Values, is_text, read_values
from understudy.transformers.base import ArrowArray, Mask

Arrays = dict[str, ArrowArray]


def recover(rules: Rules, columns: Mapping[str, ArrowArray], differences: Mapping[str, ArrowArray]) -> Arrays:
    """Return incomplete rows with added differences and ratios, and bases computed from known targets.

    Parameters
    ----------
    rules : Rules
        Rules of the table.
    columns : mapping of column name to pyarrow.Array
        Columns of the table, with the types from the schema.
    differences : mapping of column name to pyarrow.Array
        Differences and ratios that are assumed where the base is missing.
    """
    block = Block(rules, dict(columns))
    _recover_ratios(block, differences)
    factors = {rule.target: rule.factors[0] for rule in rules.linear}
    # The order is reversed, because a base can itself be the target of an earlier difference.
    for own in reversed(rules.differences):
        target, base, factor = block.values(own.target), block.values(own.base), factors[own.target]
        numbers, missing = measure(target, base, factor)
        assumed = read_values(own.name, differences[own.name], None)
        block.add(own.name, pa.array(numbers, pa.int64(), mask=missing))
        gaps = base.mask & ~target.mask & ~assumed.mask
        if gaps.any():
            # If the base has a coarser unit, the nearest value in that unit is used.
            rest = target.numbers.astype(np.int64) - assumed.numbers
            whole = (rest + factor // 2) // factor
            writing = rules.writing(own.base)
            filled = np.clip(np.where(gaps, whole, base.numbers), *limits(writing.type_, writing.decimals))
            block.add(own.base, writing.write(filled, base.mask & ~gaps))
    return block.arrays


def _recover_ratios(block: Block, assumed: Mapping[str, ArrowArray]) -> None:
    """Add the ratios to a block, and compute a missing base from the target and an assumed ratio."""
    for own in reversed(block.rules.ratios):
        rule, target = block.rules.product_of(own), block.values(own.target)
        bases = [block.values(name) for name in own.bases]
        ratios, missing = measure_ratio(rule, target, bases)
        block.add(own.name, pa.array(ratios, pa.float64(), mask=missing))
        guess = read_values(own.name, assumed[own.name], None)
        masks = np.array([base.mask for base in bases])
        if set(own.bases) <= assumed.keys():
            # The last missing base equals the remainder.
            drawn = [read_values(name, assumed[name], block.rules.decimals.get(name)) for name in own.bases]
            bases = [_filled(base, guessed) for base, guessed in zip(bases, drawn, strict=True)]
            last = len(masks) - 1 - masks[::-1].argmax(axis=0)
        else:
            last = np.where(masks.sum(axis=0) == 1, masks.argmax(axis=0), -1)
        for place, name in enumerate(own.bases):
            gaps = masks[place] & (last == place) & ~target.mask & ~guess.mask
            solved = rule.solve(place, target, [*bases, guess])
            if gaps.any() and solved is not None:
                numbers = np.where(gaps, solved, bases[place].numbers)
                block.add(name, _write(block, name, numbers, masks[place] & ~gaps))


def _filled(values: Values, drawn: Values) -> Values:
    """Return the values, with missing values replaced by drawn values."""
    return Values(pa.array(np.where(values.mask, drawn.numbers, values.numbers)), None)


def solve(rules: Rules, given: Mapping[str, ArrowArray], drawn: Mapping[str, ArrowArray]) -> Arrays:
    """Return incomplete rows with missing terms computed from the target and the known terms of a formula.

    If several terms are missing, the known terms are subtracted from the target, and the drawn values are
    scaled so that they add up to the rest. The last missing term equals the remainder.

    Parameters
    ----------
    given : mapping of column name to pyarrow.Array
        Incomplete rows.
    drawn : mapping of column name to pyarrow.Array
        Drawn values of the same rows. A formula is skipped if there are no drawn values for one of its
        missing terms.
    """
    block, guesses = Block(rules, dict(given)), Block(rules, dict(drawn))
    of_measured = {own.target for own in rules.measured}
    # The order is reversed, because a term can itself be the target of an earlier formula.
    for step in reversed(rules.steps):
        if step.formula is not None and step.target not in of_measured:
            _solve_formula(step.formula, block, guesses)
    return block.arrays


def _solve_formula(formula: Formula, block: Block, guesses: Block) -> None:
    target = block.values(formula.target)
    masks = np.array([block.values(name).mask for name in formula.terms])
    gaps = masks.any(axis=0) & ~target.mask
    own = [block.values(name) for name in formula.terms]
    if set(formula.terms) <= guesses.arrays.keys():
        own = _guessed(formula, target, own, [guesses.values(name) for name in formula.terms])
    elif isinstance(formula, Linear):
        gaps &= masks.sum(axis=0) == 1
    else:
        return
    # The last missing term equals the remainder.
    last = len(masks) - 1 - masks[::-1].argmax(axis=0)
    for place, name in enumerate(formula.terms):
        mask, solved = block.values(name).mask, formula.solve(place, target, own)
        if solved is None or not (mask & gaps).any():
            continue
        numbers = np.where(gaps & (last == place), solved, own[place].numbers)
        block.add(name, _write(block, name, numbers, mask & ~gaps))


def _write(block: Block, name: str, numbers: Numbers, missing: Mask) -> ArrowArray:
    """Return numbers as a column, in the type of the given column."""
    if numbers.dtype == np.float64:
        type_ = block.arrays[name].type
        floats: ArrowArray = pa.array(numbers.astype(type_.to_pandas_dtype()), type_, mask=missing)
        return floats
    writing = block.rules.writing(name)
    clipped = np.clip(numbers, *limits(writing.type_, writing.decimals)).astype(np.int64)
    return writing.write(clipped, missing)


def _guessed(formula: Formula, target: Values, terms: list[Values], drawn: list[Values]) -> list[Values]:
    """Return the terms with guesses for missing values. In a sum, the guesses are scaled to the target."""
    merged = [
        np.where(term.mask, guess.numbers, term.numbers) for term, guess in zip(terms, drawn, strict=True)
    ]
    if isinstance(formula, Linear) and all(factor > 0 for factor in formula.factors):
        parts = [
            factor * numbers.astype(np.float64)
            for factor, numbers in zip(formula.factors, merged, strict=True)
        ]
        known = sum(np.where(term.mask, 0.0, part) for term, part in zip(terms, parts, strict=True))
        guessed = sum(np.where(term.mask, part, 0.0) for term, part in zip(terms, parts, strict=True))
        wanted = target.numbers.astype(np.float64) * formula.divisor / formula.step - formula.offset - known
        is_sum = (wanted >= 0) & (guessed > 0)
        scale = np.where(is_sum, wanted / np.where(is_sum, guessed, 1.0), 1.0)
        merged = [
            np.where(term.mask, np.floor(numbers * scale).astype(np.int64), numbers)
            for term, numbers in zip(terms, merged, strict=True)
        ]
    return [Values(pa.array(numbers), None) for numbers in merged]


def imply(rules: Rules, columns: Mapping[str, ArrowArray]) -> tuple[Arrays, dict[str, Mask]]:
    """Return incomplete rows with the values that rules imply, and masks of values that must stay missing.

    A missing value counts as unknown, except where a rule implies that it is missing.

    Parameters
    ----------
    rules : Rules
        Rules of the table.
    columns : mapping of column name to pyarrow.Array
        Columns of the table, with the types from the schema.
    """
    closure = _Closure(rules, dict(columns))
    own = rules.value_rules
    # A chain of implications is at most as long as the number of columns.
    for _ in range(len(own.columns)):
        changes = [closure.apply(implication) for implication in own.implications]
        changes += [closure.equalize(equality) for equality in own.equalities]
        if not any(changes):
            break
    return closure.block.arrays, closure.stays_missing


def equalize(rules: Rules, given: Mapping[str, ArrowArray], drawn: Mapping[str, ArrowArray]) -> Arrays:
    """Return the drawn columns, with the missing source of each equality set to the given target.

    Parameters
    ----------
    given : mapping of column name to pyarrow.Array
        Incomplete rows.
    drawn : mapping of column name to pyarrow.Array
        The same rows, with drawn values in all cells that are not given.
    """
    block = Block(rules, dict(drawn))
    for rule in rules.value_rules.equalities:
        target, source = (read_values(name, given[name], None) for name in (rule.target, rule.source))
        gaps = rule.condition.holds(block.value_levels(rule.condition.column)) & ~target.mask & source.mask
        if gaps.any():
            merged = pc.if_else(pa.array(gaps), given[rule.target], block.arrays[rule.source])
            block.add(rule.source, merged)
    return block.arrays


def find_unequal(rules: Rules, given: Mapping[str, ArrowArray]) -> list[Mask]:
    """For each equality, return a mask of the rows with different known values in the two columns."""
    masks = []
    for rule in rules.value_rules.equalities:
        target, source = (read_values(name, given[name], None) for name in (rule.target, rule.source))
        masks.append(~equal_values(target, source) & ~target.mask & ~source.mask)
    return masks


class _Closure:
    """Incomplete rows that are completed step by step."""

    def __init__(self, rules: Rules, arrays: Arrays) -> None:
        self.rules, self.block = rules, Block(rules, arrays)
        self.stays_missing: dict[str, Mask] = {}

    def _levels(self, name: str) -> Int32s:
        """Return the levels of a column, with UNKNOWN - 1 for values that are not known."""
        levels = self.block.value_levels(name)
        is_missing = self.stays_missing.get(name, np.zeros(len(levels), np.bool_))
        return np.where((levels == MISSING) & ~is_missing, np.int32(UNKNOWN - 1), levels)

    def _holds(self, literal: Literal) -> Mask:
        """Return a mask of rows that are known to satisfy a literal."""
        levels = self._levels(literal.column)
        return np.asarray(literal.holds(levels) & (levels != UNKNOWN - 1))

    def apply(self, rule: Implication) -> bool:
        """Set unknown values to the consequence of a rule. Return whether a value changed."""
        name = rule.consequence.column
        if rule.consequence.is_negated:
            return False
        gaps = self._holds(rule.condition) & (self._levels(name) == UNKNOWN - 1)
        if not gaps.any():
            return False
        if rule.consequence.is_about_missing:
            self.stays_missing[name] = self.stays_missing.get(name, np.zeros(len(gaps), np.bool_)) | gaps
        else:
            key = self.rules.value_rules.levels[name].keys.slice(rule.consequence.level - 1, 1)
            zeros: ArrowArray = pa.array(np.zeros(len(gaps), np.int64))
            self._write(name, gaps, key.take(zeros))
        return True

    def equalize(self, rule: ConditionalEquality) -> bool:
        """Copy a known value to an unknown value that must be equal. Return whether a value changed."""
        applies = self._holds(rule.condition)
        changed = False
        for name, other in ((rule.target, rule.source), (rule.source, rule.target)):
            gaps = applies & self.block.stored(name).mask & ~self.block.stored(other).mask
            if gaps.any():
                merged = pc.if_else(pa.array(gaps), self.block.arrays[other], self.block.arrays[name])
                self.block.add(name, merged)
                changed = True
        return changed

    def _write(self, name: str, gaps: Mask, keys: ArrowArray) -> None:
        """Set some rows of a column to values that are given as levels."""
        array = self.block.arrays[name]
        if is_text(array.type):
            values = keys
        elif pa.types.is_floating(array.type) and name not in self.rules.decimals:
            values = keys.cast(array.type)
        elif pa.types.is_boolean(array.type):
            values = pc.not_equal(keys, pa.scalar(0, keys.type))
        else:
            values = self.rules.writing(name).write(keys.to_numpy(), None)
        self.block.add(name, pc.if_else(pa.array(gaps), values, array))
