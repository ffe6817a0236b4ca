"""The rules of a table: search, check, computation of derived columns, and description."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from understudy.synthesizers.rules.closure import Implication
from understudy.synthesizers.rules.columns import Columns
from understudy.synthesizers.rules.differences import Difference, find_derivations, measure
from understudy.synthesizers.rules.fixed_combinations import FixedCombination, Levels, find_fixed_combinations
from understudy.synthesizers.rules.functional_dependencies import (
    FunctionalDependency,
    encode_sample,
    find_functional_dependencies,
)
from understudy.synthesizers.rules.inequalities import (
    Inequality,
    comparable,
    either_missing,
    find_inequalities,
)
from understudy.synthesizers.rules.linear import Linear, Writing, limits
from understudy.synthesizers.rules.missingness import Missingness, find_missingness
from understudy.synthesizers.rules.relations import find_linear
from understudy.synthesizers.rules.values import Values, read_values, unit_of
from understudy.tables.arrow_types import parse_arrow_type
from understudy.tables.schema import Column, ColumnKind, TableSchema
from understudy.transformers.base import ArrowArray, Mask

Arrays = dict[str, ArrowArray]


@dataclass(frozen=True)
class Rules:
    """Rules that hold in every row of a table.

    Parameters
    ----------
    schema : TableSchema
        Schema of the table, with the columns of differences after its own columns.
    functional_dependencies : tuple of FunctionalDependency
        Functional dependencies, which contain only column names. The synthesizer learns the values.
    fixed_combinations : tuple of FixedCombination
        Columns that two other columns determine together.
    linear : tuple of Linear
        Linear rules, in an order in which the targets can be computed.
    inequalities : tuple of Inequality
        Pairs of columns in which one value never exceeds the other.
    missingness : tuple of Missingness
        Columns whose values are missing together.
    levels : mapping of column name to Levels
        Levels of the columns in `fixed_combinations`.
    decimals : mapping of column name to int
        Number of decimal places of float columns. Columns of other types, and float columns with too many
        decimal places, are absent unless they are in `differences`.
    differences : tuple of Difference
        Columns that are derived from another column and the difference between the two columns. `linear`
        contains the derivations.
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

    @property
    def derived(self) -> tuple[str, ...]:
        """Names of the columns that linear rules compute, in the order of the rules."""
        return tuple(rule.target for rule in self.linear)

    def derive(self, columns: Mapping[str, ArrowArray]) -> Arrays:
        """Return the columns with the derived columns added or replaced, each in its exact type.

        Parameters
        ----------
        columns : mapping of column name to pyarrow.Array
            All other columns of one block, with the types of the schema.
        """
        block = _Block(self, dict(columns))
        for rule in self.linear:
            terms = [block.values(name) for name in rule.terms]
            block.add(rule.target, rule.derive(terms, self._writings[rule.target]))
        return block.arrays

    def measure(self, columns: Mapping[str, ArrowArray]) -> Arrays:
        """Return the differences of rows by name.

        A difference is missing where one of its columns is missing.

        Parameters
        ----------
        columns : mapping of column name to pyarrow.Array
            Columns of the table, with the types of the schema.
        """
        block = _Block(self, dict(columns))
        factors = {rule.target: rule.factors[0] for rule in self.linear}
        measured: Arrays = {}
        for own in self.differences:
            values = block.values(own.target), block.values(own.base)
            numbers, missing = measure(*values, factors[own.target])
            measured[own.name] = pa.array(numbers, pa.int64(), mask=missing)
        return measured

    def add(self, difference: Difference, base: ArrowArray, numbers: ArrowArray) -> ArrowArray:
        """Return the sums of a base and its difference, in the type of the derived column."""
        block = _Block(self, {difference.base: base, difference.name: numbers})
        rule = next(rule for rule in self.linear if rule.target == difference.target)
        terms = [block.values(name) for name in rule.terms]
        return rule.derive(terms, self._writings[rule.target])

    def recover(self, columns: Mapping[str, ArrowArray], differences: Mapping[str, ArrowArray]) -> Arrays:
        """Return incomplete rows with their differences, and with missing bases computed from their targets.

        Parameters
        ----------
        columns : mapping of column name to pyarrow.Array
            Columns of the table, with the types of the schema.
        differences : mapping of column name to pyarrow.Array
            Differences that are assumed where the base is missing.
        """
        block = _Block(self, dict(columns))
        factors = {rule.target: rule.factors[0] for rule in self.linear}
        # The order is reversed, because a base can itself be the target of an earlier difference.
        for own in reversed(self.differences):
            target, base, factor = block.values(own.target), block.values(own.base), factors[own.target]
            numbers, missing = measure(target, base, factor)
            assumed = read_values(own.name, differences[own.name], None)
            block.add(own.name, pa.array(numbers, pa.int64(), mask=missing))
            gaps = base.mask & ~target.mask & ~assumed.mask
            if gaps.any():
                # If the base has a coarser unit, the nearest value in that unit is used.
                rest = target.numbers.astype(np.int64) - assumed.numbers
                whole = (rest + factor // 2) // factor
                writing = Writing(self._types[own.base], self.decimals.get(own.base, 0), nullable=True)
                filled = np.clip(
                    np.where(gaps, whole, base.numbers), *limits(writing.type_, writing.decimals)
                )
                block.add(own.base, writing.write(filled, base.mask & ~gaps))
        return block.arrays

    def holds(self, columns: Mapping[str, ArrowArray]) -> Mask:
        """Return which rows satisfy all rules, except functional dependencies, which are not checked.

        Parameters
        ----------
        columns : mapping of column name to pyarrow.Array
            All columns of one block, with the types of the schema.
        """
        block = _Block(self, dict(columns))
        n_rows = len(next(iter(columns.values())))
        kept = np.ones(n_rows, np.bool_)
        for mask in self._checks(block):
            kept &= mask
        return kept

    def describe(self) -> list[str]:
        """Return every rule as a sentence, without values of the table. Differences are not rules."""
        decimals = dict(self.decimals)
        by_difference = {own.target for own in self.differences}
        sums = [r.describe(self._types, decimals) for r in self.linear if r.target not in by_difference]
        lookups = [rule.describe() for rule in self.functional_dependencies] + [
            rule.describe() for rule in self.fixed_combinations
        ]
        orders = [rule.describe() for rule in self.inequalities] + [
            rule.describe() for rule in self.missingness
        ]
        return sums + lookups + orders

    def _checks(self, block: _Block) -> Iterator[Mask]:
        """Yield the mask of rows that satisfy each rule."""
        for together in self.missingness:
            yield together.holds(block.values(together.first).mask, block.values(together.second).mask)
        for order in self.inequalities:
            yield self._check_order(order, block)
        for linear in self.linear:
            terms = [block.values(name) for name in linear.terms]
            yield linear.holds(block.values(linear.target), terms)
        for pair in self.fixed_combinations:
            first, second, dependent = (block.levels(name) for name in pair.columns)
            yield pair.holds(first, second, dependent)

    def _check_order(self, order: Inequality, block: _Block) -> Mask:
        low, high = block.values(order.low), block.values(order.high)
        units = [unit_of(self._types[name], self.decimals.get(name)) for name in (order.low, order.high)]
        return order.holds(*comparable(low, high, *units), either_missing(low, high))

    @cached_property
    def _types(self) -> dict[str, pa.DataType]:
        return {column.name: parse_arrow_type(column.arrow_type) for column in self.schema.columns}

    @cached_property
    def _writings(self) -> dict[str, Writing]:
        return {
            name: Writing(self._types[name], self.decimals.get(name, 0), self.schema.column(name).nullable)
            for name in self.derived
        }


class _Block:
    """A block of rows whose column values are cached."""

    def __init__(self, rules: Rules, arrays: Arrays) -> None:
        self.rules, self.arrays = rules, arrays
        self._values: dict[str, Values] = {}
        self._levels: dict[str, npt.NDArray[np.int32]] = {}

    def add(self, name: str, array: ArrowArray) -> None:
        """Add a column, or replace it."""
        self.arrays[name] = array
        self._values.pop(name, None)

    def values(self, name: str) -> Values:
        """Return the values of a column."""
        if name not in self._values:
            self._values[name] = read_values(name, self.arrays[name], self.rules.decimals.get(name))
        return self._values[name]

    def levels(self, name: str) -> npt.NDArray[np.int32]:
        """Return the levels of a column's values."""
        if name not in self._levels:
            self._levels[name] = self.rules.levels[name].find(self.values(name))
        return self._levels[name]


def find_rules(table: pa.Table, schema: TableSchema) -> Rules:
    """Find the statistically significant rules that hold in every row of a table.

    Parameters
    ----------
    table : pyarrow.Table of shape (n_rows, n_columns)
        Rows with the columns and types of the schema. Not modified.
    schema : TableSchema
        Schema of the table.

    Raises
    ------
    InvalidInput
        If a decimal number has too many digits for 64 bits.
    """
    if not table.num_rows:
        return Rules(schema)
    columns = Columns(table, schema)
    sample = encode_sample(columns)
    candidates = find_linear(columns)
    lookups = find_functional_dependencies(columns, sample, without=set())
    # A column with a declared domain is drawn from that domain, because a sum could lie outside it.
    bounded = {column.name for column in schema.columns if column.domain is not None}
    linear = tuple(r for r in candidates if not _determines_its_terms(r, lookups) and r.target not in bounded)
    derived = {rule.target for rule in linear}
    # A synthesizer enforces functional dependencies only between columns that it draws.
    lookups = tuple(rule for rule in lookups if derived.isdisjoint((rule.determinant, rule.dependent)))
    implications = [*_implications_of(linear), *(((rule.determinant,), rule.dependent) for rule in lookups)]
    pairs, levels = find_fixed_combinations(columns, sample, implications)
    orders = find_inequalities(columns, _orders_of(columns, linear))
    missing = find_missingness(columns, [name for name in columns.names if name not in derived])
    return Rules(
        schema,
        lookups,
        pairs,
        linear,
        orders,
        missing,
        levels,
        _decimals(columns, linear, orders, levels),
    )


def add_differences(rules: Rules, table: pa.Table) -> Rules:
    """Return the rules, extended by columns that are derived from other columns and tight differences.

    Parameters
    ----------
    rules : Rules
        Rules of the table, without differences.
    table : pyarrow.Table of shape (n_rows, n_columns)
        Rows with the columns and types of the schema. Not modified.
    """
    columns = Columns(table, rules.schema)
    # Looked-up columns are drawn as codes, and a column with a declared domain is drawn from that domain.
    fixed = {column.name for column in rules.schema.columns if column.domain is not None}
    fixed |= {n for rule in rules.functional_dependencies for n in (rule.determinant, rule.dependent)}
    derivations = find_derivations(columns, fixed, set(rules.derived) | set(rules.levels))
    if not derivations:
        return rules
    added = tuple(
        Column(
            name=own.difference.name,
            kind=ColumnKind.integer,
            arrow_type="int64",
            nullable=True,
        )
        for own in derivations
    )
    return replace(
        rules,
        schema=TableSchema(columns=rules.schema.columns + added),
        linear=tuple(own.rule for own in derivations) + rules.linear,
        decimals=dict(rules.decimals) | {n: d for own in derivations for n, d in own.decimals.items()},
        differences=tuple(own.difference for own in derivations),
    )


def _determines_its_terms(rule: Linear, lookups: tuple[FunctionalDependency, ...]) -> bool:
    """Return whether the target determines every term, so that looking up the terms preserves the sum.

    Such a column, for example a clock time of hours and minutes, encodes its terms, so it is drawn.
    """
    return all(FunctionalDependency(rule.target, term) in lookups for term in rule.terms)


def _implications_of(linear: tuple[Linear, ...]) -> list[Implication]:
    """Return the implications of linear rules: all columns of a rule except one determine that one."""
    equations = [(rule.target, *rule.terms) for rule in linear]
    return [
        (tuple(other for other in columns if other != name), name)
        for columns in equations
        for name in columns
    ]


def _orders_of(columns: Columns, linear: tuple[Linear, ...]) -> set[tuple[str, str]]:
    """Return the inequalities that follow because no term exceeds a sum of nonnegative terms."""
    kept = set()
    for rule in linear:
        is_grown = rule.offset >= 0 and rule.step == 1 and all(factor > 0 for factor in rule.factors)
        lowest = {name: int(columns.all(name).numbers.min(initial=0)) for name in rule.terms}
        for term, factor in zip(rule.terms, rule.factors, strict=True):
            is_nothing_lost = all(low >= 0 for name, low in lowest.items() if name != term)
            is_whole = factor == rule.divisor and columns.unit(term) == columns.unit(rule.target)
            if is_grown and is_nothing_lost and is_whole:
                kept.add((term, rule.target))
    return kept


def _decimals(
    columns: Columns, linear: tuple[Linear, ...], orders: tuple[Inequality, ...], levels: Mapping[str, Levels]
) -> dict[str, int]:
    names = {name for rule in linear for name in (rule.target, *rule.terms)}
    names |= {name for rule in orders for name in (rule.low, rule.high)} | set(levels)
    found = {name: columns.decimals(name) for name in sorted(names)}
    return {name: decimals for name, decimals in found.items() if decimals is not None}
