"""Tests that rejected uploads return the right problem and leave nothing behind."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.main import create_app
from app.multipart import OVERHEAD_BYTES
from app.staging import FLUSH_BYTES, StagedFile
from tests.api.conftest import assert_nothing_made, assert_problem, new_key
from tests.service import make_caller
from understudy.errors import StorageFull
from understudy.resources import Resources
from understudy.storage import MemoryStore

CSV = b"a,b\n1,x\n2,y\n"
FILE = {"file": ("a.csv", CSV)}
BYTES_MAX = 2 * FLUSH_BYTES
TEXT_CSV = {"Content-Type": "text/csv"}


@pytest.mark.parametrize(
    ("request_parts", "status", "code", "word"),
    [
        ({"files": {"file": ("a.csv", b"")}}, 422, "empty_file", "is empty"),
        ({"content": b"", "headers": {"Content-Type": "text/csv"}}, 422, "empty_file", "is empty"),
        ({"files": {"file": ("a.xls", CSV)}}, 422, "unknown_format", "xlsx"),
        ({"files": FILE, "data": {"sheet": "S"}}, 422, "invalid_parameters", "`sheet`"),
        ({"files": FILE, "data": {"format": "xlsx", "sheet": ""}}, 422, "invalid_parameters", "`sheet`"),
        ({"files": FILE, "data": {"format": "xlsx", "sheet": "a\0"}}, 422, "invalid_parameters", "`sheet`"),
        ({"files": FILE, "data": {"format": "xml"}}, 422, "unknown_format", "csv"),
        ({"content": CSV, "headers": {"Content-Type": "text/html"}}, 415, "unsupported_media_type", "csv"),
        ({"content": CSV}, 415, "unsupported_media_type", "parquet"),
        ({"json": {"name": "x"}}, 415, "unsupported_media_type", "multipart/form-data"),
        ({"data": {"name": "x"}}, 415, "unsupported_media_type", "multipart/form-data"),
        (
            {"content": CSV, "headers": {"Content-Type": "text/csv", "Content-Encoding": "gzip"}},
            415,
            "unsupported_media_type",
            "compressed",
        ),
        ({"files": {"table": ("a.csv", CSV)}}, 400, "malformed_body", "`file`"),
        ({"files": {"name": (None, b"x")}}, 400, "malformed_body", "`file`"),
        (
            {"files": [("file", ("a.csv", CSV)), ("file", ("b/a.tsv", CSV))]},
            422,
            "duplicate_table",
            "1 and 2",
        ),
        ({"files": [("file", ("a.csv", CSV)), ("file", ("b.csv", b""))]}, 422, "empty_file", "File 2 of 2"),
        ({"files": [("file", ("a.csv", CSV)), ("file", ("b.doc", CSV))]}, 422, "unknown_format", "csv"),
        ({"files": [("file", (f"{n}.csv", CSV)) for n in range(101)]}, 422, "too_many_files", "100"),
        ({"files": [("file", (f"{n}.csv", CSV)) for n in range(10_000)]}, 422, "too_many_files", "100"),
        (
            {"files": [(f"{n}", (None, b"")) for n in range(10_000)]},
            400,
            "malformed_body",
            "more than 16 fields",
        ),
        ({"files": {"": ("a.csv", CSV)}}, 400, "malformed_body", "no name"),
        ({"files": FILE, "data": {"nmae": "x"}}, 422, "invalid_parameters", "'nmae'"),
        ({"files": FILE, "data": {"labels": "x"}}, 422, "invalid_parameters", "`labels`"),
        (
            {"files": FILE, "data": {"labels": "[]"}},
            422,
            "invalid_parameters",
            "`labels`",
        ),
        ({"files": FILE, "data": {"name": "a\nb"}}, 422, "invalid_parameters", "`name`"),
        ({"files": FILE, "data": {"name": "x" * 70_000}}, 400, "malformed_body", "65,536"),
        (
            {"content": CSV, "headers": {"Content-Type": "multipart/form-data"}},
            400,
            "malformed_body",
            "boundary",
        ),
        (
            {"content": CSV, "headers": {"Content-Type": "multipart/form-data; boundary=x"}},
            400,
            "malformed_body",
            "well-formed",
        ),
        (
            {"content": CSV, "headers": {"Content-Type": f"multipart/form-data; boundary={'x' * (1 << 20)}"}},
            400,
            "malformed_body",
            "well-formed",
        ),
        (
            {"content": CSV, "headers": {"Content-Type": "multipart/mixed; boundary=x"}},
            415,
            "unsupported_media_type",
            "form-data",
        ),
    ],
)
def test_rejected_upload_leaves_nothing_behind(
    shared_client: TestClient,
    shared_resources: Resources,
    request_parts: dict[str, Any],
    status: int,
    code: str,
    word: str,
):
    assert_problem(shared_client.post("/v1/datasets", **request_parts), status, code, word)
    assert_nothing_made(shared_client, shared_resources)


def test_truncated_form_is_rejected(shared_client: TestClient, shared_resources: Resources):
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    response = shared_client.post("/v1/datasets", content=head + CSV, headers=headers)
    assert_problem(response, 400, "incomplete_body", "closing boundary")
    assert_nothing_made(shared_client, shared_resources)


@pytest.fixture
def limited_client(shared_resources: Resources) -> Iterator[TestClient]:
    """Return a client for an application that accepts files of up to `BYTES_MAX` bytes."""
    settings = shared_resources.settings.model_copy(update={"upload_bytes_max": BYTES_MAX})
    key = new_key(shared_resources, make_caller(shared_resources))
    app = create_app(replace(shared_resources, settings=settings))
    with TestClient(app, headers={"Authorization": f"Bearer {key}"}) as client:
        yield client


def pieces(n_bytes: int) -> Iterator[bytes]:
    """Yield a body in pieces so that the request has no content length."""
    for start in range(0, n_bytes, 1 << 16):
        yield b"x" * min(1 << 16, n_bytes - start)


def test_file_over_the_limit_is_rejected_because_of_its_content_length(
    limited_client: TestClient, shared_resources: Resources
):
    response = limited_client.post("/v1/datasets", content=b"x" * (BYTES_MAX + 1), headers=TEXT_CSV)
    assert_problem(response, 413, "upload_too_large", "upload_bytes_max", str(BYTES_MAX))
    assert_nothing_made(limited_client, shared_resources)


def test_file_over_the_limit_is_rejected_while_it_streams(
    limited_client: TestClient, shared_resources: Resources
):
    response = limited_client.post("/v1/datasets", content=pieces(BYTES_MAX + 1), headers=TEXT_CSV)
    assert_problem(response, 413, "upload_too_large", str(BYTES_MAX))
    assert_nothing_made(limited_client, shared_resources)


@pytest.mark.parametrize("n_more", [1, 2 * OVERHEAD_BYTES])
def test_form_with_a_file_over_the_limit_is_rejected(
    limited_client: TestClient, shared_resources: Resources, n_more: int
):
    files = {"file": ("a.csv", b"x" * (BYTES_MAX + n_more))}
    response = limited_client.post("/v1/datasets", files=files)
    assert_problem(response, 413, "upload_too_large", str(BYTES_MAX))
    assert_nothing_made(limited_client, shared_resources)


def test_files_that_exceed_the_limit_in_total_are_rejected(
    limited_client: TestClient, shared_resources: Resources
):
    files = [("file", (f"{name}.csv", b"x" * (BYTES_MAX // 2))) for name in "abc"]
    response = limited_client.post("/v1/datasets", files=files)
    assert_problem(response, 413, "upload_too_large", str(BYTES_MAX))
    assert_nothing_made(limited_client, shared_resources)


def form_with(header: bytes = b"", epilogue: Iterable[bytes] = ()) -> Iterator[bytes]:
    """Yield a form with a file, an optional long header in its part, and optional data after its end."""
    disposition = b'Content-Disposition: form-data; name="file"; filename="a.csv"'
    yield b"--x\r\n" + disposition + b"\r\n" + header + b"\r\n" + CSV + b"\r\n--x--\r\n"
    yield from epilogue


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (lambda: form_with(b"X-Long: " + b"x" * (1 << 20) + b"\r\n"), 400, "malformed_body"),
        (lambda: form_with(b"".join(b"X-%d: x\r\n" % n for n in range(10_000))), 400, "malformed_body"),
        (lambda: form_with(epilogue=pieces(BYTES_MAX + 2 * OVERHEAD_BYTES)), 413, "upload_too_large"),
    ],
    ids=["long-header", "many-headers", "endless-epilogue"],
)
def test_form_with_too_much_data_beside_its_file_is_rejected(
    limited_client: TestClient,
    shared_resources: Resources,
    body: Callable[[], Iterator[bytes]],
    status: int,
    code: str,
):
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    assert_problem(limited_client.post("/v1/datasets", content=body(), headers=headers), status, code)
    assert_nothing_made(limited_client, shared_resources)


@pytest.mark.parametrize("header", ["Content-Digest", "Repr-Digest"])
@pytest.mark.parametrize(
    ("digest", "code"),
    [
        (f"sha-256=:{base64.b64encode(bytes(32)).decode()}:", "digest_mismatch"),
        ("sha-256=:AAAA:", "invalid_parameters"),
        ("sha-512=:AAAA:", "invalid_parameters"),
        ("", "invalid_parameters"),
    ],
)
def test_body_with_a_wrong_digest_is_rejected(
    shared_client: TestClient, shared_resources: Resources, header: str, digest: str, code: str
):
    response = shared_client.post("/v1/datasets", content=CSV, headers={**TEXT_CSV, header: digest})
    assert_problem(response, 422, code, "SHA-256")
    assert_nothing_made(shared_client, shared_resources)


def send_messages(client: TestClient, messages: list[dict[str, Any]], *headers: tuple[str, str]) -> list[Any]:
    """Call the application with ASGI messages, and return the messages that it sends."""
    waiting, sent = list(messages), []

    async def receive() -> dict[str, Any]:
        return waiting.pop(0) if waiting else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    given = [("authorization", client.headers["Authorization"]), ("content-type", "text/csv"), *headers]
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/datasets",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in given],
    }
    asyncio.run(client.app(scope, receive, send))
    return sent


def test_upload_of_a_disconnected_client_leaves_nothing_behind(
    shared_client: TestClient, shared_resources: Resources
):
    part = {"type": "http.request", "body": b"x" * (FLUSH_BYTES + 1), "more_body": True}
    sent = send_messages(shared_client, [part, part])
    assert sent[0]["status"] == 400
    assert b"incomplete_body" in sent[1]["body"]
    assert_nothing_made(shared_client, shared_resources)


@pytest.mark.parametrize("said", [3, 1000])
def test_body_with_a_wrong_content_length_is_rejected(
    shared_client: TestClient, shared_resources: Resources, said: int
):
    whole = {"type": "http.request", "body": CSV, "more_body": False}
    sent = send_messages(shared_client, [whole], ("content-length", str(said)))
    assert sent[0]["status"] == 400
    assert b"Content-Length is" in sent[1]["body"]
    assert_nothing_made(shared_client, shared_resources)


class FullStore(MemoryStore):
    """A store that is full."""

    def put_file(self, key: str, path: Path) -> None:
        """Raise the error of a full disk."""
        raise StorageFull("There is no space left to store the file.")


def test_upload_to_a_full_store_fails_and_leaves_nothing_behind(shared_resources: Resources):
    key = new_key(shared_resources, make_caller(shared_resources))
    client = TestClient(create_app(replace(shared_resources, store=FullStore())))
    client.headers["Authorization"] = f"Bearer {key}"
    assert_problem(client.post("/v1/datasets", files=FILE), 507, "storage_full", "no space")
    assert_nothing_made(client, shared_resources)


def test_upload_to_a_full_disk_fails():
    # This device can be opened but, like a full disk, rejects every write.
    staged = StagedFile(Path("/dev/full"))
    staged.add(b"x" * (1 << 18))
    with pytest.raises(StorageFull, match="was not stored"):
        staged.write()
    staged.close()
