"""Benchmark the cost of a report: ``python -m benchmarks.reports --data FOLDER [--write-results]``.

Two tables are measured, with synthetic rows from the preset `fast`: 50,000 rows of 15 columns from adult
(48,842 rows, some of which are repeated), and 300,000 rows of 19 columns from the flights. Each table has a
holdout of a fifth of its rows, a target and two protected columns. The CPU seconds are the time of the
metrics with all their baselines, summed by topic. Work that several metrics share is assigned to the first of
these metrics. Memory is the peak of the process that reads and evaluates the tables, and its increase during
both steps.
"""

from __future__ import annotations

import argparse
import datetime
import json
import multiprocessing
import resource
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.engine.tables import read_source

RESULTS = Path(__file__).parent / "results"
MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Shape:
    """A table with its size, target and protected columns."""

    table: str
    n_rows: int
    target: str
    protected: tuple[str, ...]

    @property
    def name(self) -> str:
        """The name of the table and its number of rows."""
        return f"{self.table}, {self.n_rows:,} rows"


SHAPES = (
    Shape("adult", 50_000, "income", ("sex", "race")),
    Shape("flights", 300_000, "arr_delay", ("origin", "carrier")),
)


def main() -> None:
    """Measure reports on all tables and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with adult.csv")
    parser.add_argument("--shapes", default="adult,flights")
    parser.add_argument("--write-results", action="store_true")
    options = parser.parse_args()
    figures = {}
    for shape in SHAPES:
        if shape.table not in options.shapes.split(","):
            continue
        with tempfile.TemporaryDirectory() as folder:
            _in_child(_prepare, shape, options.data, Path(folder))
            figures[shape.name] = _in_child(_measure, shape, Path(folder))
        _show(shape, figures[shape.name])
    if options.write_results:
        day = datetime.datetime.now(tz=datetime.UTC).date()
        (RESULTS / f"{day}-reports.json").write_text(json.dumps(figures, indent=1) + "\n")


def _prepare(shape: Shape, data: Path, folder: Path) -> None:
    """Write the three tables of a report."""
    from understudy import engine
    from understudy.synthesizers import TreeChainParameters
    from understudy.tables.schema import DatasetSchema

    table, schema = read_source(shape.table, data)
    rng = np.random.default_rng(0)
    n_holdout = shape.n_rows // 5
    order = rng.permutation(table.num_rows)
    # If the table is too small, rows are first assigned to the holdout, and some of the remaining rows are
    # repeated.
    n_real = min(shape.n_rows, table.num_rows - n_holdout)
    repeated = rng.choice(order[n_holdout : n_holdout + n_real], shape.n_rows - n_real, replace=True)
    real = table.take(pa.array(np.concatenate([order[n_holdout : n_holdout + n_real], repeated])))
    holdout = table.take(pa.array(order[:n_holdout]))
    fast = TreeChainParameters(name="tree_chain", preset="fast")
    model = engine.fit(real, seed=1, synthesizer=fast, schema=DatasetSchema(tables={"table": schema}))
    synthetic = engine.sample(model, shape.n_rows, seed=2)
    for name, rows in (("real", real), ("holdout", holdout), ("synthetic", synthetic)):
        pq.write_table(rows, folder / f"{name}.parquet")
    (folder / "schema.json").write_text(schema.model_dump_json())


def _measure(shape: Shape, folder: Path) -> dict[str, Any]:
    """Evaluate, and return the time and memory."""
    before = _peak_bytes()
    from understudy.evaluation import report as reports
    from understudy.evaluation.comparison import ComparisonTables
    from understudy.evaluation.metrics import METRICS
    from understudy.evaluation.page.html import render_html
    from understudy.evaluation.report import evaluate
    from understudy.evaluation.scores import score_all
    from understudy.parameters.evaluation_options import EvaluationOptions
    from understudy.tables.findings import TableFindings
    from understudy.tables.inference import InferredTable
    from understudy.tables.schema import TableSchema

    taken: dict[str, float] = defaultdict(float)
    metrics = [replace(one, score=_timed(one.score, name, taken)) for name, one in METRICS.items()]
    reports.score_all = partial(score_all, metrics=metrics)
    tables = {name: pq.read_table(folder / f"{name}.parquet") for name in ("real", "synthetic", "holdout")}
    schema = TableSchema.model_validate_json((folder / "schema.json").read_text())
    options = EvaluationOptions(target=shape.target, protected=shape.protected)
    began = time.process_time()
    inferred = InferredTable(schema, TableFindings())
    report = evaluate(ComparisonTables(**tables), inferred, options=options, seed=1)
    whole = time.process_time() - began
    page = render_html(report)
    by_topic: dict[str, float] = defaultdict(float)
    for name, seconds in taken.items():
        by_topic[METRICS[name].topic] += seconds
    return {
        "cpu_seconds": round(whole, 2),
        "cpu_seconds_by_topic": {topic: round(seconds, 2) for topic, seconds in by_topic.items()},
        "cpu_seconds_by_metric": {name: round(seconds, 2) for name, seconds in taken.items()},
        "cpu_seconds_of_tables": round(whole - sum(taken.values()), 2),
        "peak_megabytes": round((_peak_bytes() - before) / MEGABYTE),
        "peak_megabytes_of_process": round(_peak_bytes() / MEGABYTE),
        "page_bytes": len(page.encode()),
        "verdict": report.verdict.outcome,
    }


def _timed(score: Callable[[Any], Any], name: str, taken: dict[str, float]) -> Callable[[Any], Any]:
    def timed(comparison: Any) -> Any:
        began = time.process_time()
        try:
            return score(comparison)
        finally:
            taken[name] += time.process_time() - began

    return timed


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _in_child(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function in a new process, so that its memory is measured separately."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, arguments)


def _show(shape: Shape, figures: dict[str, Any]) -> None:
    print(
        f"\n{shape.name}: {figures['cpu_seconds']} CPU s, peak {figures['peak_megabytes_of_process']} MB",
        end="",
    )
    print(f", page {figures['page_bytes'] / MEGABYTE:.2f} MB, verdict {figures['verdict']}")
    for topic, seconds in figures["cpu_seconds_by_topic"].items():
        print(f"  {topic:24}{seconds:8.2f}")
    print(f"  {'tables and baselines':24}{figures['cpu_seconds_of_tables']:8.2f}")
    for name, seconds in sorted(figures["cpu_seconds_by_metric"].items(), key=lambda item: -item[1]):
        print(f"    {name:28}{seconds:8.2f}", flush=True)


if __name__ == "__main__":
    main()
