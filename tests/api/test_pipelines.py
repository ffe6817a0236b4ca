"""Tests for pipelines, whose jobs wait for the results of the jobs before them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from threading import Thread, Timer

from starlette.testclient import TestClient

from app.bodies.pipelines import CreatePipeline
from tests.api.conftest import Json, assert_problem, get, upload
from tests.stalls import StallClock
from understudy.db import claims, leases
from understudy.db.job_attempts import AttemptEnd
from understudy.job_kinds import KINDS
from understudy.resources import Resources
from understudy.services import idempotency
from understudy.services.api_keys import Caller
from understudy.services.pipelines import create_pipeline

RunJobs = Callable[[], int]
STAGES: Json = {
    "train": {"synthesizer": {"name": "independent"}},
    "sample": {"n_rows": 150, "seed": 3},
    "evaluate": {},
}


def create(client: TestClient, dataset_id: str, **changes: object) -> list[Json]:
    """Create a pipeline, and return its jobs."""
    stages: list[Json] = create_whole(client, dataset_id, **changes)["stages"]
    return stages


def create_whole(client: TestClient, dataset_id: str, **changes: object) -> Json:
    response = client.post("/v1/pipelines", json={"dataset_id": dataset_id, **STAGES, **changes})
    assert response.status_code == 202, response.text
    pipeline: Json = response.json()
    assert response.headers["location"] == f"/v1/pipelines/{pipeline['id']}"
    return pipeline


def jobs_of(client: TestClient, stages: list[Json]) -> list[Json]:
    return [get(client, f"/v1/jobs/{stage['id']}") for stage in stages]


def states(jobs: list[Json]) -> list[str]:
    return [job["state"] for job in jobs]


def test_pipeline_created_right_after_an_upload_ends_with_a_report(
    client: TestClient, csv_bytes: bytes, run_jobs: RunJobs
):
    dataset = upload(client, csv_bytes)["dataset"]
    created = create(client, dataset["id"], labels={"team": "ops"})
    assert states(created) == ["queued"] * 3
    assert run_jobs() == 4
    train, sample, evaluate = jobs_of(client, created)
    assert states([train, sample, evaluate]) == ["succeeded"] * 3
    assert sample["parameters"]["model_id"] == train["result"]["model_id"]
    assert (sample["parameters"]["seed"], sample["labels"]) == (3, {"team": "ops"})
    assert evaluate["parameters"]["synthetic_dataset_id"] == sample["result"]["dataset_id"]
    report = get(client, f"/v1/reports/{evaluate['result']['report_id']}")
    assert report["dataset_id"] == dataset["id"]


def test_pipeline_with_a_sample_in_shards_succeeds(
    client: TestClient, resources: Resources, ready_dataset: Json, run_jobs: RunJobs
):
    settings = resources.settings.model_copy(update={"sample_shard_rows": 1_000})
    object.__setattr__(resources, "settings", settings)
    created = create(client, ready_dataset["id"], sample={"n_rows": 1_500})
    run_jobs()
    assert states(jobs_of(client, created)) == ["succeeded"] * 3


def test_failed_stage_ends_the_later_stages_which_can_be_retried(
    client: TestClient, ready_dataset: Json, run_jobs: RunJobs
):
    created = create(client, ready_dataset["id"], evaluate={"target": "no such column"})
    run_jobs()
    train, sample, evaluate = jobs_of(client, created)
    assert states([train, sample, evaluate]) == ["succeeded", "succeeded", "failed"]
    assert evaluate["error"]["code"] == "unknown_column"

    first = create(client, ready_dataset["id"])
    assert client.post(f"/v1/jobs/{first[0]['id']}/cancel").json()["state"] == "cancelled"
    ended = jobs_of(client, first)
    assert states(ended) == ["cancelled"] * 3
    assert first[1]["id"] in ended[2]["error"]["detail"]
    for job in first:
        assert client.post(f"/v1/jobs/{job['id']}/retry").json()["state"] == "queued"
    assert run_jobs() == 3
    assert states(jobs_of(client, first)) == ["succeeded"] * 3


def test_pipeline_on_a_dataset_that_cannot_be_read_fails(client: TestClient, run_jobs: RunJobs):
    dataset = upload(client, b"a,b\n1,2,3\n1\n")["dataset"]
    created = create(client, dataset["id"])
    run_jobs()
    train, sample, evaluate = jobs_of(client, created)
    assert [job["error"]["code"] for job in (train, sample, evaluate)] == ["not_ready"] * 3
    assert train["id"] in sample["error"]["detail"]
    assert sample["id"] in evaluate["error"]["detail"]


def test_deletion_of_the_dataset_erases_all_stages(
    client: TestClient, ready_dataset: Json, run_jobs: RunJobs
):
    created = create(client, ready_dataset["id"])
    assert client.delete(f"/v1/datasets/{ready_dataset['id']}?cascade=true").status_code == 204
    ended = jobs_of(client, created)
    assert states(ended) == ["cancelled"] * 3
    assert all("erased_at" in job for job in ended)
    assert run_jobs() == 0


def test_invalid_pipeline_creates_no_job(
    client: TestClient, other_client: TestClient, resources: Resources, ready_dataset: Json
):
    n_jobs = len(get(client, "/v1/jobs")["data"])
    body = {"dataset_id": ready_dataset["id"], **STAGES}
    problem = assert_problem(
        client.post("/v1/pipelines", json={**body, "sample": {}}), 422, "invalid_parameters"
    )
    assert problem["errors"][0]["pointer"] == "/sample/n_rows"
    problem = assert_problem(
        client.post("/v1/pipelines", json={**body, "train": {"table": "x"}}), 422, "unknown_table"
    )
    assert problem["errors"][0]["pointer"] == "/train/table"
    conditions = {"conditions": [{"where": {"city": {"equals": "Oslo"}}, "n_rows": 5}]}
    refused = client.post("/v1/pipelines", json={**body, "sample": conditions})
    assert_problem(refused, 422, "unsupported_by_synthesizer")
    assert_problem(other_client.post("/v1/pipelines", json=body), 404, "not_found")
    validated = client.post("/v1/pipelines/validate", json=body)
    assert validated.status_code == 200
    train, sample, evaluate = validated.json()["stages"]
    assert train["parameters"]["seed"] >= 0
    assert [stage["kind"] for stage in (train, sample, evaluate)] == ["train", "sample", "evaluate"]
    assert get(client, "/v1/pipelines")["data"] == []
    settings = resources.settings.model_copy(update={"queued_jobs_max": 2})
    object.__setattr__(resources, "settings", settings)
    assert_problem(client.post("/v1/pipelines", json=body), 429, "too_many_jobs")
    assert len(get(client, "/v1/jobs")["data"]) == n_jobs


def test_repeated_request_with_an_idempotency_key_returns_the_same_jobs(
    client: TestClient, resources: Resources, caller: Caller, ready_dataset: Json
):
    body = {"dataset_id": ready_dataset["id"], **STAGES}
    first, second = (
        client.post("/v1/pipelines", json=body, headers={"Idempotency-Key": "order-1"}) for _ in range(2)
    )
    assert first.json() == second.json()
    assert second.headers["idempotent-replayed"] == "true"
    # The first request with this key is interrupted before its response is stored.
    new = CreatePipeline.model_validate(body).pipeline()
    idempotency.begin(resources, caller.project_id, "order-2", bytes(32), take_over_after=timedelta(0))
    jobs, again = (
        create_pipeline(resources, caller.project_id, new, idempotency_key="order-2") for _ in range(2)
    )
    assert [job.id for job in jobs] == [job.id for job in again]
    assert len(get(client, "/v1/jobs?state=queued")["data"]) == 6


def test_pipeline_is_read_and_listed_with_its_jobs(
    client: TestClient, other_client: TestClient, ready_dataset: Json, run_jobs: RunJobs
):
    first = create_whole(client, ready_dataset["id"], labels={"team": "ops"})
    second = create_whole(client, ready_dataset["id"], evaluate=None, labels={"team": "data"})
    assert (first["state"], second["state"]) == ("queued", "queued")
    assert [stage["kind"] for stage in second["stages"]] == ["train", "sample"]
    run_jobs()
    done = get(client, f"/v1/pipelines/{first['id']}")
    assert (done["state"], done["labels"]) == ("succeeded", {"team": "ops"})
    assert done["finished_at"] == done["stages"][-1]["finished_at"]
    assert done["stages"][-1]["result"]["report_id"].startswith("rpt_")
    listed = [pipeline["id"] for pipeline in get(client, "/v1/pipelines")["data"]]
    assert listed == [second["id"], first["id"]]
    page = get(client, "/v1/pipelines?limit=1")
    (last,) = get(client, f"/v1/pipelines?limit=1&after={page['next']}")["data"]
    assert last == done
    assert get(client, "/v1/pipelines?label=team:data")["data"][0]["id"] == second["id"]
    assert get(client, "/v1/pipelines?dataset_id=ds_00000000000000000000000000")["data"] == []
    assert get(other_client, "/v1/pipelines")["data"] == []
    assert_problem(other_client.get(f"/v1/pipelines/{first['id']}"), 404, "not_found")


def test_read_that_waits_ends_with_the_pipeline(client: TestClient, ready_dataset: Json, run_jobs: RunJobs):
    pipeline = create_whole(client, ready_dataset["id"], evaluate=None)
    worker = Thread(target=run_jobs)
    worker.start()
    with StallClock() as clock:
        began = clock.seconds()
        waited = client.get(f"/v1/pipelines/{pipeline['id']}", headers={"Prefer": "wait=60"})
        # The response is sent when the jobs have ended, which takes a few seconds.
        assert clock.seconds() - began < 40
    worker.join()
    assert waited.json()["state"] == "succeeded"
    assert waited.headers["preference-applied"] == "wait=60"


def test_cancelled_pipeline_cancels_the_jobs_that_have_not_ended(
    client: TestClient, ready_dataset: Json, run_jobs: RunJobs
):
    pipeline = create_whole(client, ready_dataset["id"])
    for _ in range(2):
        cancelled = client.post(f"/v1/pipelines/{pipeline['id']}/cancel")
        assert cancelled.json()["state"] == "cancelled"
    assert states(cancelled.json()["stages"]) == ["cancelled"] * 3
    finished = create_whole(client, ready_dataset["id"])
    assert run_jobs() == 3
    refused = client.post(f"/v1/pipelines/{finished['id']}/cancel")
    assert_problem(refused, 409, "already_finished", "succeeded")


def test_running_job_of_a_cancelled_pipeline_is_asked_to_stop(
    client: TestClient, resources: Resources, ready_dataset: Json
):
    pipeline = create_whole(client, ready_dataset["id"])
    with resources.sessions.begin() as session:
        claims.claim(session, claims.Claimant("w", "1", tuple(KINDS)), lease_seconds=60)
    assert get(client, f"/v1/pipelines/{pipeline['id']}")["state"] == "running"
    cancelled = client.post(f"/v1/pipelines/{pipeline['id']}/cancel").json()
    assert (cancelled["state"], "finished_at" in cancelled) == ("running", False)
    assert states(cancelled["stages"]) == ["running", "cancelled", "cancelled"]
    assert "cancel_requested_at" in cancelled["stages"][0]


def test_wait_for_a_cancelled_pipeline_lasts_until_its_running_job_has_ended(
    client: TestClient, resources: Resources, ready_dataset: Json
):
    pipeline = create_whole(client, ready_dataset["id"])
    with resources.sessions.begin() as session:
        job = claims.claim(session, claims.Claimant("w", "1", tuple(KINDS)), lease_seconds=60)
    assert job is not None
    assert job.lease_token is not None
    job_id, token = job.id, job.lease_token
    client.post(f"/v1/pipelines/{pipeline['id']}/cancel")

    def end() -> None:
        with resources.sessions.begin() as session:
            leases.cancel(session, job_id, token, AttemptEnd("cancelled"))

    Timer(0.5, end).start()
    waited = client.get(f"/v1/pipelines/{pipeline['id']}", headers={"Prefer": "wait=30"}).json()
    assert (waited["state"], states(waited["stages"])) == ("cancelled", ["cancelled"] * 3)


def test_erased_pipeline_has_no_labels(client: TestClient, ready_dataset: Json):
    path = f"/v1/pipelines/{create_whole(client, ready_dataset['id'], labels={'a': '1'})['id']}"
    assert client.delete(f"/v1/datasets/{ready_dataset['id']}?cascade=true").status_code == 204
    changed = client.patch(path, json={"labels": {"b": "2"}})
    assert changed.json() == get(client, path)
    assert changed.json()["labels"] == {}


def test_labels_of_a_pipeline_are_changed_with_those_of_its_jobs(client: TestClient, ready_dataset: Json):
    path = f"/v1/pipelines/{create_whole(client, ready_dataset['id'], labels={'a': '1'})['id']}"
    etag = client.get(path).headers["etag"]
    changed = client.patch(path, json={"labels": {"a": None, "b": "2"}}, headers={"If-Match": etag})
    assert changed.json()["labels"] == {"b": "2"}
    assert [stage["labels"] for stage in changed.json()["stages"]] == [{"b": "2"}] * 3
    stale = client.patch(path, json={"labels": {"c": "3"}}, headers={"If-Match": etag})
    assert_problem(stale, 412, "precondition_failed")
