"""Benchmark the growth of time and memory: ``python -m benchmarks.scaling [--parts rows,columns,…]``.

The parts `rows` and `columns` fit models to tables of increasing size and estimate the exponent of the CPU
seconds. `large` fits 10,000 rows of 300 columns, and 2 million rows of 15 columns. `cores` runs the same fit
and sample on one and on two processors, and compares the bytes of the samples. `parquet` samples a million
rows of the flights and writes them. Every fit is a separate process, so that its peak memory is measured
separately.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.engine.contestants import PRESETS, peak_mb
from benchmarks.engine.options import names_of
from benchmarks.engine.report import RESULTS, describe_machine, machine
from benchmarks.engine.run import restrict
from benchmarks.engine.tables import draw, read_flights, with_schema
from understudy.kernels.compilation import compile_kernels
from understudy.synthesizers import TreeChainParameters
from understudy.synthesizers.base import Synthesizer
from understudy.synthesizers.contexts import FitContext, SampleContext, plan_rows
from understudy.synthesizers.datasets import fit_table, sample_table
from understudy.tables.formats import write_table
from understudy.tables.schema import TableSchema

PARTS = ("rows", "columns", "large", "cores", "parquet")
FLIGHTS_ROWS = (10_000, 40_000, 160_000, 320_000)
MADE_COLUMNS = (10, 30, 100, 300)
N_ROWS_MADE = 10_000
LARGE = ((10_000, 300), (2_000_000, 15))
N_ROWS_SAMPLED = 1_000_000
# Each generated column depends on one of the last `N_COLUMNS_BACK` columns, because columns in real tables
# also depend on each other.
N_COLUMNS_BACK = 8

Figures = dict[str, Any]


def make_table(n_rows: int, n_columns: int) -> tuple[pa.Table, TableSchema]:
    """Return a table of integers, floats and words. Each column depends on an earlier column."""
    rng = np.random.default_rng(0)
    words = np.array([f"word {index:02}" for index in range(12)])
    hidden: list[Any] = []
    columns: dict[str, Any] = {}
    for j in range(n_columns):
        noise = rng.normal(size=n_rows)
        before = hidden[max(0, j - 1 - int(rng.integers(N_COLUMNS_BACK)))] if hidden else noise
        hidden.append(0.7 * before + math.sqrt(1 - 0.7**2) * noise)
        if j % 3 == 0:
            columns[f"count_{j}"] = np.floor(np.exp(hidden[-1]) * 20).astype(np.int64)
        elif j % 3 == 1:
            columns[f"real_{j}"] = (hidden[-1] * 100).round(2)
        else:
            columns[f"word_{j}"] = words[np.clip(hidden[-1] * 2 + 6, 0, 11).astype(np.int64)]
    return with_schema(pa.table(columns))


def measure(preset: str, source: str, n_rows: int, n_columns: int, n_rows_sampled: int) -> Figures:
    """Return the figures of a fit and a sample, and a digest of the sampled rows."""
    table, schema = read_flights() if source == "flights" else make_table(n_rows, n_columns)
    if len(table) > n_rows:
        table = draw(table, n_rows, seed=0)
    compile_kernels()
    parameters = TreeChainParameters(name="tree_chain", preset=preset)  # type: ignore[arg-type]
    cpu, wall = time.process_time(), time.perf_counter()
    synthesizer = fit_table(parameters, table, schema, context=FitContext(seed=0))
    figures: Figures = {"preset": preset, "table": source, "rows": len(table), "columns": len(schema.columns)}
    figures["fit_cpu_s"] = time.process_time() - cpu
    figures["fit_wall_s"] = time.perf_counter() - wall
    figures["fit_peak_mb"] = peak_mb()
    if n_rows_sampled:
        figures |= _measure_parquet(synthesizer, schema, n_rows_sampled) | _digest(
            synthesizer, n_rows_sampled
        )
    return figures


def _batches(synthesizer: Synthesizer, n_rows: int) -> Iterator[pa.RecordBatch]:
    plan = plan_rows(synthesizer.schema_, n_rows)
    return sample_table(synthesizer, plan, context=SampleContext(seed=1))


def _digest(synthesizer: Synthesizer, n_rows: int) -> Figures:
    """Return the sampling time and a hash of the sample's bytes."""
    cpu, wall = time.process_time(), time.perf_counter()
    batches = list(_batches(synthesizer, n_rows))
    figures: Figures = {
        "sample_cpu_s": time.process_time() - cpu,
        "sample_wall_s": time.perf_counter() - wall,
    }
    digest = hashlib.sha256()
    for batch in batches:
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, batch.schema) as writer:
            writer.write_batch(batch)
        digest.update(sink.getvalue())
    return figures | {"digest": digest.hexdigest()[:16], "peak_mb": peak_mb()}


def _measure_parquet(synthesizer: Synthesizer, schema: TableSchema, n_rows: int) -> Figures:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "sample.parquet"
        wall = time.perf_counter()
        write_table(path, _batches(synthesizer, n_rows), schema.to_arrow())
        seconds = time.perf_counter() - wall
        # The memory is measured before the sample is kept in memory for the hash.
        return {
            "parquet_wall_s": seconds,
            "parquet_mb": path.stat().st_size / 1e6,
            "parquet_peak_mb": peak_mb(),
        }


