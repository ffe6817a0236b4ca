"""Tests for the migrated database and store from an earlier version (see `kept/README.md`)."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pyarrow.parquet as pq
import pytest
from starlette.testclient import TestClient

from app.bodies.reports import EvaluationReport
from app.main import create_app
from tests.api.conftest import assert_problem, get
from tests.integration.kept import fill
from tests.service import SECRET_KEY, execute, url_of
from understudy.db.migrate import upgrade
from understudy.db.session import parse_url
from understudy.job_queue import ListQueue
from understudy.resources import Resources, open_resources
from understudy.sandbox import Sandbox
from understudy.services.job_runs import run_next_job
from understudy.services.rescue import rescue_jobs
from understudy.settings import Settings

Json = dict[str, Any]

KEPT = Path(__file__).with_name("kept")
REPORTS = ("report on people", "report on visits", "report on shop", "report on failed sample")
MODELS = ("model of people", "model of visits", "tree of people", "model of orders")


@dataclass(frozen=True)
class Installation:
    """The restored installation, with its IDs and keys under the names in `kept/fill.py`."""

    resources: Resources
    run_jobs: Callable[[], None]
    app: Any
    ids: dict[str, str]
    keys: dict[str, str]

    def client(self, key: str = "usual") -> TestClient:
        return TestClient(self.app, headers={"Authorization": f"Bearer {self.keys[key]}"})

    def path(self, noun: str, name: str) -> str:
        return f"/v1/{noun}/{self.ids[name]}"

    def job(self, name: str) -> Json:
        return get(self.client(), self.path("jobs", f"job of {name}"))

    def run(self, **parameters: Any) -> Json:
        """Run a job and return its result."""
        response = self.client().post("/v1/jobs", json=parameters)
        assert response.status_code == 202, response.text
        self.run_jobs()
        job = get(self.client(), f"/v1/jobs/{response.json()['id']}")
        assert job["state"] == "succeeded", job
        result: Json = job["result"]
        return result


@pytest.fixture(scope="module")
def kept(postgres: str, sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Restore the database and the store, and migrate."""
    execute(postgres, "create database kept")
    url = url_of(postgres, "kept")
    statements = gzip.decompress((KEPT / "database.sql.gz").read_bytes()).decode()
    with psycopg.connect(
        parse_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    ) as connection:
        connection.execute(statements.encode())
    upgrade(url)
    folder = tmp_path_factory.mktemp("kept")
    with tarfile.open(KEPT / "store.tar.xz") as archive:
        archive.extractall(folder / "blobs", filter="data")
    settings = Settings(database_url=url, secret_key=SECRET_KEY, data_dir=folder, retry_backoff_seconds=0)
    resources = open_resources(settings, queue=ListQueue())

    def run_jobs() -> None:
        while run_next_job(resources, sandbox, "worker@test"):
            pass

    names = json.loads((KEPT / "names.json").read_text())
    yield Installation(resources, run_jobs, create_app(resources), names["ids"], names["keys"])
    resources.close()


@pytest.fixture(scope="module")
def caught_up(kept: Installation) -> Installation:
    """Run the queued jobs and the job whose worker died."""
    rescue_jobs(kept.resources)
    kept.run_jobs()
    return kept


def rows_of(client: TestClient, path: str) -> Any:
    response = client.get(f"{path}/content")
    assert response.status_code == 200, response.text
    return pq.read_table(io.BytesIO(response.content))


def test_every_dataset_lists_its_tables(kept: Installation):
    client = kept.client()
    listed = {row["id"]: row for row in get(client, "/v1/datasets?limit=200")["data"]}
    tables = {
        name: [table["name"] for table in listed[dataset_id]["tables"]]
        for name, dataset_id in kept.ids.items()
        if dataset_id in listed
    }
    assert tables["people"] == ["people"]
    assert tables["shop"] == tables["late shop"] == ["customers", "orders"]
    assert tables["sample of model of orders"] == ["orders"]
    assert tables["completed visits"] == tables["sample of model of visits"] == ["visits"]
    assert tables["unreadable"] == ["unreadable"]
    assert all(tables.values())
    people = listed[kept.ids["people"]]
    assert (people["n_rows"], people["n_columns"], people["format"]) == (240, 5, "csv")
    assert get(client, kept.path("datasets", "people")) == people


def test_rows_are_downloaded_with_and_without_a_table_name(kept: Installation):
    client = kept.client()
    people = rows_of(client, kept.path("datasets", "people"))
    assert (people.num_rows, people.column_names[:2]) == (240, ["id", "city"])
    named = client.get(f"{kept.path('datasets', 'people')}/content?table=people&format=csv")
    assert len(named.content.splitlines()) == 241
    orders = client.get(f"{kept.path('datasets', 'shop')}/content?table=orders&format=csv")
    assert orders.content.splitlines()[0] == b'"id","customer_id","amount"'
    assert_problem(
        client.get(f"{kept.path('datasets', 'shop')}/content"), 422, "table_required", "'customers', 'orders'"
    )


