"""Tests that errors are problem+json documents that contain a remedy but no data of the caller."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from app.middleware import BODY_BYTES_MAX
from tests.api.conftest import assert_nothing_made, assert_problem
from understudy.ids import new_id, to_text
from understudy.resources import Resources

MODEL_ID = to_text("model", new_id())
DATASET_ID = to_text("dataset", new_id())
JSON = {"Content-Type": "application/json"}
CANARY = "canary-4711"


def test_unknown_path_is_reported_as_not_found(shared_client: TestClient):
    assert_problem(shared_client.get("/v1/nothing"), 404, "not_found", "/openapi.json")


def test_error_for_an_unsupported_method_lists_the_supported_methods(shared_client: TestClient):
    response = shared_client.put("/v1/datasets/x")
    assert_problem(response, 405, "method_not_allowed")
    assert response.headers["allow"] == "DELETE, GET, HEAD, PATCH"


def test_problem_document_contains_the_request_path(shared_client: TestClient):
    path = f"/v1/models/{MODEL_ID}"
    problem = assert_problem(shared_client.get(path), 404, "not_found", MODEL_ID)
    assert problem["instance"] == path
    assert problem["type"].endswith("/reference/errors/not_found.html")


def test_valid_request_id_is_kept(shared_client: TestClient):
    assert shared_client.get("/healthz", headers={"X-Request-ID": "abc-1"}).headers["x-request-id"] == "abc-1"


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, "é"])
def test_invalid_request_id_is_replaced(shared_client: TestClient, given: str):
    response = shared_client.get("/healthz", headers={"X-Request-ID": given.encode()})
    assert response.headers["x-request-id"].startswith("req_")


def test_responses_forbid_caching_and_content_sniffing(shared_client: TestClient):
    headers = shared_client.get("/v1/datasets").headers
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"


def test_unexpected_error_shows_only_the_request_id(shared_client: TestClient):
    def broken() -> None:
        raise RuntimeError(CANARY)

    shared_client.app.add_api_route("/broken", broken)
    response = shared_client.get("/broken")
    assert_problem(response, 500, "internal_error")
    assert CANARY not in response.text


def test_error_for_invalid_json_contains_the_position(shared_client: TestClient, shared_resources: Resources):
    response = shared_client.post(
        "/v1/jobs", content=b'{"kind": }', headers={"Content-Type": "application/json"}
    )
    assert_problem(response, 400, "malformed_body", "character 9")
    assert_nothing_made(shared_client, shared_resources)


def test_body_without_content_type_is_not_parsed_as_json(shared_client: TestClient):
    response = shared_client.post("/v1/jobs", content=b'{"kind": "probe"}')
    assert_problem(response, 415, "unsupported_media_type", "Content-Type: application/json")


def test_large_body_is_rejected(shared_client: TestClient):
    body = b"x" * (BODY_BYTES_MAX + 1)
    assert_problem(shared_client.post("/v1/jobs", content=body), 413, "body_too_large", str(BODY_BYTES_MAX))


def test_large_body_of_unknown_length_is_rejected(shared_client: TestClient):
    def pieces() -> Iterator[bytes]:
        for _ in range(20):
            yield b"x" * (1 << 16)

    response = shared_client.post("/v1/jobs", content=pieces(), headers=JSON)
    assert_problem(response, 413, "body_too_large")


@pytest.mark.parametrize(
    ("body", "code", "pointer", "word"),
    [
        ({"kind": "trian"}, "unknown_kind", "", "'train'"),
        ({"kind": "ingest", "dataset_id": DATASET_ID, "format": "csv"}, "unknown_kind", "", "'train'"),
        ({}, "invalid_parameters", "", "'kind'"),
        (["train"], "invalid_parameters", "", "valid object"),
        ({"kind": "train"}, "invalid_parameters", "/dataset_id", "required"),
        ({"kind": "probe", "secnods": 1}, "invalid_parameters", "/secnods", "does not exist"),
        ({"kind": "probe", "seconds": "soon"}, "invalid_parameters", "/seconds", "number"),
        (
            {"kind": "train", "dataset_id": DATASET_ID, "synthesizer": {"name": "gan"}},
            "unknown_synthesizer",
            "/synthesizer",
            "'tree_chain'",
        ),
        (
            {"kind": "train", "dataset_id": DATASET_ID, "synthesizer": {"name": "tree_chain", "depth": 3}},
            "invalid_parameters",
            "/synthesizer/depth",
            "does not exist",
        ),
        (
            {"kind": "train", "dataset_id": DATASET_ID, "holdout_fraction": 0.9},
            "invalid_parameters",
            "/holdout_fraction",
            "0.5",
        ),
        ({"kind": "train", "dataset_id": DATASET_ID, "seed": -1}, "invalid_parameters", "/seed", "0"),
        ({"kind": "train", "dataset_id": DATASET_ID, "seed": 2**63}, "invalid_parameters", "/seed", "less"),
        ({"kind": "sample", "model_id": MODEL_ID, "n_rows": 0}, "invalid_parameters", "/n_rows", "1"),
        ({"kind": "sample", "model_id": MODEL_ID, "n_rows": -5}, "invalid_parameters", "/n_rows", "1"),
        ({"kind": "sample", "model_id": MODEL_ID, "n_rows": 1.5}, "invalid_parameters", "/n_rows", "integer"),
        ({"kind": "sample", "model_id": MODEL_ID, "n_rows": 10**30}, "invalid_parameters", "/n_rows", "less"),
        ({"kind": "probe", "labels": {"": "x"}}, "invalid_parameters", "/labels/", "1 character"),
        ({"kind": "probe", "labels": {"a": "\n"}}, "invalid_parameters", "/labels/a", "pattern"),
        ({"kind": "probe", "labels": {"a": "\0"}}, "invalid_parameters", "/labels/a", "NUL"),
        ({"kind": "probe", "labels": {"a": 1}}, "invalid_parameters", "/labels/a", "string"),
    ],
)
def test_error_for_an_invalid_parameter_contains_a_pointer_to_it(
    shared_client: TestClient, shared_resources: Resources, body: object, code: str, pointer: str, word: str
):
    problem = assert_problem(shared_client.post("/v1/jobs", json=body), 422, code, word)
    assert [item["pointer"] for item in problem["errors"]] == [pointer]
    assert_nothing_made(shared_client, shared_resources)


def test_all_invalid_parameters_are_reported_together(shared_client: TestClient):
    response = shared_client.post("/v1/jobs", json={"kind": "sample", "n_rows": 0, "sede": 1})
    problem = assert_problem(response, 422, "invalid_parameters", "lists 2 more errors")
    assert {item["pointer"] for item in problem["errors"]} == {"/model_id", "/n_rows", "/sede"}


def test_errors_do_not_contain_values_of_the_request(shared_client: TestClient):
    body = {"kind": "train", "dataset_id": DATASET_ID, "seed": CANARY, "name": {"x": CANARY}}
    response = shared_client.post("/v1/jobs", json=body)
    assert_problem(response, 422, "invalid_parameters")
    assert CANARY not in response.text


def test_lone_surrogate_is_rejected(shared_client: TestClient):
    body = b'{"kind": "probe", "labels": {"a": "\\ud800"}}'
    response = shared_client.post("/v1/jobs", content=body, headers=JSON)
    assert_problem(response, 422, "invalid_parameters")


def test_deeply_nested_json_is_rejected(shared_client: TestClient):
    body = b'{"kind": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    response = shared_client.post("/v1/jobs", content=body, headers=JSON)
    assert_problem(response, 400, "malformed_body")


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=many", "limit"),
        ("state=done", "state"),
        ("label=%00%3Ax", "label"),
        ("kind=" + "x" * 65, "kind"),
    ],
)
def test_invalid_query_parameter_is_reported_with_its_name(
    shared_client: TestClient, query: str, parameter: str
):
    problem = assert_problem(shared_client.get(f"/v1/jobs?{query}"), 422, "invalid_parameters")
    assert problem["errors"][0]["parameter"] == parameter


@pytest.mark.parametrize(
    ("label", "remedy"),
    [("team", "Separate key and value with a colon."), (":ops", "Write a key before the colon.")],
    ids=["colon", "key"],
)
def test_label_without_colon_or_key_is_rejected(shared_client: TestClient, label: str, remedy: str):
    assert_problem(shared_client.get(f"/v1/jobs?label={label}"), 422, "invalid_parameters", remedy)


@pytest.mark.parametrize("path", ["/v1/jobs", "/v1/datasets", "/v1/models", "/v1/reports"])
@pytest.mark.parametrize("after", ["x", "prj_00000000000000000000000000", "%0A"])
def test_cursor_of_another_list_is_rejected(shared_client: TestClient, path: str, after: str):
    assert_problem(shared_client.get(f"{path}?after={after}"), 422, "invalid_cursor", "next")


@pytest.mark.parametrize("path", ["datasets/x", "jobs/%0A", "models/mdl_é", "reports/rpt_" + "0" * 5000])
def test_malformed_id_is_reported_as_not_found(shared_client: TestClient, path: str):
    assert_problem(shared_client.get(f"/v1/{path}"), 404, "not_found")
