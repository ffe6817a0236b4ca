"""Tests for datasets over HTTP: reading, renaming, deletion and download."""

from __future__ import annotations

import gzip
import hashlib
import io
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
from starlette.testclient import TestClient

from tests.api.conftest import Json, assert_problem, get, submit, upload
from tests.api.worlds import BLOB, make_world
from understudy.resources import Resources
from understudy.services.api_keys import Caller
from understudy.tables.formats import FORMATS, read_table

CSV = b"a,b\n1,x\n2,y\n"
_DOWNLOADS = ["", *(f"?format={name}" for name in FORMATS if name != "parquet"), "?format=csv&csv_safe=true"]


@pytest.fixture
def world(client: TestClient, resources: Resources, caller: Caller) -> dict[str, str]:
    """Create one resource of each type in the client's project."""
    return make_world(resources, caller)


def test_ready_dataset_includes_its_numbers_of_rows_and_columns(ready_dataset: Json):
    fields = {key: ready_dataset[key] for key in ("state", "origin", "n_rows", "n_columns")}
    assert fields == {"state": "ready", "origin": "upload", "n_rows": 200, "n_columns": 6}
    assert ready_dataset["size_bytes"] > 0
    assert "error" not in ready_dataset


def test_name_and_labels_of_a_dataset_can_be_changed(client: TestClient):
    before = upload(client, CSV, labels='{"a": "1"}')["dataset"]
    path = f"/v1/datasets/{before['id']}"
    assert client.patch(path, json={"name": "new"}).json()["name"] == "new"
    after = client.patch(path, json={"labels": {"b": "2"}}).json()
    assert (after["name"], after["labels"]) == ("new", {"a": "1", "b": "2"})
    assert after["updated_at"] > before["updated_at"]
    assert get(client, path) == after


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"state": "ready"}, "/state"),
        ({"id": "ds_x"}, "/id"),
        ({"name": ""}, "/name"),
        ({"name": "a\0"}, "/name"),
        ({"name": None}, "/name"),
        ({"labels": {str(n): "" for n in range(17)}}, "/labels"),
        ({"labels": {"a": 1}}, "/labels/a"),
    ],
)
def test_dataset_fields_reject_invalid_or_unsupported_changes(
    shared_client: TestClient, change: Json, pointer: str
):
    dataset = upload(shared_client, CSV)["dataset"]
    response = shared_client.patch(f"/v1/datasets/{dataset['id']}", json=change)
    problem = assert_problem(response, 422, "invalid_parameters")
    assert problem["errors"][0]["pointer"] == pointer
    assert get(shared_client, f"/v1/datasets/{dataset['id']}") == dataset


def test_lists_of_datasets_can_be_filtered(client: TestClient, world: dict[str, str]):
    pending = upload(client, CSV, labels='{"team": "a"}')["dataset"]["id"]

    def listed(query: str) -> list[str]:
        return [dataset["id"] for dataset in get(client, f"/v1/datasets?{query}")["data"]]

    assert listed("") == [pending, world["dataset"]]
    assert listed("state=ready") == [world["dataset"]]
    assert listed("label=team:a") == [pending]
    assert listed("origin=sample") == []
    assert_problem(client.get("/v1/datasets?model_id=x"), 422, "invalid_parameters", "mdl_")


def test_deleted_dataset_is_removed_with_its_files(
    client: TestClient, resources: Resources, ready_dataset: Json
):
    path = f"/v1/datasets/{ready_dataset['id']}"
    response = client.delete(path)
    assert (response.status_code, response.content) == (204, b"")
    assert_problem(client.get(path), 404, "not_found")
    assert_problem(client.delete(path), 404, "not_found")
    assert list(resources.store.keys("")) == []


def test_dataset_with_descendants_is_deleted_only_by_a_cascade(
    client: TestClient, resources: Resources, world: dict[str, str]
):
    path = f"/v1/datasets/{world['dataset']}"
    assert_problem(client.delete(path), 409, "in_use", world["model"])
    assert client.delete(f"{path}?cascade=true").status_code == 204
    for noun in ("dataset", "model", "report"):
        assert client.get(f"/v1/{noun}s/{world[noun]}").status_code == 404
    assert list(resources.store.keys("")) == []


