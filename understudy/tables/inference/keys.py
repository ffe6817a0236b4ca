"""Find candidates for relationships: columns whose values also occur in the key of a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from understudy.tables.arrow_types import parse_arrow_type
from understudy.tables.findings import RelationshipCandidate, TableFindings
from understudy.tables.inference import headers
from understudy.tables.inference.texts import ArrowArray, pc
from understudy.tables.inference.values import Sample, Sampled, sample_columns
from understudy.tables.schema import GENERATED_KINDS, ColumnKind, TableSchema

# Minimum share of the distinct sampled values that must occur in the key.
CONTAINED = 0.99
# Minimum number of distinct texts. A smaller set of texts may match a key by chance. Numeric columns must
# instead have a name similar to the key's name.
N_DISTINCT_MIN = 5


@dataclass(frozen=True)
class Related:
    """A table that can be sampled, with its schema and findings."""

    rows: Sampled
    schema: TableSchema
    findings: TableFindings


@dataclass(frozen=True)
class _Place:
    table: str
    column: str


@dataclass(frozen=True)
class _Child(_Place):
    sample: Sample


def find_relationships(tables: Mapping[str, Related]) -> list[RelationshipCandidate]:
    """Return candidates for relationships between tables, at most one per column, most confident first.

    Notes
    -----
    At most 2,000 distinct values of each column are searched for in the keys. Each key is read once and in
    batches, so memory does not grow with the tables.
    """
    keys = [
        _Place(name, candidate.columns[0])
        for name, table in tables.items()
        for candidate in table.findings.primary_keys
        if len(candidate.columns) == 1
    ]
    children = [
        child
        for name, table in tables.items()
        if _may_be_child(name, table, keys)
        for child in _children(name, table)
    ]
    candidates = [
        relationship
        for key in keys
        for relationship in _references(key.table, key.column, tables[key.table], children)
    ]
    return _best(candidates)


def _may_be_child(name: str, table: Related, keys: list[_Place]) -> bool:
    """Return whether columns may refer to a key. Within one table, their names must be similar."""
    return any(
        key.table != name or _is_alike(_Place(name, column), key.table, key.column)
        for key in keys
        for column in table.schema.names
        if (name, column) != (key.table, key.column)
    )


def _children(name: str, table: Related) -> Iterator[_Child]:
    types = [parse_arrow_type(column.arrow_type) for column in table.schema.columns]
    samples = sample_columns(table.rows, types, [0] * len(types))
    for column, sample in zip(table.schema.columns, samples, strict=True):
        if _family(sample.type_) and len(sample.values):
            yield _Child(name, column.name, sample)


def _family(type_: pa.DataType) -> pa.DataType | None:
    """Return the type for comparisons of values, or None if columns of this type cannot refer to a key."""
    if pa.types.is_integer(type_):
        return pa.uint64() if pa.types.is_uint64(type_) else pa.int64()
    return pa.large_string() if pa.types.is_string(type_) or pa.types.is_large_string(type_) else None


def _references(
    parent: str, key: str, table: Related, children: list[_Child]
) -> Iterator[RelationshipCandidate]:
    index = table.schema.names.index(key)
    family = _family(parse_arrow_type(table.schema.columns[index].arrow_type))
    fitting = [
        child
        for child in children
        if _family(child.sample.type_) == family and (child.table, child.column) != (parent, key)
    ]
    is_personal = table.schema.columns[index].kind in GENERATED_KINDS - {ColumnKind.identifier}
    fitting = [child for child in fitting if _may_refer(child, parent, key, is_personal=is_personal)]
    if family is None or not fitting:
        return
    # Any: the stubs do not support types that are known only at run time.
    wanted: list[Any] = [child.sample.values.cast(family) for child in fitting]
    present = _find_present(table.rows, index, family, wanted)
    for child, values in zip(fitting, wanted, strict=True):
        n_present = pc.sum(pc.is_in(values, value_set=present)).as_py() or 0
        if n_present >= CONTAINED * len(values):
            yield _foreign_key(child, parent, key, n_present)


def _find_present(source: Sampled, index: int, family: pa.DataType, wanted: list[Any]) -> ArrowArray:
    """Return the requested values that occur in a column."""
    values = pc.unique(pa.chunked_array(wanted))
    present: Any = pa.array([], family)
    for chunk in source.column(index):
        plain: Any = chunk.cast(family)
        hits = plain.filter(pc.is_in(plain, value_set=values))
        present = pc.unique(pa.chunked_array([present, hits]))
    distinct: ArrowArray = present
    return distinct


def _may_refer(child: _Child, parent: str, key: str, *, is_personal: bool) -> bool:
    if _is_alike(child, parent, key):
        return True
    is_number = pa.types.is_integer(child.sample.type_)
    # Personal values such as addresses may occur in several tables without a relationship between the tables.
    return (
        not (is_number or is_personal)
        and child.table != parent
        and len(child.sample.values) >= N_DISTINCT_MIN
    )


def _is_alike(child: _Place, parent: str, key: str) -> bool:
    """Return whether names indicate a relationship.

    Examples are `customer_id` and `customers.id`, or columns with the same name in two tables.
    """
    own, of_key, of_table = (headers.words_of(name) for name in (child.column, key, parent))
    if child.table != parent and own == of_key and own not in (("id",), ("name",), ("key",), ("code",)):
        return True
    singular = tuple(_singular(word) for word in of_table)
    stem = tuple(_singular(word) for word in own if word not in headers.IDENTIFIER)
    stem_of_key = tuple(_singular(word) for word in of_key if word not in headers.IDENTIFIER)
    return bool(stem) and stem[-len(singular) :] == singular and stem_of_key in ((), singular)


def _singular(word: str) -> str:
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    return word[:-1] if word.endswith("s") and len(word) > 3 else word


def _foreign_key(child: _Child, parent: str, key: str, n_present: int) -> RelationshipCandidate:
    is_alike = _is_alike(child, parent, key)
    names = ", and the names are similar" if is_alike else ""
    n = len(child.sample.values)
    evidence = f"{n_present:,} of {n:,} distinct sampled values also occur in {parent}.{key}{names}"
    return RelationshipCandidate(
        child=child.table,
        child_columns=(child.column,),
        parent=parent,
        parent_columns=(key,),
        confidence=0.95 if is_alike else 0.6,
        evidence=evidence,
    )


def _best(candidates: list[RelationshipCandidate]) -> list[RelationshipCandidate]:
    """Keep the most confident candidate of each column, and only one direction between equal keys."""
    kept: dict[tuple[str, tuple[str, ...]], RelationshipCandidate] = {}
    for key in sorted(candidates, key=lambda key: -key.confidence):
        child = (key.child, key.child_columns)
        back = kept.get((key.parent, key.parent_columns))
        if back is None or (back.parent, back.parent_columns) != child:
            kept.setdefault(child, key)
    return list(kept.values())
