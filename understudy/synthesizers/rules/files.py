"""Conversion of rules to and from JSON and plain arrays. The content of files is untrusted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from understudy.synthesizers.rules.derivation_order import in_order
from understudy.synthesizers.rules.differences import Difference
from understudy.synthesizers.rules.fixed_combinations import N_VALUES_MAX, FixedCombination, Levels
from understudy.synthesizers.rules.formula_files import (
    expressions_to_json,
    load_expressions,
    load_products,
    load_unary,
    products_to_json,
)
from understudy.synthesizers.rules.formulas import Formula
from understudy.synthesizers.rules.functional_dependencies import FunctionalDependency
from understudy.synthesizers.rules.inequalities import Inequality
from understudy.synthesizers.rules.linear import SUM_MAX, Linear, Ties
from understudy.synthesizers.rules.missingness import Missingness
from understudy.synthesizers.rules.products import Product
from understudy.synthesizers.rules.ratios import Ratio, rule_of
from understudy.synthesizers.rules.rules import Rules
from understudy.synthesizers.rules.value_files import load_value_rules, value_rules_to_arrays
from understudy.synthesizers.rules.value_rules import ValueRules
from understudy.synthesizers.rules.values import is_text, order_kind, unit_of
from understudy.tables.schema import TableSchema
from understudy.transformers.array_reader import ArrayReader, refuse, require
from understudy.transformers.base import Json
from understudy.transformers.scale import N_DECIMALS_MAX

Types = dict[str, pa.DataType]


def rules_to_arrays(rules: Rules) -> tuple[Json, dict[str, npt.NDArray[Any]]]:
    """Return the rules as JSON and arrays."""
    arrays: dict[str, npt.NDArray[Any]] = {
        f"pair_{i}": pair.combinations for i, pair in enumerate(rules.fixed_combinations)
    }
    levels: list[Json] = []
    for i, (name, own) in enumerate(rules.levels.items()):
        entry, parts = _write_levels(name, own, f"levels_{i}")
        levels.append(entry)
        arrays |= parts
    value_rules, parts = value_rules_to_arrays(rules.value_rules, _write_levels)
    arrays |= parts
    manifest: Json = {
        "lookups": [{"by": rule.determinant, "of": rule.dependent} for rule in rules.functional_dependencies],
        "pairs": [
            {"first": rule.first, "second": rule.second, "of": rule.dependent}
            for rule in rules.fixed_combinations
        ],
        "linear": [_linear_to_json(rule) for rule in rules.linear],
        "orders": [{"low": r.low, "high": r.high, "is_strict": r.is_strict} for r in rules.inequalities],
        "missing": [
            {"first": r.first, "second": r.second, "is_mutual": r.is_mutual} for r in rules.missingness
        ],
        "levels": levels,
        "decimals": [{"column": name, "decimals": n} for name, n in rules.decimals.items()],
        "value_rules": value_rules,
        "unary": [{"function": r.function, "linear": _linear_to_json(r.linear)} for r in rules.unary],
        "products": products_to_json(rules.products),
    }
    if rules.expressions:
        manifest["expressions"] = expressions_to_json(rules.expressions)
    return manifest, arrays


def load_rules(
    reader: ArrayReader,
    schema: TableSchema,
    differences: tuple[Difference, ...] = (),
    ratios: tuple[Ratio, ...] = (),
) -> Rules:
    """Return the rules that `rules_to_arrays` converted.

    Raises
    ------
    InvalidInput
        If a column is unknown or has a type that the rule does not support, or if a value is missing, out of
        range, or of an unexpected type. The error is also raised if a target is computed twice, or after a
        rule that needs the target.
    """
    types = {field.name: field.type for field in schema.to_arrow()}
    decimals = {_column(part, "column", types): part for part in _parts(reader, "decimals")}
    counted = {name: _decimals(part, types[name]) for name, part in decimals.items()}
    levels: dict[str, Levels] = {}

    def read_levels(part: ArrayReader, name: str, array: str) -> Levels:
        return _levels(part, array, types[name], is_decimal=name in counted)

    for i, part in enumerate(_parts(reader, "levels")):
        name = _column(part, "column", types)
        levels[name] = read_levels(part, name, f"levels_{i}")
    linear = tuple(_linear(part, types, counted) for part in _parts(reader, "linear"))
    value_rules = load_value_rules(reader, types, read_levels)
    unary = load_unary(reader, lambda part: _linear(part, types, counted))
    products = load_products(reader, types, counted)
    expressions = load_expressions(reader, types, counted)
    _check_derivation(linear, (*unary, *products, *expressions), value_rules)
    _check_differences(linear, differences)
    _check_ratios(products, ratios)
    return Rules(
        schema,
        tuple(
            FunctionalDependency(*_different(part, ("by", "of"), types)) for part in _parts(reader, "lookups")
        ),
        tuple(
            _fixed_combination(reader, part, i, types, levels)
            for i, part in enumerate(_parts(reader, "pairs"))
        ),
        linear,
        tuple(_inequality(part, types) for part in _parts(reader, "orders")),
        tuple(
            Missingness(first, second, part.truth("is_mutual"))
            for part in _parts(reader, "missing")
            for first, second in [_different(part, ("first", "second"), types)]
        ),
        levels,
        counted,
        differences,
        value_rules,
        unary,
        products,
        ratios,
        expressions,
    )


def _linear_to_json(rule: Linear) -> Json:
    return {
        "target": rule.target,
        "terms": list(rule.terms),
        "factors": list(rule.factors),
        "offset": rule.offset,
        "divisor": rule.divisor,
        "step": rule.step,
        "ties": rule.ties,
        "is_nonnegative": rule.is_nonnegative,
    }


def _parts(reader: ArrayReader, key: str) -> list[ArrayReader]:
    value = reader.manifest.get(key)
    require(isinstance(value, list), f"{key} is not a list")
    assert isinstance(value, list)
    return [reader.part(part, reader.prefix) for part in value]


def _column(part: ArrayReader, key: str, types: Types) -> str:
    name = part.manifest.get(key)
    if not isinstance(name, str) or name not in types:
        raise refuse("a rule refers to an unknown column")
    return name


def _different(part: ArrayReader, keys: tuple[str, ...], types: Types) -> tuple[str, ...]:
    names = tuple(_column(part, key, types) for key in keys)
    require(len(set(names)) == len(names), "a rule contains a column twice")
    return names


def _decimals(part: ArrayReader, type_: pa.DataType) -> int:
    require(pa.types.is_floating(type_), "a column with a number of decimals is not a float column")
    return part.whole("decimals", 0, N_DECIMALS_MAX)


def _write_levels(name: str, levels: Levels, array: str) -> tuple[Json, dict[str, npt.NDArray[Any]]]:
    """Return the levels of a column as JSON, and as an array with the given name."""
    if is_text(levels.keys.type):
        return {"column": name, "texts": levels.keys.to_pylist()}, {}
    return {"column": name}, {array: levels.keys.to_numpy()}


def _levels(part: ArrayReader, array: str, type_: pa.DataType, *, is_decimal: bool) -> Levels:
    if is_text(type_):
        try:
            return Levels(pa.array(part.texts("texts"), type_))
        except (pa.ArrowInvalid, UnicodeEncodeError) as error:
            raise refuse("levels do not fit the type of their column") from error
    is_float = pa.types.is_floating(type_) and not is_decimal
    dtype = np.float64 if is_float else np.uint64 if pa.types.is_uint64(type_) else np.int64
    return Levels(pa.array(part.array(array, dtype, (None,))))


def _fixed_combination(
    reader: ArrayReader, part: ArrayReader, i: int, types: Types, levels: dict[str, Levels]
) -> FixedCombination:
    names = first, second, dependent = _different(part, ("first", "second", "of"), types)
    require(all(name in levels for name in names), "a fixed combination has a column without levels")
    combinations = reader.array(f"pair_{i}", np.int32, (None, 3))
    require(len(combinations) > 0, "a fixed combination has no rows")
    highest = [len(levels[name].keys) for name in names]
    in_range = (combinations >= 0).all() and (combinations <= highest).all()
    require(bool(in_range), "a level of a fixed combination is out of range")
    require(max(highest[:2]) <= N_VALUES_MAX, "a column of a fixed combination has too many levels")
    return FixedCombination(first, second, dependent, combinations)


def _linear(part: ArrayReader, types: Types, decimals: dict[str, int]) -> Linear:
    target = _column(part, "target", types)
    terms, factors = part.texts("terms"), part.manifest.get("factors")
    require(0 < len(terms) == len({*terms, target}) - 1, "a sum has no terms, or contains a column twice")
    for name in (target, *terms):
        has_unit = name in types and unit_of(types[name], decimals.get(name)) is not None
        require(has_unit, "a sum has a column that is not numeric")
    require(isinstance(factors, list) and len(factors) == len(terms), "a sum has the wrong number of factors")
    assert isinstance(factors, list)
    require(all(type(f) is int and 0 < abs(f) < SUM_MAX for f in factors), "a factor is out of range")
    ties = part.manifest.get("ties")
    require(ties in get_args(Ties), "the rounding mode for ties is unknown")
    return Linear(
        target,
        tuple(terms),
        tuple(factors),
        part.whole("offset", -SUM_MAX, SUM_MAX),
        part.whole("divisor", 1, SUM_MAX),
        part.whole("step", 1, SUM_MAX),
        ties,  # type: ignore[arg-type]  # checked above
        part.truth("is_nonnegative"),
    )


def _check_derivation(
    linear: tuple[Linear, ...], formulas: tuple[Formula, ...], value_rules: ValueRules
) -> None:
    """Raise an error if a target is computed twice, or depends on itself."""
    targets = [rule.target for rule in linear]
    others = [rule.target for rule in formulas]
    is_once = len({*targets, *others}) == len(targets) + len(others)
    require(is_once, "a column is computed twice")
    for i, rule in enumerate(linear):
        require(set(targets[i:]).isdisjoint(rule.terms), "a sum is computed before one of its terms")
    require(in_order((*formulas, *linear), value_rules) is not None, "a column is computed from itself")


def _check_differences(linear: tuple[Linear, ...], differences: tuple[Difference, ...]) -> None:
    """Raise an error unless each difference has a rule that adds it to its base."""
    sums = {(rule.target, rule.terms, rule.factors[1:], rule.offset, rule.divisor) for rule in linear}
    for own in differences:
        is_added = (own.target, (own.base, own.name), (1,), 0, 1) in sums
        require(is_added, "a difference is not a term of its target")


def _check_ratios(products: tuple[Product, ...], ratios: tuple[Ratio, ...]) -> None:
    """Raise an error unless each ratio has a rule that multiplies it by its bases."""
    for own in ratios:
        rule = next((rule for rule in products if rule.target == own.target), None)
        require(
            rule is not None
            and rule.terms == (*own.bases, own.name)
            and replace(rule, ties="float")
            == rule_of(own.name, own.target, rule.factors[:-1], rule.unit, rule.step),
            "a ratio is not a factor of its target",
        )


def _inequality(part: ArrayReader, types: Types) -> Inequality:
    low, high = _different(part, ("low", "high"), types)
    kind = order_kind(types[low])
    require(kind != "" and kind == order_kind(types[high]), "an inequality has columns of different kinds")
    return Inequality(low, high, part.truth("is_strict"))