def test_model_can_be_read_and_deleted(client: TestClient, world: dict[str, str]):
    model = get(client, f"/v1/models/{world['model']}")
    assert (model["synthesizer"], model["seed"]) == ({"name": "independent"}, 1)
    assert [column["name"] for column in model["table_schemas"]["x"]["columns"]] == ["a"]
    assert [row["id"] for row in get(client, f"/v1/models?dataset_id={world['dataset']}")["data"]] == [
        world["model"]
    ]
    assert client.delete(f"/v1/models/{world['model']}").status_code == 204
    assert_problem(client.get(f"/v1/models/{world['model']}"), 404, "not_found")


def test_schema_has_an_etag(client: TestClient, ready_dataset: Json):
    path = f"/v1/datasets/{ready_dataset['id']}/schema"
    response = client.get(path)
    kinds = {column["name"]: column["kind"] for column in response.json()["columns"]}
    assert kinds["city"] == "category"
    assert kinds["since"] == "date"
    again = client.get(path, headers={"If-None-Match": response.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("what", ["schema", "content"])
def test_pending_dataset_has_no_schema_and_no_content(shared_client: TestClient, what: str):
    dataset_id = upload(shared_client, CSV)["dataset"]["id"]
    assert_problem(shared_client.get(f"/v1/datasets/{dataset_id}/{what}"), 409, "not_ready", "wait")


def test_downloaded_rows_equal_the_uploaded_rows(
    client: TestClient, ready_dataset: Json, small_table: pa.Table
):
    path = f"/v1/datasets/{ready_dataset['id']}/content"
    response = client.get(path)
    assert pq.read_table(io.BytesIO(response.content)).to_pylist() == small_table.to_pylist()
    assert response.headers["etag"] == f'"{hashlib.sha256(response.content).hexdigest()}"'
    filename = f"{ready_dataset['id']}-small.parquet"
    assert response.headers["content-disposition"] == f'attachment; filename="{filename}"'
    csv = client.get(f"{path}?format=csv")
    assert pacsv.read_csv(io.BytesIO(csv.content)).to_pylist() == small_table.to_pylist()
    assert csv.headers["content-disposition"].endswith('.csv"')


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "parquet"])
def test_every_format_can_be_downloaded_and_uploaded_again(
    client: TestClient, ready_dataset: Json, run_jobs: Callable[[], int], tmp_path: Path, name: str
):
    path = f"/v1/datasets/{ready_dataset['id']}/content"
    response = client.get(f"{path}?format={name}")
    assert response.headers["content-type"] == FORMATS[name].media_type
    by_header = client.get(path, headers={"Accept": f"text/html, {FORMATS[name].media_type}"})
    assert by_header.headers["content-type"] == FORMATS[name].media_type
    filename = f"{ready_dataset['id']}-small.{name}"
    assert response.headers["content-disposition"] == f'attachment; filename="{filename}"'
    (tmp_path / filename).write_bytes(response.content)
    rows = read_table(tmp_path / filename)
    assert rows.to_pylist() == pq.read_table(io.BytesIO(client.get(path).content)).to_pylist()
    again = upload(client, gzip.compress(response.content), f"{filename}.gz")["dataset"]
    run_jobs()
    assert get(client, f"/v1/datasets/{again['id']}")["n_rows"] == 200


def test_unavailable_media_type_is_refused(client: TestClient, ready_dataset: Json):
    path = f"/v1/datasets/{ready_dataset['id']}/content"
    assert_problem(client.get(path, headers={"Accept": "text/html"}), 406, "not_acceptable", "text/csv")
    assert client.get(f"{path}?format=csv", headers={"Accept": "text/html"}).status_code == 200


def test_safe_csv_contains_no_formulas(client: TestClient, run_jobs: Callable[[], int]):
    dataset_id = upload(client, b'"=a",n\n"=1+1",-1\n"x",-2\n')["dataset"]["id"]
    run_jobs()
    path = f"/v1/datasets/{dataset_id}/content?format=csv"
    plain, safe = client.get(path), client.get(f"{path}&csv_safe=true")
    assert plain.text == '"=a","n"\n"=1+1",-1\n"x",-2\n'
    assert safe.text == '"\'=a","n"\n"\'=1+1",-1\n"x",-2\n'
    assert plain.headers["etag"] != safe.headers["etag"]
    refused = client.get(f"/v1/datasets/{dataset_id}/content?format=jsonl&csv_safe=true")
    assert_problem(refused, 422, "invalid_parameters", "csv_safe")


