"""Tests for interrupted bodies and early rejections, with a real uvicorn server on a loopback port."""

from __future__ import annotations

import base64
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import closing
from hashlib import sha256

import httpx2
import pytest

from tests.api.conftest import new_key, wait_until
from understudy.resources import Resources
from understudy.services.api_keys import Caller

BODY = b"a,b\n" + b"1,2\n" * 1_000_000
BOUNDARY = b"xyz"
PART = b'--xyz\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'


def cut_with_length() -> tuple[str, bytes]:
    """Return headers with a Content-Length larger than the body."""
    return f"Content-Type: text/csv\r\nContent-Length: {2 * len(BODY)}\r\n", BODY


def cut_chunked() -> tuple[str, bytes]:
    """Return a chunked body without its last chunk."""
    chunk = f"{len(BODY):x}\r\n".encode() + BODY + b"\r\n"
    return "Content-Type: text/csv\r\nTransfer-Encoding: chunked\r\n", chunk


def cut_form() -> tuple[str, bytes]:
    """Return a multipart form that is cut off in the middle of its file."""
    headers = f"Content-Type: multipart/form-data; boundary=xyz\r\nContent-Length: {2 * len(BODY)}\r\n"
    return headers, PART + BODY


@pytest.mark.parametrize("is_reset", [False, True], ids=["closed", "reset"])
@pytest.mark.parametrize("make", [cut_with_length, cut_chunked, cut_form])
def test_interrupted_body_leaves_nothing_behind(
    address: tuple[str, int],
    resources: Resources,
    caller: Caller,
    make: Callable[[], tuple[str, bytes]],
    is_reset: bool,
):
    key = new_key(resources, caller)
    headers, body = make()
    connection = socket.create_connection(address)
    head = f"POST /v1/datasets HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n{headers}\r\n"
    connection.sendall(head.encode() + body)
    wait_until(lambda: any(path.stat().st_size for path in resources.staging_folder.iterdir()))
    if is_reset:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    wait_until(lambda: not list(resources.staging_folder.iterdir()))
    bearer = {"Authorization": f"Bearer {key}"}
    for noun in ("datasets", "jobs"):
        page = httpx2.get(f"http://{address[0]}:{address[1]}/v1/{noun}", headers=bearer)
        assert page.json() == {"data": [], "has_more": False}
    assert list(resources.store.keys("")) == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"Authorization": "Bearer x"}, 401), ({"Content-Type": "text/html"}, 415)],
    ids=["no-key", "no-table"],
)
def test_caller_that_is_rejected_early_receives_the_error(
    address: tuple[str, int], resources: Resources, caller: Caller, headers: dict[str, str], status: int
):
    def pieces() -> Iterator[bytes]:
        for _ in range(64):
            yield BODY[: 1 << 20]

    given = {"Authorization": f"Bearer {new_key(resources, caller)}", "Content-Type": "text/csv", **headers}
    response = httpx2.post(f"http://{address[0]}:{address[1]}/v1/datasets", content=pieces(), headers=given)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"


def test_interrupted_part_is_not_stored_and_can_be_sent_again(
    address: tuple[str, int], resources: Resources, caller: Caller
):
    bearer = {"Authorization": f"Bearer {new_key(resources, caller)}"}
    base = f"http://{address[0]}:{address[1]}/v1/uploads"
    body = {"files": [{"filename": "a.csv", "size_bytes": len(BODY)}], "part_bytes": len(BODY) // 2}
    upload = httpx2.post(base, json=body, headers=bearer).json()
    size = upload["part_bytes"]
    parts = [BODY[:size], BODY[size:]]
    digests = [f"sha-256=:{base64.b64encode(sha256(part).digest()).decode()}:" for part in parts]
    paths = [f"/{upload['id']}/parts/{number}" for number in (1, 2)]
    connection = socket.create_connection(address)
    head = f"PUT /v1/uploads{paths[0]} HTTP/1.1\r\nHost: x\r\nAuthorization: {bearer['Authorization']}\r\n"
    head += f"Content-Digest: {digests[0]}\r\nContent-Length: {size}\r\n\r\n"
    connection.sendall(head.encode() + parts[0][: size - 1])
    wait_until(lambda: any(path.stat().st_size for path in resources.staging_folder.iterdir()))
    connection.close()
    wait_until(lambda: not list(resources.staging_folder.iterdir()))
    assert httpx2.get(f"{base}/{upload['id']}", headers=bearer).json()["parts"] == []
    for path, part, digest in zip(paths, parts, digests, strict=True):
        headers = {**bearer, "Content-Digest": digest}
        assert httpx2.put(base + path, content=part, headers=headers).status_code == 200
    assert httpx2.post(f"{base}/{upload['id']}/complete", headers=bearer).status_code == 202
    stored = b""
    for key in sorted(resources.store.keys("")):
        with resources.store.open(key) as file:
            stored += file.read()
    assert stored == BODY


def test_request_that_is_not_http_gets_a_problem_document(address: tuple[str, int]):
    with closing(socket.create_connection(address)) as connection:
        connection.settimeout(20)
        connection.sendall(b"NOT HTTP\r\n\r\n")
        received = b""
        while data := connection.recv(1 << 12):
            received += data
    assert received.startswith(b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/problem+json\r\n")
    assert b'"code": "malformed_body"' in received
