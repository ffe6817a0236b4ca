"""Tests for events and webhooks over HTTP."""

from __future__ import annotations

import json
import random
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from tests.api.conftest import assert_problem, get, new_key, submit
from tests.receivers import HOST, Receiver, Resolver, receiving
from understudy.resources import Resources
from understudy.services.api_keys import Caller
from understudy.services.webhook_deliveries import HEALTHY, Sender
from understudy.settings import Settings

Json = dict[str, Any]
PATH = "/v1/webhooks"
URL = f"https://{HOST}/hook"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Return settings that allow webhooks on this machine, and two webhooks in a project."""
    allowed = {"webhook_http": True, "webhook_ports": (), "webhook_networks": ("127.0.0.1/32",)}
    return settings.model_copy(update={**allowed, "webhooks_max": 2})


@pytest.fixture(autouse=True)
def resolver(monkeypatch: pytest.MonkeyPatch) -> Resolver:
    """Install a resolver that can look up only the host of these tests."""
    resolver = Resolver()
    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    return resolver


@pytest.fixture
def administrator(client: TestClient, resources: Resources, caller: Caller) -> TestClient:
    """Create a client for the same project with an `admin` key."""
    key = new_key(resources, caller, "read", "write", "admin")
    return TestClient(client.app, headers={"Authorization": f"Bearer {key}"})


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Start a receiver."""
    with receiving(Receiver()) as receiver:
        yield receiver


def create(client: TestClient, **fields: Any) -> Json:
    """Create a webhook and return the response body."""
    response = client.post(PATH, json={"url": URL, **fields})
    assert response.status_code == 201, response.text
    body: Json = response.json()
    assert response.headers["location"] == f"{PATH}/{body['id']}"
    return body


def deliver(resources: Resources) -> None:
    """Deliver the due events of webhooks that are not failing."""
    sender = Sender(resources, random.Random(7))  # noqa: S311 - jitter is not a secret
    while (claimed := sender.claim(HEALTHY)) is not None:
        sender.deliver(claimed)


def test_webhook_can_be_created_changed_and_deleted(administrator: TestClient) -> None:
    created = create(administrator, name="pipeline", event_types=["job.failed"])
    path = f"{PATH}/{created['id']}"
    assert created.pop("secret").startswith("whsec_")
    assert get(administrator, path) == created
    assert get(administrator, PATH)["data"] == [created]
    changed = administrator.patch(path, json={"event_types": None, "name": "all"}).json()
    assert changed == {**{key: created[key] for key in created if key != "event_types"}, "name": "all"}
    disabled = administrator.patch(path, json={"is_enabled": False}).json()
    assert (disabled["is_enabled"], disabled["disabled_reason"]) == (False, "request")
    assert administrator.patch(path, json={"is_enabled": True}).json() == changed
    assert administrator.delete(path).status_code == 204
    assert_problem(administrator.get(path), 404, "not_found")


def test_webhook_with_an_outdated_etag_is_not_changed(administrator: TestClient) -> None:
    path = f"{PATH}/{create(administrator)['id']}"
    etag = administrator.get(path).headers["etag"]
    headers = {"If-Match": etag}
    assert administrator.patch(path, json={"name": "a"}, headers=headers).status_code == 200
    assert_problem(administrator.patch(path, json={"name": "b"}, headers=headers), 412, "precondition_failed")
    assert_problem(administrator.delete(path, headers=headers), 412, "precondition_failed")
    assert get(administrator, path)["name"] == "a"


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"url": "http://user@x/"}, "/url"),
        ({"url": "https://unknown.example.org/"}, "/url"),
        ({"url": "https://2130706433/"}, "/url"),
        ({"url": None}, "/url"),
        ({"event_types": ["job.suceeded"]}, "/event_types/0"),
        ({"event_types": []}, "/event_types"),
        ({"name": ""}, "/name"),
        ({"secret": "whsec_AAAA"}, "/secret"),
        ({"project_id": "prj_0"}, "/project_id"),
    ],
)
def test_webhook_with_invalid_parameters_is_neither_created_nor_changed(
    administrator: TestClient, change: Json, pointer: str
) -> None:
    path = f"{PATH}/{create(administrator)['id']}"
    before = get(administrator, path)
    for response in (
        administrator.post(PATH, json={"url": URL, **change}),
        administrator.patch(path, json=change),
    ):
        problem = assert_problem(response, 422, "invalid_parameters")
        assert problem["errors"][0]["pointer"] == pointer
    assert get(administrator, PATH)["data"] == [before]


def test_number_of_webhooks_is_limited(administrator: TestClient) -> None:
    for _ in range(2):
        create(administrator)
    response = administrator.post(PATH, json={"url": URL})
    assert_problem(response, 429, "too_many_requests", "UNDERSTUDY_WEBHOOKS_MAX")
    assert len(get(administrator, PATH)["data"]) == 2


def test_webhooks_require_the_scope_admin(client: TestClient, administrator: TestClient) -> None:
    path = f"{PATH}/{create(administrator)['id']}"
    for method, place in (
        *(("POST", PATH), ("GET", PATH), ("GET", path), ("PATCH", path), ("DELETE", path)),
        *(("POST", f"{path}/test"), ("POST", f"{path}/rotate-secret"), ("GET", f"{path}/deliveries")),
    ):
        body = {"url": URL} if place == PATH else {}
        sent = {"json": body} if method in ("POST", "PATCH") and not place.endswith("/test") else {}
        assert_problem(client.request(method, place, **sent), 403, "forbidden")
    assert get(client, "/v1/events")["data"]