def test_csv_downloads_have_the_style_of_the_upload(client: TestClient, run_jobs: Callable[[], int]):
    data = "Straße;Größe\r\nHauptweg;1,50\r\nMühlgasse;2,25\r\n".encode("cp1252")
    dataset_id = upload(client, data)["dataset"]["id"]
    run_jobs()
    path = f"/v1/datasets/{dataset_id}/content?format=csv"
    own, plain = client.get(path), client.get(f"{path}&csv_style=plain")
    assert own.content == data
    assert plain.text == '"Straße","Größe"\n"Hauptweg","1,50"\n"Mühlgasse","2,25"\n'
    assert own.headers["etag"] != plain.headers["etag"]
    style = get(client, f"/v1/datasets/{dataset_id}/schema")["text_style"]
    assert style == {"delimiter": ";", "quoting": "minimal", "line_ending": "\r\n", "encoding": "cp1252"}
    refused = client.get(f"/v1/datasets/{dataset_id}/content?format=jsonl&csv_style=plain")
    assert_problem(refused, 422, "invalid_parameters", "csv_style")


def test_unknown_download_format_is_rejected(shared_client: TestClient):
    response = shared_client.get("/v1/datasets/x/content?format=html")
    assert_problem(response, 422, "invalid_parameters", "'csv'", "'parquet'")


