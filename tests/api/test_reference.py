"""Tests of the reference that the service serves, of HEAD, of compression and of the limit of requests."""

from __future__ import annotations

import re

import pytest
from starlette.testclient import TestClient

from app.main import create_app
from app.rate_limits import WINDOW_SECONDS
from tests.api.conftest import assert_problem, get, new_key
from tests.test_openapi import OPERATIONS
from understudy.resources import Resources
from understudy.services.api_keys import Caller
from understudy.settings import Settings


def test_page_describes_every_operation_and_loads_nothing(app_client: TestClient):
    response = app_client.get("/docs")
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert all(f'id="{name}"' in response.text for name in OPERATIONS)
    assert not re.search(r"<script|<link|<img|src=", response.text)


def test_overview_for_language_models_lists_every_operation(app_client: TestClient):
    text = app_client.get("/llms.txt").text
    assert text.startswith("# Understudy\n\n> ")
    for path, method, _ in OPERATIONS.values():
        assert f"`{method.upper()} {path}`" in text


@pytest.mark.parametrize(
    "path", ["/healthz", "/docs", "/openapi.json", "/llms.txt", "/v1/jobs", "/v1/metrics"]
)
def test_head_is_answered_like_get_without_a_body(client: TestClient, path: str):
    head, whole = client.head(path), client.get(path)
    assert (head.status_code, head.content) == (200, b"")
    compared = ("content-type", "content-length", "etag")
    assert [head.headers.get(name) for name in compared] == [whole.headers.get(name) for name in compared]


def test_head_of_a_missing_resource_is_not_found(client: TestClient):
    response = client.head("/v1/jobs/x")
    assert (response.status_code, response.content) == (404, b"")


def test_response_is_compressed_only_if_asked_and_large(client: TestClient):
    plain = client.get("/v1/metrics", headers={"Accept-Encoding": "identity"})
    packed = client.get("/v1/metrics", headers={"Accept-Encoding": "br, gzip;q=0.5"})
    assert ("content-encoding" in plain.headers, packed.headers["content-encoding"]) == (False, "gzip")
    assert packed.json() == plain.json()
    assert int(packed.headers["content-length"]) < len(plain.content) / 2
    assert "accept-encoding" in packed.headers["vary"].lower()
    refused = client.get("/v1/metrics", headers={"Accept-Encoding": "gzip;q=0"})
    assert "content-encoding" not in refused.headers
    assert "content-encoding" not in client.get("/v1/jobs").headers


def test_compressed_response_has_its_own_etag(client: TestClient):
    plain = client.get("/v1/metrics", headers={"Accept-Encoding": "identity"}).headers["etag"]
    packed = client.get("/v1/metrics", headers={"Accept-Encoding": "gzip"}).headers["etag"]
    assert plain != packed
    for etag in (plain, packed):
        assert client.get("/v1/metrics", headers={"If-None-Match": etag}).status_code == 304


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Allow three requests a minute."""
    return settings.model_copy(update={"requests_per_minute_max": 3})


def test_requests_above_the_limit_of_a_project_are_refused(
    resources: Resources, caller: Caller, other_caller: Caller
):
    app = create_app(resources)

    def client_of(caller: Caller) -> TestClient:
        return TestClient(app, headers={"Authorization": f"Bearer {new_key(resources, caller)}"})

    first, second, other = client_of(caller), client_of(caller), client_of(other_caller)
    remaining = []
    for client in (first, second, first):
        response = client.get("/v1/jobs")
        assert response.headers["ratelimit-policy"] == f'"requests";q=3;w={WINDOW_SECONDS}'
        match = re.fullmatch(r'"requests";r=(\d+);t=(\d+)', response.headers["ratelimit"])
        assert match
        remaining.append(int(match[1]))
    assert remaining == [2, 1, 0]
    refused = first.get("/v1/jobs")
    assert_problem(refused, 429, "too_many_requests", "requests_per_minute_max", "3 requests")
    assert 1 <= int(refused.headers["retry-after"]) <= WINDOW_SECONDS
    assert get(other, "/v1/jobs")["data"] == []
