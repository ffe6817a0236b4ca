"""Tests for the bucket store when the object store or the connection fails."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import botocore.session
import pytest
from structlog.testing import capture_logs

from tests.object_store import (
    FULL,
    INTERNAL,
    RACE,
    SLOW_DOWN,
    Fault,
    FaultyProxy,
    hangs,
    loses_response,
    refuses_connection,
    responds,
    tears_body,
)
from understudy.errors import Conflict, StorageFull, Unavailable, UnderstudyError
from understudy.storage import Store, StoreOptions, open_store
from understudy.storage.s3 import reading, store, writing

KEY = "p/prj_1/j/job_1/7/table.parquet"
LARGE = bytes(range(256)) * (70 << 10)


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the pauses before a request is repeated."""
    monkeypatch.setattr(store, "READ_SECONDS", 1)
    monkeypatch.setattr(store, "CHECK_SECONDS", 0.5)
    monkeypatch.setattr("random.random", lambda: 0.02)
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0.01)


@pytest.fixture
def faulty(bucket: str, proxy: FaultyProxy) -> Store:
    """Open a store behind the proxy. It has already checked that the object store enforces conditions."""
    store = open_store(f"s3://{bucket}/blobs", StoreOptions(proxy.url, is_path_style=True))
    assert store._enforces_conditions()  # type: ignore[attr-defined]
    return store


@pytest.fixture
def source(tmp_path: Path) -> Callable[[bytes], Path]:
    """Return a function that writes bytes to a file."""

    def write(data: bytes) -> Path:
        path = tmp_path / "incoming"
        path.write_bytes(data)
        return path

    return write


Source = Callable[[bytes], Path]

PASSING: dict[str, Fault] = {
    "500": responds(500, INTERNAL),
    "503": responds(503, SLOW_DOWN),
    "no response": hangs(1.5),
    "no connection": refuses_connection,
    "409": responds(409, RACE),
}


@pytest.mark.parametrize("fault", PASSING)
@pytest.mark.parametrize("data", [b"data", LARGE], ids=["small", "in parts"])
def test_write_is_repeated_after_a_fault(
    faulty: Store, proxy: FaultyProxy, source: Source, fault: str, data: bytes
) -> None:
    proxy.plan("PUT", PASSING[fault])
    proxy.plan("POST", PASSING[fault])

    faulty.put_file(KEY, source(data))

    with faulty.open(KEY) as file:
        assert file.read() == data


@pytest.mark.parametrize("fault", ["500", "503", "no connection"])
def test_read_is_repeated_after_a_fault(
    faulty: Store, proxy: FaultyProxy, source: Source, tmp_path: Path, fault: str
) -> None:
    faulty.put_file(KEY, source(LARGE))
    for method in ("GET", "HEAD"):
        proxy.plan(method, PASSING[fault])

    with faulty.local_copy(KEY, tmp_path) as path:
        assert path.read_bytes() == LARGE


def test_truncated_response_is_requested_again(faulty: Store, proxy: FaultyProxy, source: Source) -> None:
    faulty.put_file(KEY, source(LARGE))
    proxy.plan("GET", tears_body, tears_body)

    with faulty.open(KEY) as file:
        assert file.read() == LARGE


def test_repeatedly_truncated_responses_are_an_error(
    faulty: Store, proxy: FaultyProxy, source: Source
) -> None:
    faulty.put_file(KEY, source(b"0123456789"))
    proxy.plan("GET", *[tears_body] * reading.ATTEMPTS_MAX)

    with faulty.open(KEY) as file, pytest.raises(Unavailable):
        file.read()


@pytest.mark.parametrize("data", [b"data", LARGE], ids=["small", "in parts"])
def test_own_blob_is_recognized_after_a_lost_response(
    faulty: Store, proxy: FaultyProxy, source: Source, data: bytes
) -> None:
    # The repeated request finds the blob that the first request has stored.
    if data == LARGE:
        proxy.plan("POST", lambda handler, forward: handler.respond(*forward()), loses_response)
    else:
        proxy.plan("PUT", loses_response)

    faulty.put_file(KEY, source(data))

    with faulty.open(KEY) as file:
        assert file.read() == data


def test_store_does_not_mistake_the_blob_of_another_writer_for_its_own(
    faulty: Store, proxy: FaultyProxy, source: Source
) -> None:
    faulty.put_file(KEY, source(b"first"))
    proxy.plan("PUT", refuses_connection)

    with pytest.raises(Conflict):
        faulty.put_file(KEY, source(b"second"))
    with faulty.open(KEY) as file:
        assert file.read() == b"first"


@pytest.mark.parametrize("data", [b"data", LARGE], ids=["small", "in parts"])
def test_store_that_never_recovers_is_reported_as_unavailable(
    faulty: Store, proxy: FaultyProxy, source: Source, data: bytes
) -> None:
    path = source(data)
    for method in ("PUT", "POST", "GET", "HEAD", "DELETE"):
        proxy.plan(method, *[responds(503, SLOW_DOWN)] * 50)

    calls: list[Callable[[], object]] = [
        lambda: faulty.put_file(KEY, path),
        lambda: faulty.open(KEY),
        lambda: faulty.size(KEY),
        lambda: faulty.delete(KEY),
        lambda: list(faulty.keys("")),
        lambda: faulty.delete_partial("", timedelta(0)),
        faulty.check_writable,
    ]
    for call in calls:
        with pytest.raises(Unavailable, match="does not respond"):
            call()
    assert path.read_bytes() == data


