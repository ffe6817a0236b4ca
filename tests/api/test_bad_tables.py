"""Tests that the job and the dataset of an unreadable file report the error, its position and a remedy."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from tests.api.conftest import Json, assert_problem, get, upload
from understudy.resources import Resources

CANARY = "canary-4711"
TRUNCATED_PARQUET = b"PAR1" + b"\0" * 100


@pytest.mark.parametrize(
    ("data", "name", "code", "word"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20, "a.csv", "unreadable_file", "PNG"),
        (b"\x00" * 1000, "a.csv", "unreadable_file", "byte 1"),
        (b"\n\n\n", "a.csv", "empty_file", "whitespace"),
        (b"a,b\n", "a.csv", "no_rows", "row"),
        (b"a,b\n1,2\n1,2,3\n", "a.csv", "ragged_rows", "3"),
        (b"a,b\n" + b"1,2\n" * 5000 + b"1\n", "a.csv", "ragged_rows", "5,002"),
        ("a,b\n1,caf\xe9\n".encode("latin-1") + "2,é\n".encode(), "a.csv", "wrong_encoding", "Line 2"),
        (b'a,b\n1,"' + CANARY.encode() + b"\n2,3\n", "a.csv", "unclosed_quote", "Line 2"),
        (b"a,b\n1,2\n", "a.parquet", "unreadable_file", "not Parquet"),
        (TRUNCATED_PARQUET, "a.parquet", "unreadable_file", "footer"),
    ],
    ids=[
        *("picture", "zeros", "blank", "header-only", "too-many-fields"),
        *("too-few-fields", "mixed-encodings", "open-quote", "csv-as-parquet", "truncated-parquet"),
    ],
)
def test_file_without_a_table_fails_with_a_helpful_error(
    client: TestClient,
    resources: Resources,
    run_jobs: Callable[[], int],
    data: bytes,
    name: str,
    code: str,
    word: str,
):
    uploaded = upload(client, data, name)
    run_jobs()
    job = get(client, f"/v1/jobs/{uploaded['job']['id']}")
    dataset = get(client, f"/v1/datasets/{uploaded['dataset']['id']}")
    assert (job["state"], dataset["state"]) == ("failed", "failed"), job
    assert job["error"] == dataset["error"]
    assert job["error"]["code"] == code
    assert word in job["error"]["detail"]
    assert CANARY not in str(job)
    assert_left_clean(client, resources, dataset)


def assert_left_clean(client: TestClient, resources: Resources, dataset: Json) -> None:
    """Check that a failed dataset cannot be used, and that no files of the attempt remain."""
    path = f"/v1/datasets/{dataset['id']}"
    assert_problem(client.get(f"{path}/content"), 409, "not_ready", "error")
    train = {"kind": "train", "dataset_id": dataset["id"]}
    assert_problem(client.post("/v1/jobs", json=train), 409, "not_ready", dataset["id"])
    assert [path.name for path in resources.scratch_folder.iterdir()] == ["staging"]
    assert list(resources.staging_folder.iterdir()) == []
    assert client.delete(path).status_code == 204
    assert list(resources.store.keys("")) == []