@pytest.mark.parametrize("query", _DOWNLOADS)
def test_head_request_describes_the_whole_file(client: TestClient, ready_dataset: Json, query: str):
    path = f"/v1/datasets/{ready_dataset['id']}/content{query}"
    head, whole = client.head(path), client.get(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["etag"] == whole.headers["etag"]
    if not query:
        assert head.headers["content-length"] == str(len(whole.content))


@pytest.mark.parametrize("query", _DOWNLOADS)
def test_unchanged_file_is_not_downloaded_again(client: TestClient, ready_dataset: Json, query: str):
    path = f"/v1/datasets/{ready_dataset['id']}/content{query}"
    etag = client.get(path).headers["etag"]
    for named in (etag, f"W/{etag}", f'"x", {etag}', "*"):
        response = client.get(path, headers={"If-None-Match": named})
        assert (response.status_code, response.content) == (304, b"")
        assert response.headers["etag"] == etag
    assert client.get(path, headers={"If-None-Match": '"x"'}).status_code == 200


@pytest.mark.parametrize(
    ("requested", "span"),
    [
        ("bytes=0-4", slice(0, 5)),
        ("bytes=5-", slice(5, None)),
        ("bytes=-7", slice(-7, None)),
        ("bytes=0-999999", slice(0, None)),
        ("bytes=-999999", slice(0, None)),
    ],
)
def test_response_contains_only_the_requested_range(
    client: TestClient, world: dict[str, str], requested: str, span: slice
):
    response = client.get(f"/v1/datasets/{world['dataset']}/content", headers={"Range": requested})
    assert (response.status_code, response.content) == (206, BLOB[span])
    first, last, _ = span.indices(len(BLOB))
    assert response.headers["content-range"] == f"bytes {first}-{last - 1}/{len(BLOB)}"
    assert response.headers["content-length"] == str(len(response.content))


@pytest.mark.parametrize(
    "requested", ["bytes=2-1", "bytes=0-1,3-4", "bytes=-", "rows=0-1", "bytes=a-b", "bytes"]
)
def test_invalid_range_returns_the_whole_file(client: TestClient, world: dict[str, str], requested: str):
    response = client.get(f"/v1/datasets/{world['dataset']}/content", headers={"Range": requested})
    assert (response.status_code, response.content) == (200, BLOB)


@pytest.mark.parametrize("requested", [f"bytes={len(BLOB)}-", "bytes=999999999999-", "bytes=-0"])
def test_range_beyond_the_end_of_the_file_is_rejected(
    client: TestClient, world: dict[str, str], requested: str
):
    response = client.get(f"/v1/datasets/{world['dataset']}/content", headers={"Range": requested})
    assert_problem(response, 416, "range_not_satisfiable", str(len(BLOB)))
    assert response.headers["content-range"] == f"bytes */{len(BLOB)}"


def test_range_request_for_another_version_returns_the_whole_file(client: TestClient, world: dict[str, str]):
    path = f"/v1/datasets/{world['dataset']}/content"
    etag = client.get(path).headers["etag"]
    statuses = [
        client.get(path, headers={"Range": "bytes=0-4", "If-Range": named}).status_code
        for named in (etag, '"another"')
    ]
    assert statuses == [206, 200]


@pytest.mark.parametrize("query", ["", "?format=csv"])
def test_missing_file_is_reported_as_corrupt(
    client: TestClient, resources: Resources, world: dict[str, str], query: str
):
    for key in list(resources.store.keys("")):
        resources.store.delete(key)
    response = client.get(f"/v1/datasets/{world['dataset']}/content{query}")
    assert_problem(response, 500, "artifact_corrupt", "backup")
    assert "world/" not in response.text


def test_damaged_file_is_reported_before_the_response_starts(client: TestClient, world: dict[str, str]):
    response = client.get(f"/v1/datasets/{world['dataset']}/content?format=csv")
    assert_problem(response, 500, "artifact_corrupt", "cannot be read")


@pytest.mark.parametrize("is_swapped", [False, True])
def test_changed_content_is_reported_and_never_served(
    client: TestClient, resources: Resources, world: dict[str, str], is_swapped: bool
):
    changed = bytes(len(BLOB)) if is_swapped else bytes([BLOB[0] ^ 1]) + BLOB[1:]
    paths = (f"/v1/datasets/{world['dataset']}/content", f"/v1/reports/{world['report']}")
    for path in paths:
        assert client.get(path).status_code == 200
    for key in list(resources.store.keys("")):
        resources.store.delete(key)
        replacement = resources.staging_folder / "replacement"
        replacement.write_bytes(changed)
        resources.store.put_file(key, replacement)
    for path in (*paths, f"{paths[0]}?format=csv"):
        for headers in ({}, {"Range": "bytes=0-4"}):
            response = client.get(path, headers=headers)
            assert_problem(response, 500, "artifact_corrupt", "checksum")
            assert changed not in response.content


def test_large_file_is_checked_while_it_is_sent(
    client: TestClient, resources: Resources, world: dict[str, str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("app.content.CHECKED_FIRST_BYTES_MAX", 1)
    path = f"/v1/datasets/{world['dataset']}/content"
    assert client.get(path).content == BLOB
    for key in list(resources.store.keys("")):
        resources.store.delete(key)
        replacement = resources.staging_folder / "replacement"
        replacement.write_bytes(bytes(len(BLOB)))
        resources.store.put_file(key, replacement)
    # The file has only one chunk, so the comparison takes place before the response starts.
    assert_problem(client.get(path), 500, "artifact_corrupt", "checksum")


def test_report_contains_its_scores_and_labels(client: TestClient, world: dict[str, str]):
    path = f"/v1/reports/{world['report']}"
    report = get(client, path)
    assert (report["id"], report["metrics"], report["labels"]) == (world["report"], [], {})


def test_catalogs_list_synthesizers_and_metrics(shared_client: TestClient):
    synthesizers = get(shared_client, "/v1/synthesizers")["data"]
    assert [entry["name"] for entry in synthesizers] == ["tree_chain", "independent"]
    assert synthesizers[0]["parameters"]["properties"]["preset"]["default"] == "fast"
    metrics = {metric["name"]: metric for metric in get(shared_client, "/v1/metrics")["data"]}
    assert metrics["column_shapes"]["range"] == [0, 1]
    assert all(metric["summary"] for metric in metrics.values())
    assert metrics["correlations"]["source"] == "SDMetrics: CorrelationSimilarity"
    assert metrics["correlations"]["documentation"].endswith("/reference/metrics.html#correlations")


def test_sample_contains_the_id_of_its_model(
    client: TestClient, trained_model: Json, run_jobs: Callable[[], int]
):
    job = submit(client, kind="sample", model_id=trained_model["id"], n_rows=5)
    run_jobs()
    dataset_id = get(client, f"/v1/jobs/{job['id']}")["result"]["dataset_id"]
    listed = get(client, f"/v1/datasets?model_id={trained_model['id']}")["data"]
    assert [dataset["id"] for dataset in listed] == [dataset_id]
    assert (listed[0]["origin"], listed[0]["model_id"]) == ("sample", trained_model["id"])
