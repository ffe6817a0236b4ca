"""Tests for datasets with several tables, which are uploaded and read together and addressed by name."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from tests.api.conftest import Json, assert_problem, get, submit
from understudy.resources import Resources

RunJobs = Callable[[], int]
ORDERS = b"id,amount\n0,\n" + b"".join(b"%d,%d.5\n" % (n, n % 7) for n in range(1, 120))
PEOPLE = b"name,age,city\n" + b"".join(b"p%d,%d,Oslo\n" % (n, 20 + n % 50) for n in range(60))


def post(client: TestClient, *files: tuple[str, bytes], **form: str) -> Json:
    """Upload files in a form and return the dataset."""
    response = client.post("/v1/datasets", files=[("file", file) for file in files], data=form)
    assert response.status_code == 202, response.text
    dataset: Json = response.json()["dataset"]
    return dataset


def result(client: TestClient, job: Json) -> Json:
    """Return the result of a job that has succeeded."""
    finished: Json = get(client, f"/v1/jobs/{job['id']}")["result"]
    return finished


@pytest.fixture
def shop(client: TestClient, run_jobs: RunJobs) -> Json:
    """Upload two tables, run the ingest job and return the dataset."""
    dataset = post(client, ("orders.csv", ORDERS), ("people.csv", PEOPLE), name="shop")
    assert run_jobs() == 1
    return get(client, f"/v1/datasets/{dataset['id']}")


def test_files_become_the_tables_of_one_dataset(shop: Json):
    orders, people = shop["tables"]
    assert (orders["name"], orders["n_rows"], orders["n_columns"]) == ("orders", 120, 2)
    assert (people["name"], people["n_rows"], people["n_columns"]) == ("people", 60, 3)
    assert (shop["state"], shop["name"], shop["format"]) == ("ready", "shop", "csv")
    assert shop["size_bytes"] == orders["size_bytes"] + people["size_bytes"]
    assert (shop["n_rows"], shop["n_columns"]) == (180, 5)


def test_tables_have_names_before_they_are_read(client: TestClient):
    dataset = post(client, ("orders.csv", ORDERS), ("people.csv", PEOPLE))
    assert (dataset["name"], dataset["state"]) == ("orders", "pending")
    assert dataset["tables"] == [{"name": name, "format": "csv"} for name in ("orders", "people")]
    assert get(client, "/v1/datasets")["data"] == [dataset]


def test_the_only_table_of_a_dataset_need_not_be_named(client: TestClient, ready_dataset: Json):
    assert [table["name"] for table in ready_dataset["tables"]] == ["small"]
    path = f"/v1/datasets/{ready_dataset['id']}/schema"
    assert get(client, path) == get(client, f"{path}?table=small")
    assert_problem(client.get(f"{path}?table=x"), 422, "unknown_table", "'small'")


def test_each_table_keeps_its_format(client: TestClient, ready_dataset: Json, run_jobs: RunJobs):
    parquet = client.get(f"/v1/datasets/{ready_dataset['id']}/content").content
    dataset = post(client, ("orders.csv", ORDERS), ("small.parquet", parquet))
    run_jobs()
    ready = get(client, f"/v1/datasets/{dataset['id']}")
    assert (ready["state"], ready["format"]) == ("ready", "mixed")
    assert [table["format"] for table in ready["tables"]] == ["csv", "parquet"]


def test_schema_and_content_belong_to_the_named_table(client: TestClient, shop: Json):
    path = f"/v1/datasets/{shop['id']}"
    columns = get(client, f"{path}/schema?table=people")["columns"]
    assert [column["name"] for column in columns] == ["name", "age", "city"]
    content = client.get(f"{path}/content?table=orders&format=csv")
    assert content.content.splitlines()[:2] == [b"id,amount", b"0,"]
    assert content.headers["content-disposition"] == f'attachment; filename="{shop["id"]}-orders.csv"'


def test_changing_the_schema_of_one_table_changes_no_other(client: TestClient, shop: Json):
    path = f"/v1/datasets/{shop['id']}/schema"
    orders = client.get(f"{path}?table=orders")
    change = {"columns": {"city": {"kind": "text"}}}
    headers = {"If-Match": orders.headers["etag"]}
    assert client.patch(f"{path}?table=people", json=change, headers=headers).status_code == 200
    kinds = [column["kind"] for column in get(client, f"{path}?table=people")["columns"]]
    assert kinds[2] == "text"
    assert client.get(f"{path}?table=orders").json() == orders.json()
    again = client.patch(f"{path}?table=orders", json={"locale": "de"}, headers=headers)
    assert_problem(again, 412, "precondition_failed")
    assert_problem(client.patch(path, json=change), 422, "table_required")


def test_each_table_has_a_profile_and_sdv_metadata_covers_all_tables(client: TestClient, shop: Json):
    path = f"/v1/datasets/{shop['id']}"
    assert get(client, f"{path}/profile?table=people")["n_rows"] == 60
    assert_problem(client.get(f"{path}/profile"), 422, "table_required")
    metadata = get(client, f"{path}/schema/sdv")
    assert (metadata["METADATA_SPEC_VERSION"], list(metadata["tables"])) == (
        "V1",
        ["orders", "people"],
    )
    applied = client.put(f"{path}/schema/sdv?table=orders", json=metadata)
    assert applied.status_code == 200, applied.text


@pytest.mark.parametrize("place", ["schema", "content"])
def test_one_of_several_tables_must_be_named(client: TestClient, shop: Json, place: str):
    path = f"/v1/datasets/{shop['id']}/{place}"
    assert_problem(client.get(path), 422, "table_required", "'orders', 'people'")
    assert_problem(client.get(f"{path}?table=x"), 422, "unknown_table", "'orders', 'people'")


@pytest.mark.parametrize(
    ("table", "code"), [({}, "table_required"), ({"table": "x"}, "unknown_table")], ids=["none", "unknown"]
)
def test_a_job_must_name_an_existing_table(client: TestClient, shop: Json, table: dict[str, str], code: str):
    response = client.post("/v1/jobs", json={"kind": "train", "dataset_id": shop["id"], **table})
    assert_problem(response, 422, code, "'orders', 'people'")
    assert response.json()["errors"][0]["pointer"] == "/table"


def test_a_model_of_one_of_several_tables_supports_jobs_of_all_kinds(
    client: TestClient, shop: Json, run_jobs: RunJobs
):
    train = submit(client, kind="train", dataset_id=shop["id"], table="orders", seed=1)
    run_jobs()
    model = get(client, f"/v1/models/{result(client, train)['model_id']}")
    assert (model["tables"], model["name"]) == (["orders"], "orders")

    sample = submit(client, kind="sample", model_id=model["id"], n_rows=100)
    impute = submit(client, kind="impute", model_id=model["id"], dataset_id=shop["id"], table="orders")
    run_jobs()
    synthetic_id = result(client, sample)["dataset_id"]
    completed_id = result(client, impute)["dataset_id"]
    assert get(client, f"/v1/datasets/{completed_id}")["n_rows"] == 120

    scored = {"kind": "evaluate", "dataset_id": shop["id"], "synthetic_dataset_id": synthetic_id}
    evaluate = submit(client, **scored, table="orders")
    run_jobs()
    report = get(client, f"/v1/reports/{result(client, evaluate)['report_id']}")
    # The holdout of the report consists of the rows that the model was not trained on.
    assert report["tables"]["holdout"]["n_rows"] == 120 - model["n_rows_trained"]
    response = client.post("/v1/jobs", json={**scored, "table": "people"})
    assert_problem(response, 422, "schema_mismatch")


def test_a_table_that_neither_dataset_contains_is_refused(client: TestClient, ready_dataset: Json):
    same = {"dataset_id": ready_dataset["id"], "synthetic_dataset_id": ready_dataset["id"]}
    response = client.post("/v1/jobs", json={"kind": "evaluate", **same, "table": "x"})
    assert_problem(response, 422, "unknown_table")


def test_the_cost_estimate_covers_the_named_table(client: TestClient, shop: Json):
    def peak_memory(table: str) -> float:
        body = {"kind": "train", "dataset_id": shop["id"], "table": table}
        estimate: Json = client.post("/v1/jobs/validate", json=body).json()["estimate"]
        return float(estimate["peak_memory_bytes"])

    # The tables have 120 rows of 2 columns and 60 rows of 3 columns, at 60 bytes per cell.
    assert peak_memory("orders") - peak_memory("people") == (240 - 180) * 60


def test_one_unreadable_table_fails_the_dataset_and_the_error_names_it(
    client: TestClient, resources: Resources, run_jobs: RunJobs
):
    dataset = post(client, ("orders.csv", ORDERS), ("people.csv", b"a,b\n1,2\n3\n"))
    run_jobs()
    failed = get(client, f"/v1/datasets/{dataset['id']}")
    assert (failed["state"], failed["error"]["code"]) == ("failed", "ragged_rows")
    assert failed["error"]["detail"].startswith("Table 'people': ")
    assert "ine 3" in failed["error"]["detail"]
    # The uploaded files are kept for a retry, and the files that were derived from them are deleted.
    names = sorted(key.rpartition("/")[2] for key in resources.store.keys(""))
    assert names == ["upload_1.csv", "upload_2.csv"]


def test_all_files_of_a_dataset_are_deleted_with_it(client: TestClient, resources: Resources, shop: Json):
    assert len(list(resources.store.keys(""))) == 2
    assert client.delete(f"/v1/datasets/{shop['id']}").status_code == 204
    assert list(resources.store.keys("")) == []


def test_repeated_upload_of_several_files_with_one_idempotency_key_has_one_effect(client: TestClient):
    files = [("file", ("orders.csv", ORDERS)), ("file", ("people.csv", PEOPLE))]
    headers = {"Idempotency-Key": "once"}
    first = client.post("/v1/datasets", files=files, headers=headers)
    again = client.post("/v1/datasets", files=files, headers=headers)
    other = client.post("/v1/datasets", files=files[:1], headers=headers)
    assert (again.json(), again.headers["idempotent-replayed"]) == (first.json(), "true")
    assert_problem(other, 422, "idempotency_mismatch")


def test_a_form_with_a_digest_is_accepted(client: TestClient):
    request = client.build_request("POST", "/v1/datasets", files={"file": ("orders.csv", ORDERS)})
    digest = base64.b64encode(hashlib.sha256(request.read()).digest()).decode()
    request.headers["Content-Digest"] = f"sha-512=:AAAA:, sha-256=:{digest}:"
    assert client.send(request).status_code == 202
    request.headers["Content-Digest"] = (
        f"sha-256=:{'B' + digest[1:] if digest[0] != 'B' else 'C' + digest[1:]}:"
    )
    assert_problem(client.send(request), 422, "digest_mismatch")


def test_candidates_for_relationships_between_tables_are_returned(client: TestClient, run_jobs: RunJobs):
    customers = b"id,since\n" + b"".join(b"%d,2024-01-%02d\n" % (1000 + n, n % 28 + 1) for n in range(60))
    orders = b"order_id,customer_id\n" + b"".join(b"%d,%d\n" % (n, 1000 + n % 40) for n in range(200))
    dataset = post(client, ("customers.csv", customers), ("orders.csv", orders))
    run_jobs()
    path = f"/v1/datasets/{dataset['id']}/schema"
    (candidate,) = get(client, f"{path}?table=orders")["foreign_key_candidates"]
    named = [candidate[key] for key in ("column", "parent_table", "parent_column")]
    assert named == ["customer_id", "customers", "id"]
    assert "of 40 distinct sampled values" in candidate["evidence"]
    metadata = get(client, f"{path}/sdv")
    assert metadata["tables"]["customers"]["primary_key"] == "id"
    assert metadata["relationships"][0]["child_foreign_key"] == "customer_id"
