"""Tests for the served API reference, HEAD requests and compression."""

from __future__ import annotations

import re

import pytest
from starlette.testclient import TestClient

from tests.test_openapi import OPERATIONS


def test_docs_page_describes_every_operation_and_loads_no_other_files(app_client: TestClient):
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
def test_head_returns_the_headers_of_get_without_a_body(client: TestClient, path: str):
    head, whole = client.head(path), client.get(path)
    assert (head.status_code, head.content) == (200, b"")
    compared = ("content-type", "content-length", "etag")
    assert [head.headers.get(name) for name in compared] == [whole.headers.get(name) for name in compared]


def test_head_request_for_a_missing_resource_returns_404(client: TestClient):
    response = client.head("/v1/jobs/x")
    assert (response.status_code, response.content) == (404, b"")


def test_only_large_responses_are_compressed_and_only_on_request(client: TestClient):
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
