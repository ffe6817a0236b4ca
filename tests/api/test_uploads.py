"""Tests for uploads in one request, either as a form or as a single file."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from starlette.testclient import TestClient

from tests.api.conftest import Json, get, upload
from understudy.resources import Resources

CSV = b"a,b\n1,x\n2,y\n"


def test_upload_form_creates_a_pending_dataset_and_its_job(client: TestClient, resources: Resources):
    response = client.post(
        "/v1/datasets", files={"file": ("towns.CSV", CSV)}, data={"labels": '{"team": "x"}'}
    )
    body = response.json()
    assert response.headers["location"] == f"/v1/datasets/{body['dataset']['id']}"
    assert (body["dataset"]["name"], body["dataset"]["format"]) == ("towns", "csv")
    assert (body["dataset"]["state"], body["dataset"]["labels"]) == ("pending", {"team": "x"})
    assert (body["job"]["kind"], body["job"]["id"]) == ("ingest", body["dataset"]["job_id"])
    assert get(client, f"/v1/datasets/{body['dataset']['id']}") == body["dataset"]
    assert list(resources.staging_folder.iterdir()) == []


def test_file_sent_as_request_body_creates_a_pending_dataset_and_its_job(client: TestClient):
    response = client.post(
        "/v1/datasets?name=towns&label=team:x&label=a:b:c", content=CSV, headers={"Content-Type": "text/csv"}
    )
    dataset = response.json()["dataset"]
    assert (response.status_code, dataset["name"], dataset["format"]) == (202, "towns", "csv")
    assert dataset["labels"] == {"team": "x", "a": "b:c"}


def test_file_of_unknown_length_is_streamed(client: TestClient, resources: Resources):
    def pieces() -> Iterator[bytes]:
        yield b"a,b\n"
        for row in range(300_000):
            yield b"%d,x\n" % row

    response = client.post(
        "/v1/datasets", content=pieces(), headers={"Content-Type": "text/csv; charset=utf-8"}
    )
    assert response.status_code == 202
    (key,) = resources.store.keys("")
    assert resources.store.size(key) == 4 + sum(len(piece) for piece in pieces()) - 4


@pytest.mark.parametrize(
    ("filename", "content_type", "form", "expected"),
    [
        ("a.parquet", None, {}, "parquet"),
        ("a.tsv", None, {}, "csv"),
        ("a.csv.gz", None, {}, "csv"),
        ("a.NDJSON.zst", None, {}, "jsonl"),
        ("a.feather", None, {}, "arrow"),
        ("a", "application/x-ndjson", {}, "jsonl"),
        ("a", "application/vnd.apache.arrow.file", {}, "arrow"),
        ("a.txt", "text/csv", {}, "csv"),
        ("a.csv", "application/vnd.apache.parquet", {}, "csv"),
        ("a.bin", None, {"format": "parquet"}, "parquet"),
        ("a.parquet", None, {"format": "csv"}, "csv"),
    ],
)
def test_format_is_explicit_or_determined_by_suffix_or_media_type(
    shared_client: TestClient, filename: str, content_type: str | None, form: dict[str, str], expected: str
):
    file = (filename, CSV, content_type) if content_type else (filename, CSV)
    response = shared_client.post("/v1/datasets", files={"file": file}, data=form)
    assert response.json()["dataset"]["format"] == expected


@pytest.mark.parametrize(
    ("filename", "name"),
    [
        ("../../etc/passwd.csv", "passwd"),
        ("C:\\temp\\x.csv", "x"),
        ("a.b.csv", "a.b"),
        ("a.b.csv.gz", "a.b"),
        (".csv", "upload"),
        ("..csv", "."),
        ("x" * 300 + ".csv", "x" * 255),
        ("‮é日.csv", "‮é日"),
    ],
)
def test_file_name_is_a_label_and_never_a_path(
    shared_client: TestClient, shared_resources: Resources, filename: str, name: str
):
    before = {path for path in shared_resources.scratch_folder.parent.rglob("*") if "blobs" not in path.parts}
    assert upload(shared_client, CSV, filename)["dataset"]["name"] == name
    after = {path for path in shared_resources.scratch_folder.parent.rglob("*") if "blobs" not in path.parts}
    assert after == before


def test_parquet_file_is_accepted(client: TestClient, ready_dataset: Json, run_jobs: Callable[[], int]):
    content = client.get(f"/v1/datasets/{ready_dataset['id']}/content").content
    again = upload(client, content, "again.parquet")["dataset"]
    run_jobs()
    dataset = get(client, f"/v1/datasets/{again['id']}")
    assert (dataset["state"], dataset["n_rows"], dataset["n_columns"]) == ("ready", 200, 6)
