"""The baselines of every metric: the scores of three reference tables.

Other real rows show the score that is expected by chance (the floor). Independent columns show the score of a
table without dependencies between columns. A noisy copy of the training rows shows the score of a table that
is realistic but not private.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pyarrow as pa

from understudy.evaluation.comparison import N_ROWS_MAX_OTHER, Comparison, encode, without_subject
from understudy.evaluation.encoding import EncodedTable, Rows, Values, is_missing
from understudy.evaluation.metrics.base import Need
from understudy.synthesizers import IndependentParameters
from understudy.synthesizers.contexts import FitContext, SampleContext, plan_rows
from understudy.synthesizers.datasets import fit_table, sample_table
from understudy.tables.schema import TableSchema

# Number of times that the real rows are resampled.
N_RESAMPLED = 10
# Maximum rank shift of a value in the noisy copy, as a fraction of the number of ranks in the column.
NOISE_IN_RANKS = 0.01
# Share of categorical values in the noisy copy that are replaced with values from other rows.
NOISE_IN_CATEGORIES = 0.02


def draw_independent(real: pa.Table, schema: TableSchema, n_rows: int, *, seed: int) -> pa.Table:
    """Sample rows from the `independent` synthesizer, fitted on the real table.

    Parameters
    ----------
    real : pyarrow.Table
        A table that conforms to the schema. The function does not modify it.
    """
    parameters = IndependentParameters(name="independent")
    synthesizer = fit_table(parameters, real, schema, context=FitContext(seed=seed))
    plan = plan_rows(synthesizer.schema_, n_rows)
    batches = sample_table(synthesizer, plan, context=SampleContext(seed=seed))
    return pa.Table.from_batches(batches, schema=schema.to_arrow())


def independent_columns(comparison: Comparison, real: pa.Table, schema: TableSchema) -> Comparison:
    """Return the comparison with synthetic columns that are sampled independently of each other."""
    n_rows = min(comparison.synthetic.n_rows, N_ROWS_MAX_OTHER)
    scored = without_subject(schema)
    table = draw_independent(real.select(scored.names), scored, n_rows, seed=comparison.seed)
    # The sampled rows are not linked to each other, so each row is a separate subject.
    subjects = np.arange(table.num_rows) if comparison.has_subjects else None
    encoded = encode(comparison.encoder, table, subjects, role="independent", seed=comparison.seed)
    keys = _independent_keys(comparison, encoded.n_rows_total)
    return comparison.with_tables(synthetic=replace(encoded, keys=keys))


def _independent_keys(comparison: Comparison, n_rows: int) -> tuple[Rows, ...]:
    """Sample identifiers from the real rows, independently of each other and of the other columns."""
    rng = comparison.rng("independent keys")
    real = comparison.real
    return tuple(rng.choice(real.key(i), n_rows) for i in range(len(real.keys)))


def leaky_copy(comparison: Comparison) -> Comparison:
    """Return the comparison with slightly perturbed training rows in place of the synthetic rows."""
    rng = comparison.rng("leaky copy")
    rows = comparison.real.take(rng.integers(comparison.real.n_rows, size=comparison.synthetic.n_rows))
    columns = [
        _blurred(values, real, rng)
        for values, real in zip(rows.columns, comparison.real.columns, strict=True)
    ]
    return comparison.with_tables(
        synthetic=EncodedTable.of(columns, rows.units if comparison.has_subjects else None, rows.alone().keys)
    )


def _blurred(values: Values, real: Values, rng: np.random.Generator) -> Values:
    """Replace each value with a nearby value of the column, while preserving the column's distribution."""
    if values.dtype == np.int32:
        is_other = rng.random(len(values)) < NOISE_IN_CATEGORIES
        return np.where(is_other, rng.choice(real, len(values)), values)
    known = np.sort(real[~is_missing(real)])
    if len(known) == 0:
        return values
    low, high = (np.searchsorted(known, values, side=side) for side in ("left", "right"))
    # Equal values share several ranks. Choosing among these ranks at random preserves value frequencies.
    ranks = low + np.floor(rng.random(len(values)) * (high - low))
    reach = max(1.0, NOISE_IN_RANKS * len(known))
    moved = np.clip(ranks + np.rint(rng.uniform(-reach, reach, len(values))), 0, len(known) - 1)
    return np.where(is_missing(values), np.nan, known[moved.astype(np.int64)])


def holdout_baseline(comparison: Comparison, needs: frozenset[Need]) -> Comparison:
    """Return the comparison with other real rows, from other subjects, in place of the synthetic rows."""
    rng = comparison.rng("fresh rows")
    n_rows = comparison.synthetic.n_rows
    if comparison.holdout is None:
        real, fresh = _halves(comparison.real, rng)
        return comparison.with_tables(real=real, synthetic=fresh.draw_units(n_rows, rng))
    if Need.holdout in needs:
        holdout, fresh = _halves(comparison.holdout, rng)
        return comparison.with_tables(synthetic=fresh.draw_units(n_rows, rng), holdout=holdout)
    # Use the same number of rows as the synthetic table, if possible, because small samples vary more by
    # chance.
    return comparison.with_tables(synthetic=comparison.holdout.draw_units(n_rows, rng))


