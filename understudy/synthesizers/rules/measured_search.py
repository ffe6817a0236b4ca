"""Search for the differences and ratios that are learned as columns."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa

from understudy.synthesizers.rules.columns import Columns
from understudy.synthesizers.rules.derivation_order import in_order
from understudy.synthesizers.rules.differences import Derivation, find_derivations
from understudy.synthesizers.rules.ratio_search import RatioDerivation, find_ratios
from understudy.synthesizers.rules.rules import Rules
from understudy.synthesizers.rules.search import computable
from understudy.synthesizers.rules.value_rules import ValueRules
from understudy.tables.schema import Column, ColumnKind, TableSchema


def add_measured(rules: Rules, table: pa.Table, columns: Columns | None = None) -> Rules:
    """Return the rules, extended by columns that are derived from other columns and a difference or a ratio.

    Parameters
    ----------
    rules : Rules
        Rules of the table, without differences and ratios.
    table : pyarrow.Table of shape (n_rows, n_columns)
        Rows with the columns and types of the schema. The rows are not modified.
    columns : Columns, optional
        Columns of the table, if another search has already read them.
    """
    columns = columns or Columns(table, rules.schema)
    # These columns cannot be derived: looked-up columns are sampled as codes, and columns with a declared
    # domain are sampled from that domain.
    fixed = {column.name for column in rules.schema.columns if column.domain is not None}
    fixed |= {n for rule in rules.functional_dependencies for n in (rule.determinant, rule.dependent)}
    excluded = set(rules.derived) | set(rules.levels)
    differences = _computable_differences(find_derivations(columns, fixed, excluded), rules)
    pairs = {frozenset(own.rule.terms[:1]) | {own.rule.target}: own for own in differences.values()}
    ratios: dict[str, RatioDerivation] = {}
    for own in find_ratios(columns, fixed, excluded, set(pairs)):
        rival = pairs.get(frozenset((own.rule.target, *own.ratio.bases)))
        others = {target: one for target, one in differences.items() if one is not rival}
        formulas = [one.rule for one in ratios.values()] + [one.rule for one in others.values()]
        is_free = own.rule.target not in {*ratios, *others}
        if is_free and in_order([*formulas, own.rule, *rules.formulas], ValueRules()) is not None:
            differences, ratios[own.rule.target] = others, own
    return _extend(rules, tuple(differences.values()), tuple(ratios.values()))


def _computable_differences(found: tuple[Derivation, ...], rules: Rules) -> dict[str, Derivation]:
    """Return the differences that do not form a cycle with the formulas of the table, by target."""
    kept: dict[str, Derivation] = {}
    for own in found:
        formulas = (*(one.rule for one in kept.values()), own.rule, *rules.formulas)
        if in_order(formulas, ValueRules()) is not None:
            kept[own.rule.target] = own
    return kept


def _extend(rules: Rules, differences: tuple[Derivation, ...], ratios: tuple[RatioDerivation, ...]) -> Rules:
    if not differences and not ratios:
        return rules
    added = [
        Column(name=own.difference.name, kind=ColumnKind.integer, arrow_type="int64", nullable=True)
        for own in differences
    ]
    added += [
        Column(name=own.ratio.name, kind=ColumnKind.decimal, arrow_type="double", nullable=True)
        for own in ratios
    ]
    linear, products = tuple(own.rule for own in differences), tuple(own.rule for own in ratios)
    decimals = {name: n for own in differences for name, n in own.decimals.items()}
    decimals |= {name: n for own in ratios for name, n in own.decimals.items()}
    return replace(
        rules,
        schema=TableSchema(columns=(*rules.schema.columns, *added)),
        value_rules=computable(rules.value_rules, (*linear, *products, *rules.formulas)),
        linear=linear + rules.linear,
        products=products + rules.products,
        decimals=dict(rules.decimals) | decimals,
        differences=tuple(own.difference for own in differences),
        ratios=tuple(own.ratio for own in ratios),
    )
