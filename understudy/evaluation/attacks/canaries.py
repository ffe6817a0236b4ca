"""Made-up rows that are planted in a table before it is learnt from, to see whether they come out again.

Column by column a canary is like any other row; together its values are like no row at all. Half of the
canaries are planted, the others show what an attacker finds by chance.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from understudy.errors import InvalidInput
from understudy.evaluation.attacks.fresh_subjects import with_fresh_subjects
from understudy.evaluation.comparison import IS_PLANTED
from understudy.evaluation.encoding import EncodedTable, TableEncoder
from understudy.tables.schema import GENERATED_KINDS, Column, ColumnKind, TableSchema
from understudy.tables.validation import conform

# A category of fewer rows is pooled by the protection, and the values next to a column's ends are cut off:
# a canary with such a value would be lost before anything is learnt.
N_SHARED_MIN = 10
# How often as many rows are made as are asked for, until none occurs elsewhere.
N_TRIALS = 5
N_ROWS_MIN = 100

# A column of any type; what Arrow's own annotations need is its scalar.
Arrow: TypeAlias = "pa.ChunkedArray[Any]"
Rows = NDArray[np.int64]


def make_canaries(table: pa.Table, schema: TableSchema, *, n: int, seed: int) -> pa.Table:
    """Return canaries to plant, and as many that are left out.

    Parameters
    ----------
    table : pyarrow.Table
        The rows that will be learnt from; conforms to the schema; not changed.
    n : int
        Of each of the two kinds.
    seed : int
        Same table and seed, same canaries.

    Returns
    -------
    canaries : pyarrow.Table of 2 n rows
        The schema's columns, and the boolean `IS_PLANTED`. No two rows are equal, and none equals a row of
        the table, in the columns that are learnt. Each is the only row of a subject that the table does not
        have, if the schema declares a subject.

    Raises
    ------
    InvalidInput
        If the table is too small, or has too few values to make so many rows that it does not have.
    """
    if table.num_rows < N_ROWS_MIN:
        raise InvalidInput(f"The table has {table.num_rows} rows; canaries need at least {N_ROWS_MIN}.")
    rng = np.random.default_rng([seed, *b"canaries"])
    table = conform(table, schema)
    made = pa.table(
        [_draw(table.column(column.name), column, 2 * n * N_TRIALS, rng) for column in schema.columns],
        schema=table.schema,
    )
    unique = _rows_of_no_other(made, table, schema)[: 2 * n]
    if len(unique) < 2 * n:
        raise InvalidInput(
            f"Of the table's values, {len(unique)} rows were made that it does not have; {2 * n} are needed. "
            "Ask for fewer canaries.",
        )
    is_planted = rng.permutation(np.arange(2 * n) < n)
    made = with_fresh_subjects(made.take(unique), table, schema.subject)
    return made.append_column(IS_PLANTED, pa.array(is_planted))


def plant(table: pa.Table, canaries: pa.Table, *, repeats: int = 1) -> pa.Table:
    """Return the table with the planted canaries at its end, each so many times; as rows of one subject."""
    planted = canaries.filter(canaries.column(IS_PLANTED)).drop_columns([IS_PLANTED])
    return pa.concat_tables([table, *[planted.cast(table.schema)] * repeats])


def _draw(values: Arrow, column: Column, n: int, rng: np.random.Generator) -> Arrow:
    """Return values that occur in the column, rare ones as often as frequent ones."""
    if column.kind in GENERATED_KINDS:
        # Nothing is learnt of them; a missing value is nobody's.
        if column.nullable:
            return pa.chunked_array([pa.nulls(n, values.type)])
        return values.take(rng.integers(len(values), size=n))
    is_category = column.kind in (ColumnKind.category, ColumnKind.boolean)
    rows = _rows_of_category(values, n, rng) if is_category else _rows_of_number(values, n, rng)
    return values.take(rows)


def _rows_of_category(values: Arrow, n: int, rng: np.random.Generator) -> Rows:
    codes = np.asarray(values.combine_chunks().dictionary_encode("encode").indices.to_numpy())
    counts = np.bincount(codes)
    shared = np.flatnonzero(counts >= N_SHARED_MIN)
    shared = shared if len(shared) else np.array([counts.argmax()])
    first = np.unique(codes, return_index=True)[1]
    return np.asarray(first[rng.choice(shared, n)], dtype=np.int64)


def _rows_of_number(values: Arrow, n: int, rng: np.random.Generator) -> Rows:
    order = np.asarray(pc.array_sort_indices(values.combine_chunks(), null_placement="at_end").to_numpy())
    known = order[: len(values) - values.null_count].astype(np.int64)
    inner = known[N_SHARED_MIN:-N_SHARED_MIN]
    candidates = inner if len(inner) else order.astype(np.int64)
    return np.asarray(rng.choice(candidates, n), dtype=np.int64)


def _rows_of_no_other(made: pa.Table, table: pa.Table, schema: TableSchema) -> Rows:
    """Return which rows equal none that was made before, and none of the table."""
    learnt = [
        column
        for column in schema.columns
        if column.kind not in GENERATED_KINDS and column.name not in schema.subject
    ]
    if not learnt:
        return np.zeros(0, dtype=np.int64)
    parts = [one.select([column.name for column in learnt]) for one in (table, made)]
    encoder = TableEncoder.fit(parts[0], parts[1:], TableSchema(columns=tuple(learnt)))
    hashes, others = (_hashes(encoder, part) for part in reversed(parts))
    _, first = np.unique(hashes, return_index=True)
    return np.sort(first[~np.isin(hashes[first], others)])


def _hashes(encoder: TableEncoder, table: pa.Table) -> NDArray[np.uint64]:
    columns = zip(encoder.columns, table.columns, strict=True)
    return EncodedTable.of([one.encode(values) for one, values in columns]).row_hashes