def test_skipped_rows_of_a_restored_dataset_can_be_downloaded(kept: Installation):
    rejects = kept.client().get(f"{kept.path('datasets', 'spoiled')}/rejects?format=csv")
    assert len(rejects.content.splitlines()) == 2


def test_schemas_keep_the_changes_made_by_users(kept: Installation):
    client = kept.client()
    visits = get(client, f"{kept.path('datasets', 'visits')}/schema")
    assert (visits["subject"], visits["locale"]) == (["patient"], "de")
    ward = next(column for column in visits["columns"] if column["name"] == "ward")
    assert (ward["kind"], ward["confidence"]) == ("text", 1.0)
    shop = f"{kept.path('datasets', 'shop')}/schema"
    customers = get(client, f"{shop}?table=customers")
    kinds = {column["name"]: column["kind"] for column in customers["columns"]}
    assert (kinds["grade"], customers["locale"]) == ("category", "de-at")


def test_schemas_keep_their_findings(kept: Installation):
    client = kept.client()
    people = get(client, f"{kept.path('datasets', 'people')}/schema")
    assert all(column["evidence"] and column["confidence"] for column in people["columns"])
    assert people["primary_key_candidates"][0]["column"] == "id"
    assert (
        get(client, f"{kept.path('datasets', 'visits')}/schema")["subject_candidate"]["column"] == "patient"
    )
    orders = get(client, f"{kept.path('datasets', 'shop')}/schema?table=orders")
    (reference,) = orders["foreign_key_candidates"]
    assert (reference["column"], reference["parent_table"]) == ("customer_id", "customers")
    metadata = get(client, f"{kept.path('datasets', 'shop')}/schema/sdv")
    assert metadata["relationships"][0]["child_foreign_key"] == "customer_id"


def test_schemas_can_be_changed_again(kept: Installation):
    client = kept.client()
    path = f"{kept.path('datasets', 'completed people')}/schema"
    change = {"columns": {"city": {"kind": "text"}}, "subject": ["city"]}
    changed = client.patch(path, json=change)
    assert changed.status_code == 200, changed.text
    assert changed.json() == get(client, path)
    assert changed.json()["subject"] == ["city"]


def test_profile_of_a_restored_dataset_can_be_computed(kept: Installation):
    assert get(kept.client(), f"{kept.path('datasets', 'people')}/profile?exact=true")["n_rows"] == 240


@pytest.mark.parametrize("name", MODELS)
def test_models_list_their_training_tables(kept: Installation, name: str):
    model = get(kept.client(), kept.path("models", name))
    table = {"model of visits": "visits", "model of orders": "orders"}.get(name, "people")
    assert (model["tables"], list(model["table_schemas"])) == ([table], [table])
    assert model["table_schemas"][table]["columns"][0]["evidence"]


@pytest.mark.parametrize("name", MODELS)
def test_restored_models_can_be_sampled(kept: Installation, name: str):
    sample = kept.run(kind="sample", model_id=kept.ids[name], n_rows=30, seed=1)
    rows = rows_of(kept.client(), f"/v1/datasets/{sample['dataset_id']}")
    (schema,) = get(kept.client(), kept.path("models", name))["table_schemas"].values()
    assert (rows.num_rows, rows.column_names) == (30, [column["name"] for column in schema["columns"]])


@pytest.mark.parametrize("name", REPORTS)
def test_reports_are_readable_as_json_and_html(kept: Installation, name: str):
    client = kept.client()
    path = kept.path("reports", name)
    report = EvaluationReport.model_validate(get(client, path))
    assert report.metrics
    page = client.get(f"{path}/html")
    assert page.text.startswith("<!doctype html>")
    evidence = client.get(f"{path}/evidence")
    assert evidence.status_code == 200, evidence.text


def test_reports_contain_the_names_of_the_compared_tables(kept: Installation):
    listed = {row["id"]: row["tables"] for row in get(kept.client(), "/v1/reports")["data"]}
    assert listed[kept.ids["report on shop"]] == [{"real": "orders", "synthetic": "orders"}]
    assert listed[kept.ids["report on people"]] == [{"real": "people", "synthetic": "people"}]


def test_samples_are_evaluated_against_the_holdout_of_their_model(kept: Installation):
    pair = {
        "dataset_id": kept.ids["visits"],
        "synthetic_dataset_id": kept.ids["sample of model of visits"],
        "seed": 3,
    }
    result = kept.run(kind="evaluate", **pair, target="paid")
    report = get(kept.client(), f"/v1/reports/{result['report_id']}")
    before = get(kept.client(), kept.path("reports", "report on visits"))
    assert report["tables"]["real"]["n_rows"] + report["tables"]["holdout"]["n_rows"] == 313
    # The new report can also contain metrics that were added later.
    names = [score["name"] for score in report["metrics"]]
    assert {score["name"] for score in before["metrics"]} <= set(names)


