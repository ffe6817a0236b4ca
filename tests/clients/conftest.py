"""A scripted server, and the two clients behind one interface."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator
from typing import Any

import pytest
from understudy_client import AsyncClient, Client, Retries

from tests.clients.scripted_server import ScriptedServer, scripted_server

QUICK = Retries(tries_max=4, pause_seconds=0.001)


class Caller:
    """A wrapper that calls the methods of a synchronous or an asynchronous client in the same way."""

    def __init__(self, client: Any, runner: asyncio.Runner | None) -> None:
        self.client = client
        self._runner = runner

    def do(self, value: Any) -> Any:
        """Return the result of a coroutine, or the items of an iterator as a list."""
        if inspect.isawaitable(value):
            return self._run(value)
        if hasattr(value, "__aiter__"):
            return self._run(_collected(value))
        return list(value) if inspect.isgenerator(value) else value

    def _run(self, value: Any) -> Any:
        assert self._runner is not None
        return self._runner.run(_awaited(value))


async def _awaited(value: Any) -> Any:
    return await value


async def _collected(value: Any) -> list[Any]:
    return [item async for item in value]


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """Run a server that takes its responses from a script."""
    with scripted_server() as server:
        yield server


@pytest.fixture(params=["sync", "async"])
def api(request: pytest.FixtureRequest, server: ScriptedServer) -> Iterator[Caller]:
    """Create a client of the scripted server."""
    if request.param == "sync":
        with Client(server.url, "sk_test", retries=QUICK) as client:
            yield Caller(client, None)
        return
    with asyncio.Runner() as runner:
        asynchronous = AsyncClient(server.url, "sk_test", retries=QUICK)
        yield Caller(asynchronous, runner)
        runner.run(asynchronous.close())
