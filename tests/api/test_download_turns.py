"""Tests for the limit on simultaneous download starts, and for the slots for checking large files."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from app import download_turns, downloads
from app.download_turns import TURNS_MAX, DownloadTurns, end_turn
from app.main import DOWNLOADS
from app.slots import SlotLimits
from tests.api.conftest import Json, assert_problem

DOWNLOAD, OTHER = "/v1/datasets/ds_1/content", "/v1/datasets/ds_1"
N_REQUESTS = 3 * TURNS_MAX

Request = Callable[[str], Awaitable[None]]


class Requests:
    """Requests that begin and then wait until the test lets them end."""

    def __init__(self, *, ends_turn: bool = False) -> None:
        self.n_begun = 0
        self.may_end = asyncio.Event()
        self._ends_turn = ends_turn
        self._app = DownloadTurns(self._response, downloads=DOWNLOADS)

    def send(self, path: str) -> asyncio.Task[None]:
        scope = {"type": "http", "method": "GET", "path": path, "state": {}}
        return asyncio.create_task(self._app(scope, self._unused, self._unused))

    async def _response(self, scope: Any, *_: Any) -> None:
        self.n_begun += 1
        if self._ends_turn:
            end_turn(scope)
        await self.may_end.wait()

    async def _unused(self, *_: Any) -> Any:
        raise AssertionError


async def settled(is_settled: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not is_settled():
            await asyncio.sleep(0.01)


def test_number_of_downloads_that_begin_at_the_same_time_is_limited(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(download_turns, "TURN_SECONDS", 600)

    async def run() -> tuple[int, int]:
        requests = Requests()
        tasks = [requests.send(DOWNLOAD) for _ in range(N_REQUESTS)]
        await settled(lambda: requests.n_begun >= TURNS_MAX)
        n_begun = requests.n_begun
        requests.may_end.set()
        await asyncio.gather(*tasks)
        return n_begun, requests.n_begun

    assert asyncio.run(run()) == (TURNS_MAX, N_REQUESTS)


def test_other_requests_do_not_wait_for_downloads(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(download_turns, "TURN_SECONDS", 600)

    async def run() -> None:
        requests = Requests()
        tasks = [requests.send(path) for path in [DOWNLOAD] * N_REQUESTS + [OTHER]]
        await settled(lambda: requests.n_begun == TURNS_MAX + 1)
        requests.may_end.set()
        await asyncio.gather(*tasks)

    asyncio.run(run())


def test_next_download_begins_when_the_response_is_ready(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(download_turns, "TURN_SECONDS", 600)

    async def run() -> None:
        requests = Requests(ends_turn=True)
        tasks = [requests.send(DOWNLOAD) for _ in range(N_REQUESTS)]
        await settled(lambda: requests.n_begun == N_REQUESTS)
        requests.may_end.set()
        await asyncio.gather(*tasks)

    asyncio.run(run())


def test_download_that_waits_for_a_server_delays_other_downloads_only_briefly(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(download_turns, "TURN_SECONDS", 0.01)

    async def run() -> None:
        requests = Requests()
        tasks = [requests.send(DOWNLOAD) for _ in range(N_REQUESTS)]
        await settled(lambda: requests.n_begun == N_REQUESTS)
        requests.may_end.set()
        await asyncio.gather(*tasks)

    asyncio.run(run())


@pytest.mark.parametrize(
    ("request_", "is_download"),
    [
        ("GET /v1/datasets/ds_1/content", True),
        ("HEAD /v1/datasets/ds_1/content", True),
        ("GET /v1/datasets/ds_1/rejects", True),
        ("GET /v1/reports/rep_1/evidence", True),
        ("GET /v1/reports/rep_1", True),
        ("GET /v1/reports", False),
        ("GET /v1/jobs/job_1", False),
        ("POST /v1/datasets", False),
    ],
)
def test_only_downloads_wait_for_a_turn(request_: str, is_download: bool):
    assert bool(DOWNLOADS.fullmatch(request_)) == is_download


def test_file_needs_a_slot_only_until_it_has_been_checked(
    client: TestClient, ready_dataset: Json, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("app.content.CHECKED_FREELY_BYTES_MAX", 1)
    slots = client.app.state.download_slots
    path = f"/v1/datasets/{ready_dataset['id']}/content"
    none = downloads.Slots(SlotLimits("downloads that are being checked", total=0, of_project=1, of_key=1))
    usual, slots.checks = slots.checks, none
    assert_problem(client.get(path), 503, "unavailable", "downloads that are being checked")
    slots.checks = usual
    content = client.get(path).content
    assert content.startswith(b"PAR1")
    slots.checks = none
    assert client.get(path).content == content
    assert client.get(path, headers={"Range": "bytes=1-3"}).content == b"AR1"