def _halves(table: EncodedTable, rng: np.random.Generator) -> tuple[EncodedTable, EncodedTable]:
    first, second = (table.take(part).alone() for part in _dealt(table, (table.n_units + 1) // 2, rng))
    return first, second


def _dealt(table: EncodedTable, n_units: int, rng: np.random.Generator) -> tuple[Rows, Rows]:
    """Return the rows of `n_units` random units and the rows of all other units, in their original order."""
    _, numbers = np.unique(table.units, return_inverse=True)
    is_first = np.zeros(table.n_units, dtype=np.bool_)
    is_first[rng.permutation(table.n_units)[:n_units]] = True
    return np.flatnonzero(is_first[numbers]), np.flatnonzero(~is_first[numbers])


def bootstrap_baseline(comparison: Comparison) -> Iterator[Comparison]:
    """Yield comparisons with tables of the original sizes, sampled with replacement from all real rows.

    If a subject is declared, whole subjects are sampled, including all of their rows.

    Notes
    -----
    Bootstrap for the two-sample problem: Efron and Tibshirani (1993), chapter 16. Bootstrap of clusters:
    Davison and Hinkley (1997), section 3.8.
    """
    pool = _joined([table for table in (comparison.real, comparison.holdout) if table is not None])
    for number in range(N_RESAMPLED):
        rng = comparison.rng(f"resampled {number}")
        drawn = {
            role: pool.take(_with_replacement(pool, table.n_rows, rng))
            for role, table in (("real", comparison.real), ("synthetic", comparison.synthetic))
        }
        yield comparison.with_tables(**drawn, holdout=None)


def split_baseline(comparison: Comparison) -> Iterator[Comparison]:
    """Yield comparisons of two tables, randomly split from all real rows. No subject is in both tables."""
    pool = _joined([table for table in (comparison.real, comparison.holdout) if table is not None])
    n_judged = min(comparison.synthetic.n_rows, pool.n_rows // 2)
    for number in range(N_RESAMPLED):
        rng = comparison.rng(f"dealt {number}")
        judged, others = _dealt_by_size(pool, n_judged, comparison.real.n_rows, rng)
        yield comparison.with_tables(real=pool.take(others), synthetic=pool.take(judged), holdout=None)


def _dealt_by_size(
    pool: EncodedTable, n_judged: int, n_others: int, rng: np.random.Generator
) -> tuple[Rows, Rows]:
    if pool.subjects is None:
        order = rng.permutation(pool.n_rows)
    else:
        # The rows of a subject are adjacent, and the boundary between the tables does not divide a subject.
        numbers = np.unique(pool.units, return_inverse=True)[1]
        order = np.argsort(rng.permutation(pool.n_units)[numbers], kind="stable")
        is_first = np.diff(numbers[order], prepend=-1) != 0
        n_judged = int(np.flatnonzero(is_first[: n_judged + 1])[-1]) or n_judged
    return np.sort(order[:n_judged]), np.sort(order[n_judged:][:n_others])


def _with_replacement(pool: EncodedTable, size: int, rng: np.random.Generator) -> Rows:
    # The positions are sorted so that each column is read sequentially.
    if pool.subjects is None:
        return np.sort(rng.integers(pool.n_rows, size=size))
    numbers = np.unique(pool.units, return_inverse=True)[1]
    counts = np.bincount(numbers)
    # Every subject has at least one row, so at most `size` subjects are needed.
    drawn = rng.integers(len(counts), size=size)
    drawn = drawn[: int(np.searchsorted(np.cumsum(counts[drawn]), size)) + 1]
    begins, sizes = (np.cumsum(counts) - counts)[drawn], counts[drawn]
    within = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return np.sort(np.argsort(numbers, kind="stable")[np.repeat(begins, sizes) + within][:size])


def _joined(tables: list[EncodedTable]) -> EncodedTable:
    if len(tables) == 1:
        return tables[0]
    columns = [np.concatenate(parts) for parts in zip(*(table.columns for table in tables), strict=True)]
    alone = [table.alone() for table in tables]
    hashes = np.concatenate([table.row_hashes for table in alone])
    subjects = [table.subjects for table in alone if table.subjects is not None]
    return EncodedTable(
        columns,
        hashes,
        np.arange(len(hashes)),
        np.concatenate(subjects) if subjects else None,
        tuple(np.concatenate(parts) for parts in zip(*(table.keys for table in alone), strict=True)),
    )
