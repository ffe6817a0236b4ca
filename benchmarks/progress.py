"""Benchmark the estimates of remaining time: `python -m benchmarks.progress --data FOLDER`.

The command runs a train, a sample and an evaluate job on each table, with a real worker loop and a private
Postgres, and reads the progress as callers do. The estimate at the first report of 25% or more is compared
with the time that the job then took.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from understudy import ids
from understudy.db import jobs
from understudy.db.migrate import upgrade
from understudy.embedded.servers import PrivatePostgres
from understudy.job_kinds import parse_parameters
from understudy.job_queue import ListQueue
from understudy.logs import configure_logs
from understudy.resources import Resources, open_resources
from understudy.sandbox import Sandbox
from understudy.services.datasets import ArrivedFile, NewDataset, upload_tables
from understudy.services.job_requests import RUN_WORK
from understudy.services.job_runs import run_next_job
from understudy.services.jobs import submit_job
from understudy.services.projects import create_project
from understudy.settings import Settings
from workers.worker import PRELOAD

TABLES = ("adult", "housing", "diamonds")
N_SAMPLED = 1_000_000
FRACTION = 0.25
FACTOR_MAX = 1.5
LOOK_SECONDS = 0.05
RESULTS = Path(__file__).parent / "results"

Report = tuple[float, dict[str, Any]]


def main() -> None:
    """Print one line for each job."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.progress", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with the tables as CSV files")
    parser.add_argument("--tables", nargs="+", default=list(TABLES), help="names of the files without .csv")
    parser.add_argument("--trace", action="store_true", help="also print every report")
    parser.add_argument(
        "--write-results", action="store_true", help="write benchmarks/results/DATE-progress.json"
    )
    arguments = parser.parse_args()
    figures = []
    configure_logs("error")
    with tempfile.TemporaryDirectory() as folder, bench(Path(folder)) as (resources, sandbox):
        for table in arguments.tables:
            path = arguments.data / f"{table}.csv"
            figures += measure_table(resources, sandbox, path, trace=arguments.trace)
    n_within = sum(figure["factor"] <= FACTOR_MAX for figure in figures)
    print(f"{n_within} of {len(figures)} estimates are within a factor of {FACTOR_MAX}")
    if arguments.write_results:
        target = RESULTS / f"{datetime.now(UTC):%Y-%m-%d}-progress.json"
        target.write_text(json.dumps(figures, indent=1) + "\n")


@contextmanager
def bench(folder: Path) -> Iterator[tuple[Resources, Sandbox]]:
    """Start a private Postgres and a sandbox."""
    server = PrivatePostgres(folder / "postgres", durable=False)
    server.start()
    upgrade(server.url)
    settings = Settings(database_url=server.url, secret_key="k" * 32, data_dir=folder / "data")
    resources = open_resources(settings, queue=ListQueue())
    try:
        with Sandbox(RUN_WORK, PRELOAD, threads=2) as sandbox:
            yield resources, sandbox
    finally:
        resources.close()
        server.stop()


def measure_table(resources: Resources, sandbox: Sandbox, path: Path, *, trace: bool) -> list[dict[str, Any]]:
    """Run the jobs of a table and return the figures of each."""
    project_id = create_project(resources, path.stem).id
    staged = resources.staging_folder / path.name
    staged.write_bytes(path.read_bytes())
    sha256 = hashlib.sha256(staged.read_bytes()).digest()
    arrived = ArrivedFile("t", "csv", staged, sha256, staged.stat().st_size)
    dataset, _ = upload_tables(resources, project_id, NewDataset("t", {}), [arrived])
    run_next_job(resources, sandbox, "benchmark")
    dataset_id = ids.to_text("dataset", dataset.id)

    def measured(kind: str, **parameters: Any) -> tuple[Any, dict[str, Any]]:
        body = parse_parameters({"kind": kind, "seed": 1, **parameters})
        job_id = submit_job(resources, project_id, body).id
        job, reports, seconds = run_and_watch(resources, sandbox, project_id, job_id)
        figure = {"table": path.stem, "kind": kind, "seconds": round(seconds, 2), **judge(reports, seconds)}
        print(json.dumps(figure), flush=True)
        for at, report in reports if trace else ():
            print(f"    {at:6.2f} s ({at / seconds:4.0%})  {json.dumps(report)}", flush=True)
        return job, figure

    trained, of_train = measured("train", dataset_id=dataset_id)
    model_id = trained.result["model_id"]
    n_rows = sum(1 for _ in path.open()) - 1
    _, of_sample = measured("sample", model_id=model_id, n_rows=N_SAMPLED)
    twin = run(resources, sandbox, project_id, kind="sample", model_id=model_id, seed=2, n_rows=n_rows)
    synthetic_id = twin.result["dataset_id"]
    _, of_evaluate = measured("evaluate", dataset_id=dataset_id, synthetic_dataset_id=synthetic_id)
    return [of_train, of_sample, of_evaluate]


def run(resources: Resources, sandbox: Sandbox, project_id: UUID, **parameters: Any) -> Any:
    """Run a job until it has ended, and return its row."""
    job_id = submit_job(resources, project_id, parse_parameters(parameters)).id
    run_next_job(resources, sandbox, "benchmark")
    with resources.sessions() as session:
        return jobs.get(session, project_id, job_id)


def run_and_watch(
    resources: Resources, sandbox: Sandbox, project_id: UUID, job_id: UUID
) -> tuple[Any, list[Report], float]:
    """Run a job. Return its row, its progress with the times of the changes, and its duration."""
    reports: list[Report] = []
    began = time.monotonic()
    thread = threading.Thread(target=run_next_job, args=(resources, sandbox, "benchmark"))
    thread.start()
    while thread.is_alive():
        with resources.sessions() as session:
            job = jobs.get(session, project_id, job_id)
        if job.progress is not None and (not reports or reports[-1][1] != job.progress):
            reports.append((time.monotonic() - began, job.progress))
        thread.join(LOOK_SECONDS)
    seconds = time.monotonic() - began
    with resources.sessions() as session:
        job = jobs.get(session, project_id, job_id)
    assert job.state == "succeeded", job.error_detail
    return job, reports, seconds


def judge(reports: list[Report], seconds: float) -> dict[str, Any]:
    """Compare the first estimate at 25% or more with the remaining time. Progress must never decrease."""
    fractions = [report["fraction"] for _, report in reports]
    assert fractions == sorted(fractions), fractions
    at, report = next((at, report) for at, report in reports if report["fraction"] >= FRACTION)
    remaining, estimate = seconds - at, max(report["eta_seconds"], 0.01)
    return {
        "at_fraction": report["fraction"],
        "estimated_seconds": estimate,
        "remaining_seconds": round(remaining, 2),
        "factor": round(max(estimate / remaining, remaining / estimate), 2),
    }


if __name__ == "__main__":
    main()
