"""Tests that invalid requests are refused with an error that contains the nearest valid name."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from tests.api.conftest import assert_problem, get

# The ID is part of the test names, which must be the same in all processes.
DATASET_ID = "ds_01k00000000000000000000000"
PROBE = {"kind": "probe"}


@pytest.mark.parametrize(
    ("method", "path", "name", "nearest"),
    [
        ("POST", "/v1/jobs?validate_onyl=true", "validate_onyl", ""),
        ("GET", "/v1/jobs?lable=a:b", "lable", "`label`"),
        ("GET", "/v1/jobs?State=queued", "State", "`state`"),
        ("GET", "/v1/datasets?quarantine=true", "quarantine", "`quarantined`"),
        ("GET", f"/v1/datasets/{DATASET_ID}/content?csvsafe=true", "csvsafe", "`csv_safe`"),
        ("DELETE", f"/v1/datasets/{DATASET_ID}?cascading=true", "cascading", "`cascade`"),
        ("POST", "/v1/datasets?encodign=cp1252", "encodign", "`encoding`"),
        ("GET", "/v1/synthesizers?kind=x", "kind", ""),
        ("GET", "/healthz?x=1", "x", ""),
    ],
)
def test_unknown_query_parameter_is_refused(
    shared_client: TestClient, method: str, path: str, name: str, nearest: str
):
    body = PROBE if method == "POST" else None
    problem = assert_problem(
        shared_client.request(method, path, json=body), 422, "invalid_parameters", repr(name), nearest
    )
    assert problem["errors"][0]["parameter"] == name
    assert get(shared_client, "/v1/jobs")["data"] == []


@pytest.mark.parametrize(
    ("method", "path", "header", "value"),
    [
        ("GET", "/v1/jobs", "Prefer", "wait=abc"),
        ("GET", "/v1/jobs", "Prefer", "respond-async, wait"),
        ("GET", "/v1/jobs", "Prefer", "wait=-1"),
        ("POST", "/v1/jobs", "Idempotency-Key", ""),
        ("POST", f"/v1/datasets/{DATASET_ID}/release", "Idempotency-Key", ""),
        ("POST", "/v1/datasets", "Idempotency-Key", ""),
        ("DELETE", f"/v1/datasets/{DATASET_ID}", "If-Match", "3"),
        ("GET", f"/v1/datasets/{DATASET_ID}", "If-None-Match", "abc"),
        ("GET", f"/v1/jobs/{DATASET_ID}/events", "Last-Event-ID", "x"),
    ],
)
def test_invalid_header_is_refused(
    shared_client: TestClient, method: str, path: str, header: str, value: str
):
    body = PROBE if method == "POST" else None
    response = shared_client.request(method, path, json=body, headers={header: value})
    problem = assert_problem(response, 422, "invalid_parameters", header)
    assert problem["errors"][0]["parameter"] == header


@pytest.mark.parametrize("prefer", ["wait=0", "respond-async, wait=1", "return=minimal; foo", "WAIT=0"])
def test_valid_and_unknown_preferences_are_accepted(shared_client: TestClient, prefer: str):
    assert shared_client.get("/v1/jobs", headers={"Prefer": prefer}).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "wanted"),
    [
        ("POST", "/v1/jobs", "application/json"),
        ("POST", "/v1/uploads", "application/json"),
        ("PATCH", f"/v1/datasets/{DATASET_ID}", "json"),
        ("PATCH", f"/v1/datasets/{DATASET_ID}/schema", "application/merge-patch+json"),
    ],
)
@pytest.mark.parametrize("given", [None, "text/plain", "application/x-www-form-urlencoded"])
def test_error_for_a_missing_or_wrong_content_type_contains_the_right_one(
    shared_client: TestClient, method: str, path: str, wanted: str, given: str | None
):
    headers = {} if given is None else {"Content-Type": given}
    response = shared_client.request(method, path, content=b'{"kind": "probe"}', headers=headers)
    assert_problem(response, 415, "unsupported_media_type", wanted)


def test_binary_body_needs_no_content_type_but_a_wrong_one_is_rejected(shared_client: TestClient):
    path = f"/v1/uploads/{DATASET_ID}/parts/1"
    headers = {"Content-Digest": "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:"}
    assert_problem(shared_client.put(path, content=b"x", headers=headers), 404, "not_found")
    headers["Content-Type"] = "application/x-www-form-urlencoded"
    response = shared_client.put(path, content=b"x", headers=headers)
    assert_problem(response, 415, "unsupported_media_type", "application/octet-stream")


@pytest.mark.parametrize("path", ["/v1/jobs", "/v1/datasets", "/v1/uploads"])
def test_compressed_body_is_refused(shared_client: TestClient, path: str):
    response = shared_client.post(path, json=PROBE, headers={"Content-Encoding": "gzip"})
    assert_problem(response, 415, "unsupported_media_type", "Content-Encoding")


@pytest.mark.parametrize(
    ("body", "nearest"),
    [
        ({"kind": "probe", "secnods": 1}, "`seconds`"),
        ({"kind": "trian"}, "`train`"),
        ({"kind": "train", "dataset_id": DATASET_ID, "holdout": 0.1}, "`holdout_fraction`"),
        ({"kind": "train", "dataset_id": DATASET_ID, "synthesizer": {"name": "tree_chian"}}, "`tree_chain`"),
        (
            {
                "kind": "train",
                "dataset_id": DATASET_ID,
                "synthesizer": {"name": "tree_chain", "presett": "x"},
            },
            "`preset`",
        ),
        (
            {
                "kind": "train",
                "dataset_id": DATASET_ID,
                "synthesizer": {"name": "tree_chain", "preset": "fats"},
            },
            "`fast`",
        ),
    ],
)
def test_error_for_an_unknown_field_or_value_contains_the_nearest_valid_name(
    shared_client: TestClient, body: object, nearest: str
):
    response = shared_client.post("/v1/jobs", json=body)
    assert response.status_code == 422
    assert f"Did you mean {nearest}?" in response.text


def test_error_for_an_unknown_form_field_contains_the_nearest_valid_name(shared_client: TestClient):
    response = shared_client.post("/v1/datasets", files={"file": ("a.csv", b"a\n1\n")}, data={"nmae": "x"})
    assert_problem(response, 422, "invalid_parameters", "Did you mean `name`?")


@pytest.mark.parametrize("segment", ["%F2%A5%85%A8", "%2e%2e", "%20", "job_%F0%9F%98%80"])
@pytest.mark.parametrize("verb", ["retry", "cancel"])
def test_unroutable_id_is_reported_as_not_found(shared_client: TestClient, segment: str, verb: str):
    assert_problem(shared_client.post(f"/v1/jobs/{segment}/{verb}"), 404, "not_found")
