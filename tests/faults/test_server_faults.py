"""F4, F12, F13, F14, F17, F18, F23, F33: servers stop, are killed, fill their disk, or restart under load."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator

import pytest

from tests.faults.api import ApiProcess, Client
from tests.faults.callers import BUSY_SECONDS, CoreClock, Findings
from tests.faults.disks import fill
from tests.faults.servers import Servers, open_servers
from tests.faults.stack import Stack
from tests.faults.workers import WorkerProcess, until

pytestmark = [pytest.mark.stack, pytest.mark.complete]

# With a shorter lease, many concurrent jobs could lose their leases three times on a busy machine, and fail.
LEASE_SECONDS = 15


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with open_servers(tmp_path_factory.mktemp("servers")) as servers:
        yield servers


@pytest.fixture(scope="module")
def postgres(servers: Servers) -> str:
    return servers.postgres.url


@pytest.fixture(scope="module")
def valkey(servers: Servers) -> str:
    return servers.valkey.url


@pytest.fixture(scope="module")
def worker(stack: Stack) -> WorkerProcess:
    return stack.start_worker(lease_seconds=LEASE_SECONDS)


@pytest.fixture(scope="module")
def api(stack: Stack) -> ApiProcess:
    return stack.start_api()


@pytest.fixture(scope="module")
def client(stack: Stack, api: ApiProcess) -> Client:
    return stack.client()


@pytest.mark.parametrize("pause_seconds", [0.0, 1.0, 5.0])
@pytest.mark.parametrize("number", [signal.SIGQUIT, signal.SIGKILL], ids=["immediate stop", "kill"])
def test_no_accepted_job_is_lost_when_the_database_stops(
    stack: Stack,
    servers: Servers,
    worker: WorkerProcess,
    api: ApiProcess,
    client: Client,
    number: signal.Signals,
    pause_seconds: float,
) -> None:
    job_ids = [client.submit("probe", seconds=1) for _ in range(6)]
    until(lambda: stack.rows("select 1 from jobs where state = 'running'"), "a job runs")
    servers.kill(servers.postgres, number=number)
    findings, clock = Findings(), CoreClock(api.pid)
    response = client.once("GET", "/v1/jobs", timeout=BUSY_SECONDS)
    findings.add("list", response, client.last_error, clock.seconds())
    assert (findings.faults, dict(findings.statuses)) == ([], {503: 1})
    servers.start_again(pause_seconds)
    job_ids += [client.submit("probe")]
    assert {job["state"] for job in client.finish(*job_ids)} == {"succeeded"}
    assert worker.is_running()


@pytest.mark.broker
@pytest.mark.parametrize("pause_seconds", [0.0, 5.0])
def test_jobs_are_accepted_and_run_when_the_broker_dies(
    stack: Stack, servers: Servers, worker: WorkerProcess, client: Client, pause_seconds: float
) -> None:
    job_ids = [client.submit("probe", seconds=1) for _ in range(4)]
    servers.kill(servers.valkey)
    job_ids += [client.submit("probe") for _ in range(10)]
    servers.start_again(pause_seconds)
    assert {job["state"] for job in client.finish(*job_ids)} == {"succeeded"}
    assert stack.rows("select count(*) from job_attempts where outcome = 'crashed'")[0][0] == 0


@pytest.mark.broker
def test_jobs_run_while_the_broker_is_emptied_repeatedly(
    stack: Stack, worker: WorkerProcess, client: Client
) -> None:
    job_ids = []
    for _ in range(10):
        job_ids += [client.submit("probe") for _ in range(3)]
        stack.broker.flushall()
        time.sleep(0.5)
    assert {job["state"] for job in client.finish(*job_ids)} == {"succeeded"}


def test_no_accepted_job_is_lost_when_the_disk_of_the_write_ahead_log_is_full(
    stack: Stack, servers: Servers, worker: WorkerProcess, client: Client
) -> None:
    if servers.wal is None:
        pytest.skip("Only root can mount a disk.")
    filler = servers.wal / "filler"
    fill(filler)
    job_ids = []
    # The server stops when it cannot extend the log. Until then, there is space for some transactions.
    for _ in range(3):
        response = client.once("POST", "/v1/jobs", json={"kind": "probe"})
        if response is not None and response.status_code == 202:
            job_ids.append(response.json()["id"])
    with stack.resources.sessions() as session, pytest.raises(Exception, match=r"respond|space|terminated"):
        session.connection().exec_driver_sql(
            "create table big as select repeat('x', 1000) from generate_series(1, 200000)"
        )
    filler.unlink()
    servers.start_again()
    job_ids.append(client.submit("probe"))
    assert {job["state"] for job in client.finish(*job_ids)} == {"succeeded"}


def test_all_jobs_run_after_everything_was_killed(
    stack: Stack, servers: Servers, worker: WorkerProcess, api: ApiProcess, client: Client
) -> None:
    other = stack.start_worker(worker_concurrency=6, lease_seconds=LEASE_SECONDS)
    job_ids = [client.submit("probe", seconds=3) for _ in range(30)]
    until(lambda: stack.rows("select count(*) from jobs where state = 'running'")[0][0] >= 6, "jobs run")
    api.kill()
    other.kill_main()
    servers.kill(servers.valkey, servers.postgres)
    servers.start_again()
    stack.start_api()
    assert {job["state"] for job in client.finish(*job_ids)} == {"succeeded"}


def test_no_request_and_no_job_fails_during_rolling_restarts(
    stack: Stack, api: ApiProcess, client: Client
) -> None:
    job_ids = []
    previous = stack.start_worker(worker_concurrency=4)
    for _ in range(4):
        job_ids += [client.submit("probe", seconds=0.5) for _ in range(12)]
        following = stack.start_worker(worker_concurrency=4)
        assert previous.stop() == 0
        previous = following
        api.stop()
        stack.start_api()
    jobs = client.finish(*job_ids)
    assert {job["state"] for job in jobs} == {"succeeded"}
    outcomes = {attempt["outcome"] for job in jobs for attempt in job["attempts"]}
    assert outcomes <= {"succeeded", "released"}
    assert previous.stop() == 0
