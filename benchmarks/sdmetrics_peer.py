"""Compare Understudy's scores with SDMetrics' scores: ``python -m benchmarks.sdmetrics_peer --data FOLDER``.

If the definitions are the same, the numbers must be equal up to rounding. SDMetrics (MIT) is installed in a
separate environment and is not a dependency. The two halves of each table are compared with each other, and
one half is compared with a sample of `tree_chain`.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import tempfile
import time
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.engine.peers import Peer
from benchmarks.engine.peers.environments import python_of
from benchmarks.engine.report import RESULTS, machine
from benchmarks.engine.tables import halves, read_source
from understudy.evaluation.comparison import Comparison, ComparisonTables, compare
from understudy.evaluation.encoding import is_missing
from understudy.evaluation.metrics.fidelity import (
    column_adherence,
    column_coverage,
    column_pairs,
    column_shapes,
    contingency,
    correlations,
)
from understudy.synthesizers import TreeChainParameters
from understudy.synthesizers.contexts import FitContext, SampleContext, plan_rows
from understudy.synthesizers.datasets import fit_table, sample_table
from understudy.tables.schema import TableSchema

TABLES = ("adult", "housing", "diamonds")
TOLERANCE = 1e-9
PEER = Peer(
    "sdmetrics", "sdmetrics", ("sdmetrics==0.32.0", "pandas==2.3.3", "pyarrow==26.0.1"), "single metrics"
)
RUNNER = Path(__file__).parent / "engine" / "peers" / "runners" / "sdmetrics.py"
BINNED = "ContingencySimilarity, numbers in bins"
MIXED = "QualityReport, a number and a category"

# Scores by metric, then by the names of the columns, joined with a vertical bar.
Scores = dict[str, dict[str, float]]


def our_scores(compared: Comparison) -> Scores:
    """Return Understudy's scores for every column and pair."""
    scores: Scores = {}
    for i, column in enumerate(compared.columns):
        for name, value in _of_column(compared, i):
            scores.setdefault(name, {})[column.name] = value
    for (i, j), name, value in _of_pairs(compared):
        scores.setdefault(name, {})[f"{compared.columns[i].name}|{compared.columns[j].name}"] = value
    return scores


def _of_column(compared: Comparison, i: int) -> Iterator[tuple[str, float]]:
    real, synthetic = compared.real.columns[i], compared.synthetic.columns[i]
    known = [values[~is_missing(values)] for values in (real, synthetic)]
    yield "MissingValueSimilarity", 1 - abs(float(is_missing(real).mean() - is_missing(synthetic).mean()))
    if compared.encoder.columns[i].is_categorical:
        yield "TVComplement", column_shapes.tv_complement(*known)
        yield "CategoryCoverage", column_coverage.category_coverage(real, synthetic)
        yield "CategoryAdherence", column_adherence.category_adherence(real, synthetic)
    else:
        yield "KSComplement", column_shapes.ks_complement(*known)
        yield "RangeCoverage", column_coverage.range_coverage(real, synthetic)
        yield "BoundaryAdherence", column_adherence.boundary_adherence(real, synthetic)


def _of_pairs(compared: Comparison) -> Iterator[tuple[tuple[int, int], str, float]]:
    encoders = compared.encoder.columns
    numbers = [i for i, encoder in enumerate(encoders) if not encoder.is_categorical]
    categories = [i for i, encoder in enumerate(encoders) if encoder.is_categorical]
    tables = compared.real, compared.synthetic
    for i, j in combinations(categories, 2):
        real, synthetic = ((table.columns[i], table.columns[j]) for table in tables)
        yield (i, j), "ContingencySimilarity", contingency.contingency_similarity(real, synthetic)
    matrices = [correlations.correlation_matrix(correlations.as_matrix(table, numbers)) for table in tables]
    for (a, i), (b, j) in combinations(enumerate(numbers), 2):
        yield (i, j), "CorrelationSimilarity", float(1 - abs(matrices[0][a, b] - matrices[1][a, b]) / 2)
    pairs = column_pairs.score(compared)
    assert isinstance(pairs, column_pairs.ColumnPairsResult)
    for i, j in combinations(range(len(encoders)), 2):
        value = pairs.matrix[i][j]
        if value is not None and (i in numbers or j in numbers):
            yield (i, j), BINNED, value
            yield (i, j), MIXED, value


