"""Tests of the Python client's uploads, downloads and event streams over connections that break."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
from understudy_client import ConnectionFailed, ContentChanged, InvalidRequest

from tests.clients.conftest import QUICK, Caller
from tests.clients.resources import TIME, dataset, job
from tests.clients.scripted_server import LOST, Request, Response, ScriptedServer, problem

PART_BYTES = 1000
CONTENT = bytes(range(256)) * 20
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class UploadService:
    """A script that implements the upload operations. The parts in `lost` and `damaged` fail once."""

    def __init__(self, lost: tuple[int, ...] = (), damaged: tuple[int, ...] = ()) -> None:
        self.files: list[dict[str, Any]] = []
        self.parts: dict[int, bytes] = {}
        self.lost = set(lost)
        self.damaged = set(damaged)
        self.sent: list[int] = []
        self.format = "csv"
        self.about: dict[str, Any] = {"name": "t", "labels": {}, "options": {}}

    def __call__(self, request: Request) -> Response:
        if match := re.search(r"/parts/(\d+)$", request.path):
            return self._part(int(match[1]), request)
        if request.path.endswith("/complete"):
            ingest = job("succeeded", kind="ingest", result={"kind": "ingest", "dataset_id": "ds_1"})
            return Response(202, {"dataset": dataset(state="pending"), "job": ingest})
        if request.path.startswith("/v1/datasets"):
            return Response(200, dataset())
        if request.method == "POST":
            body = json.loads(request.body)
            self.files, self.parts = body["files"], {}
            self.about |= {name: body[name] for name in self.about if name in body}
            return Response(201, self._upload())
        if request.path == "/v1/uploads":
            return Response(200, {"data": [self._upload()] if self.files else [], "has_more": False})
        return Response(200, self._upload())

    @property
    def content(self) -> bytes:
        """The received bytes."""
        return b"".join(self.parts[number] for number in sorted(self.parts))

    def _part(self, number: int, request: Request) -> Response:
        digest = base64.b64encode(hashlib.sha256(request.body).digest()).decode()
        assert request.headers["Content-Digest"] == f"sha-256=:{digest}:"
        self.sent.append(number)
        if number in self.damaged:
            self.damaged.discard(number)
            return problem(422, "digest_mismatch")
        self.parts[number] = request.body
        if number in self.lost:
            self.lost.discard(number)
            return LOST
        return Response(200, {"number": number, "size_bytes": len(request.body), "sha256": "0" * 64})

    def _upload(self) -> dict[str, Any]:
        size = sum(file["size_bytes"] for file in self.files)
        files = []
        n_parts = 0
        for file in self.files:
            n = -(-file["size_bytes"] // PART_BYTES)
            about = {"table_name": "t", "format": self.format, "first_part": n_parts + 1, "n_parts": n}
            files.append({**file, **about})
            n_parts += n
        received = [{"number": n, "size_bytes": 1, "sha256": "0" * 64} for n in self.parts]
        fixed = {"id": "upl_1", "state": "open", **self.about}
        times = {"created_at": TIME, "expires_at": TIME}
        counts = {"size_bytes": size, "part_bytes": PART_BYTES, "n_parts": n_parts}
        return {**fixed, **times, **counts, "files": files, "parts": received}


def begun_upload(**about: Any) -> UploadService:
    """Return a service that has received the first part from an earlier process."""
    service = UploadService()
    service.about |= about
    service.files = [{"filename": "people.csv", "size_bytes": len(CONTENT), "sha256": SHA256}]
    service.parts = {1: CONTENT[:PART_BYTES]}
    return service


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """Write a file of six parts."""
    path = tmp_path / "people.csv"
    path.write_bytes(CONTENT)
    return path


def test_upload_continues_after_a_lost_connection(api: Caller, server: ScriptedServer, people: Path) -> None:
    service = server.script = UploadService(lost=(2, 4))
    fractions: list[float] = []
    uploaded = api.do(
        api.client.datasets.upload(
            people, part_bytes=PART_BYTES, on_progress=lambda at: fractions.append(at.fraction)
        )
    )
    assert (uploaded.id, service.content) == ("ds_1", CONTENT)
    assert service.sent == [1, 2, 2, 3, 4, 4, 5, 6]
    assert fractions[:6] == pytest.approx([1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6, 1])


def test_damaged_part_is_sent_again(api: Caller, server: ScriptedServer, people: Path) -> None:
    service = server.script = UploadService(damaged=(3,))
    api.do(api.client.datasets.upload(people, part_bytes=PART_BYTES))
    assert (service.content, service.sent.count(3)) == (CONTENT, 2)


def test_upload_that_an_earlier_process_began_is_continued(
    api: Caller, server: ScriptedServer, people: Path
) -> None:
    service = server.script = UploadService()
    service.files = [{"filename": "people.csv", "size_bytes": len(CONTENT), "sha256": SHA256}]
    service.parts = {1: CONTENT[:PART_BYTES], 2: CONTENT[PART_BYTES : 2 * PART_BYTES]}
    api.do(api.client.datasets.upload(people, part_bytes=PART_BYTES))
    assert (service.content, service.sent) == (CONTENT, [3, 4, 5, 6])


COMMA = {"decimal": ","}


@pytest.mark.parametrize(
    ("earlier", "options"),
    [
        ({"options": COMMA}, {}),
        ({}, {"read_options": COMMA}),
        ({"name": "visits"}, {}),
        ({"labels": {"team": "ops"}}, {}),
    ],
    ids=["options before", "options now", "name", "labels"],
)
def test_upload_with_other_arguments_is_not_continued(
    api: Caller, server: ScriptedServer, people: Path, earlier: dict[str, Any], options: Any
) -> None:
    service = server.script = begun_upload(**earlier)
    api.do(api.client.datasets.upload(people, part_bytes=PART_BYTES, **options))
    assert service.sent == [1, 2, 3, 4, 5, 6]


def test_upload_with_the_same_arguments_is_continued(
    api: Caller, server: ScriptedServer, people: Path
) -> None:
    service = server.script = begun_upload(options=COMMA, name="visits", labels={"team": "ops"})
    arguments: Any = {"name": "visits", "read_options": COMMA, "labels": {"team": "ops"}}
    api.do(api.client.datasets.upload(people, part_bytes=PART_BYTES, **arguments))
    assert (service.content, service.sent) == (CONTENT, [2, 3, 4, 5, 6])


def test_upload_in_another_format_is_not_continued(api: Caller, server: ScriptedServer, people: Path) -> None:
    service = server.script = begun_upload()
    service.format = "jsonl"
    api.do(api.client.datasets.upload(people, part_bytes=PART_BYTES))
    assert service.sent == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("kind", ["bytes", "file", "iterator"])
def test_bytes_files_and_iterators_are_uploaded(api: Caller, server: ScriptedServer, kind: str) -> None:
    service = server.script = UploadService()
    sources = {"bytes": CONTENT, "file": io.BytesIO(CONTENT), "iterator": iter([CONTENT[:7], CONTENT[7:]])}
    api.do(api.client.datasets.upload(sources[kind], filename="people.csv"))
    assert (service.content, service.files[0]["filename"]) == (CONTENT, "people.csv")


def test_asynchronous_stream_is_uploaded(api: Caller, server: ScriptedServer) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield CONTENT[:7]
        yield CONTENT[7:]

    service = server.script = UploadService()
    if type(api.client).__name__ == "Client":
        with pytest.raises(TypeError):
            api.do(api.client.datasets.upload(chunks(), filename="people.csv"))
        return
    api.do(api.client.datasets.upload(chunks(), filename="people.csv"))
    assert service.content == CONTENT


def test_tables_are_uploaded_as_parquet(api: Caller, server: ScriptedServer, people: Path) -> None:
    frame = pd.DataFrame({"age": [1, 2], "city": ["Oslo", None]})
    service = server.script = UploadService()
    api.do(api.client.datasets.upload({"visits": frame, "people": people}))
    assert [file["filename"] for file in service.files] == ["visits.parquet", "people.csv"]
    n_bytes = service.files[0]["size_bytes"]
    table = pq.read_table(io.BytesIO(service.content[:n_bytes]))
    pd.testing.assert_frame_equal(table.to_pandas(), frame)


@pytest.mark.parametrize("source", [b"", b"a,b\n"], ids=["empty", "without name"])
def test_source_that_cannot_be_uploaded_is_refused_before_any_request(
    api: Caller, server: ScriptedServer, source: bytes
) -> None:
    with pytest.raises(ValueError, match=r"is empty|has no file name"):
        api.do(api.client.datasets.upload(source, filename="t.csv" if not source else None))
    assert server.requests == []


def file_response(request: Request, *, cut_after: int | None = None, has_ranges: bool = True) -> Response:
    """Return a stored file, or a part of it."""
    headers = {"ETag": f'"{SHA256}"'}
    if has_ranges and "Range" in request.headers:
        start = int(request.headers["Range"].removeprefix("bytes=").removesuffix("-"))
        assert request.headers["If-Range"] == f'"{SHA256}"'
        return Response(206, CONTENT[start:], headers, cut_after)
    return Response(200, CONTENT, headers, cut_after)


@pytest.mark.parametrize("has_ranges", [True, False])
def test_download_continues_after_a_lost_connection(
    api: Caller, server: ScriptedServer, tmp_path: Path, has_ranges: bool
) -> None:
    cuts = iter([1500, 1501, None])
    server.script = lambda request: file_response(request, cut_after=next(cuts), has_ranges=has_ranges)
    target = tmp_path / "synthetic.csv"
    api.do(api.client.datasets.download("ds_1", target))
    assert target.read_bytes() == CONTENT
    assert [path.name for path in tmp_path.iterdir()] == ["synthetic.csv"]
    assert [request.query for request in server.requests] == [{"format": ["csv"]}] * 3


@pytest.mark.parametrize("name", ["people.CSV", "people.v2.csv"])
def test_suffix_determines_the_format_of_a_download(
    api: Caller, server: ScriptedServer, tmp_path: Path, name: str
) -> None:
    server.script = file_response
    api.do(api.client.datasets.download("ds_1", tmp_path / name))
    api.do(api.client.datasets.rejects("ds_1", tmp_path / name))
    assert [request.query for request in server.requests] == [{"format": ["csv"]}] * 2


@pytest.mark.parametrize("name", ["people.csv.gz", "people.tsv", "people"])
def test_download_with_an_unknown_suffix_requires_a_format(
    api: Caller, server: ScriptedServer, tmp_path: Path, name: str
) -> None:
    with pytest.raises(ValueError, match="csv, parquet, jsonl, arrow or xlsx"):
        api.do(api.client.datasets.download("ds_1", tmp_path / name))
    with pytest.raises(ValueError, match="csv or parquet"):
        api.do(api.client.datasets.rejects("ds_1", tmp_path / name))
    assert server.requests == []
    server.script = file_response
    api.do(api.client.datasets.download("ds_1", tmp_path / name, format="csv"))
    api.do(api.client.datasets.rejects("ds_1", tmp_path / name, format="csv"))
    assert [request.query for request in server.requests] == [{"format": ["csv"]}] * 2


def test_streamed_table_has_no_gap_after_a_lost_connection(api: Caller, server: ScriptedServer) -> None:
    cuts = iter([10, None])
    server.script = lambda request: file_response(request, cut_after=next(cuts))
    assert b"".join(api.do(api.client.datasets.stream("ds_1"))) == CONTENT


@pytest.mark.parametrize(
    "second",
    [
        Response(200, CONTENT, {"ETag": '"other"'}),
        Response(206, CONTENT[1500:-1] + b"!", {"ETag": f'"{SHA256}"'}),
    ],
    ids=["other etag", "other bytes"],
)
def test_file_that_changed_during_the_download_is_not_kept(
    api: Caller, server: ScriptedServer, tmp_path: Path, second: Response
) -> None:
    server.script = [Response(200, CONTENT, {"ETag": f'"{SHA256}"'}, cut_after=1500), second]
    target = tmp_path / "synthetic.parquet"
    target.write_bytes(b"earlier")
    with pytest.raises(ContentChanged):
        api.do(api.client.datasets.download("ds_1", target))
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [(target.name, b"earlier")]


def test_download_follows_a_redirect_to_an_object_store(
    api: Caller, server: ScriptedServer, tmp_path: Path
) -> None:
    def script(request: Request) -> Response:
        if request.path.startswith("/v1/"):
            return Response(307, b"", {"Location": "/bucket/file", "ETag": f'"{SHA256}"'})
        return Response(200, CONTENT, {"ETag": '"of the store"'})

    server.script = script
    target = api.do(api.client.datasets.download("ds_1", tmp_path / "synthetic.parquet"))
    assert target.read_bytes() == CONTENT


def test_download_is_read_as_a_data_frame(api: Caller, server: ScriptedServer) -> None:
    frame = pd.DataFrame({"age": [1, 2]})
    content = io.BytesIO()
    frame.to_parquet(content)
    server.script = lambda _: Response(200, content.getvalue())
    pd.testing.assert_frame_equal(api.do(api.client.datasets.to_pandas("ds_1", table="people")), frame)
    assert api.do(api.client.datasets.to_arrow("ds_1")).column_names == ["age"]
    assert server.requests[0].query == {"format": ["parquet"], "table": ["people"]}


def test_refused_download_leaves_no_file(api: Caller, server: ScriptedServer, tmp_path: Path) -> None:
    server.script = [problem(422, "table_required")]
    with pytest.raises(InvalidRequest):
        api.do(api.client.reports.html("rpt_1", tmp_path / "report.html"))
    assert list(tmp_path.iterdir()) == []


STREAM = b"""\
retry: 1

