"""What every score is read against: three other tables in the synthetic one's place.

Real rows show what chance alone takes away (the floor), independent columns what no tool can miss, and a
noisy copy of the rows that were learnt from what a leak looks like: it is faithful, and it is not private.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from understudy.evaluation.comparison import N_ROWS_MAX_OTHER, Comparison, encode
from understudy.evaluation.encoding import EncodedTable, Values, is_missing
from understudy.evaluation.metrics.base import Need
from understudy.synthesizers import IndependentParameters, make_synthesizer
from understudy.tables.schema import TableSchema

N_RESAMPLED = 10
# Of the ranks of a column's values: how far a leaking number lies from the one that it was copied from.
NOISE_IN_RANKS = 0.01
# How many of the categories of a leaking row are another row's.
NOISE_IN_CATEGORIES = 0.02


def draw_independent(real: pa.Table, schema: TableSchema, n_rows: int, *, seed: int) -> pa.Table:
    """Return rows of the `independent` synthesizer, fitted on the real table.

    Parameters
    ----------
    real : pyarrow.Table
        Conforms to the schema; not changed.
    """
    synthesizer = make_synthesizer(IndependentParameters(name="independent"), seed=seed)
    synthesizer.fit(real, schema)
    return pa.Table.from_batches(synthesizer.sample(n_rows, seed=seed), schema=schema.to_arrow())


def independent_columns(comparison: Comparison, real: pa.Table, schema: TableSchema) -> Comparison:
    """Return the comparison with columns that are drawn independently of each other."""
    n_rows = min(comparison.synthetic.n_rows, N_ROWS_MAX_OTHER)
    table = draw_independent(real, schema, n_rows, seed=comparison.seed)
    encoded = encode(comparison.encoder, table, role="independent", seed=comparison.seed)
    return comparison.with_tables(synthetic=encoded)


def leaky_copy(comparison: Comparison) -> Comparison:
    """Return the comparison with rows that were learnt from, drawn with replacement and blurred a little."""
    rng = comparison.rng("leaky copy")
    rows = comparison.real.take(rng.integers(comparison.real.n_rows, size=comparison.synthetic.n_rows))
    columns = [
        _blurred(values, real, rng)
        for values, real in zip(rows.columns, comparison.real.columns, strict=True)
    ]
    return comparison.with_tables(synthetic=EncodedTable.of(columns))


def _blurred(values: Values, real: Values, rng: np.random.Generator) -> Values:
    """Return values near to these, which occur in the column and are distributed as it is."""
    if values.dtype == np.int32:
        is_other = rng.random(len(values)) < NOISE_IN_CATEGORIES
        return np.where(is_other, rng.choice(real, len(values)), values)
    known = np.sort(real[~is_missing(real)])
    if len(known) == 0:
        return values
    low, high = (np.searchsorted(known, values, side=side) for side in ("left", "right"))
    # Any of the ranks that equal values share, so that frequent values stay as frequent as they are.
    ranks = low + np.floor(rng.random(len(values)) * (high - low))
    reach = max(1.0, NOISE_IN_RANKS * len(known))
    moved = np.clip(ranks + np.rint(rng.uniform(-reach, reach, len(values))), 0, len(known) - 1)
    return np.where(is_missing(values), np.nan, known[moved.astype(np.int64)])


def holdout_baseline(comparison: Comparison, needs: frozenset[Need]) -> Comparison:
    """Return the comparison with real rows in the synthetic table's place, no row being in two tables."""
    rng = comparison.rng("fresh rows")
    n_rows = comparison.synthetic.n_rows
    if comparison.holdout is None:
        real, fresh = _halves(comparison.real, rng)
        return comparison.with_tables(real=real, synthetic=fresh.draw(n_rows, rng))
    if Need.holdout in needs:
        holdout, fresh = _halves(comparison.holdout, rng)
        return comparison.with_tables(synthetic=fresh.draw(n_rows, rng), holdout=holdout)
    # As many rows as the synthetic table has, if there are: small samples differ more by chance.
    return comparison.with_tables(synthetic=comparison.holdout.draw(n_rows, rng))


def _halves(table: EncodedTable, rng: np.random.Generator) -> tuple[EncodedTable, EncodedTable]:
    order = rng.permutation(table.n_rows)
    first, second = (_alone(table.take(np.sort(part))) for part in np.array_split(order, 2))
    return first, second


def _alone(part: EncodedTable) -> EncodedTable:
    """Return some rows as a table of their own, which knows nothing of the others."""
    return EncodedTable(part.columns, part.row_hashes[part.rows], np.arange(part.n_rows))


def bootstrap_baseline(comparison: Comparison) -> Iterator[Comparison]:
    """Yield comparisons whose tables are both drawn from all real rows, with replacement, in their own sizes.

    Notes
    -----
    The bootstrap of the two-sample problem: Efron and Tibshirani (1993), chapter 16.
    """
    pool = _joined([table for table in (comparison.real, comparison.holdout) if table is not None])
    for number in range(N_RESAMPLED):
        rng = comparison.rng(f"resampled {number}")
        drawn = {
            role: pool.take(_with_replacement(pool.n_rows, table.n_rows, rng))
            for role, table in (("real", comparison.real), ("synthetic", comparison.synthetic))
        }
        yield comparison.with_tables(**drawn, holdout=None)


def split_baseline(comparison: Comparison) -> Iterator[Comparison]:
    """Yield comparisons whose tables are dealt out from all real rows, no row to both of them."""
    pool = _joined([table for table in (comparison.real, comparison.holdout) if table is not None])
    n_judged = min(comparison.synthetic.n_rows, pool.n_rows // 2)
    for number in range(N_RESAMPLED):
        order = comparison.rng(f"dealt {number}").permutation(pool.n_rows)
        judged, others = np.sort(order[:n_judged]), np.sort(order[n_judged:][: comparison.real.n_rows])
        yield comparison.with_tables(real=pool.take(others), synthetic=pool.take(judged), holdout=None)


def _with_replacement(n: int, size: int, rng: np.random.Generator) -> NDArray[np.int64]:
    # In order: columns are read from front to back.
    return np.sort(rng.integers(n, size=size))


def _joined(tables: list[EncodedTable]) -> EncodedTable:
    if len(tables) == 1:
        return tables[0]
    columns = [np.concatenate(parts) for parts in zip(*(table.columns for table in tables), strict=True)]
    hashes = np.concatenate([table.row_hashes[table.rows] for table in tables])
    return EncodedTable(columns, hashes, np.arange(len(hashes)))
