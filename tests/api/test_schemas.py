"""Tests for schemas over HTTP: reading and changing column kinds, types and roles."""

from __future__ import annotations

import io
from collections.abc import Callable

import pyarrow.parquet as pq
import pytest
from starlette.testclient import TestClient

from tests.api.conftest import Json, assert_problem, get, submit, upload

PEOPLE = b"who,zip,since,odd\n" + b"".join(
    b"p%d,%05d,2024-01-%02d,%s\n" % (n % 50, n, n % 28 + 1, b"x" if n % 8 == 3 else b"7") for n in range(100)
)
# More than a tenth of the values of `odd` are not numbers, so the column is text.
ODD_ROWS = "rows 4, 12, 20"


@pytest.fixture
def people(client: TestClient, run_jobs: Callable[[], int]) -> str:
    """Upload a table of people and return the path to its schema."""
    dataset = upload(client, PEOPLE)["dataset"]
    run_jobs()
    return f"/v1/datasets/{dataset['id']}/schema"


def column_of(schema: Json, name: str) -> Json:
    column: Json = next(column for column in schema["columns"] if column["name"] == name)
    return column


def test_the_locale_of_names_is_inferred_from_an_upload(client: TestClient, run_jobs: Callable[[], int]):
    names = ("Jürgen Schröder,Günther Müller,Käthe Krüger,Heinz Lehmann,Ulrike Schäfer,Torsten Vogel,"
             "Sabine Köhler,Dieter Baumann,Renate Huber,Wolfgang Jäger,Jutta Kuhn,Manfred Böhm")  # fmt: skip
    rows = "".join(f"{name},{i}\n" for i, name in enumerate(names.split(",")))
    dataset = upload(client, f"full_name,n\n{rows}".encode())["dataset"]
    run_jobs()
    assert get(client, f"/v1/datasets/{dataset['id']}/schema")["locale"] == "de"


def test_changing_a_kind_changes_its_type_and_no_other_column(client: TestClient, people: str):
    before = get(client, people)
    after = client.patch(people, json={"columns": {"zip": {"kind": "integer"}}}).json()
    assert column_of(after, "zip")["arrow_type"] == "int64"
    assert [c for c in after["columns"] if c["name"] != "zip"] == [
        c for c in before["columns"] if c["name"] != "zip"
    ]
    assert get(client, people) == after


def test_subject_and_locale_can_be_set_and_reset(client: TestClient, people: str):
    changed = client.patch(people, json={"subject": ["who"], "locale": "de-at"}).json()
    assert (changed["subject"], changed["locale"]) == (["who"], "de-at")
    reset = client.patch(people, json={"subject": None, "locale": None}).json()
    assert (reset.get("subject"), reset["locale"]) == (None, "en")


def test_the_media_type_of_merge_patches_is_accepted(client: TestClient, people: str):
    headers = {"Content-Type": "application/merge-patch+json"}
    assert client.patch(people, content=b'{"subject": ["who"]}', headers=headers).json()["subject"] == ["who"]


def test_error_contains_the_number_and_the_rows_of_values_that_do_not_fit(client: TestClient, people: str):
    before = get(client, people)
    response = client.patch(people, json={"columns": {"odd": {"kind": "integer"}}})
    assert_problem(response, 422, "schema_mismatch", "'odd'", "13 values", ODD_ROWS)
    assert get(client, people) == before


def test_a_validation_request_changes_nothing(client: TestClient, people: str):
    # A compressed response has a different ETag.
    client.headers["Accept-Encoding"] = "identity"
    before = client.get(people)
    change = {"columns": {"zip": {"kind": "integer"}}}
    validated = client.patch(f"{people}?validate_only=true", json=change)
    assert column_of(validated.json(), "zip")["kind"] == "integer"
    assert validated.headers["etag"] == before.headers["etag"]
    assert client.get(people).json() == before.json()


def test_a_change_based_on_an_older_version_is_refused(client: TestClient, people: str):
    etag = client.get(people).headers["etag"]
    first = client.patch(people, json={"subject": ["who"]}, headers={"If-Match": etag})
    assert first.status_code == 200
    assert first.headers["etag"] != etag
    second = client.patch(people, json={"locale": "de"}, headers={"If-Match": etag})
    assert_problem(second, 412, "precondition_failed", "Read it again")
    assert get(client, people) == first.json()


@pytest.mark.parametrize("tag", ['"x"', 'W/"1"', '"1", "2"'])
def test_an_etag_of_another_resource_is_refused(client: TestClient, people: str, tag: str):
    response = client.patch(people, json={"subject": ["who"]}, headers={"If-Match": tag})
    assert_problem(response, 412, "precondition_failed")


