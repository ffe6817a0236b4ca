"""Transport of the asynchronous client, which sends requests, repeats them and reads streams."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import httpx2

from understudy_client._async.backend import in_thread, sleep
from understudy_client._generated import operations
from understudy_client.calls import (
    Call,
    Page,
    next_page,
    query_pairs,
    read_answer,
    request_content,
    request_headers,
)
from understudy_client.downloads import Download, replacing
from understudy_client.event_stream import ENDINGS, Event, EventParser
from understudy_client.retries import Retries, Tries

T = TypeVar("T")

CONNECT_SECONDS = 10.0
RECONNECT_SECONDS = 1.0


class AsyncTransport:
    """Sender of requests.

    Parameters
    ----------
    http : httpx2.AsyncClient
        Connections to the service.
    retries : Retries
        Policy for requests that fail.
    timeout_seconds : float
        Time to wait for an answer, or for the next bytes of a stream.
    """

    def __init__(self, http: httpx2.AsyncClient, retries: Retries, timeout_seconds: float) -> None:
        self._http = http
        self._retries = retries
        self._timeout_seconds = timeout_seconds

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def send(self, call: Call[T]) -> T:
        """Send a request and return its answer. The request is repeated if its failure may be temporary."""
        request = self._request(call)
        tries = Tries(call, self._retries)
        while True:
            try:
                response = await self._http.send(request)
            except httpx2.TransportError as error:
                pause = tries.after_lost_connection(error, is_sent=not isinstance(error, httpx2.ConnectError))
            else:
                status, headers = response.status_code, response.headers
                if response.is_success or tries.is_done_by_lost_try(status):
                    return read_answer(call, response.content, headers.get("ETag"))
                pause = tries.after_refusal(status, headers, response.content)
            await sleep(pause)

    async def items(self, call: Call[Page[T]]) -> AsyncGenerator[T]:
        """Yield the items of all pages of a list."""
        following: Call[Page[T]] | None = call
        while following is not None:
            page = await self.send(following)
            for item in page.data:
                yield item
            following = next_page(following, page)

    async def chunks(self, call: Call[Any]) -> AsyncGenerator[bytes]:
        """Yield the bytes of a file. After a lost connection, the file continues where it ended."""
        download = Download(call)
        tries = Tries(call, self._retries)
        while True:
            try:
                # A service with an object store redirects to it. The API key is not sent there.
                response = await self._open(download.next_call(), follow_redirects=True)
                try:
                    if response.is_success:
                        first = response.history[0] if response.history else response
                        download.begin(response.status_code, first.headers)
                        async for chunk in response.aiter_bytes():
                            tries.reset()
                            yield download.take(chunk)
                        download.finish()
                        return
                    content = await response.aread()
                finally:
                    await response.aclose()
                pause = tries.after_refusal(response.status_code, response.headers, content)
            except httpx2.TransportError as error:
                pause = tries.after_lost_connection(error)
            await sleep(pause)

    async def save(self, call: Call[Any], path: Path) -> None:
        """Write a file, which gets its name only when it is complete."""
        with replacing(path) as output:
            async with aclosing(self.chunks(call)) as chunks:
                async for chunk in chunks:
                    await in_thread(partial(output.write, chunk))

    async def events(self, job_id: str, last_event_id: str | None) -> AsyncGenerator[Event]:
        """Yield the events of a job until it has ended. A lost stream is continued."""
        call = operations.stream_job_events(job_id)
        parser = EventParser(last_event_id)
        tries = Tries(call, self._retries)
        while True:
            parser.reconnect()
            headers = {"Last-Event-ID": parser.last_event_id, "Accept": "text/event-stream"}
            try:
                response = await self._open(call.with_headers(**headers))
                try:
                    if response.is_success:
                        async for chunk in response.aiter_bytes():
                            tries.reset()
                            for event in parser.feed(chunk):
                                yield event
                        pause = parser.retry_seconds or RECONNECT_SECONDS
                    else:
                        content = await response.aread()
                        pause = tries.after_refusal(response.status_code, response.headers, content)
                finally:
                    await response.aclose()
            except httpx2.TransportError as error:
                pause = tries.after_lost_connection(error)
            if parser.has_ended or await self._has_ended_before(job_id, parser):
                return
            await sleep(pause)

    async def _has_ended_before(self, job_id: str, parser: EventParser) -> bool:
        """Return whether a job had ended before the first event that was asked for."""
        if parser.has_events:
            return False
        job = await self.send(operations.get_job(job_id))
        return job.state in ENDINGS

    async def _open(self, call: Call[Any], *, follow_redirects: bool = False) -> httpx2.Response:
        request = self._request(call)
        return await self._http.send(request, stream=True, follow_redirects=follow_redirects)

    def _request(self, call: Call[Any]) -> httpx2.Request:
        seconds = self._timeout_seconds
        return self._http.build_request(
            call.method,
            call.path,
            params=query_pairs(call) or None,
            headers=request_headers(call),
            content=request_content(call),
            timeout=httpx2.Timeout(seconds, connect=CONNECT_SECONDS, read=seconds + call.timeout_seconds),
        )
