"""F11, F14, F19, F20, F21: the network between the processes and their servers breaks, stalls or is slow."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest
from sqlalchemy import text

from tests.faults.api import Client
from tests.faults.conftest import IS_COMPLETE
from tests.faults.injections import TERMINATE_SESSIONS
from tests.faults.invariants import Recovery
from tests.faults.proxy import FaultProxy
from tests.faults.stack import Stack
from tests.faults.workers import WorkerProcess, until
from understudy.errors import Unavailable

pytestmark = pytest.mark.stack

LEASE_SECONDS = 3.0
# The sum of the lease, the rescue and the repeated attempt, in seconds.
RECOVERY_SECONDS = LEASE_SECONDS + 0.5 + 8


SERVERS = ["database", pytest.param("broker", marks=pytest.mark.broker)]


class Network:
    """A worker and an API that reach their servers through proxies."""

    def __init__(self, stack: Stack) -> None:
        self.database, database_url = stack.proxy_database()
        self.broker, broker_url = stack.proxy_broker()
        through = {"database_url": database_url, **({"redis_url": broker_url} if stack.uses_broker else {})}
        self.worker: WorkerProcess = stack.start_worker(**through)
        self.api = stack.start_api(**through)
        self.client: Client = stack.client()


@pytest.fixture(scope="module")
def network(stack: Stack) -> Network:
    return Network(stack)


@pytest.fixture(autouse=True)
def healthy(network: Network) -> Iterator[None]:
    yield
    for proxy in (network.database, network.broker):
        proxy.resume()
    network.client.finish(network.client.submit("probe"))
    assert network.worker.is_running()
    assert network.api.is_running()


def running_probe(stack: Stack, seconds: float) -> object:
    job_id = stack.submit("probe", seconds=seconds)
    stack.wait_until_running(job_id)
    return job_id


@pytest.mark.parametrize("direction", ["request", pytest.param("response", marks=pytest.mark.complete)])
def test_commit_takes_effect_once_although_its_connection_is_cut(
    stack: Stack, network: Network, direction: str
) -> None:
    # After a lost response, the repetitions of a key take about half a minute until they succeed.
    keys = [f"{direction}-{i}" for i in range(6 if IS_COMPLETE else 2)]
    job_ids = []
    for key in keys:
        network.database.cut_commit = direction
        job_ids.append(network.client.submit("probe", key=key))
        assert network.client.submit("probe", key=key) == job_ids[-1]
    assert network.database.n_commits_cut >= len(keys)
    network.database.resume()

    assert {job["state"] for job in network.client.finish(*job_ids)} == {"succeeded"}
    assert len(set(job_ids)) == len(keys)


def test_worker_without_heartbeats_stops_its_work_before_the_lease_ends(
    stack: Stack, network: Network
) -> None:
    job_id = running_probe(stack, 60)
    network.database.stall()
    until(lambda: network.worker.work_pids() == [], "the work is stopped")
    # The worker stops its work after nine tenths of the lease, before another worker can claim the job.
    until(lambda: stack.job(job_id).lease_until, "the row is readable")
    network.database.resume()
    until(lambda: stack.outcomes(job_id)[0] == "lost", "the attempt is lost")
    stack.cancel(job_id)
    assert stack.finish(job_id)[0].state == "cancelled"


@pytest.mark.complete
@pytest.mark.parametrize("seconds", [1.0, 2 * LEASE_SECONDS])
@pytest.mark.parametrize("server", SERVERS)
def test_jobs_survive_a_network_that_stalls(
    stack: Stack, network: Network, server: str, seconds: float
) -> None:
    proxy: FaultProxy = getattr(network, server)
    job_ids = [stack.submit("probe", seconds=1) for _ in range(4)]
    proxy.stall()
    time.sleep(seconds)
    proxy.resume()
    recovery = Recovery(2 * RECOVERY_SECONDS)
    recovery.wait(lambda: {stack.job(job_id).state for job_id in job_ids} == {"succeeded"}, "jobs run")


@pytest.mark.complete
@pytest.mark.parametrize("fault", ["cut", "half_close", "refuse", "delay", "reset"])
@pytest.mark.parametrize("server", SERVERS)
def test_jobs_survive_broken_connections(stack: Stack, network: Network, server: str, fault: str) -> None:
    proxy: FaultProxy = getattr(network, server)
    job_ids = [stack.submit("probe", seconds=0.5) for _ in range(6)]
    for i in range(8):
        if fault in ("cut", "half_close"):
            getattr(proxy, fault)()
        elif fault == "reset":
            proxy.reset_after_bytes = 100 * i
            proxy.cut()
        else:
            proxy.is_refusing, proxy.delay_seconds = fault == "refuse", 0.1
            proxy.cut()
        time.sleep(0.5)
    proxy.resume()
    assert {job.state for job in stack.finish(*job_ids)} == {"succeeded"}


@pytest.mark.broker
def test_requests_are_accepted_while_the_broker_does_not_respond(stack: Stack, network: Network) -> None:
    network.broker.stall()
    job_ids = [network.client.submit("probe") for _ in range(3)]
    network.broker.resume()
    assert {job["state"] for job in network.client.finish(*job_ids)} == {"succeeded"}
    assert not [status for status in network.client.statuses if status >= 500 and status != 503]


@pytest.mark.complete
def test_jobs_survive_the_loss_of_all_sessions_every_second(stack: Stack, network: Network) -> None:
    job_ids = [stack.submit("probe", seconds=1) for _ in range(6)]
    for _ in range(10):
        with suppress(Unavailable), stack.resources.sessions() as session:
            session.execute(text(TERMINATE_SESSIONS))
        time.sleep(1)
    assert {job.state for job in stack.finish(*job_ids)} == {"succeeded"}


@pytest.mark.complete
def test_requests_get_503_while_no_connection_is_left_and_succeed_later(
    stack: Stack, network: Network
) -> None:
    engine = stack.resources.sessions.kw["bind"]
    with ExitStack() as held:
        raw = engine.dialect.loaded_dbapi
        parameters = engine.dialect.create_connect_args(engine.url)
        network.database.cut()
        try:
            for _ in range(120):
                held.enter_context(raw.connect(*parameters[0], **parameters[1]))
        except raw.OperationalError:
            pass
        response = network.client.once("GET", "/v1/jobs")
        assert response is not None
        assert response.status_code == 503
        assert "Retry-After" in response.headers
    until(lambda: network.client.once("GET", "/v1/jobs").status_code == 200, "requests succeed")  # type: ignore[union-attr]


@pytest.mark.complete
def test_concurrent_requests_that_lock_the_same_rows_do_not_fail(stack: Stack, network: Network) -> None:
    job_ids = [network.client.submit("probe", seconds=60) for _ in range(20)]
    clients = [stack.client() for _ in range(8)]

    def cancel(client: Client, order: list[str]) -> None:
        for job_id in order:
            client.send("POST", f"/v1/jobs/{job_id}/cancel")

    orders = [job_ids, job_ids[::-1]]
    threads = [
        threading.Thread(target=cancel, args=(client, orders[i % 2])) for i, client in enumerate(clients)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {job["state"] for job in network.client.finish(*job_ids)} == {"cancelled"}
