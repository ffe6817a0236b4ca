"""The rules of a table: search, check, computation of derived columns, and description."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from understudy.synthesizers.rules.block import Block
from understudy.synthesizers.rules.derivation_order import Step, in_order
from understudy.synthesizers.rules.differences import Difference, measure
from understudy.synthesizers.rules.expressions import Expression
from understudy.synthesizers.rules.fixed_combinations import FixedCombination, Levels
from understudy.synthesizers.rules.formulas import Formula
from understudy.synthesizers.rules.functional_dependencies import FunctionalDependency
from understudy.synthesizers.rules.inequalities import Inequality, comparable, either_missing
from understudy.synthesizers.rules.linear import Linear, Writing
from understudy.synthesizers.rules.missingness import Missingness
from understudy.synthesizers.rules.products import Product
from understudy.synthesizers.rules.ratios import Ratio, measure_ratio
from understudy.synthesizers.rules.unary import Unary
from understudy.synthesizers.rules.value_rules import ValueRules
from understudy.synthesizers.rules.values import unit_of
from understudy.tables.arrow_types import parse_arrow_type
from understudy.tables.schema import TableSchema
from understudy.transformers.base import ArrowArray, Mask

Arrays = dict[str, ArrowArray]


@dataclass(frozen=True)
class Rules:
    """Rules that hold in every row of a table.

    Parameters
    ----------
    schema : TableSchema
        Schema of the table, with the columns of differences and ratios after its own columns.
    functional_dependencies : tuple of FunctionalDependency
        Functional dependencies, which contain only column names. The synthesizer learns the mapping between
        the values.
    fixed_combinations : tuple of FixedCombination
        Rules that two columns together determine a third column.
    linear : tuple of Linear
        Linear rules, in a valid order for computing the targets.
    inequalities : tuple of Inequality
        Pairs of columns where one value never exceeds the other.
    missingness : tuple of Missingness
        Columns with values that are missing together.
    levels : mapping of column name to Levels
        Levels of the columns in `fixed_combinations`.
    decimals : mapping of column name to int
        Number of decimal places of float columns. Columns of other types, and float columns with too many
        decimal places, are absent unless they are in `differences`.
    differences : tuple of Difference
        Columns that are derived from another column and the difference between the two columns. `linear`
        contains the derivations.
    value_rules : ValueRules
        Implications between single values, and equalities that hold where a column has a value.
    unary : tuple of Unary
        Columns that are the absolute value, the positive or negative part, or the sign of another column.
    products : tuple of Product
        Columns that are a product or a quotient of other columns.
    expressions : tuple of Expression
        Columns that equal a quotient of two sums of products of other columns.
    ratios : tuple of Ratio
        Columns that are derived from other columns and a ratio. `products` contains the derivations.
    """

    schema: TableSchema
    functional_dependencies: tuple[FunctionalDependency, ...] = ()
    fixed_combinations: tuple[FixedCombination, ...] = ()
    linear: tuple[Linear, ...] = ()
    inequalities: tuple[Inequality, ...] = ()
    missingness: tuple[Missingness, ...] = ()
    levels: Mapping[str, Levels] = field(default_factory=dict)
    decimals: Mapping[str, int] = field(default_factory=dict)
    differences: tuple[Difference, ...] = ()
    value_rules: ValueRules = field(default_factory=ValueRules)
    unary: tuple[Unary, ...] = ()
    products: tuple[Product, ...] = ()
    ratios: tuple[Ratio, ...] = ()
    expressions: tuple[Expression, ...] = ()

    @property
    def measured(self) -> tuple[Difference | Ratio, ...]:
        """Columns that are learned but are not part of the table."""
        return (*self.differences, *self.ratios)

    @property
    def formulas(self) -> tuple[Formula, ...]:
        """Rules that compute a column."""
        return (*self.unary, *self.products, *self.expressions, *self.linear)

    @property
    def derived(self) -> tuple[str, ...]:
        """Names of the columns that formulas compute."""
        return tuple(rule.target for rule in self.formulas)

    def derive(self, columns: Mapping[str, ArrowArray]) -> Arrays:
        """Add or replace the derived columns, each in its exact type, and return all columns.

        Columns that must equal another column in some rows are also replaced in these rows.

        Parameters
        ----------
        columns : mapping of column name to pyarrow.Array
            All other columns of one block, with the types from the schema.
        """
        block = Block(self, dict(columns))
        for step in self.steps:
            if step.formula is None:
                self._equalize(step.target, block)
            else:
                terms = [block.values(name) for name in step.formula.terms]
                block.add(step.target, step.formula.derive(terms, self._writings[step.target]))
        return block.arrays

    def _equalize(self, target: str, block: Block) -> None:
        """Set a column to the value of another column in the rows where the two must be equal."""
        for rule in self.value_rules.equalities:
            if rule.target == target:
                applies = rule.condition.holds(block.value_levels(rule.condition.column))
                if applies.any():
                    merged = pc.if_else(pa.array(applies), block.arrays[rule.source], block.arrays[target])
                    block.add(target, merged)

    def measure(self, columns: Mapping[str, ArrowArray]) -> Arrays:
        """Return the differences and the ratios of rows by name.

        A difference or a ratio is missing where one of its columns is missing.

        Parameters
        ----------
        columns : mapping of column name to pyarrow.Array
            Columns of the table, with the types from the schema.
        """
        block = Block(self, dict(columns))
        factors = {rule.target: rule.factors[0] for rule in self.linear}
        measured: Arrays = {}
        for own in self.differences:
            values = block.values(own.target), block.values(own.base)
            numbers, missing = measure(*values, factors[own.target])
            measured[own.name] = pa.array(numbers, pa.int64(), mask=missing)
        for ratio in self.ratios:
            bases = [block.values(name) for name in ratio.bases]
            ratios, missing = measure_ratio(self.product_of(ratio), block.values(ratio.target), bases)
            measured[ratio.name] = pa.array(ratios, pa.float64(), mask=missing)
        return measured

    def product_of(self, ratio: Ratio) -> Product:
        """Return the rule that derives the target of a ratio."""
        return next(rule for rule in self.products if rule.target == ratio.target)

    def add(self, difference: Difference, base: ArrowArray, numbers: ArrowArray) -> ArrowArray:
        """Return the sums of a base and its difference, in the type of the derived column."""
        block = Block(self, {difference.base: base, difference.name: numbers})
        rule = next(rule for rule in self.linear if rule.target == difference.target)
        terms = [block.values(name) for name in rule.terms]
        return rule.derive(terms, self._writings[rule.target])

    def holds(self, columns: Mapping[str, ArrowArray]) -> Mask:
        """Return a mask of rows that satisfy all rules. Functional dependencies are not checked.

        Parameters
        ----------
        columns : mapping of column name to pyarrow.Array
            All columns of one block, with the types from the schema.
        """
        block = Block(self, dict(columns))
        n_rows = len(next(iter(columns.values())))
        kept = np.ones(n_rows, np.bool_)
        for mask in self._checks(block):
            kept &= mask
        return kept

    def is_ordered(self, columns: Mapping[str, ArrowArray]) -> Mask:
        """Return a mask of rows that satisfy all inequalities.

        Parameters
        ----------
        columns : mapping of column name to pyarrow.Array
            The columns of all inequalities, with the types from the schema.
        """
        block = Block(self, dict(columns))
        kept = np.ones(len(next(iter(columns.values()))), np.bool_)
        for order in self.inequalities:
            kept &= self._check_order(order, block)
        return kept

    def describe(self) -> list[str]:
        """Return every rule as a sentence, without values. Differences and ratios are not rules."""
        decimals = dict(self.decimals)
        measured = {own.target for own in self.measured}
        sums = [r.describe(self._types, decimals) for r in self.formulas if r.target not in measured]
        lookups = [rule.describe() for rule in self.functional_dependencies] + [
            rule.describe() for rule in self.fixed_combinations
        ]
        orders = [rule.describe() for rule in self.inequalities] + [
            rule.describe() for rule in self.missingness
        ]
        return sums + lookups + orders + self.value_rules.describe()

    def _checks(self, block: Block) -> Iterator[Mask]:
        """Yield a mask for each rule, which selects the rows that satisfy the rule."""
        for together in self.missingness:
            yield together.holds(block.values(together.first).mask, block.values(together.second).mask)
        for order in self.inequalities:
            yield self._check_order(order, block)
        for formula in self.formulas:
            terms = [block.values(name) for name in formula.terms]
            yield formula.holds(block.values(formula.target), terms)
        for pair in self.fixed_combinations:
            first, second, dependent = (block.levels(name) for name in pair.columns)
            yield pair.holds(first, second, dependent)
        for implication in self.value_rules.implications:
            yield implication.holds(block.value_levels)
        for equality in self.value_rules.equalities:
            yield equality.holds(block.value_levels, block.stored)

    def _check_order(self, order: Inequality, block: Block) -> Mask:
        low, high = block.values(order.low), block.values(order.high)
        units = [self.unit(name) for name in (order.low, order.high)]
        return order.holds(*comparable(low, high, *units), either_missing(low, high))

    @cached_property
    def steps(self) -> list[Step]:
        """Column computations in an order that completes every column before it is read."""
        steps = in_order(self.formulas, self.value_rules)
        assert steps is not None
        return steps

    def unit(self, name: str) -> Fraction | None:
        """Return the unit of a column's stored integers, or None if it has no unit."""
        return unit_of(self._types[name], self.decimals.get(name))

    def writing(self, name: str) -> Writing:
        """Return the conversion of a column's integers to values, which may be missing."""
        return Writing(self._types[name], self.decimals.get(name, 0), nullable=True)

    @cached_property
    def _types(self) -> dict[str, pa.DataType]:
        return {column.name: parse_arrow_type(column.arrow_type) for column in self.schema.columns}

    @cached_property
    def _writings(self) -> dict[str, Writing]:
        return {
            name: Writing(self._types[name], self.decimals.get(name, 0), self.schema.column(name).nullable)
            for name in self.derived
        }
