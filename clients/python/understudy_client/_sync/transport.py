# Generated from understudy_client/_async/transport.py by `make clients`. Do not edit.
"""Transport of the synchronous client, which sends requests, repeats them and reads streams."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import httpx2

from understudy_client._generated import operations
from understudy_client._sync.backend import in_thread, sleep
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


class Transport:
    """Sender of requests.

    Parameters
    ----------
    http : httpx2.Client
        Connections to the service.
    retries : Retries
        Policy for requests that fail.
    timeout_seconds : float
        Time to wait for an answer, or for the next bytes of a stream.
    """

    def __init__(self, http: httpx2.Client, retries: Retries, timeout_seconds: float) -> None:
        self._http = http
        self._retries = retries
        self._timeout_seconds = timeout_seconds

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def send(self, call: Call[T]) -> T:
        """Send a request and return its answer. The request is repeated if its failure may be temporary."""
        request = self._request(call)
        tries = Tries(call, self._retries)
        while True:
            try:
                response = self._http.send(request)
            except httpx2.TransportError as error:
                pause = tries.after_lost_connection(error, is_sent=not isinstance(error, httpx2.ConnectError))
            else:
                status, headers = response.status_code, response.headers
                if response.is_success or tries.is_done_by_lost_try(status):
                    return read_answer(call, response.content, headers.get("ETag"))
                pause = tries.after_refusal(status, headers, response.content)
            sleep(pause)

    def items(self, call: Call[Page[T]]) -> Generator[T]:
        """Yield the items of all pages of a list."""
        following: Call[Page[T]] | None = call
        while following is not None:
            page = self.send(following)
            for item in page.data:
                yield item
            following = next_page(following, page)

    def chunks(self, call: Call[Any]) -> Generator[bytes]:
        """Yield the bytes of a file. After a lost connection, the file continues where it ended."""
        download = Download(call)
        tries = Tries(call, self._retries)
        while True:
            try:
                # A service with an object store redirects to it. The API key is not sent there.
                response = self._open(download.next_call(), follow_redirects=True)
                try:
                    if response.is_success:
                        first = response.history[0] if response.history else response
                        download.begin(response.status_code, first.headers)
                        for chunk in response.iter_bytes():
                            tries.reset()
                            yield download.take(chunk)
                        download.finish()
                        return
                    content = response.read()
                finally:
                    response.close()
                pause = tries.after_refusal(response.status_code, response.headers, content)
            except httpx2.TransportError as error:
                pause = tries.after_lost_connection(error)
            sleep(pause)

    def save(self, call: Call[Any], path: Path) -> None:
        """Write a file, which gets its name only when it is complete."""
        with replacing(path) as output:
            with closing(self.chunks(call)) as chunks:
                for chunk in chunks:
                    in_thread(partial(output.write, chunk))

    def events(self, job_id: str, last_event_id: str | None) -> Generator[Event]:
        """Yield the events of a job until it has ended. A lost stream is continued."""
        call = operations.stream_job_events(job_id)
        parser = EventParser(last_event_id)
        tries = Tries(call, self._retries)
        while True:
            parser.reconnect()
            headers = {"Last-Event-ID": parser.last_event_id, "Accept": "text/event-stream"}
            try:
                response = self._open(call.with_headers(**headers))
                try:
                    if response.is_success:
                        for chunk in response.iter_bytes():
                            tries.reset()
                            for event in parser.feed(chunk):
                                yield event
                        pause = parser.retry_seconds or RECONNECT_SECONDS
                    else:
                        content = response.read()
                        pause = tries.after_refusal(response.status_code, response.headers, content)
                finally:
                    response.close()
            except httpx2.TransportError as error:
                pause = tries.after_lost_connection(error)
            if parser.has_ended or self._has_ended_before(job_id, parser):
                return
            sleep(pause)

    def _has_ended_before(self, job_id: str, parser: EventParser) -> bool:
        """Return whether a job had ended before the first event that was asked for."""
        if parser.has_events:
            return False
        job = self.send(operations.get_job(job_id))
        return job.state in ENDINGS

    def _open(self, call: Call[Any], *, follow_redirects: bool = False) -> httpx2.Response:
        request = self._request(call)
        return self._http.send(request, stream=True, follow_redirects=follow_redirects)

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
