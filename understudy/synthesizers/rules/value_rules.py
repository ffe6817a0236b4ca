"""Value-level rules: implications between single values, and equalities that hold where a column has a value.

For example, one value of a column forces one value of another column, a column is missing exactly where
another column has a certain value, or two amounts are equal in the first month of a contract.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from understudy.synthesizers.rules.fixed_combinations import MISSING, Levels
from understudy.synthesizers.rules.values import Int32s, Values, is_text
from understudy.transformers.base import Mask

# Functions that return the levels, or the values, of the named column in a block of rows.
LevelsOf = Callable[[str], Int32s]
ValuesOf = Callable[[str], Values]


@dataclass(frozen=True)
class Literal:
    """Condition that a column has a certain value, or does not have this value.

    Parameters
    ----------
    column : str
        Name of the column.
    level : int
        Level of the value, or MISSING.
    is_negated : bool
        Whether the column must have another value. A negated MISSING means that a value is present.
    """

    column: str
    level: int
    is_negated: bool = False

    @property
    def negation(self) -> Literal:
        """Negation of the literal, which is true exactly where the literal is false."""
        return Literal(self.column, self.level, not self.is_negated)

    @property
    def is_about_missing(self) -> bool:
        """Whether the literal only states that a value is missing, or that it is present."""
        return self.level == MISSING

    def holds(self, levels: npt.NDArray[np.integer]) -> Mask:
        """Return a mask of rows that satisfy the literal, given the levels of its column."""
        has_level: Mask = levels == self.level
        return ~has_level if self.is_negated else has_level


@dataclass(frozen=True)
class Implication:
    """Rule that `consequence` is true wherever `condition` is true."""

    condition: Literal
    consequence: Literal

    def holds(self, levels_of: LevelsOf) -> Mask:
        """Return a mask of rows that satisfy the rule."""
        first, second = (
            literal.holds(levels_of(literal.column)) for literal in (self.condition, self.consequence)
        )
        return ~first | second


@dataclass(frozen=True)
class ConditionalEquality:
    """Rule that `target` equals `source`, or that both are missing, wherever `condition` is true."""

    condition: Literal
    target: str
    source: str

    def holds(self, levels_of: LevelsOf, values_of: ValuesOf) -> Mask:
        """Return a mask of rows that satisfy the rule, for two columns with equal units."""
        target, source = values_of(self.target), values_of(self.source)
        return ~self.condition.holds(levels_of(self.condition.column)) | equal_values(target, source)


def equal_values(first: Values, second: Values) -> Mask:
    """Return a mask of equal values. Two missing values are equal."""
    if is_text(first.keys.type):
        same = pc.equal(first.keys, second.keys).fill_null(False)
        equal: Mask = np.asarray(same.to_numpy(zero_copy_only=False), dtype=np.bool_)
    else:
        equal = first.numbers == second.numbers
    if first.missing is None and second.missing is None:
        return equal
    return np.where(first.mask | second.mask, first.mask & second.mask, equal)


@dataclass(frozen=True)
class ValueRules:
    """Value-level rules of a table.

    Parameters
    ----------
    implications : tuple of Implication
        Implications between values of two columns.
    equalities : tuple of ConditionalEquality
        Equalities of two columns that hold where a third column has a value. No target is a source of an
        earlier equality.
    levels : mapping of column name to Levels
        Values that occur in literals.
    """

    implications: tuple[Implication, ...] = ()
    equalities: tuple[ConditionalEquality, ...] = ()
    levels: Mapping[str, Levels] = field(default_factory=dict)

    @property
    def targets(self) -> tuple[str, ...]:
        """Names of the columns that equalities set."""
        return tuple(dict.fromkeys(rule.target for rule in self.equalities))

    def needed_by(self, target: str) -> set[str]:
        """Return the columns that must be known before the equalities of a target."""
        own = [rule for rule in self.equalities if rule.target == target]
        return {name for rule in own for name in (rule.source, rule.condition.column)}

    def without(self, names: set[str]) -> ValueRules:
        """Return the rules that do not involve the given columns."""
        implications = tuple(
            r for r in self.implications if names.isdisjoint((r.condition.column, r.consequence.column))
        )
        equalities = tuple(
            r for r in self.equalities if names.isdisjoint((r.target, r.source, r.condition.column))
        )
        return replace(self, implications=implications, equalities=equalities)

    @property
    def columns(self) -> set[str]:
        """Names of all columns in the rules."""
        of_implications = {n for r in self.implications for n in (r.condition.column, r.consequence.column)}
        return of_implications | set(self.targets) | {n for t in self.targets for n in self.needed_by(t)}

    def describe(self) -> list[str]:
        """Return a sentence for each pair of columns and kind of rule, without values from the table."""
        counts: dict[tuple[str, str, str], int] = {}
        for rule in self.implications:
            first, second = rule.condition, rule.consequence
            key = (first.column, second.column, _kind_of(rule))
            counts[key] = counts.get(key, 0) + 1
        for equality in self.equalities:
            key = (equality.condition.column, equality.target, f"equals {equality.source}")
            counts[key] = counts.get(key, 0) + 1
        return [_sentence(*key, n) for key, n in counts.items()]


_PRESENT = "present"


def _kind_of(rule: Implication) -> str:
    """Return a key that identifies the kind of an implication."""
    first, second = rule.condition, rule.consequence
    given = (
        _PRESENT
        if first.is_about_missing and first.is_negated
        else "missing"
        if first.is_about_missing
        else ""
    )
    if second.is_about_missing:
        return f"{given}|{_PRESENT if second.is_negated else 'missing'}"
    return f"{given}|{'excluded' if second.is_negated else 'value'}"


def _sentence(first: str, second: str, kind: str, n: int) -> str:
    if kind.startswith("equals "):
        return f"Where {first} has {_values(n)}, {second} {kind} in every row."
    given, _, effect = kind.partition("|")
    condition = f"{first} is {given}" if given else f"{first} has {_values(n)}"
    if effect == "excluded":
        pairs = "1 pair of values never occurs" if n == 1 else f"{n} pairs of values never occur"
        return f"In {first} and {second}, {pairs} in the same row."
    if effect == "value":
        return f"Where {condition}, {second} has a certain value in every row."
    return f"Where {condition}, {second} is {effect} in every row."


def _values(n: int) -> str:
    return "a certain value" if n == 1 else f"one of {n} certain values"
