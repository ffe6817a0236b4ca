"""Conversion of rules to and from JSON and plain arrays. The content of files is untrusted."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from understudy.synthesizers.rules.differences import Difference
from understudy.synthesizers.rules.fixed_combinations import N_VALUES_MAX, FixedCombination, Levels
from understudy.synthesizers.rules.functional_dependencies import FunctionalDependency
from understudy.synthesizers.rules.inequalities import Inequality
from understudy.synthesizers.rules.linear import SUM_MAX, Linear, Ties
from understudy.synthesizers.rules.missingness import Missingness
from understudy.synthesizers.rules.rules import Rules
from understudy.synthesizers.rules.values import comparable_kind, is_text, unit_of
from understudy.tables.schema import TableSchema
from understudy.transformers.array_reader import ArrayReader, refuse, require
from understudy.transformers.base import Json
from understudy.transformers.numeric import N_DECIMALS_MAX

Types = dict[str, pa.DataType]


def rules_to_arrays(rules: Rules) -> tuple[Json, dict[str, npt.NDArray[Any]]]:
    """Return the rules as JSON and arrays."""
    arrays: dict[str, npt.NDArray[Any]] = {
        f"pair_{i}": pair.combinations for i, pair in enumerate(rules.fixed_combinations)
    }
    levels: list[Json] = []
    for i, (name, own) in enumerate(rules.levels.items()):
        if is_text(own.keys.type):
            levels.append({"column": name, "texts": own.keys.to_pylist()})
        else:
            levels.append({"column": name})
            arrays[f"levels_{i}"] = own.keys.to_numpy()
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
    }
    return manifest, arrays


def load_rules(reader: ArrayReader, schema: TableSchema, differences: tuple[Difference, ...] = ()) -> Rules:
    """Return the rules that `rules_to_arrays` converted.

    Raises
    ------
    InvalidInput
        If a column is unknown or has a type that the rule does not support, or if a value is missing, out of
        range, or of an unexpected type. Also if a target is computed twice, or after a rule that needs it.
    """
    types = {field.name: field.type for field in schema.to_arrow()}
    decimals = {_column(part, "column", types): part for part in _parts(reader, "decimals")}
    counted = {name: _decimals(part, types[name]) for name, part in decimals.items()}
    levels: dict[str, Levels] = {}
    for i, part in enumerate(_parts(reader, "levels")):
        name = _column(part, "column", types)
        levels[name] = _levels(reader, part, i, types[name], is_decimal=name in counted)
    linear = tuple(_linear(part, types, counted) for part in _parts(reader, "linear"))
    _check_derivation(linear)
    _check_differences(linear, differences)
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
        raise refuse("a rule has an unknown column")
    return name


def _different(part: ArrayReader, keys: tuple[str, ...], types: Types) -> tuple[str, ...]:
    names = tuple(_column(part, key, types) for key in keys)
    require(len(set(names)) == len(names), "a rule contains a column twice")
    return names


def _decimals(part: ArrayReader, type_: pa.DataType) -> int:
    require(pa.types.is_floating(type_), "a column with a number of decimals is not a float column")
    return part.whole("decimals", 0, N_DECIMALS_MAX)


def _levels(
    reader: ArrayReader, part: ArrayReader, i: int, type_: pa.DataType, *, is_decimal: bool
) -> Levels:
    if is_text(type_):
        try:
            return Levels(pa.array(part.texts("texts"), type_))
        except (pa.ArrowInvalid, UnicodeEncodeError) as error:
            raise refuse("levels do not fit the type of their column") from error
    is_float = pa.types.is_floating(type_) and not is_decimal
    dtype = np.float64 if is_float else np.uint64 if pa.types.is_uint64(type_) else np.int64
    return Levels(pa.array(reader.array(f"levels_{i}", dtype, (None,))))


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
    require(isinstance(factors, list) and len(factors) == len(terms), "a sum has a wrong number of factors")
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


def _check_derivation(linear: tuple[Linear, ...]) -> None:
    """Raise an error if a target is computed twice, or after a rule that uses it as a term."""
    waiting = [rule.target for rule in linear]
    require(len(set(waiting)) == len(waiting), "a column is computed twice")
    for i, rule in enumerate(linear):
        require(set(waiting[i:]).isdisjoint(rule.terms), "a term is computed after the sum")


def _check_differences(linear: tuple[Linear, ...], differences: tuple[Difference, ...]) -> None:
    """Raise an error unless each difference has a rule that adds it to its base."""
    sums = {(rule.target, rule.terms, rule.factors[1:], rule.offset, rule.divisor) for rule in linear}
    for own in differences:
        is_added = (own.target, (own.base, own.name), (1,), 0, 1) in sums
        require(is_added, "a difference is not a term of its target")


def _inequality(part: ArrayReader, types: Types) -> Inequality:
    low, high = _different(part, ("low", "high"), types)
    kind = comparable_kind(types[low])
    require(
        kind != "" and kind == comparable_kind(types[high]), "an inequality has columns of different kinds"
    )
    return Inequality(low, high, part.truth("is_strict"))
