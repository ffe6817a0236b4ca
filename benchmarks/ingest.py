"""Benchmark the speed and memory of ingestion: ``python -m benchmarks.ingest [--rows N] [--file TABLE]``.

A table of 15 mixed columns is written in each format (only 200,000 rows as a workbook). Each file is then
ingested in a separate process, so that peak memory is measured separately. Compare the CPU seconds, because
other load affects the wall time. CPU seconds are also shown per GiB, in total and for parsing alone
(checking, splitting and typing CSV).
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa

from understudy.tables.formats import FORMATS, ReadLimits, format_for_path, write_table

_BATCH_ROWS = 50_000
_SHEET_ROWS = 200_000
_DAY_2000 = 10_957


def main() -> None:
    """Measure a generated table in all formats, or one file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="number of rows of the generated table")
    parser.add_argument("--file", type=Path, help="file to measure instead of a generated table")
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(_measure(options.one)))
        return
    print(
        f"{'file':20}{'MB':>8}{'rows':>12}{'columns':>8}{'wall s':>8}{'MB/s':>7}{'CPU s':>8}{'CPU s/GiB':>11}"
        f"{'parsing':>9}{'peak MB':>9}"
    )
    with TemporaryDirectory() as folder:
        for path in [options.file] if options.file else _generated(Path(folder), options.rows):
            _show(path, _in_own_process(path))


def _generated(folder: Path, n_rows: int) -> Iterator[Path]:
    for format_ in FORMATS.values():
        path = folder / f"generated{format_.suffixes[0]}"
        rows = min(n_rows, _SHEET_ROWS) if format_.name == "xlsx" else n_rows
        write_table(path, generated_batches(rows), next(generated_batches(1)).schema)
        yield path


def generated_batches(n_rows: int) -> Iterator[pa.RecordBatch]:
    """Yield a table of 15 mixed columns, with the same rows each time."""
    rng = np.random.default_rng(0)
    for start in range(0, n_rows, _BATCH_ROWS):
        yield _batch(min(_BATCH_ROWS, n_rows - start), start, rng)


def _batch(n: int, start: int, rng: np.random.Generator) -> pa.RecordBatch:
    """Return numbers, codes, words, dates and times. In two columns, a tenth of the values is missing."""
    is_missing = rng.random(n) < 0.1
    words = np.array([f"word {index:03}" for index in range(1_000)])
    days = rng.integers(_DAY_2000, _DAY_2000 + 8_000, n).astype(np.int32)
    return pa.record_batch(
        {
            "id": np.arange(start, start + n),
            **{f"count_{index}": rng.integers(0, 10**index, n) for index in range(1, 5)},
            **{f"real_{index}": rng.normal(0, 10**index, n).round(3) for index in range(3)},
            "gaps": pa.array(rng.normal(size=n), mask=is_missing),
            "zip": pa.array([f"{code:05}" for code in rng.integers(0, 100_000, n)]),
            "word": pa.array(words[rng.integers(0, 1_000, n)], mask=is_missing),
            "code": pa.array(words[rng.integers(0, 5, n)]),
            "flag": rng.random(n) < 0.3,
            "day": pa.array(days).cast(pa.date32()),
            "moment": pa.array(days.astype(np.int64) * 86_400 + rng.integers(0, 86_400, n)).cast(
                pa.timestamp("s")
            ),
        }
    )


def _in_own_process(path: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.ingest", "--one", str(path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - this module
    measured: dict[str, float] = json.loads(done.stdout)
    return measured


def _measure(path: Path) -> dict[str, float]:
    start, cpu = time.perf_counter(), time.process_time()
    parsed: list[float] = []

    def progress(
        phase: str, fraction: float, *, rows_done: int | None = None, rows_total: int | None = None
    ) -> None:
        if phase == "parsing":
            parsed[:] = [time.process_time() - cpu]

    with TemporaryDirectory() as folder:
        limits = ReadLimits(rows_max=2**40)
        ingested = format_for_path(path).ingest(path, Path(folder) / "table.parquet", limits, progress)
    return {
        "wall": time.perf_counter() - start,
        "cpu": time.process_time() - cpu,
        "parsing": parsed[0] if parsed else 0.0,
        "peak": _peak_bytes() / 1e6,
        "rows": ingested.n_rows,
        "columns": ingested.n_columns,
    }


def _peak_bytes() -> int:
    """Return the peak memory of this process. On Linux, memory inherited from its parent is not counted."""
    status = Path("/proc/self/status")
    if status.exists():
        peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(peak.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _show(path: Path, measured: dict[str, float]) -> None:
    size = path.stat().st_size
    per_gib = 2**30 / size
    print(
        f"{path.name:20}{size / 1e6:8.1f}{measured['rows']:12,}{measured['columns']:8}{measured['wall']:8.2f}"
        f"{size / 1e6 / measured['wall']:7.1f}{measured['cpu']:8.2f}{measured['cpu'] * per_gib:11.1f}"
        f"{measured['parsing'] * per_gib:9.1f}{measured['peak']:9.0f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