def test_quarantine_and_releases_and_scopes_and_key_revocations_still_apply(kept: Installation):
    for name in ("failed sample", "unreviewed sample"):
        path = f"{kept.path('datasets', name)}/content"
        assert_problem(kept.client().get(path), 409, "quarantined")
    assert rows_of(kept.client(), kept.path("datasets", "released sample")).num_rows == 120
    real = f"{kept.path('datasets', 'people')}/content"
    assert_problem(kept.client("reader").get(real), 403, "forbidden", "read_real")
    assert_problem(kept.client("revoked").get(real), 401, "unauthenticated")


def test_response_is_replayed_for_its_idempotency_key(kept: Installation):
    body = {"kind": "train", "dataset_id": kept.ids["people"], "synthesizer": fill.INDEPENDENT}
    headers = {"Idempotency-Key": "key-of-waiting-training"}
    response = kept.client().post("/v1/jobs", json=body, headers=headers)
    assert response.headers["idempotent-replayed"] == "true"
    assert response.json()["id"] == kept.ids["job of waiting training"]


WAITING = {
    "waiting training": "train",
    "waiting training of a table": "train",
    "lost training": "train",
    "waiting sample": "sample",
    "waiting sample of a table": "sample",
    "waiting imputation": "impute",
    "waiting report": "evaluate",
    "waiting report on a table": "evaluate",
    "late people": "ingest",
    "late shop": "ingest",
}


@pytest.mark.parametrize("name", WAITING)
def test_jobs_that_were_queued_before_the_migration_succeed(caught_up: Installation, name: str):
    job = caught_up.job(name)
    assert (job["kind"], job["state"]) == (WAITING[name], "succeeded"), job.get("error")


def test_queued_training_job_uses_the_requested_table(caught_up: Installation):
    result = caught_up.job("waiting training of a table")["result"]
    model = get(caught_up.client(), f"/v1/models/{result['model_id']}")
    assert (model["tables"], model["name"]) == (["customers"], "customers")


def test_ended_jobs_can_be_retried(caught_up: Installation):
    client = caught_up.client()
    for name in ("unreadable", "cancelled training"):
        assert client.post(f"{caught_up.path('jobs', f'job of {name}')}/retry").status_code == 202
    caught_up.run_jobs()
    assert caught_up.job("cancelled training")["state"] == "succeeded"
    failed = get(client, caught_up.path("datasets", "unreadable"))
    assert (failed["state"], failed["error"]["code"]) == ("failed", "ragged_rows")


def test_open_upload_can_be_completed(caught_up: Installation):
    client = caught_up.client()
    path = caught_up.path("uploads", "running upload")
    received = [part["number"] for part in get(client, path)["parts"]]
    assert received == [2]
    towns, notes = fill.towns_csv(7_000), b"n,text\n" + b"1,a\n2,b\n" * 40
    for number, data in ((1, towns[: fill.PART_BYTES]), (3, notes)):
        digest = f"sha-256=:{base64.b64encode(hashlib.sha256(data).digest()).decode()}:"
        sent = client.put(f"{path}/parts/{number}", content=data, headers={"Content-Digest": digest})
        assert sent.status_code == 200, sent.text
    dataset = client.post(f"{path}/complete").json()["dataset"]
    caught_up.run_jobs()
    ingested = get(client, f"/v1/datasets/{dataset['id']}")
    assert [(table["name"], table["n_rows"]) for table in ingested["tables"]] == [
        ("towns", 7_000),
        ("notes", 80),
    ]


def test_open_upload_of_one_file_can_be_completed(caught_up: Installation):
    client = caught_up.client()
    path = caught_up.path("uploads", "upload of one file")
    dataset = client.post(f"{path}/complete").json()["dataset"]
    caught_up.run_jobs()
    ingested = get(client, f"/v1/datasets/{dataset['id']}")
    assert [(table["name"], table["n_rows"]) for table in ingested["tables"]] == [("notes", 80)]


def test_dataset_is_deleted_with_its_models_and_reports(caught_up: Installation):
    client = caught_up.client()
    path = caught_up.path("datasets", "shop")
    assert_problem(client.delete(path), 409, "in_use", caught_up.ids["model of orders"])
    assert client.delete(f"{path}?cascade=true").status_code == 204
    for noun, name in (("models", "model of orders"), ("reports", "report on shop")):
        assert client.get(caught_up.path(noun, name)).status_code == 404
    job = caught_up.ids["job of shop"]
    assert not [key for key in caught_up.resources.store.keys("") if job in key]
