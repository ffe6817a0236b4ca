# Generated from understudy_client/_async/transport.py by `make clients`. Do not edit.
"""Transport of the synchronous client, which sends requests, repeats failed ones and reads streams."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from functools import partial
from math import inf
from pathlib import Path
from time import monotonic
from typing import Any, TypeVar

import httpx2

from understudy_client._generated import operations
from understudy_client._sync.backend import in_thread, sleep
from understudy_client.calls import (
    Call,
    Page,
    next_page,
    query_pairs,
    read_response,
    request_content,
    request_headers,
)
from understudy_client.downloads import Download, replacing
from understudy_client.event_stream import ENDINGS, Event, EventParser
from understudy_client.retries import Retries, Tries

T = TypeVar("T")

CONNECT_SECONDS = 10.0
RECONNECT_SECONDS = 1.0
# Additional time for a response that arrives slightly after the deadline.
GRACE_SECONDS = 1.0


class Transport:
    """A transport that sends requests, repeats those that failed temporarily, and reads streams.

    Parameters
    ----------
    http : httpx2.Client
        Connections to the service.
    retries : Retries
        Policy for requests that fail.
    timeout_seconds : float
        Time to wait for a response, or for the next bytes of a stream.
    """

    def __init__(self, http: httpx2.Client, retries: Retries, timeout_seconds: float) -> None:
        self._http = http
        self._retries = retries
        self._timeout_seconds = timeout_seconds

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def send(self, call: Call[T], deadline: float | None = None) -> T:
        """Send a request and return its response. Repeat the request after a failure that may be temporary.

        Raises
        ------
        DeadlineExceeded
            If the deadline, a time of the monotonic clock, passes before a try succeeds.
        """
        request = self._request(call)
        tries = Tries(call, self._retries, deadline)
        while True:
            request.extensions["timeout"] = self._timeout(call, deadline).as_dict()
            try:
                response = self._http.send(request)
            except httpx2.TransportError as error:
                pause = tries.after_lost_connection(error, is_sent=not isinstance(error, httpx2.ConnectError))
            else:
                status, headers = response.status_code, response.headers
                if response.is_success or tries.is_done_by_lost_try(status):
                    return read_response(call, response.content, headers.get("ETag"))
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
        """Yield the bytes of a file. After a lost connection, the download continues."""
        download = Download(call)
        tries = Tries(call, self._retries)

        def begin(response: httpx2.Response) -> None:
            # A service with an object store redirects to the store, and only the redirect contains the ETag.
            first = response.history[0] if response.history else response
            download.begin(response.status_code, first.headers)

        while True:
            try:
                with closing(self._stream(download.next_call(), tries, begin)) as chunks:
                    for chunk in chunks:
                        new = download.take(chunk)
                        if new:
                            # Bytes that are received again do not count as progress.
                            tries.reset()
                            yield new
                download.finish()
                return
            except httpx2.TransportError as error:
                pause = tries.after_lost_connection(error)
            sleep(pause)

    def save(self, call: Call[Any], path: Path) -> None:
        """Download a file, which gets its name only when it is complete."""
        with replacing(path) as output:
            with closing(self.chunks(call)) as chunks:
                for chunk in chunks:
                    in_thread(partial(output.write, chunk))

    def events(self, job_id: str, last_event_id: str | None) -> Generator[Event]:
        """Yield the events of a job until it has ended. An interrupted stream is continued."""
        call = operations.stream_job_events(job_id)
        parser = EventParser(last_event_id)
        tries = Tries(call, self._retries)
        has_job_ended = False
        while not parser.has_ended:
            headers = {"Last-Event-ID": parser.last_event_id, "Accept": "text/event-stream"}
            parser.reconnect()
            try:
                with closing(self._stream(call.with_headers(**headers), tries)) as chunks:
                    for chunk in chunks:
                        tries.reset()
                        for event in parser.feed(chunk):
                            yield event
                pause = parser.retry_seconds or RECONNECT_SECONDS
                if not parser.has_events:
                    if has_job_ended:
                        return
                    # If the job has ended, the next stream contains all remaining events.
                    has_job_ended = (self.send(operations.get_job(job_id))).state in ENDINGS
            except httpx2.TransportError as error:
                pause = tries.after_lost_connection(error)
            if not parser.has_ended:
                sleep(pause)

    def _stream(
        self, call: Call[Any], tries: Tries, begin: Callable[[httpx2.Response], None] | None = None
    ) -> Generator[bytes]:
        """Yield the body of a response. `begin` is called with the response before the first bytes."""
        while True:
            # After a redirect to another host, httpx2 does not send the API key.
            response = self._http.send(self._request(call), stream=True, follow_redirects=True)
            try:
                if response.is_success:
                    if begin is not None:
                        begin(response)
                    for chunk in response.iter_bytes():
                        yield chunk
                    return
                content = response.read()
            finally:
                response.close()
            sleep(tries.after_refusal(response.status_code, response.headers, content))

    def _request(self, call: Call[Any]) -> httpx2.Request:
        return self._http.build_request(
            call.method,
            call.path,
            params=tuple(query_pairs(call)) or None,
            headers=request_headers(call),
            content=request_content(call),
            timeout=self._timeout(call),
        )

    def _timeout(self, call: Call[Any], deadline: float | None = None) -> httpx2.Timeout:
        """Return timeouts with which a try ends soon after the deadline."""
        left = inf if deadline is None else max(deadline - monotonic(), 0.0) + GRACE_SECONDS
        seconds = self._timeout_seconds
        return httpx2.Timeout(
            min(seconds, left),
            connect=min(CONNECT_SECONDS, left),
            read=min(seconds + call.timeout_seconds, left),
        )
