"""The share of synthetic rows that are nearer to a training row than to a holdout row (DCR share)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from benchmarks.engine.judges.points import Points, as_points
from understudy.kernels.neighbours import Rows, Views, nearest_rows
from understudy.threads import count_threads

# Maximum number of compared pairs of rows. The comparison takes about a second per column on one core.
N_PAIRS_MAX = 1_000_000_000
# Value for missing numbers. The kernel limits the distance between two numbers to 1, and the distance between
# this value and any scaled number always reaches this limit.
MISSING_AT = 2.0


def nearest_share(train: pa.Table, holdout: pa.Table, synthetic: pa.Table, *, seed: int) -> float:
    """Return the share of synthetic rows whose nearest row is a training row. Ties count as one half.

    Parameters
    ----------
    train, holdout : pyarrow.Table
        Real rows. Both tables are truncated to the same number of rows, so that the expected share without
        copying is 0.5.

    Notes
    -----
    The distance is that of TabSyn (Zhang et al., 2024): the sum of the distances of the columns. Numbers are
    scaled by their range; the distance of two categories is 0 if they are equal, and otherwise 1.
    """
    rng = np.random.default_rng(seed)
    n_references = min(len(train), len(holdout))
    points = as_points(train, [holdout, synthetic])
    near, far = (_draw(part, n_references, rng) for part in points[:2])
    queries = _draw(points[2], min(len(synthetic), N_PAIRS_MAX // n_references), rng)
    to_train, to_holdout = _distances(queries, near), _distances(queries, far)
    return float(np.mean(to_train < to_holdout) + np.mean(to_train == to_holdout) / 2)


def _draw(points: Points, n_rows: int, rng: np.random.Generator) -> Points:
    return points.take(np.sort(rng.choice(len(points), n_rows, replace=False)))


def _distances(queries: Points, others: Points) -> npt.NDArray[np.float32]:
    n_threads = count_threads()
    all_columns = Views(np.zeros(0, np.bool_), np.zeros(0, np.int64))
    numbers, other_numbers = (np.nan_to_num(points.numbers, nan=MISSING_AT) for points in (queries, others))
    # The kernel needs the rows stored by column.
    columns = Rows(np.ascontiguousarray(other_numbers.T), np.ascontiguousarray(others.codes.T))
    with ThreadPoolExecutor(n_threads) as threads:
        distances = threads.map(
            lambda part: nearest_rows(Rows(*part), columns, all_columns, 1)[0][0, :, 0],
            zip(np.array_split(numbers, n_threads), np.array_split(queries.codes, n_threads), strict=True),
        )
        return np.concatenate(list(distances))