def test_repeated_creation_returns_the_same_secret(administrator: TestClient, resources: Resources) -> None:
    headers = {"Idempotency-Key": "once"}
    first, second = (administrator.post(PATH, json={"url": URL}, headers=headers) for _ in range(2))
    assert first.json() == second.json()
    assert second.headers["idempotent-replayed"] == "true"
    assert len(get(administrator, PATH)["data"]) == 1
    with resources.sessions() as session:
        stored = str(session.execute(text("select body from idempotency_keys")).one())
    assert first.json()["secret"].removeprefix("whsec_") not in stored


def test_ping_is_delivered_and_listed_and_can_be_repeated(
    administrator: TestClient, resources: Resources, receiver: Receiver
) -> None:
    webhook = create(administrator, url=f"http://{HOST}:{receiver.port}/", event_types=["job.failed"])
    path = f"{PATH}/{webhook['id']}"
    pending = administrator.post(f"{path}/test").json()
    assert (pending["event_type"], pending["state"], pending["attempts"]) == ("webhook.ping", "pending", [])
    response = administrator.post(f"{path}/deliveries/{pending['id']}/redeliver")
    assert_problem(response, 409, "conflict", "still pending")
    deliver(resources)
    (delivery,) = get(administrator, f"{path}/deliveries?state=succeeded")["data"]
    assert (delivery["id"], delivery["n_attempts"]) == (pending["id"], 1)
    assert delivery["attempts"][0]["status"] == 204
    assert delivery["attempts"][0]["duration_seconds"] >= 0
    repeated = administrator.post(f"{path}/deliveries/{pending['id']}/redeliver").json()
    assert (repeated["id"], repeated["state"]) == (pending["id"], "pending")
    deliver(resources)
    assert len({request.headers["webhook-id"] for request in receiver.requests}) == 1
    assert len(receiver.requests) == 2
    assert get(administrator, f"{path}/deliveries?state=failed")["data"] == []


def test_disabled_webhook_cannot_be_tested(administrator: TestClient) -> None:
    path = f"{PATH}/{create(administrator)['id']}"
    administrator.patch(path, json={"is_enabled": False})
    assert_problem(administrator.post(f"{path}/test"), 409, "conflict", "is disabled")


def test_rotation_returns_a_new_secret_and_the_expiry_of_the_old_one(administrator: TestClient) -> None:
    created = create(administrator)
    path = f"{PATH}/{created['id']}"
    rotated = administrator.post(f"{path}/rotate-secret", json={"grace_seconds": 60}).json()
    assert rotated["secret"] != created["secret"]
    assert get(administrator, path)["previous_secret_expires_at"] == rotated["previous_secret_expires_at"]
    assert "secret" not in get(administrator, path)


def test_events_contain_ids_and_codes_only(client: TestClient, administrator: TestClient) -> None:
    job = submit(client, kind="probe", labels={"canary": "canary"})
    client.post(f"/v1/jobs/{job['id']}/cancel")
    page = get(client, f"/v1/events?job_id={job['id']}")
    assert [event["type"] for event in page["data"]] == ["job.queued", "job.cancelled"]
    assert page["data"][1]["data"] == {"job_id": job["id"], "kind": "probe", "state": "cancelled"}
    assert "canary" not in client.get("/v1/events").text


def test_event_sent_to_a_webhook_equals_the_listed_event(
    administrator: TestClient, resources: Resources, receiver: Receiver
) -> None:
    create(administrator, url=f"http://{HOST}:{receiver.port}/", event_types=["job.queued"])
    submit(administrator, kind="probe")
    deliver(resources)
    (listed,) = get(administrator, "/v1/events?type=job.queued")["data"]
    assert administrator.get("/v1/events?type=job.queued").json()["data"] == [listed]
    assert json.loads(receiver.requests[0].body) == listed


def test_events_are_read_in_pages_and_later_events_follow_the_last_one(client: TestClient) -> None:
    ids = [submit(client, kind="probe")["id"] for _ in range(3)]
    first = get(client, "/v1/events?type=job.queued&limit=2")
    rest = get(client, f"/v1/events?type=job.queued&after={first['next']}")
    assert [event["data"]["job_id"] for event in first["data"] + rest["data"]] == ids
    assert "next" not in rest
    last = rest["data"][-1]["id"]
    assert get(client, f"/v1/events?type=job.queued&after={last}")["data"] == []
    new = submit(client, kind="probe")["id"]
    (event,) = get(client, f"/v1/events?type=job.queued&after={last}")["data"]
    assert event["data"]["job_id"] == new


def test_events_are_filtered_by_time_and_invalid_filters_are_refused(client: TestClient) -> None:
    submit(client, kind="probe")
    moment = get(client, "/v1/events?type=job.queued")["data"][0]["timestamp"]

    def listed(**query: str) -> list[str]:
        rows = client.get("/v1/events", params={"type": "job.queued", **query}).json()["data"]
        return [row["timestamp"] for row in rows]

    assert listed(created_after=moment) == [moment]
    assert listed(created_before=moment) == []
    for query in ("type=job.suceeded", "job_id=ds_0", "after=job_0", "tpye=job.queued"):
        code = "invalid_cursor" if query.startswith("after") else "invalid_parameters"
        assert_problem(client.get(f"/v1/events?{query}"), 422, code)