@pytest.mark.parametrize(
    ("change", "code", "pointer"),
    [
        ({"columns": {"no/ne": {"kind": "integer"}}}, "unknown_column", "/columns/no~1ne"),
        ({"columns": {"zip": {"kind": "nonsense"}}}, "invalid_parameters", "/columns/zip/kind"),
        ({"columns": {"zip": {"arrow_type": "list<int>"}}}, "unsupported_column", "/columns/zip/arrow_type"),
        ({"columns": {"zip": {"kind": "date", "arrow_type": "int8"}}}, "unsupported_column", "/columns/zip"),
        ({"columns": {"zip": {"kind": "duration"}}}, "invalid_parameters", "/columns/zip/arrow_type"),
        ({"columns": {"zip": {"nullable": False}}}, "invalid_parameters", "/columns/zip/nullable"),
        ({"columns": {"zip": None}}, "invalid_parameters", "/columns/zip"),
        ({"subject": ["nobody"]}, "invalid_parameters", "/subject"),
        ({"locale": "xx"}, "invalid_parameters", "/locale"),
        ({"names": []}, "invalid_parameters", "/names"),
    ],
)
def test_errors_for_invalid_changes_contain_a_pointer(
    client: TestClient, people: str, change: Json, code: str, pointer: str
):
    problem = assert_problem(client.patch(people, json=change), 422, code)
    assert problem["errors"][0]["pointer"] == pointer


def test_the_schema_of_a_pending_dataset_cannot_be_changed(client: TestClient):
    dataset = upload(client, PEOPLE)["dataset"]
    response = client.patch(f"/v1/datasets/{dataset['id']}/schema", json={"subject": ["who"]})
    assert_problem(response, 409, "not_ready", "still being read")


def test_a_model_is_fitted_with_the_changed_schema(
    client: TestClient, people: str, run_jobs: Callable[[], int]
):
    client.patch(people, json={"columns": {"since": {"kind": "timestamp"}, "zip": {"kind": "integer"}}})
    dataset_id = people.split("/")[3]
    train = submit(client, kind="train", dataset_id=dataset_id, synthesizer={"name": "independent"}, seed=1)
    run_jobs()
    model_id = get(client, f"/v1/jobs/{train['id']}")["result"]["model_id"]
    sample = submit(client, kind="sample", model_id=model_id, n_rows=5, seed=1)
    run_jobs()
    made = get(client, f"/v1/jobs/{sample['id']}")["result"]["dataset_id"]
    rows = pq.read_table(io.BytesIO(client.get(f"/v1/datasets/{made}/content").content))
    assert [str(rows.schema.field(name).type) for name in ("zip", "since")] == ["int64", "timestamp[us]"]


METADATA = {
    "METADATA_SPEC_VERSION": "SINGLE_TABLE_V1",
    "alternate_keys": ["zip"],
    "columns": {"who": {"sdtype": "name", "pii": True}, "zip": {"sdtype": "numerical"}},
}


def test_sdv_metadata_changes_the_schema(client: TestClient, people: str):
    response = client.put(f"{people}/sdv", json=METADATA)
    applied = response.json()
    assert [column_of(applied["schema"], name)["kind"] for name in ("who", "zip")] == ["name", "float"]
    assert applied["warnings"] == ["alternate_keys is not used."]
    assert client.get(people).headers["etag"] == response.headers["etag"]
    assert get(client, people) == applied["schema"]


def test_the_schema_is_returned_as_sdv_metadata(client: TestClient, people: str):
    client.put(f"{people}/sdv", json=METADATA)
    metadata = get(client, f"{people}/sdv")
    assert metadata["tables"]["small"]["columns"]["who"] == {"sdtype": "name", "pii": True}
    again = client.put(f"{people}/sdv", json=metadata)
    assert again.json()["schema"] == get(client, people)


def test_sdv_metadata_that_does_not_fit_the_table_changes_nothing(client: TestClient, people: str):
    before = client.get(people)
    columns = {"who": {"sdtype": "name"}, "odd": {"sdtype": "numerical"}}
    response = client.put(f"{people}/sdv", json={**METADATA, "columns": columns})
    assert_problem(response, 422, "schema_mismatch", "'odd'", ODD_ROWS)
    assert_problem(client.put(f"{people}/sdv", json={}), 422, "invalid_parameters")
    stale = client.put(f"{people}/sdv", json=METADATA, headers={"If-Match": '"99"'})
    assert_problem(stale, 412, "precondition_failed")
    assert client.get(people).headers["etag"] == before.headers["etag"]


def test_errors_use_the_json_names_of_types(client: TestClient, people: str):
    for subject in ("who", 5, {"name": "who"}):
        response = client.patch(people, json={"subject": subject})
        problem = assert_problem(response, 422, "invalid_parameters")
        assert problem["detail"] == "/subject: Input should be a valid array."
