"""Conversion of entities to JSON and plain arrays, and back. Loaded values are validated."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from understudy.synthesizers.entities.grouping import Grouping
from understudy.synthesizers.entities.groups import (
    N_GROUPS_MAX,
    ROWS,
    Entities,
    EntityGroup,
    has_level_for_each,
)
from understudy.synthesizers.entities.positions import N_COMBINATIONS_MAX, Counter, Distinct, Position
from understudy.synthesizers.entities.sequences import (
    N_CHANGES_MAX,
    UNIT_MAX,
    Change,
    Sequence,
    Sequences,
)
from understudy.synthesizers.entities.sorted_columns import SortedColumn
from understudy.transformers.array_reader import ArrayReader, require
from understudy.transformers.base import Json
from understudy.transformers.generated.transformer import GeneratedTransformer
from understudy.transformers.numeric import NumericTransformer
from understudy.transformers.numeric_integers import has_integers
from understudy.transformers.table import TableTransformer

# Maximum number of groups in a file, and exclusive upper bound on the number of rows in a period.
N_ROWS_MAX = 2**31


def entities_to_arrays(entities: Entities) -> tuple[Json, dict[str, npt.NDArray[Any]]]:
    """Return entities as JSON and arrays, under ``entity_<g>.<name>``."""
    if not entities.groups:
        return {}, {}
    parts: list[Json] = []
    arrays: dict[str, npt.NDArray[Any]] = {}
    for g, group in enumerate(entities.groups):
        parts.append(
            {
                "keys": list(group.keys),
                "columns": list(group.columns),
                "labels": list(group.labels),
                "known": list(group.known_codes),
                "source": group.source,
                "n_windows": group.grouping.n_windows,
                "n_parts": group.n_parts,
            }
            | ({"distinct": list(group.distinct)} if group.distinct else {})
        )
        own: dict[str, npt.NDArray[Any]] = {"sizes": group.grouping.sizes}
        own |= {f"known_{j}": codes for j, codes in group.known_codes.items()}
        arrays |= {f"entity_{g}.{name}": array for name, array in own.items()}
    for i, position in enumerate(entities.positions):
        arrays |= {f"position_{i}.{name}": array for name, array in _arrays_of(position).items()}
    written = {"entities": parts, "positions": [_manifest_of(own) for own in entities.positions]}
    orders = [asdict(own) for own in entities.sorted_columns]
    written |= {"sorted_columns": orders} if orders else {}
    sequences = entities.sequences
    if sequences is None:
        return written, arrays
    arrays["sequence_ranks"] = sequences.rank_codes
    columns = [asdict(one) for one in sequences.columns]
    changes = [asdict(one) for one in sequences.changes]
    manifest = {"group": sequences.group, "rank": sequences.rank, "columns": columns, "changes": changes}
    return written | {"sequences": manifest}, arrays


def _manifest_of(position: Position) -> Json:
    own: Json = {"group": position.group, "columns": list(position.columns)}
    if isinstance(position, Counter):
        return own | {"form": "counter", "first": position.first}
    return own | {"form": "distinct", "is_sorted": position.is_sorted}


def _arrays_of(position: Position) -> dict[str, npt.NDArray[Any]]:
    if isinstance(position, Counter):
        return {"codes": position.codes}
    return {"combinations": position.combinations, "counts": position.counts}


def entities_from_arrays(reader: ArrayReader, table: TableTransformer) -> Entities:
    """Return the entities that `entities_to_arrays` converted. Model files from earlier versions have none.

    Parameters
    ----------
    reader : ArrayReader
        Reader of the model.
    table : TableTransformer
        Transformers of the sampled columns.

    Raises
    ------
    InvalidInput
        If a value is missing, has an unexpected shape or type, or contradicts the table.
    """
    parts = reader.manifest.get("entities", [])
    require(isinstance(parts, list) and len(parts) <= N_GROUPS_MAX, "the entities are not a list")
    groups: list[EntityGroup] = []
    for g, part in enumerate(parts):
        groups.append(_load_group(reader.part(part, f"entity_{g}."), table, groups))
    columns = [j for group in groups for j in (*group.columns, *group.labels)]
    require(len(set(columns)) == len(columns), "a column belongs to two kinds of entities")
    entities = Entities(tuple(groups))
    written = reader.manifest.get("positions", [])
    require(isinstance(written, list) and len(written) <= 2 * len(groups), "the positions are not a list")
    positions = [
        _load_position(reader.part(part, f"position_{i}."), table, entities) for i, part in enumerate(written)
    ]
    taken = [j for position in positions for j in position.columns]
    require(len(set(taken)) == len(taken), "a column has two positions")
    entities = replace(entities, positions=tuple(positions))
    entities = replace(entities, sorted_columns=_load_sorted_columns(reader, table, entities))
    return replace(entities, sequences=_load_sequences(reader, table, entities))


def _load_sorted_columns(
    reader: ArrayReader, table: TableTransformer, entities: Entities
) -> tuple[SortedColumn, ...]:
    written = reader.manifest.get("sorted_columns", [])
    is_valid = isinstance(written, list) and len(written) <= len(table.columns) and bool(entities.groups)
    require(is_valid or written == [], "the sorted columns are not a list")
    columns = []
    for part in written:
        own = reader.part(part, "")
        group, column = own.whole("group", 0, len(entities.groups) - 1), own.whole("column")
        is_numeric = column < len(table.columns) and isinstance(table.columns[column], NumericTransformer)
        require(
            is_numeric and column not in entities.group_of, "a sorted column is not a column of single rows"
        )
        columns.append(SortedColumn(group, column, own.truth("is_descending"), own.truth("moves_rows")))
    require(len({own.group for own in columns}) <= 1, "columns are sorted in two kinds of entities")
    return tuple(columns)


def _load_sequences(reader: ArrayReader, table: TableTransformer, entities: Entities) -> Sequences | None:
    """Return the columns computed by adding up steps. Model files from earlier versions have none."""
    if "sequences" not in reader.manifest:
        return None
    own = reader.part(reader.manifest["sequences"], "")
    group, n = own.whole("group", 0, len(entities.groups) - 1), len(table.columns)
    rank = own.whole("rank", -1, n - 1)
    codes = own.array("sequence_ranks", np.uint16, (None,))
    entries = own.manifest.get("columns")
    require(isinstance(entries, list) and len(entries) <= n, "the sequences are not a list")
    assert isinstance(entries, list)
    columns = tuple(_load_sequence(own.part(entry, ""), table) for entry in entries)
    changes = _load_changes(own, table, entities, group)
    sequences = Sequences(group, columns, rank, codes, changes)
    taken = [j for one in columns for j in (*one.hidden, one.column)] + [rank] * (rank >= 0)
    taken += sorted(sequences.changing)
    require(len(set(taken)) == len(taken), "a column is part of two sequences")
    is_free = not (set(taken) - {one.start for one in columns}) & set(entities.group_of)
    is_owned = all(entities.group_of.get(one.start) == group for one in columns)
    require(is_free and is_owned, "a column of a sequence belongs to the wrong kind of entity")
    is_numbered = rank < 0 or (len(codes) > 0 and int(codes.max()) < table.columns[rank].n_codes)
    require(is_numbered, "a row number has no code")
    return sequences


def _load_changes(
    own: ArrayReader, table: TableTransformer, entities: Entities, group: int
) -> tuple[Change, ...]:
    entries, n = own.manifest.get("changes"), len(table.columns)
    require(isinstance(entries, list) and len(entries) <= n, "the changes are not a list")
    assert isinstance(entries, list)
    changes = []
    for entry in entries:
        one = own.part(entry, "")
        values, places = _places(one, "values", n), _places(one, "places", n)
        change = Change(one.whole("column", 0, n - 1), one.whole("count", 0, n - 1), values, places)
        require(0 < len(places) <= N_CHANGES_MAX and len(values) == len(places) + 1, "changes are incomplete")
        is_numeric = all(isinstance(table.columns[j], NumericTransformer) for j in change.hidden)
        is_owned = all(entities.group_of.get(j) == group for j in change.hidden)
        require(is_numeric and is_owned, "a column of changes does not belong to an entity")
        changes.append(change)
    require(len({one.column for one in changes}) == len(changes), "the changes of a column are listed twice")
    return tuple(changes)


def _load_sequence(own: ArrayReader, table: TableTransformer) -> Sequence:
    n = len(table.columns)
    place, start, step = (own.whole(name, 0, n - 1) for name in ("column", "start", "step"))
    clock = own.whole("clock", -1, n - 1)
    for j in (place, start, step, *([clock] if clock >= 0 else [])):
        column = table.columns[j]
        is_usable = isinstance(column, NumericTransformer) and has_integers(column) and column.bins.n_bins > 0
        require(is_usable, "a column of a sequence does not consist of whole units")
    unit = own.whole("unit", 1, UNIT_MAX)
    return Sequence(place, start, step, clock, unit, own.truth("is_descending"))


def _load_position(own: ArrayReader, table: TableTransformer, entities: Entities) -> Position:
    columns = _places(own, "columns", len(table.columns))
    group = own.whole("group", 0, len(entities.groups) - 1)
    is_free = not {*columns} & {*entities.group_of, *entities.label_of}
    require(
        is_free and 1 <= len(columns) <= 2,
        "a position has too many columns, or a column that belongs to an entity",
    )
    n_codes = [table.columns[j].n_codes for j in columns]
    if own.choice("form", {"counter", "distinct"}) == "counter":
        is_integer = pa.types.is_integer(table.schema.to_arrow().field(columns[0]).type)
        require(is_integer and len(columns) == 1, "a column that numbers rows is not an integer column")
        codes = own.indices("codes", np.uint16, (None,), 0, n_codes[0])
        require(len(codes) > 0, "a column that numbers rows has no codes")
        return Counter(group, columns[0], own.whole("first", -(2**62), 2**62), codes)
    combinations = own.array("combinations", np.uint16, (None, len(columns)))
    require(bool((combinations < np.array(n_codes)).all()), "a position has a code out of range")
    counts = own.indices("counts", np.int64, (len(combinations),), 1, N_ROWS_MAX)
    require(0 < len(counts) <= N_COMBINATIONS_MAX, "a position has no combinations, or too many")
    return Distinct(group, columns, combinations, counts, own.truth("is_sorted"))


def _load_group(own: ArrayReader, table: TableTransformer, groups: list[EntityGroup]) -> EntityGroup:
    n = len(table.columns)
    keys, columns, labels, known = (_places(own, name, n) for name in ("keys", "columns", "labels", "known"))
    is_generated = all(isinstance(table.columns[j], GeneratedTransformer) for j in (*keys, *labels))
    is_owned = set(keys) <= {*columns, *labels} and set(known) <= set(columns)
    require(is_generated and is_owned, "the key of an entity is not a generated column of the entity")
    sizes = own.indices("sizes", np.int64, (None,), 1, N_ROWS_MAX)
    n_units = int(sizes.sum())
    require(0 < n_units < N_ROWS_MAX, "there are no entities, or too many")
    source = own.whole("source", ROWS, len(groups) - 1)
    if source != ROWS:
        is_divided = n_units == len(groups[source].grouping.sizes)
        require(is_divided, "the sizes of entities do not add up")
    known_codes = {
        j: own.indices(f"known_{j}", np.uint16, (len(sizes),), 0, table.columns[j].n_codes) for j in known
    }
    grouping = Grouping(sizes, own.whole("n_windows", 0, n_units))
    n_parts = own.whole("n_parts", 1, max(len(keys), 1))
    # Model files from earlier versions do not contain columns with a separate level for each entity.
    distinct = _places(own, "distinct", n) if "distinct" in own.manifest else ()
    is_usable = all(has_level_for_each(table.columns[j], len(sizes)) for j in distinct)
    require(is_usable and set(distinct) <= set(columns), "entities have too few separate levels")
    return EntityGroup(keys, columns, labels, source, grouping, known_codes, n_parts, distinct)


def _places(own: ArrayReader, name: str, n: int) -> tuple[int, ...]:
    places = own.manifest.get(name)
    is_valid = isinstance(places, list) and all(type(j) is int and 0 <= j < n for j in places)
    require(is_valid, "a column of an entity does not exist")
    assert isinstance(places, list)
    return tuple(places)
