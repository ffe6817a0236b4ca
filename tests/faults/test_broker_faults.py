"""Tests that run jobs while the broker contains junk messages or rejects commands."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from redis import Redis

from tests.faults.stack import Stack
from tests.faults.workers import WorkerProcess, until
from understudy.job_queue import QUEUE_NAME
from workers.transport import doorbell

pytestmark = [pytest.mark.stack, pytest.mark.broker]

# A job is overdue after two of these intervals.
RING_SECONDS = 0.5


@pytest.fixture(scope="module")
def worker(stack: Stack) -> WorkerProcess:
    return stack.start_worker()


@pytest.fixture(autouse=True)
def promises(stack: Stack, worker: WorkerProcess) -> Iterator[None]:
    pool = worker.pool_pids()
    yield
    assert worker.is_running()
    assert worker.pool_pids() == pool
    assert stack.rows("select sum(crashes) from jobs")[0][0] == 0


def changed(**fields: object) -> bytes:
    return json.dumps({**doorbell(QUEUE_NAME), **fields}).encode()


def with_headers(**headers: object) -> bytes:
    return changed(headers={**doorbell(QUEUE_NAME)["headers"], **headers})


BODY = base64.b64encode(b"[" * 50_000).decode()
JUNK = {
    "not base64": changed(body="!!!"),
    "nested body": changed(body=BODY),
    "nested message": b"[" * 50_000 + b"]" * 50_000,
    "no headers": changed(headers={}),
    "list of headers": changed(headers=[1]),
    "other task": with_headers(task="os.system"),
    "list as task": with_headers(task=["a"]),
    "date": with_headers(eta="2999-01-01T00:00:00"),
    "no date": with_headers(eta="junk", expires="junk"),
    "time limits": with_headers(timelimit=["a", "b"]),
    "pickle": changed(**{"content-type": "application/x-python-serialize"}),
    "unknown encoding": changed(**{"content-encoding": "junk"}),
    "no properties": changed(properties={}),
    "list of properties": changed(properties=[]),
    "null": b"null",
    "number": b"1e999",
    "text": b"garbage",
    "bytes": b"\xff\xfe\x00",
    "empty": b"",
}


def test_worker_survives_junk_messages(stack: Stack, worker: WorkerProcess) -> None:
    for _ in range(3):
        stack.broker.lpush(QUEUE_NAME, *JUNK.values())
        until(lambda: stack.broker.llen(QUEUE_NAME) == 0, "messages are read")
        assert stack.run("probe").state == "succeeded"


def test_worker_ignores_control_messages(stack: Stack, worker: WorkerProcess) -> None:
    for method in ("shutdown", "pool_restart", "rate_limit"):
        arguments = {"task_name": "understudy.run_next_job", "rate_limit": "1/h"}
        order = {"method": method, "arguments": arguments, "destination": None}
        body = base64.b64encode(json.dumps(order).encode()).decode()
        assert stack.broker.publish("/0.celery.pidbox", changed(body=body)) == 0
    assert stack.run("probe").state == "succeeded"


@contextmanager
def read_only(broker: Redis) -> Iterator[None]:
    broker.execute_command("REPLICAOF", "127.0.0.1", "1")  # type: ignore[no-untyped-call]
    yield
    broker.execute_command("REPLICAOF", "NO", "ONE")  # type: ignore[no-untyped-call]


@contextmanager
def without_memory(broker: Redis) -> Iterator[None]:
    broker.config_set("maxmemory", "1")
    yield
    broker.config_set("maxmemory", "0")


@contextmanager
def with_another_type(broker: Redis) -> Iterator[None]:
    broker.delete(QUEUE_NAME)
    broker.set(QUEUE_NAME, "not a list")
    yield
    broker.delete(QUEUE_NAME)


@pytest.mark.parametrize("fault", [read_only, without_memory, with_another_type])
def test_jobs_run_although_the_broker_rejects_commands(
    stack: Stack, worker: WorkerProcess, fault: Callable[[Redis], object]
) -> None:
    job_id = stack.submit("probe", seconds=1)
    stack.wait_until_running(job_id)
    with fault(stack.broker):  # type: ignore[attr-defined]
        time.sleep(2 * RING_SECONDS)
        assert stack.run("probe").state == "succeeded"
        assert stack.finish(job_id)[0].state == "succeeded"
        assert worker.is_running()
    assert stack.run("probe").state == "succeeded"
