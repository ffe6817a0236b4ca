"""Search for the rules of a table."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import cache
from typing import TypeVar

import pyarrow as pa

from understudy.synthesizers.rules import closure
from understudy.synthesizers.rules.columns import Columns
from understudy.synthesizers.rules.competing_formulas import settle
from understudy.synthesizers.rules.conditional_equalities import find_equalities
from understudy.synthesizers.rules.derivation_order import in_order
from understudy.synthesizers.rules.expression_search import find_expressions
from understudy.synthesizers.rules.fixed_combinations import MISSING, Levels, find_fixed_combinations
from understudy.synthesizers.rules.formulas import Formula
from understudy.synthesizers.rules.functional_dependencies import (
    FunctionalDependency,
    encode_sample,
    find_functional_dependencies,
)
from understudy.synthesizers.rules.inequalities import find_inequalities
from understudy.synthesizers.rules.linear import Linear
from understudy.synthesizers.rules.missingness import find_missingness
from understudy.synthesizers.rules.product_search import find_products
from understudy.synthesizers.rules.relations import find_linear
from understudy.synthesizers.rules.rules import Rules
from understudy.synthesizers.rules.unary import Unary, find_unary
from understudy.synthesizers.rules.value_rules import ConditionalEquality, Implication, Literal, ValueRules
from understudy.synthesizers.rules.value_search import find_implications, find_literals
from understudy.tables.schema import TableSchema

OwnFormula = TypeVar("OwnFormula", bound=Formula)


def find_rules(table: pa.Table, schema: TableSchema, columns: Columns | None = None) -> Rules:
    """Find the statistically significant rules that hold in every row of a table.

    Parameters
    ----------
    table : pyarrow.Table of shape (n_rows, n_columns)
        Rows with the columns and types of the schema. The rows are not modified.
    schema : TableSchema
        Schema of the table.
    columns : Columns, optional
        Columns of the table, if another search has already read them.

    Raises
    ------
    InvalidInput
        If a decimal number has too many digits for 64 bits.
    """
    if not table.num_rows:
        return Rules(schema)
    columns = columns or Columns(table, schema)
    sample = encode_sample(columns)
    candidates = find_linear(columns)
    lookups = find_functional_dependencies(columns, sample, without=set())
    # A column with a declared domain is sampled from the domain, because a computed sum could lie outside the
    # domain.
    bounded = {column.name for column in schema.columns if column.domain is not None}
    free = [rule for rule in candidates if rule.target not in bounded]
    linear = tuple(rule for rule in free if not _determines_its_terms(rule, lookups))
    # A term that is looked up by its sum is not also computed from the sum.
    looked_up = {name for rule in candidates if rule not in linear for name in (rule.target, *rule.terms)}
    fixed = bounded | {n for rule in lookups for n in (rule.determinant, rule.dependent)}
    linear, settled = settle(columns, linear, fixed)
    known: tuple[Formula, ...] = (*linear, *settled)
    derived = {rule.target for rule in known}
    left = [n for n in columns.names if n not in bounded | derived]
    unary = _usable(find_unary(columns, left, columns.names), known, lookups)
    derived |= {rule.target for rule in unary}
    left = [name for name in left if name not in derived]
    products = settled + _drawn_otherwise(find_products(columns, left, (*known, *unary)), lookups)
    derived |= {rule.target for rule in products}
    left = [name for name in left if name not in derived | looked_up]
    expressions = _drawn_otherwise(find_expressions(columns, left, (*linear, *unary, *products)), lookups)
    derived |= {rule.target for rule in expressions}
    # A synthesizer enforces functional dependencies only between columns that it samples.
    lookups = tuple(rule for rule in lookups if derived.isdisjoint((rule.determinant, rule.dependent)))
    implications = [
        *_implications_of((*linear, *unary, *products, *expressions)),
        *(((rule.determinant,), rule.dependent) for rule in lookups),
    ]
    pairs, levels = find_fixed_combinations(columns, sample, implications)
    orders = find_inequalities(columns, _orders_of(columns, linear) | _orders_of_unary(columns, unary))
    missing = find_missingness(columns, [name for name in columns.names if name not in derived])
    rules = Rules(schema, lookups, pairs, linear, orders, missing, levels, unary=unary, products=products)
    rules = replace(rules, expressions=expressions)
    rules = replace(rules, value_rules=find_value_rules(columns, rules, bounded))
    return replace(rules, decimals=_decimals(columns, rules))


def computable(values: ValueRules, formulas: tuple[Formula, ...]) -> ValueRules:
    """Return the value-level rules without equalities that form a cycle with the formulas."""
    kept: list[ConditionalEquality] = []
    for equality in values.equalities:
        if in_order(formulas, ValueRules((), (*kept, equality))) is not None:
            kept.append(equality)
    return replace(values, equalities=tuple(kept))


def _determines_its_terms(rule: Linear, lookups: tuple[FunctionalDependency, ...]) -> bool:
    """Return whether the target determines every term, so that looking up the terms preserves the sum.

    Such a target encodes its terms, as a clock time encodes hours and minutes, so the target itself is
    sampled.
    """
    return all(FunctionalDependency(rule.target, term) in lookups for term in rule.terms)


def _implications_of(formulas: tuple[Formula, ...]) -> list[closure.Implication]:
    """Return the implications of formulas. In an equation, all other columns together determine each column.

    In other formulas, the terms together determine only the target.
    """
    equations = [(rule.target, *rule.terms) for rule in formulas if isinstance(rule, Linear)]
    return [(rule.terms, rule.target) for rule in formulas if not isinstance(rule, Linear)] + [
        (tuple(other for other in columns if other != name), name)
        for columns in equations
        for name in columns
    ]


def _usable(
    unary: tuple[Unary, ...], known: tuple[Formula, ...], lookups: tuple[FunctionalDependency, ...]
) -> tuple[Unary, ...]:
    """Return the unary rules that can be computed and whose target does not determine the source."""
    kept: list[Unary] = []
    for rule in unary:
        is_open = in_order((*kept, rule, *known), ValueRules()) is not None
        if is_open and FunctionalDependency(rule.target, rule.terms[0]) not in lookups:
            kept.append(rule)
    return tuple(kept)


def _drawn_otherwise(
    rules: tuple[OwnFormula, ...], lookups: tuple[FunctionalDependency, ...]
) -> tuple[OwnFormula, ...]:
    """Return the rules, except those whose target determines all terms.

    In the omitted rules, the target is sampled, and the terms are looked up by the target.
    """
    return tuple(
        rule
        for rule in rules
        if not all(FunctionalDependency(rule.target, term) in lookups for term in rule.terms)
    )


def _orders_of(columns: Columns, linear: tuple[Linear, ...]) -> set[tuple[str, str]]:
    """Return the inequalities that follow because no term exceeds a sum of nonnegative terms."""
    kept = set()
    for rule in linear:
        is_exact = rule.step == 1 or rule.divisor == 1
        is_grown = rule.offset >= 0 and is_exact and all(factor > 0 for factor in rule.factors)
        lowest = {name: int(columns.all(name).numbers.min(initial=0)) for name in rule.terms}
        for term, factor in zip(rule.terms, rule.factors, strict=True):
            is_nothing_lost = all(low >= 0 for name, low in lowest.items() if name != term)
            scale = Fraction(factor * rule.step, rule.divisor) * (columns.unit(rule.target) or 0)
            is_whole = factor % rule.divisor == 0 and scale == columns.unit(term)
            if is_grown and is_nothing_lost and is_whole:
                kept.add((term, rule.target))
    return kept


def _orders_of_unary(columns: Columns, unary: tuple[Unary, ...]) -> set[tuple[str, str]]:
    """Return the inequalities that follow because no number exceeds its absolute value or positive part."""
    kept = set()
    for rule in unary:
        own, (source,) = rule.linear, rule.terms
        units = columns.unit(source), columns.unit(rule.target)
        scale = Fraction(own.factors[0], own.divisor) * (units[1] or 0) / (units[0] or 1)
        is_grown = own.offset >= 0 and own.step == 1 and own.factors[0] % own.divisor == 0 and scale >= 1
        if is_grown and rule.function in ("absolute", "positive"):
            kept.add((source, rule.target))
    return kept


def find_value_rules(columns: Columns, rules: Rules, bounded: set[str]) -> ValueRules:
    """Return the value-level rules of the columns that no formula computes.

    Parameters
    ----------
    bounded : set of str
        Names of columns that must not be set to the value of another column.
    """
    names = [name for name in columns.names if name not in rules.derived]
    candidates = find_literals(columns, names)
    if not candidates.literals:
        return ValueRules()
    implications = find_implications(columns, candidates, rules.functional_dependencies)
    looked_up = {n for rule in rules.functional_dependencies for n in (rule.determinant, rule.dependent)}
    targets = [n for n in names if n not in bounded | looked_up | set(rules.levels)]
    equalities = find_equalities(columns, candidates, targets, columns.names)
    levels = {name: own.values for name, own in candidates.leveled.items()}
    found = ValueRules(tuple(implications), tuple(equalities), levels)
    return with_used_levels(computable(found, rules.formulas))


def with_used_levels(rules: ValueRules) -> ValueRules:
    """Return the rules without the levels that occur in no literal."""
    literals = [one for rule in rules.implications for one in (rule.condition, rule.consequence)]
    literals += [rule.condition for rule in rules.equalities]
    used: dict[str, list[int]] = {}
    for literal in literals:
        used.setdefault(literal.column, []).append(literal.level)
    numbers = {
        name: {level: i + 1 for i, level in enumerate(sorted(set(own) - {MISSING}))} | {MISSING: MISSING}
        for name, own in used.items()
    }
    levels = {
        name: Levels(rules.levels[name].keys.take(pa.array([n - 1 for n in own if n != MISSING], pa.int64())))
        for name, own in numbers.items()
    }

    @cache
    def renumbered(literal: Literal) -> Literal:
        return Literal(literal.column, numbers[literal.column][literal.level], literal.is_negated)

    return ValueRules(
        tuple(Implication(renumbered(r.condition), renumbered(r.consequence)) for r in rules.implications),
        tuple(replace(r, condition=renumbered(r.condition)) for r in rules.equalities),
        levels,
    )


def _decimals(columns: Columns, rules: Rules) -> dict[str, int]:
    names = {name for rule in rules.formulas for name in (rule.target, *rule.terms)}
    names |= {name for rule in rules.inequalities for name in (rule.low, rule.high)}
    names |= set(rules.levels) | set(rules.value_rules.levels)
    found = {name: columns.decimals(name) for name in sorted(names)}
    return {name: decimals for name, decimals in found.items() if decimals is not None}