id: 1
event: queued
data: {"id": "1"}

event: progress
data: {"phase": "fitting",
data:  "fraction": 0.5}

: keep-alive

id: 2
event: succeeded
data: {"id": "2"}

"""


def sse(content: bytes, **fields: Any) -> Response:
    return Response(200, content, {"Content-Type": "text/event-stream"}, **fields)


def test_event_stream_reconnects_after_the_last_event(api: Caller, server: ScriptedServer) -> None:
    second = STREAM.index(b"id: 2")
    server.script = [sse(STREAM, cut_after=second + 20), sse(STREAM[second:])]
    events = api.do(api.client.jobs.events("job_1"))
    assert [(event.type, event.id) for event in events] == [
        ("queued", "1"),
        ("progress", None),
        ("succeeded", "2"),
    ]
    assert events[1].data == {"phase": "fitting", "fraction": 0.5}
    assert [request.headers.get("Last-Event-ID") for request in server.requests] == [None, "1"]


def test_event_stream_continues_after_a_stopping_service_ended_it(
    api: Caller, server: ScriptedServer
) -> None:
    second = STREAM.index(b"id: 2")
    server.script = [
        sse(STREAM[:second] + b": The server is stopping.\n\n"),
        problem(503, "unavailable", Retry_After="0"),
        sse(STREAM[second:]),
    ]
    assert [event.type for event in api.do(api.client.jobs.events("job_1"))][-1] == "succeeded"
    assert server.requests[2].headers["Last-Event-ID"] == "1"


def test_event_stream_after_the_last_event_of_an_ended_job_is_empty(
    api: Caller, server: ScriptedServer
) -> None:
    empty = b"retry: 1\n\n"
    server.script = [sse(empty), Response(200, job("succeeded")), sse(empty)]
    assert api.do(api.client.jobs.events("job_1", last_event_id="2")) == []


def test_live_rows_continue_after_a_lost_connection_with_the_same_seed(
    api: Caller, server: ScriptedServer, tmp_path: Path
) -> None:
    lines = b'{"age":41,"city":"Oslo"}\n{"age":null,"city":"R\xc3\xb8st"}\n'
    cuts = iter([35, None, None])
    server.script = lambda request: Response(200, lines, {"ETag": '"rows"'}, next(cuts))
    rows = api.do(api.client.models.rows("mdl_1", n=2, offset=5))
    assert rows == [{"age": 41, "city": "Oslo"}, {"age": None, "city": "Røst"}]
    first, second = (request.query for request in server.requests)
    assert first == second
    assert (first["n"], first["offset"], first["format"]) == (["2"], ["5"], ["jsonl"])
    target = api.do(api.client.models.download_rows("mdl_1", tmp_path / "rows.csv", seed=7))
    assert target.read_bytes() == lines
    assert server.requests[-1].query == {"format": ["csv"], "seed": ["7"]}


def test_client_gives_up_if_a_stream_always_breaks_at_the_same_byte(
    api: Caller, server: ScriptedServer
) -> None:
    server.script = lambda request: Response(200, b'{"age":41}\n{"age":7}\n', {"ETag": '"rows"'}, 15)
    with pytest.raises(ConnectionFailed):
        api.do(api.client.models.rows("mdl_1", n=2))
    # The limit counts the tries after the last progress, including the first one.
    assert len(server.requests) == QUICK.tries_max
