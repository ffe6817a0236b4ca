"""Benchmark a sample that several workers share: one worker on one core, then two workers on two cores.

`python -m benchmarks.sharded_samples` starts a private Postgres and Valkey in a new folder. Each worker runs
one job at a time and is bound to one core. The files of both samples are compared byte by byte.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
from sqlalchemy import text

from understudy import ids
from understudy.db import jobs
from understudy.db.migrate import upgrade
from understudy.embedded.servers import PrivatePostgres, PrivateValkey
from understudy.job_kinds import parse_parameters
from understudy.parameters.read_options import ReadOptions
from understudy.resources import Resources, open_resources
from understudy.services.datasets import ArrivedFile, NewDataset, upload_tables
from understudy.services.jobs import submit_job
from understudy.services.projects import create_project
from understudy.settings import Settings

SECRET_KEY = "a key for benchmarks, of 32 characters or more"  # noqa: S105 - of private servers
N_TRAINING_ROWS = 20_000
POLL_SECONDS = 0.1

Figures = dict[str, Any]


def narrow_table() -> pa.Table:
    """Return a table of three columns: a number, an integer and a label."""
    rng = np.random.default_rng(0)
    label = rng.integers(0, 5, N_TRAINING_ROWS)
    return pa.table(
        {
            "amount": rng.normal(50 + 10 * label, 5).round(2),
            "count": rng.poisson(3 + label),
            "group": pa.array(["red", "green", "blue", "white", "black"]).take(pa.array(label)),
        }
    )


class Bench:
    """The servers, the benchmark's resources, and the environment for its workers."""

    def __init__(self, folder: Path, shard_rows: int) -> None:
        self.postgres = PrivatePostgres(folder / "postgres", durable=True)
        self.postgres.start()
        self.valkey = PrivateValkey(folder / "valkey")
        self.valkey.start()
        upgrade(self.postgres.url)
        options = {
            "database_url": self.postgres.url,
            "redis_url": self.valkey.url,
            "secret_key": SECRET_KEY,
            "data_dir": str(folder / "data"),
            "sample_shard_rows": str(shard_rows),
            "worker_concurrency": "1",
        }
        variables = {f"UNDERSTUDY_{name.upper()}": value for name, value in options.items()}
        self.environment = os.environ | variables
        self.resources: Resources = open_resources(Settings.model_validate(options))
        self.project_id = create_project(self.resources, "benchmark").id
        self.log = (folder / "workers.log").open("ab")

    def close(self) -> None:
        """Stop the servers."""
        self.resources.close()
        self.valkey.stop()
        self.postgres.stop()

    @contextmanager
    def workers(self, n_workers: int) -> Iterator[None]:
        """Run workers, each bound to one core."""
        cores = sorted(os.sched_getaffinity(0))
        processes = []
        for number in range(n_workers):
            core = str(cores[number % len(cores)])
            command = ["taskset", "-c", core, sys.executable, "-m", "workers"]
            processes.append(
                subprocess.Popen(  # noqa: S603 - our own interpreter and module
                    command, env=self.environment, stdout=self.log, stderr=self.log
                )
            )
        try:
            while self.scalar("select count(*) from workers") < n_workers:
                time.sleep(POLL_SECONDS)
            yield
        finally:
            for process in processes:
                process.terminate()
            for process in processes:
                process.wait()

    def scalar(self, sql: str, **values: object) -> Any:
        """Return the single value that a query returns."""
        with self.resources.sessions() as session:
            return session.scalar(text(sql), values)

    def run(self, **parameters: Any) -> Any:
        """Run a job and return its row."""
        return self.finish(submit_job(self.resources, self.project_id, parse_parameters(parameters)).id)

    def finish(self, job_id: Any) -> Any:
        """Wait for a job and return its row."""
        while True:
            with self.resources.sessions() as session:
                job = jobs.get(session, self.project_id, job_id)
            if job.state in jobs.TERMINAL_STATES:
                if job.state != "succeeded":
                    raise RuntimeError(f"{job.kind}: {job.error_code}: {job.error_detail}")
                return job
            time.sleep(POLL_SECONDS)

    def train(self, folder: Path) -> str:
        """Upload the narrow table, train a model with the preset `fast`, and return its ID."""
        path = folder / "table.csv"
        pacsv.write_csv(narrow_table(), path)
        digest = hashlib.sha256(path.read_bytes()).digest()
        file = ArrivedFile("table", "csv", path, digest, path.stat().st_size)
        new = NewDataset("table", {}, ReadOptions())
        dataset, job = upload_tables(self.resources, self.project_id, new, [file])
        self.finish(job.id)
        dataset_id = ids.to_text("dataset", dataset.id)
        trained = self.run(
            kind="train", dataset_id=dataset_id, seed=1, synthesizer={"name": "tree_chain", "preset": "fast"}
        )
        model_id: str = trained.result["model_id"]
        return model_id

    def sample(self, model_id: str, n_rows: int, n_workers: int) -> Figures:
        """Sample rows with a number of workers and return the figures."""
        with self.workers(n_workers):
            began = time.monotonic()
            job = self.run(kind="sample", model_id=model_id, n_rows=n_rows, seed=5)
            seconds = time.monotonic() - began
        parts = (
            "select string_agg(encode(sha256, 'hex'), ' ' order by role) from artifacts where job_id = :id"
        )
        shards = "from job_attempts a join jobs j on j.id = a.job_id where j.parent_id = :id"
        return {
            "n_workers": n_workers,
            "seconds": round(seconds, 2),
            "cpu_seconds_of_shards": round(self.scalar(f"select sum(cpu_seconds) {shards}", id=job.id), 2),
            "n_shards": self.scalar(f"select count(*) {shards}", id=job.id),
            "n_workers_of_shards": self.scalar(f"select count(distinct worker) {shards}", id=job.id),
            "parts": self.scalar(parts, id=job.id),
        }


def measure(n_rows: int, shard_rows: int, n_repeats: int) -> Figures:
    """Return the figures of alternating runs with one and two workers."""
    with tempfile.TemporaryDirectory(prefix="understudy-") as name:
        folder = Path(name)
        # The private Postgres of root runs as another user.
        folder.chmod(0o755)
        bench = Bench(folder, shard_rows)
        try:
            with bench.workers(1):
                model_id = bench.train(folder)
            runs = []
            for _ in range(n_repeats):
                for n_workers in (1, 2):
                    load = os.getloadavg()[0]
                    runs.append({**bench.sample(model_id, n_rows, n_workers), "load_before": round(load, 1)})
                    print({name: value for name, value in runs[-1].items() if name != "parts"}, flush=True)
        finally:
            bench.close()
    seconds = {n: [run["seconds"] for run in runs if run["n_workers"] == n] for n in (1, 2)}
    parts = {run.pop("parts") for run in runs}
    return {
        "date": datetime.now().astimezone().date().isoformat(),
        "n_rows": n_rows,
        "shard_rows": shard_rows,
        "speedups": [round(one / two, 2) for one, two in zip(seconds[1], seconds[2], strict=True)],
        "are_parts_identical": len(parts) == 1,
        "runs": runs,
    }


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sharded_samples", description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--shard-rows", type=int, default=500_000)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument(
        "--write-results", action="store_true", help="write a dated file into benchmarks/results"
    )
    arguments = parser.parse_args()
    figures = measure(arguments.rows, arguments.shard_rows, arguments.repeats)
    print(json.dumps(figures, indent=2))
    if arguments.write_results:
        path = Path(__file__).parent / "results" / f"{figures['date']}-sharded-samples.json"
        path.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
