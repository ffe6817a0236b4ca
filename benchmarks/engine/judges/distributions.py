"""Distances between columns and between column pairs, computed with the metrics from Understudy's report."""

from __future__ import annotations

import pyarrow as pa

from understudy.evaluation.comparison import ComparisonTables, compare
from understudy.evaluation.metrics.base import UnscoredResult
from understudy.evaluation.metrics.fidelity import column_pairs, column_shapes
from understudy.evaluation.metrics.privacy import exact_copies
from understudy.tables.schema import TableSchema


def shape_distance(real: pa.Table, synthetic: pa.Table, schema: TableSchema) -> float:
    """Return the mean distance of columns: Kolmogorov-Smirnov for numbers, total variation for categories."""
    return 1 - column_shapes.score(compare(ComparisonTables(real, synthetic), schema)).score


def pair_distance(real: pa.Table, synthetic: pa.Table, schema: TableSchema) -> float:
    """Return the mean total variation distance over all column pairs, on shared bins."""
    result = column_pairs.score(compare(ComparisonTables(real, synthetic), schema))
    assert not isinstance(result, UnscoredResult), result.reason
    return 1 - result.score


def copies_share(train: pa.Table, rows: pa.Table, schema: TableSchema) -> float:
    """Return the share of rows that equal a training row in every column."""
    return exact_copies.score(compare(ComparisonTables(train, rows), schema)).score
