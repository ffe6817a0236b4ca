"""Compare the CPU time of a fit with its CPU time in another commit.

    python -m benchmarks.fit_cost --base COMMIT [--data FOLDER] [--write-results]

Both versions fit the training half of each table. The versions alternate, and each measurement runs in a
process forked from one that has read the table and loaded the kernels. The first fit in a process also loads
modules. Kernels are compiled and bytecode is cached before the first measurement. Linear algebra uses one
thread. The CPU time depends on the load of the machine, so compare the ratios of the medians and of the
minimums.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow.parquet as pq

from benchmarks.engine.tables import names_at_hand, read_source, split

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).parent / "results"
MEASURED = Path(__file__).parent / "fit_cost_run.py"
FITS = ("first", "second")
# Environment variables for the number of threads that linear algebra uses.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

Seconds = list[list[float]]


def main() -> None:
    """Measure each table and preset, print the ratios, and write them with `--write-results`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fit_cost", description=__doc__)
    parser.add_argument("--base", required=True, help="commit to compare with")
    parser.add_argument("--data", type=Path, help="folder with adult.csv, housing.csv, diamonds.csv")
    parser.add_argument("--tables", type=_names, help="comma-separated names of tables")
    parser.add_argument("--presets", type=_names, default=["fast", "balanced"])
    parser.add_argument("--runs", type=int, default=9, help="number of measurements per version")
    parser.add_argument("--write-results", action="store_true")
    options = parser.parse_args()
    rows: list[dict[str, Any]] = []
    with TemporaryDirectory() as folder, _checked_out(options.base, Path(folder) / "base") as base:
        trees = [base, ROOT]
        for tree in trees:
            _compile(tree)
        for name in options.tables or names_at_hand(options.data):
            path = Path(folder) / f"{name}.parquet"
            pq.write_table(split(*read_source(name, options.data)).train, path)
            for preset in options.presets:
                measured = _measure(trees, path, preset, options.runs)
                row = {"table": name, "preset": preset} | summarize(*measured)
                rows.append(row)
                print(_line(row), flush=True)
    if options.write_results:
        date = time.strftime("%Y-%m-%d")
        result = {"base": options.base, "runs": options.runs, "load": os.getloadavg(), "rows": rows}
        (RESULTS / f"{date}-fit_cost.json").write_text(json.dumps(result, indent=2) + "\n")


def _names(text: str) -> list[str]:
    return text.split(",")


@contextmanager
def _checked_out(commit: str, folder: Path) -> Iterator[Path]:
    """Check out a commit in a temporary work tree."""
    git = ["git", "-C", str(ROOT), "worktree"]
    subprocess.run([*git, "add", "--quiet", "--detach", str(folder), commit], check=True)  # noqa: S603 - git
    try:
        yield folder
    finally:
        subprocess.run([*git, "remove", "--force", str(folder)], check=True)  # noqa: S603 - git


def _environment(tree: Path) -> dict[str, str]:
    """Return the environment of processes that use the package of a work tree, with a bytecode cache."""
    environment = os.environ | {"PYTHONPATH": str(tree)} | dict.fromkeys(THREADS, "1")
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return environment


def _compile(tree: Path) -> None:
    command = [sys.executable, "-P", "-m", "understudy.kernels"]
    subprocess.run(command, check=True, cwd=tree, env=_environment(tree))  # noqa: S603 - a module of this package


@contextmanager
def _measuring(tree: Path, table: Path, preset: str) -> Iterator[Callable[[], list[float]]]:
    """Start a process with the package of a work tree, and yield a function that measures two fits."""
    command = [sys.executable, "-P", str(MEASURED), str(table), preset]
    with subprocess.Popen(  # noqa: S603 - a module of this package
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=tree, env=_environment(tree)
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        requests, answers = process.stdin, process.stdout

        def measure() -> list[float]:
            requests.write("\n")
            requests.flush()
            answer = answers.readline()
            if not answer:
                raise SystemExit(f"The fit of {table.name} failed in {tree}. Read the error above.")
            seconds: list[float] = json.loads(answer)
            return seconds

        yield measure


def _measure(trees: Sequence[Path], table: Path, preset: str, n_runs: int) -> list[Seconds]:
    """Return the CPU seconds of each fit by version, without the first measurement of each version."""
    measured: list[Seconds] = [[] for _ in trees]
    with ExitStack() as stack:
        versions = [stack.enter_context(_measuring(tree, table, preset)) for tree in trees]
        for number in range(n_runs + 1):
            # Each version runs first in half of the pairs.
            order = range(len(trees)) if number % 2 else reversed(range(len(trees)))
            for place in order:
                seconds = versions[place]()
                if number:
                    measured[place].append(seconds)
    return measured


def summarize(base: Seconds, own: Seconds) -> dict[str, Any]:
    """Return the median and minimum CPU seconds of each fit for both versions, and their ratios."""
    summary: dict[str, Any] = {}
    for place, fit in enumerate(FITS):
        for name, figure in (("median", statistics.median), ("minimum", min)):
            before, after = (figure([seconds[place] for seconds in version]) for version in (base, own))
            summary[f"{fit}_{name}"] = {
                "base_cpu_s": round(before, 4),
                "cpu_s": round(after, 4),
                "ratio": round(after / before, 3),
            }
    return summary


def _line(row: dict[str, Any]) -> str:
    figures = [
        f"{fit} fit {row[f'{fit}_median']['ratio']:.2f} ({row[f'{fit}_median']['cpu_s']:.2f} s), "
        f"minimum {row[f'{fit}_minimum']['ratio']:.2f}"
        for fit in FITS
    ]
    return f"{row['table']:10}{row['preset']:10}" + "; ".join(figures)


if __name__ == "__main__":
    main()
