"""Requests to webhooks: one POST to a checked address, without redirects, within one deadline.

Only the status of the response is used, and at most 4 KiB are read. The client is small because it must
connect to a given address, and because a deadline must also end a response that arrives byte by byte. h11
writes the request and parses the response.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import h11

from understudy.services.webhook_urls import Target

RESPONSE_BYTES_MAX = 4096


@dataclass(frozen=True)
class Outcome:
    """The result of a request: the status of the response, or the reason why there is none.

    `duration_seconds` is None if no connection was made, so that it reveals nothing about private networks.
    """

    status: int | None = None
    error_code: str | None = None
    duration_seconds: float | None = None


@dataclass(frozen=True)
class Message:
    """The headers and the body of a request."""

    headers: Mapping[str, str]
    body: bytes


class Deadline:
    """A time by which a request must end."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def remaining(self) -> float:
        """Return the remaining seconds, or raise `TimeoutError` if there are none."""
        seconds = self._end - time.monotonic()
        if seconds <= 0:
            raise TimeoutError
        return seconds


def post(
    target: Target, addresses: Sequence[str], message: Message, *, deadline: Deadline, context: ssl.SSLContext
) -> Outcome:
    """Send a message to the first of the addresses that accepts a connection, and return the outcome.

    Parameters
    ----------
    addresses : sequence of str
        Checked addresses of the host. If there are none, the host is reported as unreachable.
    """
    connection = _connect(target, addresses, deadline)
    if connection is None:
        return Outcome(error_code="unreachable")
    began = time.monotonic()
    try:
        with connection:
            status = _exchange(connection, target, message, deadline, context)
    except ssl.SSLError:
        return Outcome(error_code="tls_failed", duration_seconds=_since(began))
    except TimeoutError:
        return Outcome(error_code="timeout", duration_seconds=_since(began))
    except (OSError, h11.ProtocolError):
        return Outcome(error_code="invalid_response", duration_seconds=_since(began))
    error_code = None if 200 <= status < 300 else "rejected"
    return Outcome(status, error_code, _since(began))


def _connect(target: Target, addresses: Sequence[str], deadline: Deadline) -> socket.socket | None:
    """Return a connection to the first address that accepts one, or None. No name is looked up."""
    for number, address in enumerate(addresses):
        try:
            # The addresses share the time, so an address that does not respond cannot use up all of it.
            seconds = deadline.remaining() / (len(addresses) - number)
            return _open(address, target.port, seconds)
        except OSError:
            continue
    return None


def _open(address: str, port: int, seconds: float) -> socket.socket:
    # A machine without IPv6 cannot even create the socket.
    connection = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    try:
        connection.settimeout(seconds)
        connection.connect((address, port))
    except BaseException:
        connection.close()
        raise
    return connection


def _exchange(
    plain: socket.socket, target: Target, message: Message, deadline: Deadline, context: ssl.SSLContext
) -> int:
    if target.scheme == "http":
        return _send(plain, target, message, deadline)
    plain.settimeout(deadline.remaining())
    # The certificate must be valid for the host of the URL, not for the address.
    with context.wrap_socket(plain, server_hostname=target.host) as encrypted:
        return _send(encrypted, target, message, deadline)


def _send(connection: socket.socket, target: Target, message: Message, deadline: Deadline) -> int:
    protocol = h11.Connection(h11.CLIENT, max_incomplete_event_size=RESPONSE_BYTES_MAX)
    headers = {
        "Host": target.host_header,
        "Content-Length": str(len(message.body)),
        "Connection": "close",
        **message.headers,
    }
    request = h11.Request(method="POST", target=target.path, headers=list(headers.items()))
    sent = [protocol.send(request), protocol.send(h11.Data(message.body)), protocol.send(h11.EndOfMessage())]
    connection.settimeout(deadline.remaining())
    connection.sendall(b"".join(part for part in sent if part))
    n_bytes = 0
    while True:
        event = protocol.next_event()
        if isinstance(event, h11.Response):
            return event.status_code
        if event is h11.NEED_DATA:
            if n_bytes >= RESPONSE_BYTES_MAX:
                raise h11.RemoteProtocolError("the headers of the response do not end")
            connection.settimeout(deadline.remaining())
            received = connection.recv(RESPONSE_BYTES_MAX - n_bytes)
            n_bytes += len(received)
            protocol.receive_data(received)


def _since(began: float) -> float:
    return round(time.monotonic() - began, 3)
