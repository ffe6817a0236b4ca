"""Columns with the first values of entities and the steps between rows, which samples add up.

Like the sizes of entities, these columns are drawn but are not part of the sampled rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from understudy.synthesizers.entities.detection import FoundGroup
from understudy.synthesizers.entities.order_search import Order
from understudy.synthesizers.entities.positions import Counter
from understudy.synthesizers.entities.sequences import Int64s, Sequence, Sequences, ranks_within
from understudy.synthesizers.rules.significance import entropy
from understudy.synthesizers.tree_chain.change_columns import add_changes, changing_columns
from understudy.synthesizers.tree_chain.difference_columns import DrawnTable
from understudy.synthesizers.tree_chain.encoding import encode_values
from understudy.synthesizers.tree_chain.hidden_columns import Builder
from understudy.transformers.base import MIN_SUPPORT, Codes, Mask
from understudy.transformers.numeric import NumericTransformer
from understudy.transformers.numeric_integers import has_integers, to_integers
from understudy.transformers.table_fitting import number_subjects

# Minimum number of entities with at least two rows.
N_ENTITIES_MIN = 4 * MIN_SUPPORT
# Absolute values of a sequence must be below this limit, so that sums of steps fit in 64 bits.
INTEGERS_MAX = 2**61
# Minimum amount, in nats, by which the entropy of the hours is below the entropy of uniform hours if times of
# day are drawn separately from days.
CLOCK_NATS_MIN = 0.1
_PER_DAY = {"s": 86_400, "ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}
# Stream number of the random generator for the steps of first rows. Other random generators of a fit have
# other numbers.
_STEPS = 7


@dataclass(frozen=True)
class _Steps:
    """Values of a column as starts, steps and times of day, in the row order of each entity."""

    column: int
    starts: Int64s
    steps: Int64s
    clock: Int64s | None
    unit: int
    is_descending: bool


def add_sequence_columns(
    drawn: DrawnTable, found: list[FoundGroup], order: Order | None, seed: int
) -> DrawnTable:
    """Add the starts and steps of the columns that are in order within an entity."""
    group = next((g for g, own in enumerate(found) if own.changing), None) if order is None else order.group
    if group is None or int((np.bincount(found[group].entities) > 1).sum()) < N_ENTITIES_MIN:
        return drawn
    entities = found[group].entities
    ranks = ranks_within(entities.astype(np.uint64), np.arange(len(entities)))
    rng = np.random.default_rng([seed, _STEPS])
    changing = changing_columns(drawn, found[group].changing)
    directions = {} if order is None else {j: d for j, d in order.directions.items() if j not in changing}
    steps = list(_find_steps(drawn, directions, entities, rng))
    if not steps and not changing:
        return drawn
    schema = drawn.transformer.schema
    subjects = number_subjects(drawn.rows.select(list(schema.subject))) if schema.subject else entities
    builder = Builder(drawn, group, entities, subjects)
    columns = tuple(_add_sequence(builder, own) for own in steps)
    is_numbered = any(isinstance(own, Counter) and own.group == group for own in drawn.entities.positions)
    changes = add_changes(builder, changing, rng)
    sequences = Sequences(group, columns, changes=changes)
    if not is_numbered:
        sequences = _add_ranks(builder, sequences, ranks)
    seen_by = dict(builder.drawn.seen_by)
    drawn_steps = [j for own in columns for j in own.drawn]
    for own in columns:
        seen_by |= dict.fromkeys(own.hidden, frozenset({own.column, *drawn_steps}))
    for change in changes:
        others = [own.column for own in changes if set(own.hidden) & set(change.hidden)]
        seen_by |= dict.fromkeys(change.hidden, frozenset(others))
    extended = replace(builder.drawn.entities, sequences=sequences)
    return replace(builder.drawn, entities=extended, seen_by=seen_by)


def _find_steps(
    drawn: DrawnTable, directions: Mapping[int, int], entities: Int64s, rng: np.random.Generator
) -> Iterator[_Steps]:
    """Yield the steps of sorted columns with values that are integers in some unit."""
    looked_up = {rule.dependent for rule in drawn.rules.functional_dependencies}
    looked_up |= set(drawn.rules.value_rules.targets)
    by_entity = np.argsort(entities, kind="stable")
    is_first = np.append(True, np.diff(entities[by_entity]) > 0)
    for j, direction in directions.items():
        transformer = drawn.transformer.columns[j]
        assert isinstance(transformer, NumericTransformer)
        is_usable = has_integers(transformer) and not transformer.is_placeholder
        if not direction or not is_usable or drawn.transformer.schema.names[j] in looked_up:
            continue
        values = to_integers(drawn.rows.column(j).combine_chunks(), transformer)[by_entity]
        if np.abs(values).max() >= INTEGERS_MAX:
            continue
        unit = _unit_of_days(values, is_first, transformer.arrow_type)
        units, clock = np.divmod(values, unit)
        steps = _fill_first(np.diff(units, prepend=units[0]), is_first, rng)
        starts = units[is_first][np.cumsum(is_first) - 1]
        back = np.empty_like(by_entity)
        back[by_entity] = np.arange(len(back))
        yield _Steps(j, starts[back], steps[back], clock[back] if unit > 1 else None, unit, direction < 0)


def _unit_of_days(values: Int64s, is_first: Mask, type_: pa.DataType) -> int:
    """Return the number of ticks in a day if days and times of day are drawn separately, otherwise 1.

    If the steps of visits during office hours were added up, the visits would spread over the whole day.
    """
    if not pa.types.is_timestamp(type_):
        return 1
    per_day = _PER_DAY[type_.unit]
    steps = np.abs(np.diff(values))[~is_first[1:]]
    clock = values % per_day
    hours = np.bincount(clock * 24 // per_day, minlength=24)
    is_even = entropy(hours[hours > 0]) > np.log(24) - CLOCK_NATS_MIN
    return 1 if np.median(steps) < per_day or is_even or np.ptp(clock) == 0 else per_day


def _fill_first(steps: Int64s, is_first: Mask, rng: np.random.Generator) -> Int64s:
    """Return the steps. The first row of each entity gets the step of another row of the entity.

    If an entity has only one row, this row gets a step of another entity.
    """
    first = np.flatnonzero(is_first)
    lengths = np.diff(np.append(first, len(steps)))
    others = rng.choice(np.flatnonzero(~is_first), len(first))
    within = first + 1 + (rng.random(len(first)) * np.maximum(lengths - 1, 1)).astype(np.int64)
    filled = steps.copy()
    filled[first] = steps[np.where(lengths > 1, np.minimum(within, len(steps) - 1), others)]
    return filled


def _add_sequence(builder: Builder, own: _Steps) -> Sequence:
    name = builder.drawn.transformer.schema.names[own.column]
    start = builder.add(f"first {name}", own.starts, is_of_entity=True)
    step = builder.add(f"step of {name}", own.steps)
    clock = -1 if own.clock is None else builder.add(f"time of {name}", own.clock)
    return Sequence(own.column, start, step, clock, own.unit, own.is_descending)


def _add_ranks(builder: Builder, sequences: Sequences, ranks: Int64s) -> Sequences:
    """Add the column that numbers the rows of each entity."""
    place = builder.add(f"rank in entity {builder.group}", ranks)
    table = builder.drawn.transformer
    sizes = builder.drawn.entities.groups[builder.group].grouping.sizes
    numbers = pa.array(np.arange(max(int(sizes.max()), int(ranks.max()) + 1)), pa.int64())
    codes: Codes = np.maximum(
        encode_values(table.schema.names[place], numbers, table.columns[place]), 0
    ).astype(np.uint16)
    return replace(sequences, rank=place, rank_codes=codes)
