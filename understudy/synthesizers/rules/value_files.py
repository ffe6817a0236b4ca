"""Conversion of value-level rules to and from JSON and plain arrays. The content of files is untrusted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy.typing as npt
import pyarrow as pa

from understudy.synthesizers.rules.fixed_combinations import Levels
from understudy.synthesizers.rules.value_rules import ConditionalEquality, Implication, Literal, ValueRules
from understudy.transformers.array_reader import ArrayReader, refuse, require
from understudy.transformers.base import Json

# Maximum number of rules that a file may contain.
N_RULES_MAX = 20_000

WriteLevels = Callable[[str, Levels, str], tuple[Json, dict[str, npt.NDArray[Any]]]]
ReadLevels = Callable[[ArrayReader, str, str], Levels]


def value_rules_to_arrays(rules: ValueRules, write: WriteLevels) -> tuple[Json, dict[str, npt.NDArray[Any]]]:
    """Return the rules as JSON and arrays.

    Parameters
    ----------
    write : callable
        Function that converts the levels of a column, given their name in the arrays.
    """
    arrays: dict[str, npt.NDArray[Any]] = {}
    levels = []
    for i, (name, own) in enumerate(rules.levels.items()):
        entry, parts = write(name, own, f"value_levels_{i}")
        levels.append(entry)
        arrays |= parts
    manifest: Json = {
        "levels": levels,
        "implications": [
            {"condition": _to_json(rule.condition), "consequence": _to_json(rule.consequence)}
            for rule in rules.implications
        ],
        "equalities": [
            {"condition": _to_json(rule.condition), "target": rule.target, "source": rule.source}
            for rule in rules.equalities
        ],
    }
    return manifest, arrays


def load_value_rules(reader: ArrayReader, types: Mapping[str, pa.DataType], read: ReadLevels) -> ValueRules:
    """Return the rules that `value_rules_to_arrays` converted. Older files contain no value-level rules.

    Parameters
    ----------
    types : mapping of column name to pyarrow.DataType
        Types of the learned columns.
    read : callable
        Function that returns the levels of a column, given their entry and their name in the arrays.

    Raises
    ------
    InvalidInput
        If a column is unknown, a level is out of range, or an equality has columns of different types.
    """
    if "value_rules" not in reader.manifest:
        return ValueRules()
    own = reader.part(reader.manifest["value_rules"], reader.prefix)
    levels: dict[str, Levels] = {}
    for i, part in enumerate(_parts(own, "levels")):
        name = _column(part, "column", types)
        require(name not in levels, "a column has levels twice")
        levels[name] = read(part, name, f"value_levels_{i}")
    implications = []
    for part in _parts(own, "implications"):
        rule = Implication(*(_literal(part, key, levels) for key in ("condition", "consequence")))
        require(rule.condition.column != rule.consequence.column, "an implication has only one column")
        implications.append(rule)
    equalities = [_equality(part, types, levels) for part in _parts(own, "equalities")]
    return ValueRules(tuple(implications), tuple(equalities), levels)


def _to_json(literal: Literal) -> Json:
    return {"column": literal.column, "level": literal.level, "is_negated": literal.is_negated}


def _parts(reader: ArrayReader, key: str) -> list[ArrayReader]:
    entries = reader.manifest.get(key)
    require(isinstance(entries, list) and len(entries) <= N_RULES_MAX, f"{key} are not a list")
    assert isinstance(entries, list)
    return [reader.part(entry, reader.prefix) for entry in entries]


def _column(part: ArrayReader, key: str, types: Mapping[str, pa.DataType]) -> str:
    name = part.text(key)
    if name not in types:
        raise refuse("a value-level rule refers to an unknown column")
    return name


def _literal(reader: ArrayReader, key: str, levels: Mapping[str, Levels]) -> Literal:
    part = reader.part(reader.manifest.get(key), reader.prefix)
    name = part.text("column")
    if name not in levels:
        raise refuse("a value-level rule refers to a column without levels")
    return Literal(name, part.whole("level", 0, len(levels[name].keys)), part.truth("is_negated"))


def _equality(
    part: ArrayReader, types: Mapping[str, pa.DataType], levels: Mapping[str, Levels]
) -> ConditionalEquality:
    condition = _literal(part, "condition", levels)
    target, source = (_column(part, key, types) for key in ("target", "source"))
    is_valid = len({condition.column, target, source}) == 3 and types[target] == types[source]
    require(is_valid, "an equality has the same column twice, or columns of different types")
    return ConditionalEquality(condition, target, source)
