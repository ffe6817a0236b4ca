"""Canaries: fictional rows that are planted in a training table to test whether a model reproduces them.

Each value in a canary occurs in the training table, but the combination of values does not. Half of the
canaries are planted. The other half serve as the control, which measures how often an attacker succeeds by
chance.
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

# Canaries use only categories that occur in at least this many rows. In numeric columns, they avoid this many
# of the smallest and of the largest values. The privacy protection pools rare categories and clips extreme
# values, so a canary with a rare or extreme value would be lost before training.
N_SHARED_MIN = 10
# Number of candidate rows generated for each requested canary.
N_TRIALS = 5
N_ROWS_MIN = 100

# `Any` is needed because Arrow's annotations require a scalar type, but the column can have any type.
Arrow: TypeAlias = "pa.ChunkedArray[Any]"
Rows = NDArray[np.int64]


def make_canaries(table: pa.Table, schema: TableSchema, *, n: int, seed: int) -> pa.Table:
    """Return canaries to plant and the same number of canaries to leave out.

    Parameters
    ----------
    table : pyarrow.Table
        The training rows, which conform to the schema. The table is not changed.
    n : int
        The number of canaries to plant. The same number is left out as the control.
    seed : int
        The seed of the random number generator. The same table and seed give the same canaries.

    Returns
    -------
    canaries : pyarrow.Table of 2 n rows
        The canaries, with the schema's columns and the boolean column `IS_PLANTED`. In the columns used for
        training, the canaries differ from each other and from all rows of the table. If the schema declares a
        subject, each canary has a unique subject that does not occur in the table.

    Raises
    ------
    InvalidInput
        If the table has too few rows, or if its values form too few new combinations.
    """
    if table.num_rows < N_ROWS_MIN:
        raise InvalidInput(
            f"The table has {table.num_rows} row{'' if table.num_rows == 1 else 's'}, but canaries need at "
            f"least {N_ROWS_MIN}. Use a larger table, or plant no canaries."
        )
    rng = np.random.default_rng([seed, *b"canaries"])
    table = conform(table, schema)
    made = pa.table(
        [_draw(table.column(column.name), column, 2 * n * N_TRIALS, rng) for column in schema.columns],
        schema=table.schema,
    )
    unique = _find_unique_rows(made, table, schema)[: 2 * n]
    if len(unique) < 2 * n:
        raise InvalidInput(
            f"The values of the table form only {len(unique)} new combinations, but {2 * n} canaries are "
            "needed. Request fewer canaries.",
        )
    is_planted = rng.permutation(np.arange(2 * n) < n)
    made = with_fresh_subjects(made.take(unique), table, schema.subject)
    return made.append_column(IS_PLANTED, pa.array(is_planted))


def plant(table: pa.Table, canaries: pa.Table, *, repeats: int = 1) -> pa.Table:
    """Append each planted canary to the table `repeats` times. Copies of a canary have the same subject."""
    planted = canaries.filter(canaries.column(IS_PLANTED)).drop_columns([IS_PLANTED])
    return pa.concat_tables([table, *[planted.cast(table.schema)] * repeats])


def _draw(values: Arrow, column: Column, n: int, rng: np.random.Generator) -> Arrow:
    """Sample `n` values of a column. All categories that enough rows share are equally likely."""
    if column.kind in GENERATED_KINDS:
        # Models are not trained on these columns. Missing values are preferred, because they do not identify
        # anyone.
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


def _find_unique_rows(generated: pa.Table, table: pa.Table, schema: TableSchema) -> Rows:
    """Return the positions of rows that do not equal an earlier row or a row of the table."""
    learned = [
        column
        for column in schema.columns
        if column.kind not in GENERATED_KINDS and column.name not in schema.subject
    ]
    if not learned:
        return np.zeros(0, dtype=np.int64)
    parts = [rows.select([column.name for column in learned]) for rows in (table, generated)]
    encoder = TableEncoder.fit(parts[0], parts[1:], TableSchema(columns=tuple(learned)))
    hashes, others = (_hashes(encoder, part) for part in reversed(parts))
    _, first = np.unique(hashes, return_index=True)
    return np.sort(first[~np.isin(hashes[first], others)])


def _hashes(encoder: TableEncoder, table: pa.Table) -> NDArray[np.uint64]:
    columns = zip(encoder.columns, table.columns, strict=True)
    return EncodedTable.of([column_encoder.encode(values) for column_encoder, values in columns]).row_hashes
