"""Tests that repeated POST requests with one idempotency key have one effect and the same response."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from app.main import create_app
from tests.api.conftest import assert_problem, get, new_key
from understudy.job_queue import ListQueue
from understudy.resources import Resources
from understudy.services.api_keys import Caller

KEY = {"Idempotency-Key": "order-1"}
PROBE = {"kind": "probe", "labels": {"a": "1"}}
CSV = b"a,b\n1,x\n"


def test_repeated_request_returns_the_first_response(client: TestClient):
    first = client.post("/v1/jobs", json=PROBE, headers=KEY)
    again = client.post("/v1/jobs", json=PROBE, headers=KEY)
    assert (again.status_code, again.json()) == (first.status_code, first.json()) == (202, first.json())
    assert again.headers["location"] == first.headers["location"]
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    assert len(get(client, "/v1/jobs")["data"]) == 1


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/jobs", {"kind": "probe", "labels": {"a": "2"}}),
        ("/v1/jobs/validate", PROBE),
    ],
)
def test_different_request_with_the_same_key_is_rejected(client: TestClient, path: str, body: object):
    client.post("/v1/jobs", json=PROBE, headers=KEY)
    assert_problem(client.post(path, json=body, headers=KEY), 422, "idempotency_mismatch", "new key")
    assert len(get(client, "/v1/jobs")["data"]) == 1


def test_rejected_request_can_be_corrected_with_the_same_key(client: TestClient):
    assert client.post("/v1/jobs", json={"kind": "probe", "seconds": -1}, headers=KEY).status_code == 422
    assert client.post("/v1/jobs", json=PROBE, headers=KEY).status_code == 202


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 256, "é"])
def test_malformed_idempotency_key_is_rejected(shared_client: TestClient, key: str):
    response = shared_client.post("/v1/jobs", json=PROBE, headers={"Idempotency-Key": key.encode()})
    assert_problem(response, 422, "invalid_parameters", "255 visible ASCII")
    assert get(shared_client, "/v1/jobs")["data"] == []


class SlowQueue(ListQueue):
    """A job queue that blocks each request after the commit of its job and before its response."""

    def __init__(self) -> None:
        super().__init__()
        self.is_reached = Event()
        self.may_go_on = Event()

    def ring(self, n: int = 1, *, queue: str = "default") -> bool:
        """Wait until the test releases the queue, then count the notification."""
        self.is_reached.set()
        return self.may_go_on.wait(30) and super().ring(n)


def test_repetition_of_a_request_in_progress_gets_409_and_a_retry_after_header(
    resources: Resources, caller: Caller
):
    queue = SlowQueue()
    headers = {"Authorization": f"Bearer {new_key(resources, caller)}", **KEY}
    client = TestClient(create_app(replace(resources, queue=queue)), headers=headers)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(client.post, "/v1/jobs", json=PROBE)
        assert queue.is_reached.wait(30)
        second = client.post("/v1/jobs", json=PROBE)
        queue.may_go_on.set()
    assert_problem(second, 409, "idempotency_in_progress", "Retry-After")
    assert int(second.headers["retry-after"]) > 0
    assert first.result().status_code == 202


class BlockingQueue(ListQueue):
    """A job queue that locks the idempotency keys after the commit of the first job."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._is_first = True

    def ring(self, n: int = 1, *, queue: str = "default") -> bool:
        """Lock the keys at the first call, and count the notification."""
        if self._is_first:
            self._session.execute(text("lock table idempotency_keys in access exclusive mode"))
        self._is_first = False
        return super().ring(n)


def test_request_whose_response_could_not_be_stored_can_be_repeated_immediately(
    resources: Resources, caller: Caller
):
    headers = {"Authorization": f"Bearer {new_key(resources, caller)}", **KEY}
    with resources.sessions() as session:
        client = TestClient(create_app(replace(resources, queue=BlockingQueue(session))), headers=headers)
        assert_problem(client.post("/v1/jobs", json=PROBE), 503, "unavailable")
        session.rollback()
    repeated = client.post("/v1/jobs", json=PROBE)
    assert repeated.status_code == 202
    assert [job["id"] for job in get(client, "/v1/jobs")["data"]] == [repeated.json()["id"]]


def test_only_one_of_several_concurrent_equal_requests_takes_effect(resources: Resources, caller: Caller):
    headers = {"Authorization": f"Bearer {new_key(resources, caller)}", **KEY}

    def post(_: int) -> tuple[int, str | None]:
        response = TestClient(app, headers=headers).post("/v1/jobs", json=PROBE)
        return response.status_code, response.json().get("id") or response.headers["retry-after"]

    app = create_app(resources)
    with ThreadPoolExecutor(8) as pool:
        responses = set(pool.map(post, range(16)))
    assert len({made for status, made in responses if status == 202}) == 1
    assert {status for status, _ in responses} <= {202, 409}
    assert len(get(TestClient(app, headers=headers), "/v1/jobs")["data"]) == 1


def test_repeated_upload_is_recognized_despite_a_different_form_boundary(client: TestClient):
    first = client.post("/v1/datasets", files={"file": ("a.csv", CSV)}, headers=KEY)
    again = client.post("/v1/datasets", files={"file": ("a.csv", CSV)}, headers=KEY)
    assert first.request.headers["content-type"] != again.request.headers["content-type"]
    assert (again.status_code, again.json()) == (202, first.json())
    assert again.headers["location"] == first.headers["location"]
    assert len(get(client, "/v1/datasets")["data"]) == 1


@pytest.mark.parametrize(("data", "form"), [(CSV + b"2,y\n", {}), (CSV, {"name": "b"})])
def test_different_upload_with_the_same_key_is_rejected_and_leaves_nothing_behind(
    client: TestClient, resources: Resources, data: bytes, form: dict[str, str]
):
    client.post("/v1/datasets", files={"file": ("a.csv", CSV)}, headers=KEY)
    response = client.post("/v1/datasets", files={"file": ("a.csv", data)}, data=form, headers=KEY)
    assert_problem(response, 422, "idempotency_mismatch")
    assert len(list(resources.store.keys(""))) == 1
    assert list(resources.staging_folder.iterdir()) == []


def test_cancel_and_retry_can_be_repeated(client: TestClient):
    job = client.post("/v1/jobs", json=PROBE).json()
    cancelled = [client.post(f"/v1/jobs/{job['id']}/cancel", headers=KEY) for _ in range(2)]
    assert cancelled[0].json() == cancelled[1].json()
    retry_key = {"Idempotency-Key": "retry-1"}
    retried = [client.post(f"/v1/jobs/{job['id']}/retry", headers=retry_key) for _ in range(2)]
    assert [response.status_code for response in retried] == [202, 202]
    assert retried[1].headers["idempotent-replayed"] == "true"


def test_streamed_upload_of_unknown_length_can_be_repeated(client: TestClient):
    def pieces() -> Iterator[bytes]:
        yield CSV

    headers = {"Content-Type": "text/csv", **KEY}
    first = client.post("/v1/datasets?name=x", content=pieces(), headers=headers)
    again = client.post("/v1/datasets?name=x", content=pieces(), headers=headers)
    assert again.json() == first.json()
