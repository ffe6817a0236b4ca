"""Tests for the rate limit on each project."""

from __future__ import annotations

import re

import pytest
from starlette.testclient import TestClient

from app.main import create_app
from app.rate_limits import WINDOW_SECONDS
from tests.api.conftest import assert_problem, get, new_key
from understudy.resources import Resources
from understudy.services.api_keys import Caller
from understudy.settings import Settings


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Allow three requests per minute."""
    return settings.model_copy(update={"requests_per_minute_max": 3})


def test_requests_above_the_rate_limit_of_a_project_are_refused(
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
