"""Tests for ETags, conditional requests, merge patches and labels on all resource types that support them."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from tests.api.conftest import Json, assert_problem, get, new_key, submit
from tests.api.worlds import make_world
from understudy.access import PROJECT_SCOPES
from understudy.resources import Resources
from understudy.services.api_keys import Caller

MERGE_PATCH = {"Content-Type": "application/merge-patch+json"}
NOUNS = ("dataset", "job", "model", "report", "upload")
LABELLED = ("dataset", "job", "model", "report")


@pytest.fixture
def administrator(app_client: TestClient, resources: Resources, caller: Caller) -> TestClient:
    """Create a client with all scopes."""
    app_client.headers["Authorization"] = f"Bearer {new_key(resources, caller, *PROJECT_SCOPES)}"
    return app_client


@pytest.fixture
def paths(resources: Resources, caller: Caller) -> dict[str, str]:
    """Return the path of one resource per type, keyed by type."""
    world = make_world(resources, caller)
    return {noun: f"/v1/{noun}s/{world[noun]}" for noun in NOUNS} | {"project": "/v1/project"}


@pytest.mark.parametrize("noun", [*NOUNS, "project"])
def test_unchanged_resource_is_not_sent_again(administrator: TestClient, paths: dict[str, str], noun: str):
    # A compressed representation has a different ETag (see test_reference.py).
    administrator.headers["Accept-Encoding"] = "identity"
    etag = administrator.get(paths[noun]).headers["etag"]
    assert etag.startswith('"')
    for given in (etag, f'"x", {etag}', f"W/{etag}", "*"):
        response = administrator.get(paths[noun], headers={"If-None-Match": given})
        assert (response.status_code, response.content, response.headers["etag"]) == (304, b"", etag)
    assert administrator.get(paths[noun], headers={"If-None-Match": '"x"'}).status_code == 200


@pytest.mark.parametrize("noun", [*NOUNS, "project"])
def test_deletion_with_a_mismatched_etag_is_refused(
    administrator: TestClient, paths: dict[str, str], noun: str
):
    query = f"?name={get(administrator, paths[noun])['name']}" if noun == "project" else ""
    for tag in ('"x"', f"W/{administrator.get(paths[noun]).headers['etag']}"):
        response = administrator.delete(f"{paths[noun]}{query}", headers={"If-Match": tag})
        assert_problem(response, 412, "precondition_failed", "Read it again")
    assert get(administrator, paths[noun])


@pytest.mark.parametrize("noun", ["report", "upload"])
def test_deletion_with_the_current_etag_succeeds(administrator: TestClient, paths: dict[str, str], noun: str):
    etag = administrator.get(paths[noun]).headers["etag"]
    assert administrator.delete(paths[noun], headers={"If-Match": etag}).status_code == 204


@pytest.mark.parametrize("noun", LABELLED)
def test_labels_are_merged_and_null_removes_a_label(
    administrator: TestClient, paths: dict[str, str], noun: str
):
    def patch(labels: Json) -> Json:
        response = administrator.patch(paths[noun], json={"labels": labels}, headers=MERGE_PATCH)
        assert response.status_code == 200, response.text
        assert response.headers["etag"] == administrator.get(paths[noun]).headers["etag"]
        body: Json = response.json()
        return body["labels"]

    assert patch({"a": "1", "b": "2"}) == {"a": "1", "b": "2"}
    assert patch({"a": None, "c": "3"}) == {"b": "2", "c": "3"}
    assert patch({}) == {"b": "2", "c": "3"}
    found = get(administrator, f"/v1/{noun}s?label=b:2&label=c:3")["data"]
    assert [row["id"] for row in found] == [paths[noun].rsplit("/", 1)[1]]
    assert get(administrator, f"/v1/{noun}s?label=a:1")["data"] == []


def test_labels_of_a_job_that_has_ended_can_be_changed(client: TestClient):
    path = f"/v1/jobs/{submit(client, kind='probe', labels={'a': '1'})['id']}"
    client.post(f"{path}/cancel")
    changed = client.patch(path, json={"labels": {"a": None, "b": "2"}}).json()
    assert (changed["state"], changed["labels"]) == ("cancelled", {"b": "2"})


@pytest.mark.parametrize("noun", LABELLED)
def test_update_with_an_outdated_etag_is_refused(administrator: TestClient, paths: dict[str, str], noun: str):
    etag = administrator.get(paths[noun]).headers["etag"]
    first = administrator.patch(paths[noun], json={"labels": {"a": "1"}}, headers={"If-Match": etag})
    assert first.status_code == 200
    second = administrator.patch(paths[noun], json={"labels": {"a": "2"}}, headers={"If-Match": etag})
    assert_problem(second, 412, "precondition_failed")
    assert get(administrator, paths[noun])["labels"] == {"a": "1"}


@pytest.mark.parametrize("noun", LABELLED)
def test_at_most_16_labels_are_accepted(administrator: TestClient, paths: dict[str, str], noun: str):
    full = {str(number): "" for number in range(16)}
    assert administrator.patch(paths[noun], json={"labels": full}).status_code == 200
    response = administrator.patch(paths[noun], json={"labels": {"one more": ""}})
    assert_problem(response, 422, "invalid_parameters", "17 labels")


@pytest.mark.parametrize("noun", LABELLED)
def test_lists_are_filtered_by_creation_time(administrator: TestClient, paths: dict[str, str], noun: str):
    moment = get(administrator, paths[noun])["created_at"]

    def listed(**query: str) -> list[str]:
        rows = administrator.get(f"/v1/{noun}s", params=query).json()["data"]
        return [row["created_at"] for row in rows]

    assert moment in listed(created_after=moment)
    assert moment not in listed(created_before=moment)
    assert listed(created_after="2999-01-01T00:00:00Z") == []
    problem = administrator.get(f"/v1/{noun}s", params={"created_after": "2026-01-01T00:00:00"})
    assert_problem(problem, 422, "invalid_parameters", "timezone")
