"""Benchmark other synthesizers on the same tables: ``python -m benchmarks.engine.peers --data FOLDER``.

Each synthesizer is installed into a separate environment before its first run. If a peer cannot be installed,
fails or takes too long, the results contain a line with the reason.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq

from benchmarks.engine.judges import JUDGES
from benchmarks.engine.options import names_of
from benchmarks.engine.peers import PEERS, Peer
from benchmarks.engine.peers.environments import python_of
from benchmarks.engine.report import Figures, markdown, one_line, summarise, write_results
from benchmarks.engine.run import (
    FIGURES,
    HOLDOUT,
    TRAIN,
    Run,
    in_own_process,
    read_split,
    restrict,
    write_split,
)
from benchmarks.engine.tables import SOURCES, names_at_hand, read_source, split

RUNNERS = Path(__file__).parent / "runners"
# A peer is stopped after this multiple of its time limit, so that it has time to load, sample and exit.
TIMES_CAP_MAX = 2


def main() -> None:
    """Run the benchmark with the command line's options."""
    options = _parser().parse_args()
    with tempfile.TemporaryDirectory() as folder:
        runs = list(_run_all(options, Path(folder)))
    print(markdown(summarise(runs)))
    if options.write_results:
        folders = (str(options.data), str(options.environments))
        words = ["FOLDER" if word in folders else word for word in sys.argv[1:]]
        command = f"python -m benchmarks.engine.peers {shlex.join(words)}"
        print(write_results("peers", runs, command=command, notes=_settings(options)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.engine.peers", description=__doc__)
    parser.add_argument("--data", type=Path, help="folder with adult.csv, housing.csv, diamonds.csv")
    parser.add_argument(
        "--tables", type=names_of(SOURCES), help="comma-separated names (default: all available tables)"
    )
    parser.add_argument("--peers", type=names_of(PEERS), default=list(PEERS))
    parser.add_argument("--metrics", type=names_of(JUDGES), default=list(JUDGES))
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--cores", type=int, default=2, help="number of processors that a run can use")
    parser.add_argument(
        "--minutes-max",
        type=float,
        default=10,
        help="limit of the training time, for peers that accept one; a peer is stopped after twice this time",
    )
    parser.add_argument(
        "--environments",
        type=Path,
        default=Path(tempfile.gettempdir()) / "understudy-peers",
        help="folder for the peers' environments, outside the project",
    )
    parser.add_argument(
        "--write-results", action="store_true", help="write dated result files into benchmarks/results"
    )
    return parser


def _settings(options: argparse.Namespace) -> list[str]:
    limit = (
        f"Time limit of {options.minutes_max:g} minutes, stopped after "
        f"{TIMES_CAP_MAX * options.minutes_max:g}."
    )
    lines = [f"{name} ({PEERS[name].requirements[0]}): {PEERS[name].settings}." for name in options.peers]
    return [limit, *lines]


def _run_all(options: argparse.Namespace, folder: Path) -> Iterator[Figures]:
    for table in options.tables or names_at_hand(options.data):
        write_split(split(*read_source(table, options.data)), folder / table)
        for name in options.peers:
            for seed in range(options.seeds):
                run = Run(table, name, seed, folder / table, folder / f"{table}-{name}-{seed}")
                figures = {"table": table, "contestant": name, "seed": seed} | _run_one(run, options)
                print(one_line(figures), flush=True)
                yield figures


def _run_one(run: Run, options: argparse.Namespace) -> Figures:
    run.folder.mkdir()
    try:
        python = python_of(PEERS[run.contestant], options.environments)
    except subprocess.CalledProcessError as error:
        return {"note": f"not run because the installation failed ({_last_line(error.stderr)})"}
    note = _enter(python, PEERS[run.contestant], run, options)
    if note:
        return {"note": note}
    entered: Figures = json.loads((run.folder / FIGURES).read_text())
    judged = in_own_process(run, "judge", n_cores=options.cores, arguments=["--metrics", *options.metrics])
    return {**entered, **judged}


def _enter(python: Path, peer: Peer, run: Run, options: argparse.Namespace) -> str | None:
    """Run a peer's fit and sample, and return a note if it fails."""
    holdout = read_split(run.split_folder).judged_holdout
    pq.write_table(holdout, run.folder / HOLDOUT)
    command = [
        str(python),
        str(RUNNERS / f"{peer.runner}.py"),
        str(run.split_folder / TRAIN),
        str(run.folder),
    ]
    command += ["--rows", str(len(holdout)), "--seed", str(run.seed), "--minutes", str(options.minutes_max)]
    threads = dict.fromkeys(
        ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), str(options.cores)
    )
    # Remove this project and the caller's other folders from the peer's import path.
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"} | threads
    seconds_max = 60 * TIMES_CAP_MAX * options.minutes_max
    try:
        subprocess.run(  # noqa: S603 - trusted arguments
            command,
            check=True,
            timeout=seconds_max,
            cwd=run.folder,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: restrict(options.cores),
        )
    except subprocess.TimeoutExpired:
        return f"not finished after {seconds_max / 60:g} minutes"
    except subprocess.CalledProcessError as error:
        return f"failed: {_last_line(error.stderr)}"
    finally:
        for left in run.folder.iterdir():
            if left.is_dir():
                shutil.rmtree(left)
    return None


def _last_line(text: str | None) -> str:
    lines = (text or "").strip().splitlines()
    return lines[-1][:200] if lines else "no message"


if __name__ == "__main__":
    main()