def test_failed_upload_leaves_no_parts(
    faulty: Store, proxy: FaultyProxy, source: Source, s3_server: str, bucket: str
) -> None:
    proxy.plan("PUT", *[responds(500, INTERNAL)] * 20)

    with pytest.raises(Unavailable):
        faulty.put_file(KEY, source(LARGE))

    assert partial_uploads(s3_server, bucket) == []


def test_interrupted_upload_is_aborted_later(
    faulty: Store, proxy: FaultyProxy, source: Source, s3_server: str, bucket: str
) -> None:
    # Neither the upload nor the request to abort it succeeds, as if the process had been killed.
    proxy.plan("PUT", *[responds(500, INTERNAL)] * 20)
    proxy.plan("DELETE", *[responds(500, INTERNAL)] * 20)
    with pytest.raises(Unavailable):
        faulty.put_file(KEY, source(LARGE))
    proxy.plan("DELETE")
    assert len(partial_uploads(s3_server, bucket)) == 1
    while proxy.next_fault("DELETE") is not None:
        pass

    faulty.delete_partial("p/", timedelta(0))

    assert partial_uploads(s3_server, bucket) == []


def partial_uploads(endpoint: str, bucket: str) -> list[object]:
    """Return the unfinished uploads in a bucket."""
    client = botocore.session.get_session().create_client("s3", "us-east-1", endpoint_url=endpoint)
    uploads: list[object] = client.list_multipart_uploads(Bucket=bucket).get("Uploads", [])
    return uploads


def test_full_store_is_recognized(faulty: Store, proxy: FaultyProxy, source: Source) -> None:
    proxy.plan("PUT", responds(403, FULL))

    with pytest.raises(StorageFull):
        faulty.put_file(KEY, source(b"data"))


@pytest.mark.parametrize(
    ("code", "status", "words"),
    [
        ("AccessDenied", 403, "access is denied"),
        ("SignatureDoesNotMatch", 403, "secret access key is wrong"),
        ("NoSuchBucket", 404, "bucket does not exist"),
    ],
)
def test_refused_request_is_reported_with_its_cause(
    faulty: Store, proxy: FaultyProxy, source: Source, code: str, status: int, words: str
) -> None:
    proxy.plan("PUT", responds(status, f"<Error><Code>{code}</Code></Error>".encode()))

    with pytest.raises(Unavailable, match=words):
        faulty.put_file(KEY, source(b"data"))


def test_store_that_ignores_conditions_checks_for_the_blob_before_a_write(
    bucket: str, proxy: FaultyProxy, source: Source
) -> None:
    ignoring = open_store(f"s3://{bucket}/blobs", StoreOptions(proxy.url, is_path_style=True))
    # The store accepts the conditional request of the probe although the object exists.
    proxy.plan("PUT", lambda handler, forward: handler.respond(*forward()), responds(200, b""))

    with capture_logs() as logs:
        ignoring.put_file(KEY, source(b"first"))
    assert [line["event"] for line in logs] == ["store_without_conditional_writes"]
    with pytest.raises(Conflict):
        ignoring.put_file(KEY, source(b"second"))


def test_successful_check_is_not_repeated_for_each_job(faulty: Store, proxy: FaultyProxy) -> None:
    faulty.check_writable()
    n_requests = proxy.n_requests

    for _ in range(20):
        faulty.check_writable()

    assert proxy.n_requests == n_requests


def test_keys_are_read_in_pages(faulty: Store, proxy: FaultyProxy, source: Source) -> None:
    for number in range(3):
        faulty.put_file(f"p/{number}", source(b""))
    n_requests = proxy.n_requests

    keys = faulty.keys("p/")
    assert proxy.n_requests == n_requests
    assert next(keys) == "p/0"
    assert proxy.n_requests == n_requests + 1
    assert list(keys) == ["p/1", "p/2"]


def test_presigned_url_downloads_the_blob_until_it_expires(faulty: Store, source: Source) -> None:
    faulty.put_file(KEY, source(b"data"))

    url = faulty.presigned_url(KEY, filename="table.parquet", seconds=60)
    assert url is not None
    with urlopen(url) as response:  # noqa: S310 - on loopback
        assert response.read() == b"data"
    assert "X-Amz-Expires=60" in url
    assert "planted-secret" not in url


def test_deleted_blob_cannot_be_downloaded_with_an_earlier_url(faulty: Store, source: Source) -> None:
    faulty.put_file(KEY, source(b"data"))
    url = faulty.presigned_url(KEY, filename="table.parquet", seconds=60)
    assert url is not None
    faulty.delete(KEY)

    with pytest.raises(HTTPError) as refused:
        urlopen(url)  # noqa: S310 - on loopback
    refused.value.close()
    assert refused.value.code in (403, 404)


@pytest.mark.parametrize("url", ["s3:///prefix", "s3://Bucket", "s3://b", f"s3://bucket/{'a' * 300}"])
def test_invalid_address_is_refused(url: str) -> None:
    with pytest.raises(UnderstudyError, match="bucket"):
        open_store(url)


def test_opening_a_store_sends_no_request(s3_credentials: None) -> None:
    open_store("s3://bucket/prefix", StoreOptions("http://127.0.0.1:1"))


def test_number_and_size_of_parts_are_within_the_limits_of_the_interface() -> None:
    assert writing.N_PARTS_MAX < 10_000
    assert writing.PART_BYTES >= 5 << 20
