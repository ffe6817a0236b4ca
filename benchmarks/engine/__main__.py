"""Benchmark the presets and the baselines on real tables: ``python -m benchmarks.engine --data FOLDER``.

Each contestant is fitted to half of a table, and its sample is judged against the other half (split with seed
0). For tuning, ``--tables housing --presets fast --seeds 1 --metrics c2st,tstr,dcr`` computes only those
figures.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.engine.contestants import BASELINES, PRESETS
from benchmarks.engine.judges import JUDGES
from benchmarks.engine.options import names_of
from benchmarks.engine.report import Figures, markdown, one_line, summarise, write_results
from benchmarks.engine.run import Run, in_own_process, write_split
from benchmarks.engine.tables import SOURCES, names_at_hand, read_source, split

SPEED = "speed"


def main() -> None:
    """Run the benchmark with the command line's options."""
    options = _parser().parse_args()
    with TemporaryDirectory() as folder:
        runs = list(_run_all(options, Path(folder)))
    print(markdown(summarise(runs)))
    if options.write_results:
        print(write_results("engine", runs, command=f"python -m benchmarks.engine {_shown(options)}"))


def _shown(options: argparse.Namespace) -> str:
    """Return the arguments without the path of the data folder."""
    return shlex.join("FOLDER" if word == str(options.data) else word for word in sys.argv[1:])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.engine", description=__doc__)
    parser.add_argument("--data", type=Path, help="folder with adult.csv, housing.csv, diamonds.csv")
    parser.add_argument(
        "--tables", type=names_of(SOURCES), help="comma-separated names (default: all available tables)"
    )
    parser.add_argument("--presets", type=names_of(PRESETS), help="comma-separated names (default: all)")
    parser.add_argument(
        "--baselines",
        type=names_of(BASELINES),
        help="comma-separated names (default: all, or none with --presets)",
    )
    parser.add_argument("--metrics", type=names_of([SPEED, *JUDGES]), default=[SPEED, *JUDGES])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--cores", type=int, default=2, help="number of processors that a run can use")
    parser.add_argument(
        "--sample-rows", type=int, default=1_000_000, help="number of rows sampled to measure the speed"
    )
    parser.add_argument(
        "--write-results", action="store_true", help="write dated result files into benchmarks/results"
    )
    return parser


def _run_all(options: argparse.Namespace, folder: Path) -> Iterator[Figures]:
    presets = list(PRESETS) if options.presets is None else options.presets
    baselines = options.baselines
    if baselines is None:
        baselines = list(BASELINES) if options.presets is None else []
    for table in options.tables or names_at_hand(options.data):
        write_split(split(*read_source(table, options.data)), folder / table)
        for contestant in [*presets, *baselines]:
            for seed in range(options.seeds):
                run = Run(table, contestant, seed, folder / table, folder / f"{table}-{contestant}-{seed}")
                yield _run_one(run, options)


def _run_one(run: Run, options: argparse.Namespace) -> Figures:
    run.folder.mkdir()
    n_rows = options.sample_rows if SPEED in options.metrics else 0
    entered = in_own_process(run, "enter", n_cores=options.cores, arguments=["--sample-rows", str(n_rows)])
    judged = in_own_process(run, "judge", n_cores=options.cores, arguments=["--metrics", *options.metrics])
    figures = {"table": run.table, "contestant": run.contestant, "seed": run.seed, **entered, **judged}
    print(one_line(figures), flush=True)
    return figures


if __name__ == "__main__":
    main()
