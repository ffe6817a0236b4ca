"""F18: the database is down or frozen for longer than the maximum duration of a request."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from tests.faults.callers import Callers, is_normal
from tests.faults.invariants import Recovery
from tests.faults.servers import Servers, open_servers
from tests.faults.stack import Stack
from tests.faults.workers import WorkerProcess, until
from tests.service import frozen_database

pytestmark = [pytest.mark.stack, pytest.mark.complete]

# The duration of each outage in seconds. The service must tolerate 60 s.
OUTAGE_SECONDS = float(os.environ.get("OUTAGE_SECONDS", "12"))
NORMAL_SECONDS = 15
PAUSE_SECONDS = 0.25
N_CALLERS = 4


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
    return stack.start_worker()


@contextmanager
def frozen(stack: Stack, servers: Servers) -> Iterator[None]:
    with frozen_database(stack.resources.sessions):
        yield


@contextmanager
def away(stack: Stack, servers: Servers) -> Iterator[None]:
    servers.kill(servers.postgres, number=signal.SIGQUIT)
    yield
    servers.start_again()


Outage = Callable[[Stack, Servers], AbstractContextManager[None]]


@pytest.mark.parametrize("outage", [away, frozen])
def test_each_request_gets_a_response_while_the_database_does_not_respond(
    stack: Stack,
    servers: Servers,
    worker: WorkerProcess,
    outage: Outage,
) -> None:
    clients = [stack.client() for _ in range(N_CALLERS + 1)]
    n_before = stack.rows("select count(*) from jobs")[0][0]
    with Callers(clients[1:], stack.start_api().pid, PAUSE_SECONDS) as findings:
        until(lambda: len(findings.job_of_key) > N_CALLERS, "requests succeed")
        with outage(stack, servers):
            time.sleep(OUTAGE_SECONDS)
        recovery = Recovery(NORMAL_SECONDS)
        seconds = recovery.wait(lambda: is_normal(clients[0], findings), "requests and jobs succeed")
    # `pytest -rP` prints these figures.
    sys.stdout.write(f"{OUTAGE_SECONDS:.0f} s: {findings}; normal after {seconds:.1f} s\n")

    assert not findings.faults, findings.faults
    # The outage is long enough to affect the callers.
    assert findings.statuses[503] > N_CALLERS
    assert {job["state"] for job in clients[0].finish(*findings.job_of_key.values())} == {"succeeded"}
    assert stack.rows("select count(*) from jobs")[0][0] == n_before + len(findings.job_of_key)
    assert worker.is_running()
