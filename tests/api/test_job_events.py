"""Tests for job events, as pages and as a resumable stream."""

from __future__ import annotations

import json
import socket
from contextlib import ExitStack, closing
from threading import Timer

import httpx2
import pytest
from starlette.testclient import TestClient

from app import waiting
from app.slots import SlotLimits
from tests.api.conftest import Json, assert_problem, get, new_key, submit, wait_until
from tests.rows import new_job
from understudy import ids
from understudy.db import jobs
from understudy.resources import Resources
from understudy.services.api_keys import Caller


def events_of(text: str) -> list[dict[str, str]]:
    """Return the fields of each event in a stream."""
    blocks = [block for block in text.split("\n\n") if block and not block.startswith((":", "retry"))]
    return [dict(line.split(": ", 1) for line in block.split("\n")) for block in blocks]


def cancelled_job(client: TestClient) -> Json:
    """Return a cancelled job with the events queued, cancelled, queued and cancelled."""
    job = submit(client, kind="probe")
    for verb in ("cancel", "retry", "cancel"):
        client.post(f"/v1/jobs/{job['id']}/{verb}")
    return job


def test_events_are_returned_oldest_first_in_pages(shared_client: TestClient):
    path = f"/v1/jobs/{cancelled_job(shared_client)['id']}/events"
    whole = get(shared_client, path)
    assert [event["type"] for event in whole["data"]] == ["queued", "cancelled", "queued", "cancelled"]
    first = get(shared_client, f"{path}?limit=3")
    rest = get(shared_client, f"{path}?limit=3&after={first['next']}")
    assert first["data"] + rest["data"] == whole["data"]
    assert (first["has_more"], rest["has_more"]) == (True, False)


def test_stream_contains_all_events_and_ends_when_the_job_ends(shared_client: TestClient):
    path = f"/v1/jobs/{cancelled_job(shared_client)['id']}/events"
    response = shared_client.get(f"{path}/stream")
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    events = events_of(response.text)
    assert [event["event"] for event in events] == ["queued", "cancelled", "queued", "cancelled"]
    assert [json.loads(event["data"]) for event in events] == get(shared_client, path)["data"]


def test_stream_resumes_after_the_last_received_event(shared_client: TestClient):
    path = f"/v1/jobs/{cancelled_job(shared_client)['id']}/events"
    events = events_of(shared_client.get(f"{path}/stream").text)
    for n_seen in range(1, 5):
        last = {"Last-Event-ID": events[n_seen - 1]["id"]}
        assert events_of(shared_client.get(f"{path}/stream", headers=last).text) == events[n_seen:]


def test_stream_continues_until_the_job_ends(shared_client: TestClient):
    job = submit(shared_client, kind="probe")
    cancel = Timer(0.6, shared_client.post, [f"/v1/jobs/{job['id']}/cancel"])
    cancel.start()
    text = shared_client.get(f"/v1/jobs/{job['id']}/events/stream").text
    cancel.join()
    assert [event["event"] for event in events_of(text)] == ["queued", "cancelled"]


def test_event_numbers_do_not_depend_on_other_jobs(shared_client: TestClient):
    for _ in range(2):
        path = f"/v1/jobs/{cancelled_job(shared_client)['id']}/events"
        assert [event["id"] for event in get(shared_client, path)["data"]] == ["1", "2", "3", "4"]


def test_invalid_cursor_and_missing_job_are_reported(shared_client: TestClient):
    path = f"/v1/jobs/{cancelled_job(shared_client)['id']}/events"
    for last in ("x", "-1", "9" * 19, "1.5"):
        response = shared_client.get(f"{path}/stream", headers={"Last-Event-ID": last})
        assert_problem(response, 422, "invalid_parameters", "Last-Event-ID")
        assert_problem(shared_client.get(path, params={"after": last}), 422, "invalid_cursor")
    assert_problem(shared_client.get("/v1/jobs/x/events/stream"), 404, "not_found")


def test_head_request_for_a_stream_returns_only_headers(shared_client: TestClient):
    job = submit(shared_client, kind="probe")
    response = shared_client.head(f"/v1/jobs/{job['id']}/events/stream")
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["content-type"].startswith("text/event-stream")


@pytest.fixture
def two_slots(monkeypatch: pytest.MonkeyPatch) -> None:
    """Allow two waiting requests per API key, and three in total."""
    monkeypatch.setattr(
        waiting, "WAITING_LIMITS", SlotLimits("waiting requests", total=3, of_project=4, of_key=2)
    )


@pytest.mark.parametrize("header", ["Prefer: wait=60", "Last-Event-ID: 0"], ids=["poll", "stream"])
@pytest.mark.usefixtures("two_slots")
def test_waiting_requests_are_limited_for_each_key_and_in_total(
    address: tuple[str, int], resources: Resources, caller: Caller, header: str
):
    with resources.sessions.begin() as session:
        job_id = ids.to_text("job", jobs.add(session, new_job(caller.project_id)).id)
    path = f"/v1/jobs/{job_id}{'/events/stream' if 'Last' in header else ''}"
    name, value = header.split(": ")

    def status(key: str) -> int:
        headers = {"Authorization": f"Bearer {key}", name: value.replace("60", "1")}
        with httpx2.stream("GET", f"http://{address[0]}:{address[1]}{path}", headers=headers) as response:
            if response.status_code in (429, 503):
                assert response.headers["retry-after"] == "5"
            return response.status_code

    def wait(stack: ExitStack, key: str) -> None:
        connection = stack.enter_context(closing(socket.create_connection(address)))
        head = f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n{header}\r\n\r\n"
        connection.sendall(head.encode())

    first, second, third = (new_key(resources, caller) for _ in range(3))
    with ExitStack() as stack:
        for _ in range(2):
            wait(stack, first)
        wait_until(lambda: status(first) == 429)
        wait(stack, second)
        wait_until(lambda: status(third) == 503)
        assert status(first) == 429
