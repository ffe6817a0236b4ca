"""Tests of job events, as pages and as a resumable stream."""

from __future__ import annotations

import json
from threading import Timer

from starlette.testclient import TestClient

from tests.api.conftest import Json, assert_problem, get, submit

STREAM = {"Accept": "text/event-stream"}


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


def test_stream_contains_all_events_and_ends_with_the_job(shared_client: TestClient):
    path = f"/v1/jobs/{cancelled_job(shared_client)['id']}/events"
    response = shared_client.get(path, headers=STREAM)
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    events = events_of(response.text)
    assert [event["event"] for event in events] == ["queued", "cancelled", "queued", "cancelled"]
    assert [json.loads(event["data"]) for event in events] == get(shared_client, path)["data"]


def test_stream_resumes_after_the_last_received_event(shared_client: TestClient):
    path = f"/v1/jobs/{cancelled_job(shared_client)['id']}/events"
    events = events_of(shared_client.get(path, headers=STREAM).text)
    for n_seen in range(1, 5):
        last = {"Last-Event-ID": events[n_seen - 1]["id"]}
        assert events_of(shared_client.get(path, headers=STREAM | last).text) == events[n_seen:]


def test_stream_continues_until_the_job_ends(shared_client: TestClient):
    job = submit(shared_client, kind="probe")
    cancel = Timer(0.6, shared_client.post, [f"/v1/jobs/{job['id']}/cancel"])
    cancel.start()
    text = shared_client.get(f"/v1/jobs/{job['id']}/events", headers=STREAM).text
    cancel.join()
    assert [event["event"] for event in events_of(text)] == ["queued", "cancelled"]


def test_client_that_accepts_any_media_type_receives_pages(shared_client: TestClient):
    path = f"/v1/jobs/{cancelled_job(shared_client)['id']}/events"
    for accept in ("*/*", "application/json, text/event-stream;q=0.5"):
        response = shared_client.get(path, headers={"Accept": accept})
        assert response.headers["content-type"] == "application/json"


def test_unacceptable_media_type_invalid_cursor_and_missing_job_are_reported(shared_client: TestClient):
    job_id = cancelled_job(shared_client)["id"]
    path = f"/v1/jobs/{job_id}/events"
    assert_problem(shared_client.get(path, headers={"Accept": "text/html"}), 406, "not_acceptable")
    for last in ("x", "-1", "9" * 19, "1.5"):
        response = shared_client.get(path, headers=STREAM | {"Last-Event-ID": last})
        assert_problem(response, 422, "invalid_cursor")
    assert_problem(shared_client.get("/v1/jobs/x/events", headers=STREAM), 404, "not_found")
