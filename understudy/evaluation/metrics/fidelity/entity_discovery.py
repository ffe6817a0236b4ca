"""Discovery of entities in the real table: their attributes, and combinations of columns that are unique."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from understudy.evaluation.comparison import Comparison
from understudy.evaluation.encoding import EncodedTable
from understudy.evaluation.metrics.fidelity.fields import AnyValues, Field, fields_of
from understudy.evaluation.statistics.entities import Codes, RowCounts, RowsByEntity
from understudy.tables.schema import GENERATED_KINDS, ColumnKind

# Minimum number of real rows with a known entity, and minimum number of entities. The second minimum also
# applies to the entities with several rows.
N_KNOWN_MIN = 100
N_ENTITIES_MIN = 20
# Minimum share of real entities with a constant attribute, and maximum share after the attribute is shuffled.
CONSTANT_MIN = 0.99
CONSTANT_SHUFFLED_MAX = 0.9
# Minimum number of duplicates that a unique combination of two columns must have after one column is
# shuffled.
N_DUPLICATES_SHUFFLED_MIN = 20
N_ENTITY_COLUMNS_MAX = 20
N_COLUMNS_MAX = 60
# Maximum numbers of rows that are searched for attributes and for the first duplicate.
N_ROWS_MAX = 50_000
N_ROWS_TRIED = 2_000

# Values of these kinds do not identify an entity.
_OTHER_KINDS = frozenset({ColumnKind.text, ColumnKind.coordinates})


@dataclass(frozen=True)
class Entity:
    """A column that identifies entities.

    Parameters
    ----------
    attributes : sequence of Field
        Columns with a single value in the rows of an entity.
    partners : sequence of Field
        Columns that form a unique combination with this column.
    """

    field: Field
    is_unique: bool
    attributes: Sequence[Field] = ()
    partners: Sequence[Field] = ()


def find_entities(comparison: Comparison, rng: np.random.Generator) -> list[Entity]:
    """Return the columns of the real table that identify entities."""
    fields = fields_of(comparison)[:N_COLUMNS_MAX]
    found = (
        _examine(field, fields, comparison.real, rng)
        for field in [field for field in fields if _is_identifying(field)][:N_ENTITY_COLUMNS_MAX]
    )
    return [entity for entity in found if entity is not None]


def _is_identifying(field: Field) -> bool:
    return (field.is_key or field.kind in GENERATED_KINDS) and field.kind not in _OTHER_KINDS


def _examine(
    field: Field, fields: Sequence[Field], real: EncodedTable, rng: np.random.Generator
) -> Entity | None:
    codes = field.codes(real)[0]
    counts = RowCounts.of(codes)
    if counts.counts.sum() < N_KNOWN_MIN or counts.n_entities < N_ENTITIES_MIN:
        return None
    if counts.n_repeated == 0:
        return Entity(field, is_unique=True)
    if counts.n_repeated < N_ENTITIES_MIN:
        return Entity(field, is_unique=False)
    rows = RowsByEntity.of(codes, N_ROWS_MAX, rng)
    others = [other for other in fields if other != field]
    attributes = [other for other in others if _is_attribute(other, rows, real, rng)]
    partners = [other for other in others if _is_partner(other, rows, counts, real, rng)]
    return Entity(field, is_unique=False, attributes=attributes, partners=partners)


def _is_attribute(field: Field, rows: RowsByEntity, real: EncodedTable, rng: np.random.Generator) -> bool:
    values = field.values(real)
    known = field.known(values)
    n_entities, n_constant = rows.constancy(values, known)
    if n_entities < N_ENTITIES_MIN or n_constant < CONSTANT_MIN * n_entities:
        return False
    shuffled = values.copy()
    shuffled[known] = rng.permutation(values[known])
    _, n_by_chance = rows.constancy(shuffled, known)
    return n_by_chance <= CONSTANT_SHUFFLED_MAX * n_entities


def _is_partner(
    field: Field, rows: RowsByEntity, counts: RowCounts, real: EncodedTable, rng: np.random.Generator
) -> bool:
    """Return whether the entity and the column are unique together, although neither is unique alone."""
    values = field.values(real)
    if has_duplicates(rows.codes[:N_ROWS_TRIED], values[rows.rows[:N_ROWS_TRIED]], field):
        return False
    known = values[field.known(values)]
    n_distinct = len(np.unique(known))
    if n_distinct < counts.counts.max() or n_distinct == len(known) or len(known) < N_KNOWN_MIN:
        return False
    codes, rest = rows.codes, values[rows.rows]
    n_duplicates = _n_duplicates(codes, rng.permutation(rest), field)
    return n_duplicates >= N_DUPLICATES_SHUFFLED_MIN and not has_duplicates(codes, rest, field)


def has_duplicates(codes: Codes, values: AnyValues, field: Field) -> bool:
    """Return whether any combination of two known values occurs more than once."""
    return _n_duplicates(codes, values, field) > 0


def _n_duplicates(codes: Codes, values: AnyValues, field: Field) -> int:
    combined = combined_codes(codes, values, field)
    return len(combined) - len(np.unique(combined))


def combined_codes(codes: Codes, values: AnyValues, field: Field) -> Codes:
    """Return a code for each combination of two known values."""
    known = field.known(values) & (codes >= 0)
    if not known.any():
        return np.zeros(0, dtype=np.int64)
    levels, numbers = np.unique(values[known], return_inverse=True)
    return np.asarray(codes[known].astype(np.int64) * len(levels) + numbers)


def usable_attributes(
    entity: Entity, table: EncodedTable, rng: np.random.Generator
) -> Iterator[tuple[Field, int, int]]:
    """Yield each attribute with two counts: entities with several known values, and those that agree."""
    rows = RowsByEntity.of(entity.field.codes(table)[0], N_ROWS_MAX, rng)
    for attribute in entity.attributes:
        values = attribute.values(table)
        yield attribute, *rows.constancy(values, attribute.known(values))