def in_own_process(*case: str | int, n_cores: int) -> Figures:
    """Run `measure` in a new process on `n_cores` processors."""
    command = [sys.executable, "-m", "benchmarks.scaling", "--one", *map(str, case), str(n_cores)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603 - this module
    figures: Figures = json.loads(done.stdout)
    return figures | {"cores": n_cores}


def cases(part: str, presets: list[str], n_cores: int) -> Iterator[tuple[str, str, int, int, int, int]]:
    """Yield the preset, table, rows, columns, rows to sample and processors of every fit of a part."""
    if part == "rows":
        yield from ((preset, "flights", n, 19, 0, n_cores) for preset in presets for n in FLIGHTS_ROWS)
    elif part == "columns":
        yield from ((preset, "made", N_ROWS_MADE, d, 0, n_cores) for preset in presets for d in MADE_COLUMNS)
    elif part == "large":
        yield from (("fast", "made", n, d, 0, n_cores) for n, d in LARGE)
    elif part == "cores":
        yield from (
            ("fast", "flights", FLIGHTS_ROWS[-1], 19, N_ROWS_SAMPLED, n)
            for n in range(1, 3)
            if n <= (os.cpu_count() or 1)
        )
    else:
        yield "fast", "flights", FLIGHTS_ROWS[-1], 19, N_ROWS_SAMPLED, n_cores


def findings(part: str, runs: list[Figures]) -> list[str]:
    """Return sentences that summarize the figures of a part."""
    if part in ("rows", "columns"):
        return [
            f"{preset}: the CPU seconds of a fit grow with the number of {part} to the power of "
            f"{_exponent(part, fits):.2f}"
            for preset in dict.fromkeys(run["preset"] for run in runs)
            if (fits := [run for run in runs if run["preset"] == preset])
        ]
    if part == "cores" and len(runs) == 2:
        one, two = runs
        ratios = [f"{key} {one[key] / two[key]:.2f}" for key in ("fit_wall_s", "sample_wall_s")]
        same = "identical" if one["digest"] == two["digest"] else "DIFFERENT"
        return [f"time on one core divided by time on two: {', '.join(ratios)}; {same} bytes"]
    return []


def _exponent(part: str, runs: list[Figures]) -> float:
    """Return the slope of a line fitted to the logarithms of sizes and CPU seconds."""
    sizes, seconds = (np.log([run[key] for run in runs]) for key in (part, "fit_cpu_s"))
    return float(np.polyfit(sizes, seconds, 1)[0])


def main() -> None:
    """Measure the parts that the command line specifies."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling", description=__doc__)
    parser.add_argument("--parts", type=names_of(PARTS), default=list(PARTS), help=", ".join(PARTS))
    parser.add_argument("--presets", type=names_of(PRESETS), default=list(PRESETS))
    parser.add_argument("--cores", type=int, default=2, help="number of processors that a fit can use")
    parser.add_argument(
        "--write-results", action="store_true", help="write dated result files into benchmarks/results"
    )
    parser.add_argument("--one", nargs=6, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        preset, source, *sizes, n_cores = options.one
        restrict(int(n_cores))
        print(json.dumps(measure(preset, source, *map(int, sizes))))
        return
    document: Figures = {"date": time.strftime("%Y-%m-%d"), "machine": machine(), "parts": {}}
    for part in options.parts:
        document["parts"][part] = _run_part(part, options)
    if options.write_results:
        _write(document, f"python -m benchmarks.scaling {shlex.join(sys.argv[1:])}")


def _run_part(part: str, options: argparse.Namespace) -> Figures:
    print(f"\n== {part}", flush=True)
    runs = []
    for *case, n_cores in cases(part, options.presets, options.cores):
        runs.append(in_own_process(*case, n_cores=int(n_cores)))
        print("  ".join(f"{key} {_shown(value)}" for key, value in runs[-1].items()), flush=True)
    conclusions = findings(part, runs)
    print(*conclusions, sep="\n", flush=True)
    return {"findings": conclusions, "runs": runs}


def _shown(value: object) -> str:
    return f"{value:,.3g}" if isinstance(value, float) else str(value)


def _write(document: Figures, command: str) -> None:
    path = RESULTS / f"{document['date']}-scaling"
    path.with_suffix(".json").write_text(json.dumps(document, indent=1) + "\n")
    lines = [f"# {document['date']} · scaling: `{command}`", "", describe_machine()]
    for part, results in document["parts"].items():
        keys = list(dict.fromkeys(key for run in results["runs"] for key in run))
        lines += ["", f"## {part}", "", f"| {' | '.join(keys)} |", "|---" * len(keys) + "|"]
        lines += [f"| {' | '.join(_shown(run.get(key, '-')) for key in keys)} |" for run in results["runs"]]
        lines += ["", *results["findings"]]
    path.with_suffix(".md").write_text("\n".join(lines) + "\n")
    print(path.with_suffix(".md"))


if __name__ == "__main__":
    main()
