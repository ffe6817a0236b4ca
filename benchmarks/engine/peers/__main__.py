"""Other synthesizers on the same tables, judged alike: ``python -m benchmarks.engine.peers --data FOLDER``.

Each is installed into an environment of its own when it is first run. A peer that cannot be installed, fails
or takes too long is a line of the results that says so.
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
# What a peer may take beyond its own cap, to load, sample and end.
TIMES_CAP_MAX = 2


def main() -> None:
    """Run what the command line asks for."""
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
    parser.add_argument("--data", type=Path, help="folder of adult.csv, housing.csv, diamonds.csv")
    parser.add_argument("--tables", type=names_of(SOURCES), help="comma-separated; all at hand if not given")
    parser.add_argument("--peers", type=names_of(PEERS), default=list(PEERS))
    parser.add_argument("--metrics", type=names_of(JUDGES), default=list(JUDGES))
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--cores", type=int, default=2, help="processors that a run may use")
    parser.add_argument(
        "--minutes-max",
        type=float,
        default=10,
        help="training time that a peer is told to keep to, if it can be told; it is ended after twice that",
    )
    parser.add_argument(
        "--environments",
        type=Path,
        default=Path(tempfile.gettempdir()) / "understudy-peers",
        help="where the peers are installed, outside of the project",
    )
    parser.add_argument(
        "--write-results", action="store_true", help="write dated files into benchmarks/results"
    )
    return parser


def _settings(options: argparse.Namespace) -> list[str]:
    cap = f"Cap of {options.minutes_max:g} minutes, ended after {TIMES_CAP_MAX * options.minutes_max:g}."
    lines = [f"{name} ({PEERS[name].requirements[0]}): {PEERS[name].settings}." for name in options.peers]
    return [cap, *lines]


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
        return {"note": f"not run: it could not be installed ({_last_line(error.stderr)})"}
    note = _enter(python, PEERS[run.contestant], run, options)
    if note:
        return {"note": note}
    entered: Figures = json.loads((run.folder / FIGURES).read_text())
    judged = in_own_process(run, "judge", n_cores=options.cores, arguments=["--metrics", *options.metrics])
    return {**entered, **judged}


def _enter(python: Path, peer: Peer, run: Run, options: argparse.Namespace) -> str | None:
    """Let a peer fit and sample; return what went wrong, if something did."""
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
    # Neither this project nor anything else of the caller's is on the peer's path.
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"} | threads
    seconds_max = 60 * TIMES_CAP_MAX * options.minutes_max
    try:
        subprocess.run(  # noqa: S603 - our own arguments
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
