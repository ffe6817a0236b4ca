"""Tests for upload read options and the list of skipped rows."""

from __future__ import annotations

import io
from collections.abc import Callable

import pyarrow.parquet as pq
import pytest
from starlette.testclient import TestClient

from tests.api.conftest import assert_problem, get, upload
from tests.test_openapi import DOCUMENT, OPERATIONS, parameters_of
from understudy.parameters.read_options import ReadOptions

EUROPEAN = b"a;b\n1,234;01/02/2024\n-;03/04/2024\n"
OPTIONS = {"decimal": ",", "date_order": "day_first", "missing": "-,?"}


@pytest.mark.parametrize("way", ["form", "query"])
def test_options_determine_how_a_file_is_read(client: TestClient, run_jobs: Callable[[], int], way: str):
    if way == "form":
        response = client.post("/v1/datasets", files={"file": ("a.csv", EUROPEAN)}, data=OPTIONS)
    else:
        headers = {"Content-Type": "text/csv"}
        response = client.post("/v1/datasets", params=OPTIONS, content=EUROPEAN, headers=headers)
    run_jobs()
    schema = get(client, f"/v1/datasets/{response.json()['dataset']['id']}/schema")
    assert [column["arrow_type"] for column in schema["columns"]] == ["double", "date32[day]"]
    assert schema["columns"][0]["nullable"]


def test_form_fields_take_precedence_over_query_parameters(client: TestClient):
    response = client.post(
        "/v1/datasets?delimiter=;", files={"file": ("a.csv", b"a|b\n1|2\n")}, data={"delimiter": "|"}
    )
    assert response.json()["job"]["parameters"]["options"] == {"delimiter": "|"}


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"delimiter": "ab"}, "`delimiter`"),
        ({"bad_rows_share_max": "2"}, "`bad_rows_share_max`"),
        ({"decimal": ",", "thousands": ","}, "different characters"),
        ({"format": "parquet", "encoding": "cp1252"}, "parquet"),
    ],
)
def test_error_contains_the_rejected_option(shared_client: TestClient, options: dict[str, str], word: str):
    response = shared_client.post("/v1/datasets", files={"file": ("a.csv", EUROPEAN)}, data=options)
    assert word in assert_problem(response, 422, "invalid_parameters")["detail"]


def test_form_and_query_parameters_include_every_option():
    form = DOCUMENT["components"]["schemas"]["UploadDatasetForm"]["properties"]
    query = {parameter["name"] for parameter in parameters_of(OPERATIONS["upload_dataset"][2])}
    assert set(ReadOptions.model_fields) <= set(form)
    assert set(ReadOptions.model_fields) <= query


def test_skipped_rows_are_counted_and_listed(client: TestClient, run_jobs: Callable[[], int]):
    data = b"a,b\n" + b"1,2\n" * 300 + b'1\n3,"canary\n4,5\n'
    uploaded = client.post("/v1/datasets?bad_rows=skip", files={"file": ("a.csv", data)}).json()
    run_jobs()
    path = f"/v1/datasets/{uploaded['dataset']['id']}"
    assert get(client, path)["n_rows"] == 301
    result = get(client, f"/v1/jobs/{uploaded['job']['id']}")["result"]
    assert result["n_rows_skipped"] == 2
    assert "2 of 303 rows could not be read and were skipped." in result["warnings"][0]
    table = pq.read_table(io.BytesIO(client.get(f"{path}/rejects").content))
    assert table.to_pylist() == [
        {"line": 302, "column": None, "reason": "too_few_fields"},
        {"line": 303, "column": None, "reason": "unclosed_quote"},
    ]
    text = client.get(f"{path}/rejects?format=csv")
    assert text.text.splitlines()[1] == '302,,"too_few_fields"'
    again = client.get(f"{path}/rejects?format=csv", headers={"If-None-Match": text.headers["etag"]})
    assert again.status_code == 304


def test_list_of_skipped_rows_is_empty_if_no_rows_were_skipped(
    client: TestClient, run_jobs: Callable[[], int]
):
    dataset = upload(client, b"a,b\n1,2\n")["dataset"]
    assert_problem(client.get(f"/v1/datasets/{dataset['id']}/rejects"), 409, "not_ready")
    run_jobs()
    table = pq.read_table(io.BytesIO(client.get(f"/v1/datasets/{dataset['id']}/rejects").content))
    assert (table.num_rows, table.column_names) == (0, ["line", "column", "reason"])
    assert client.get(f"/v1/datasets/{dataset['id']}/rejects?format=csv").text == '"line","column","reason"\n'


def test_too_many_bad_rows_fail_the_dataset(client: TestClient, run_jobs: Callable[[], int]):
    data = b"a,b\n" + b"1,2\n" * 10 + b"1\n"
    uploaded = client.post("/v1/datasets?bad_rows=skip", files={"file": ("a.csv", data)}).json()
    run_jobs()
    error = get(client, f"/v1/datasets/{uploaded['dataset']['id']}")["error"]
    assert error["code"] == "too_many_bad_rows"
    assert "1 of 11 rows" in error["detail"]
