"""Benchmark how fast jobs are claimed, from short and long queues, and for one or many projects.

`python -m benchmarks.claims` starts a private Postgres that flushes each commit to disk. A claim is one
transaction. The rate right after the insertion of 100,000 rows shows whether the plan of the statement
depends on statistics.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from understudy.db import claims
from understudy.db.claims import Claimant
from understudy.db.jobs import PARAMETERS_VERSION
from understudy.db.migrate import upgrade
from understudy.db.session import close_sessions, make_sessions
from understudy.embedded.servers import PrivatePostgres

N_THREADS = 8
SECONDS = 4.0
# Number of queued jobs, number of projects, and whether the statistics are updated before the measurement.
CASES = {
    "3,000 jobs, 1 project": (3_000, 1, True),
    "100,000 jobs, 1 project, right after the insertion": (100_000, 1, False),
    "100,000 jobs, 1 project, after ANALYZE": (100_000, 1, True),
    "100,000 jobs, 100 projects, right after the insertion": (100_000, 100, False),
    "100,000 jobs, 1,000 projects, right after the insertion": (100_000, 1_000, False),
}
FILL = """
insert into projects (id, name) select gen_random_uuid(), 'benchmark' from generate_series(1, :projects);
"""
QUEUE = """
insert into jobs (id, project_id, kind, parameters, parameters_version, expires_at)
select gen_random_uuid(), p.id, 'probe', '{}', :version, clock_timestamp() + interval '1 day'
from (select id, row_number() over () as position from projects) p
join generate_series(1, :jobs) n on n % :projects = p.position - 1
"""

Sessions = sessionmaker[Session]
Figures = dict[str, Any]


def fill(sessions: Sessions, n_jobs: int, n_projects: int) -> None:
    """Replace all rows with queued jobs that are spread evenly over projects."""
    with sessions.begin() as session:
        session.execute(text("set local statement_timeout = 0"))
        session.execute(text("truncate projects cascade"))
        session.execute(text(FILL), {"projects": n_projects})
        session.execute(text(QUEUE), {"jobs": n_jobs, "projects": n_projects, "version": PARAMETERS_VERSION})


def run_statement(sessions: Sessions, statement: str) -> None:
    """Run a statement that cannot run in a transaction, or that should not be part of a transaction."""
    engine = sessions.kw["bind"].execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))


def server_cpu_seconds(server: PrivatePostgres) -> float:
    """Return the CPU time of the server's processes."""
    process = psutil.Process(server.pid)
    times = [part.cpu_times() for part in (process, *process.children(recursive=True))]
    return sum(time_.user + time_.system for time_ in times)


def measure(sessions: Sessions, server: PrivatePostgres, n_threads: int, seconds: float) -> Figures:
    """Claim jobs with several threads, and return the rate, the latency and the CPU time."""
    latencies: list[float] = []
    end = time.perf_counter() + seconds

    def work(number: int) -> None:
        claimant = Claimant(f"worker-{number}", "benchmark", ("probe",))
        while (began := time.perf_counter()) < end:
            with sessions.begin() as session:
                job = claims.claim(session, claimant, lease_seconds=300)
            if job is not None:
                latencies.append(time.perf_counter() - began)

    with sessions.begin() as session:
        session.execute(text("checkpoint"))
    cpu_before, server_cpu_before = time.process_time(), server_cpu_seconds(server)
    threads = [threading.Thread(target=work, args=(number,)) for number in range(n_threads)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    latencies.sort()
    return {
        "claims_per_second": round(len(latencies) / seconds),
        "latency_ms_median": round(1000 * statistics.median(latencies), 2),
        "latency_ms_p99": round(1000 * latencies[int(0.99 * len(latencies))], 2),
        "client_cpu_ms_per_claim": round(1000 * (time.process_time() - cpu_before) / len(latencies), 3),
        "server_cpu_ms_per_claim": round(
            1000 * (server_cpu_seconds(server) - server_cpu_before) / len(latencies), 3
        ),
    }


def run(n_threads: int, seconds: float) -> Figures:
    """Measure all cases on a new server."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)
        server = PrivatePostgres(Path(folder) / "postgres")
        server.start()
        try:
            upgrade(server.url)
            sessions = make_sessions(server.url, n_threads)
            figures = {}
            for name, (n_jobs, n_projects, with_statistics) in CASES.items():
                fill(sessions, n_jobs, n_projects)
                if with_statistics:
                    run_statement(sessions, "analyze jobs")
                figures[name] = measure(sessions, server, n_threads, seconds)
            close_sessions(sessions)
        finally:
            server.stop()
    return figures


def main() -> None:
    """Print the figures, and write them into a dated file if requested."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.claims", description=__doc__)
    parser.add_argument("--threads", type=int, default=N_THREADS)
    parser.add_argument(
        "--seconds", type=float, default=SECONDS, help="duration of each measurement in seconds"
    )
    parser.add_argument("--write-results", action="store_true")
    arguments = parser.parse_args()
    figures = {
        "date": datetime.now(UTC).date().isoformat(),
        "n_cpus": os.cpu_count(),
        "load_average": round(os.getloadavg()[0], 1),
        "n_threads": arguments.threads,
        "claims": run(arguments.threads, arguments.seconds),
    }
    report = json.dumps(figures, indent=2)
    print(report)
    if arguments.write_results:
        path = Path(__file__).parent / "results" / f"{figures['date']}-claims.json"
        path.write_text(report + "\n")


if __name__ == "__main__":
    main()