def their_scores(python: Path, real: pa.Table, other: pa.Table, compared: Comparison) -> Scores:
    """Return SDMetrics' scores for every column and pair."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pq.write_table(real, folder / "real.parquet")
        pq.write_table(other, folder / "synthetic.parquet")
        columns = {encoder.column.name: encoder.is_categorical for encoder in compared.encoder.columns}
        (folder / "columns.json").write_text(json.dumps(columns))
        subprocess.run([str(python), str(RUNNER), str(folder)], check=True)  # noqa: S603 - trusted arguments
        scores: Scores = json.loads((folder / "scores.json").read_text())
    return scores


def differences(table: str, rows: str, ours: Scores, theirs: Scores) -> Iterator[dict[str, Any]]:
    """Yield the largest difference and both means for each metric."""
    for metric, scores in theirs.items():
        both = [(ours[metric][key], value) for key, value in scores.items() if not math.isnan(value)]
        if not both:
            continue
        yield {
            "table": table,
            "rows": rows,
            "metric": metric,
            "n": len(both),
            "ours": sum(one for one, _ in both) / len(both),
            "theirs": sum(other for _, other in both) / len(both),
            "theirs_lowest": min(other for _, other in both),
            "ours_lowest": min(one for one, _ in both),
            "largest_difference": max(abs(one - other) for one, other in both),
            "is_same_definition": metric not in (BINNED, MIXED),
        }


def compare_table(name: str, data: Path, python: Path) -> Iterator[dict[str, Any]]:
    """Yield the score differences for two halves of a table, and for a half and a sample."""
    table, schema = read_source(name, data)
    real, half = halves(table, seed=0)
    for rows, other in (("real", half), ("synthetic", _our_rows(real, schema))):
        compared = compare(ComparisonTables(real, other), schema)
        theirs = their_scores(python, real, other, compared)
        yield from differences(name, rows, our_scores(compared), theirs)


def _our_rows(real: pa.Table, schema: TableSchema) -> pa.Table:
    parameters = TreeChainParameters(name="tree_chain", preset="fast")
    synthesizer = fit_table(parameters, real, schema, context=FitContext(seed=0))
    batches = sample_table(
        synthesizer, plan_rows(synthesizer.schema_, len(real)), context=SampleContext(seed=0)
    )
    return pa.Table.from_batches(batches, schema=schema.to_arrow())


def line(comparison: dict[str, Any]) -> str:
    """Return a comparison as a line of text."""
    return (
        f"{comparison['table']:9} {comparison['rows']:10} {comparison['metric']:38} {comparison['n']:4}"
        f"  Understudy {comparison['ours']:.4f}  SDMetrics {comparison['theirs']:.4f}"
        f"  largest difference {comparison['largest_difference']:.1e}"
    )


def main() -> None:
    """Compare all tables, and fail if scores with the same definition differ."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sdmetrics_peer", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with adult.csv, housing.csv, …")
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=list(TABLES))
    parser.add_argument("--environments", type=Path, default=Path(tempfile.gettempdir()) / "understudy-peers")
    parser.add_argument("--write-results", action="store_true")
    options = parser.parse_args()
    python = python_of(PEER, options.environments)
    comparisons = []
    for table in options.tables:
        for comparison in compare_table(table, options.data, python):
            comparisons.append(comparison)
            print(line(comparison), flush=True)
    if options.write_results:
        path = RESULTS / f"{time.strftime('%Y-%m-%d')}-sdmetrics.json"
        record = {"command": "python -m benchmarks.sdmetrics_peer --data FOLDER", "peer": PEER.requirements}
        path.write_text(json.dumps({**record, "machine": machine(), "runs": comparisons}, indent=1) + "\n")
        print(path.name)
    different = [
        comparison
        for comparison in comparisons
        if comparison["is_same_definition"] and comparison["largest_difference"] > TOLERANCE
    ]
    if different:
        raise SystemExit("Different scores:\n" + "\n".join(map(line, different)))


if __name__ == "__main__":
    main()
