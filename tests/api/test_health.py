"""Tests for health checks, which cover the process and the services that jobs need."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import structlog
from sqlalchemy import text
from starlette.testclient import TestClient

from app.main import create_app
from tests.api.conftest import assert_problem
from tests.service import SECRET_KEY, frozen_database
from tests.stalls import StallClock
from understudy.db import claims, projects, shards, workers
from understudy.db.claims import Claimant
from understudy.db.session import close_sessions, make_sessions, without_transactions
from understudy.db.workers import WorkerState
from understudy.errors import StorageFull
from understudy.job_queue import CeleryQueue
from understudy.resources import Resources
from understudy.storage import MemoryStore


class FullStore(MemoryStore):
    """A store without free space."""

    def check_writable(self) -> None:
        """Raise `StorageFull`."""
        raise StorageFull("There is no space left in the store.")


@pytest.fixture
def resources_without_database(resources: Resources) -> Iterator[Resources]:
    """Open resources with a database that does not respond."""
    sessions = make_sessions("postgresql://nobody@/nothing?host=/nonexistent", threads=1)
    yield replace(resources, sessions=sessions, read_sessions=without_transactions(sessions))
    close_sessions(sessions)


def test_liveness_does_not_depend_on_other_services(resources_without_database: Resources):
    response = TestClient(create_app(resources_without_database)).get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_service_is_ready_if_all_checks_pass(resources: Resources):
    with resources.sessions.begin() as session:
        workers.report(session, "worker@test", WorkerState("1", 2))
    response = TestClient(create_app(resources)).get("/readyz")
    checks = {"database": "ok", "broker": "ok", "storage": "ok", "workers": "ok"}
    assert (response.status_code, response.json()) == (200, {"status": "ready", "checks": checks})


def test_service_is_not_ready_without_a_worker(resources: Resources):
    response = TestClient(create_app(resources)).get("/readyz")
    assert (response.status_code, response.json()["status"]) == (503, "not_ready")
    assert response.json()["checks"]["workers"] == "no worker has sent a heartbeat recently"
    assert response.headers["retry-after"]


def report(resources: Resources, *queues: str) -> None:
    with resources.sessions.begin() as session:
        workers.report(session, "worker@test", WorkerState("1", 2, queues or ("default",)))


def age(resources: Resources) -> None:
    with resources.sessions.begin() as session:
        session.execute(
            text(
                "update jobs set created_at = created_at - interval '61 s',"
                " run_after = run_after - interval '61 s'"
            )
        )


def test_service_is_not_ready_while_a_job_waits_although_workers_are_idle(
    client: TestClient, resources: Resources
):
    assert client.post("/v1/jobs", json={"kind": "probe"}).status_code == 202
    report(resources)
    assert client.get("/readyz").status_code == 200
    age(resources)
    assert client.get("/readyz").json()["checks"]["workers"] == "jobs wait although workers are idle"


def test_service_is_not_ready_while_a_job_waits_in_a_queue_without_workers(
    client: TestClient, resources: Resources
):
    assert client.post("/v1/jobs", json={"kind": "probe"}).status_code == 202
    report(resources, "gpu")
    age(resources)
    assert client.get("/readyz").json()["checks"]["workers"] == "jobs wait in a queue that no worker serves"


def test_service_is_ready_while_a_project_runs_its_maximum_number_of_jobs(
    client: TestClient, resources: Resources
):
    for _ in range(2):
        assert client.post("/v1/jobs", json={"kind": "probe"}).status_code == 202
    report(resources)
    with resources.sessions.begin() as session:
        for project in projects.all_of_them(session):
            projects.limit_running_jobs(session, project.id, 1)
        claimant = Claimant("worker@test", "1", ("probe",))
        assert claims.claim(session, claimant, lease_seconds=60) is not None
    age(resources)
    assert client.get("/readyz").json()["checks"]["workers"] == "ok"


def test_service_is_not_ready_while_shards_wait_even_if_their_project_is_at_its_limit(
    client: TestClient, resources: Resources
):
    assert client.post("/v1/jobs", json={"kind": "probe"}).status_code == 202
    report(resources)
    with resources.sessions.begin() as session:
        for project in projects.all_of_them(session):
            projects.limit_running_jobs(session, project.id, 1)
        claimant = Claimant("worker@test", "1", ("probe",))
        job = claims.claim(session, claimant, lease_seconds=60)
        assert job is not None
        shards.add_missing(session, job, {1: {"kind": "probe"}}, ttl_seconds=3600)
    age(resources)
    assert client.get("/readyz").json()["checks"]["workers"] == "jobs wait although workers are idle"


def test_service_is_not_ready_without_storage_space_or_a_broker(resources: Resources):
    queue = CeleryQueue("redis+socket:///nonexistent/broker")
    app = create_app(replace(resources, store=FullStore(), queue=queue))
    checks = TestClient(app).get("/readyz").json()["checks"]
    queue.close()
    assert checks["storage"] == "There is no space left in the store."
    assert checks["broker"] == "does not respond"


def test_responses_contain_a_retry_after_header_if_the_database_is_down(
    resources_without_database: Resources,
):
    client = TestClient(create_app(resources_without_database))
    assert client.get("/readyz").json()["checks"]["database"] == "does not respond"
    key = "sk_" + "0" * 26 + "_" + "a" * 43
    response = client.get("/v1/jobs", headers={"Authorization": f"Bearer {key}"})
    assert_problem(response, 503, "unavailable", "seconds")
    assert int(response.headers["retry-after"]) > 0


def test_every_request_fails_within_two_seconds_while_the_database_is_frozen(
    client: TestClient, resources: Resources
):
    def send(request: tuple[str, str]) -> tuple[int, float]:
        began = clock.seconds()
        method, path = request
        response = client.request(method, path, json={"kind": "probe"} if method == "POST" else None)
        return response.status_code, clock.seconds() - began

    requests = [("GET", "/readyz"), ("GET", "/v1/jobs"), ("GET", "/v1/project"), ("POST", "/v1/jobs")]
    with StallClock() as clock, frozen_database(resources.sessions), ThreadPoolExecutor(16) as pool:
        responses = list(pool.map(send, requests * 15))
    assert {status for status, _ in responses} == {503}
    assert max(seconds for _, seconds in responses) < 2
    deadline = time.monotonic() + 15
    while client.post("/v1/jobs", json={"kind": "probe"}).status_code != 202:
        assert time.monotonic() < deadline
    with resources.sessions() as session:
        assert session.scalar(text("select count(*) from jobs")) == 1


def test_jobs_are_accepted_without_a_broker(client: TestClient, resources: Resources):
    queue = CeleryQueue("redis+socket:///nonexistent/broker")
    deaf = TestClient(create_app(replace(resources, queue=queue)), headers=client.headers)
    assert deaf.post("/v1/jobs", json={"kind": "probe"}).status_code == 202
    queue.close()


@pytest.fixture
def restored_logs() -> Iterator[None]:
    """Restore the log configuration that the application changes."""
    handlers, level = logging.getLogger().handlers, logging.getLogger().level
    yield
    logging.getLogger().handlers = handlers
    logging.getLogger().setLevel(level)
    structlog.reset_defaults()


@pytest.mark.usefixtures("restored_logs")
def test_application_opens_and_closes_the_resources_of_its_settings(
    database_url: str, valkey: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    values = {
        "DATABASE_URL": database_url,
        "REDIS_URL": valkey,
        "SECRET_KEY": SECRET_KEY,
        "DATA_DIR": str(tmp_path),
    }
    for name, value in values.items():
        monkeypatch.setenv(f"UNDERSTUDY_{name}", value)
    with TestClient(create_app()) as client:
        checks = client.get("/readyz").json()["checks"]
    assert (checks["database"], checks["broker"], checks["storage"]) == ("ok", "ok", "ok")
