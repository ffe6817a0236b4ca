"""Tests for samples that are split into shards and sampled by several workers."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from threading import Thread
from typing import Any, cast

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from tests.api.conftest import Json, assert_problem, get, submit
from understudy import ids
from understudy.db import claims, leases, retention
from understudy.db.claims import Claimant
from understudy.job_kinds import KINDS
from understudy.resources import Resources
from understudy.sandbox import Sandbox
from understudy.services.erasure import erase_files
from understudy.services.job_runs import run_next_job
from understudy.services.rescue import rescue_jobs
from understudy.settings import Settings
from understudy.tables.formats import FORMATS

N_ROWS = 3_500
N_SHARDS = 4
RunJobs = Callable[[], int]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Return settings with small shards."""
    return settings.model_copy(update={"sample_shard_rows": 1_000})


@pytest.fixture
def model_id(client: TestClient, ready_dataset: Json, run_jobs: RunJobs) -> str:
    """Train a model and return its ID."""
    fast = {"name": "tree_chain", "preset": "fast"}
    job = submit(client, kind="train", dataset_id=ready_dataset["id"], seed=7, synthesizer=fast)
    run_jobs()
    result: str = get(client, f"/v1/jobs/{job['id']}")["result"]["model_id"]
    return result


def rows(resources: Resources, sql: str, **values: Any) -> list[Any]:
    """Return the rows of a query."""
    with resources.sessions() as session:
        return [row[0] if len(row) == 1 else tuple(row) for row in session.execute(text(sql), values)]


def shards(resources: Resources, job: Json) -> list[Any]:
    """Return the state and attempt number of each shard of a job."""
    parent = ids.from_text("job", job["id"])
    return rows(
        resources, "select state, attempt from jobs where parent_id = :parent order by shard", parent=parent
    )


def content(client: TestClient, dataset_id: str, format_name: str = "parquet") -> bytes:
    """Download a dataset."""
    response = client.get(f"/v1/datasets/{dataset_id}/content?format={format_name}")
    assert response.status_code == 200, response.text
    return response.content


CONDITIONS = [
    {"where": {"city": {"equals": "Oslo"}}, "n_rows": 1_800},
    {"where": {"city": {"equals": "Rome"}}, "n_rows": 1_717},
]


@pytest.mark.parametrize("options", [{"id_start": 5}, {"conditions": CONDITIONS}], ids=["plain", "groups"])
def test_sharded_sample_has_the_same_rows_as_an_unsharded_sample(
    client: TestClient, resources: Resources, model_id: str, run_jobs: RunJobs, options: Json
) -> None:
    named = {"kind": "sample", "model_id": model_id, "seed": 3, **options}
    job = submit(client, **named, n_rows=N_ROWS, offset=17)
    run_jobs()
    job = get(client, f"/v1/jobs/{job['id']}")
    assert job["state"] == "succeeded", job
    assert shards(resources, job) == [("succeeded", 1)] * N_SHARDS
    table = pq.read_table(io.BytesIO(content(client, job["result"]["dataset_id"])))

    pieces, results = [], []
    for start in range(0, N_ROWS, 700):
        one = submit(client, **named, n_rows=700, offset=17 + start)
        run_jobs()
        one = get(client, f"/v1/jobs/{one['id']}")
        assert shards(resources, one) == []
        pieces.append(pq.read_table(io.BytesIO(content(client, one["result"]["dataset_id"]))))
        results.append(one["result"])
    assert table.to_pydict() == pa.concat_tables(pieces).to_pydict()
    if "conditions" in options:
        assert [group["n_rows"] for group in job["result"]["groups"]] == [1_783, 1_717]
    else:
        last = results[-1]["identifiers"]["next_id_start"]
        assert job["result"]["identifiers"]["next_id_start"] == last


def test_parts_are_downloaded_in_order_in_every_format(client: TestClient, sampled: Json) -> None:
    files = {name: content(client, sampled["dataset_id"], name) for name in FORMATS}

    ages = pq.read_table(io.BytesIO(files["parquet"]))["age"].to_pylist()
    assert len(ages) == N_ROWS
    assert pacsv.read_csv(io.BytesIO(files["csv"]))["age"].to_pylist() == ages
    assert pa.ipc.open_file(files["arrow"]).read_all()["age"].to_pylist() == ages
    lines = [json.loads(line) for line in files["jsonl"].splitlines()]
    assert [line.get("age") for line in lines] == ages
    assert files["xlsx"].startswith(b"PK")


@pytest.fixture
def sampled(client: TestClient, model_id: str, run_jobs: RunJobs) -> Json:
    """Sample a dataset in shards and return the result of the job."""
    job = submit(client, kind="sample", model_id=model_id, n_rows=N_ROWS, seed=3)
    run_jobs()
    result: Json = get(client, f"/v1/jobs/{job['id']}")["result"]
    return result


def test_sharded_sample_is_evaluated_profiled_imputed_and_erased(
    client: TestClient,
    resources: Resources,
    ready_dataset: Json,
    model_id: str,
    sampled: Json,
    run_jobs: RunJobs,
) -> None:
    dataset_id = sampled["dataset_id"]
    evaluation = submit(
        client, kind="evaluate", dataset_id=ready_dataset["id"], synthetic_dataset_id=dataset_id
    )
    imputation = submit(client, kind="impute", model_id=model_id, dataset_id=dataset_id)
    training = submit(client, kind="train", dataset_id=dataset_id)
    run_jobs()
    for job in (evaluation, imputation, training):
        ended = get(client, f"/v1/jobs/{job['id']}")
        assert ended["state"] == "succeeded", ended
    assert get(client, f"/v1/datasets/{dataset_id}/profile")["n_rows"] == N_ROWS

    assert client.delete(f"/v1/datasets/{dataset_id}?cascade=true").status_code == 204
    erase_files(resources, kept=timedelta(0))
    kept = rows(resources, "select storage_key from artifacts")
    assert sorted(resources.store.keys("p/")) == sorted(kept)
    assert (
        rows(resources, "select erased_at from jobs where parent_id is not null and erased_at is null") == []
    )


def test_damaged_part_is_not_downloaded(client: TestClient, resources: Resources, sampled: Json) -> None:
    key = rows(resources, "select storage_key from artifacts where role = 'table_1_part_000003'")[0]
    with resources.store.local_copy(key, resources.scratch_folder) as path:
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(bytes(data))

    response = client.get(f"/v1/datasets/{sampled['dataset_id']}/content")
    assert_problem(response, 500, "artifact_corrupt", "checksum")


def test_shards_appear_as_one_job_to_the_caller(
    client: TestClient, resources: Resources, model_id: str, run_jobs: RunJobs
) -> None:
    n_before = len(get(client, "/v1/jobs")["data"])
    job = submit(client, kind="sample", model_id=model_id, n_rows=N_ROWS)
    run_jobs()

    assert len(get(client, "/v1/jobs")["data"]) == n_before + 1
    assert get(client, f"/v1/jobs/{job['id']}")["state"] == "succeeded"
    assert_problem(
        client.post("/v1/jobs", json={"kind": "sample_shard", "model_id": model_id}), 422, "unknown_kind"
    )


def test_two_workers_share_the_shards_of_a_job(
    client: TestClient, resources: Resources, sandbox: Sandbox, model_id: str
) -> None:
    job = submit(client, kind="sample", model_id=model_id, n_rows=20_000)
    first = Thread(target=run_next_job, args=(resources, sandbox, "first"))
    first.start()
    while get(client, f"/v1/jobs/{job['id']}")["state"] != "succeeded":
        run_next_job(resources, sandbox, "second")
    first.join()

    workers = rows(
        resources,
        "select distinct worker from job_attempts a join jobs j on j.id = a.job_id"
        " where j.parent_id is not null",
    )
    assert set(workers) == {"first", "second"}
    progress = rows(resources, "select progress->>'rows_total' from jobs where kind = 'sample'")
    assert progress in (["20000"], [None])


def claim(resources: Resources, *kinds: str) -> Any:
    """Claim a job with an expired lease, as if the worker had died."""
    with resources.sessions.begin() as session:
        return claims.claim(session, Claimant("dead", "1", kinds or tuple(KINDS)), lease_seconds=-1)


def test_only_the_lost_shard_is_repeated(
    client: TestClient, resources: Resources, sandbox: Sandbox, model_id: str, run_jobs: RunJobs
) -> None:
    job = submit(client, kind="sample", model_id=model_id, n_rows=N_ROWS)
    run_next_job(resources, sandbox, "first", is_draining=lambda: True)
    assert shards(resources, job) == [("queued", 0)] * N_SHARDS
    assert claim(resources, "sample_shard").shard == 1
    rescue_jobs(resources)

    run_jobs()

    assert shards(resources, job) == [("succeeded", 2)] + [("succeeded", 1)] * (N_SHARDS - 1)
    assert get(client, f"/v1/jobs/{job['id']}")["state"] == "succeeded"


def test_job_continues_after_its_worker_was_lost(
    client: TestClient, resources: Resources, sandbox: Sandbox, model_id: str, run_jobs: RunJobs
) -> None:
    job = submit(client, kind="sample", model_id=model_id, n_rows=N_ROWS)
    run_next_job(resources, sandbox, "first", is_draining=lambda: True)
    # The next worker of the job dies, and another worker samples the shards meanwhile.
    assert claim(resources, "sample").parent_id is None
    while run_next_job(resources, sandbox, "second"):
        pass
    assert shards(resources, job) == [("succeeded", 1)] * N_SHARDS
    assert get(client, f"/v1/jobs/{job['id']}")["state"] == "running"

    rescue_jobs(resources)
    run_jobs()

    assert shards(resources, job) == [("succeeded", 1)] * N_SHARDS
    assert get(client, f"/v1/jobs/{job['id']}")["state"] == "succeeded"


def test_cancelled_job_cancels_its_shards(
    client: TestClient, resources: Resources, sandbox: Sandbox, model_id: str, run_jobs: RunJobs
) -> None:
    job = submit(client, kind="sample", model_id=model_id, n_rows=N_ROWS)
    run_next_job(resources, sandbox, "first", is_draining=lambda: True)

    cancelled = client.post(f"/v1/jobs/{job['id']}/cancel").json()

    assert cancelled["state"] == "cancelled"
    assert shards(resources, job) == [("cancelled", 0)] * N_SHARDS
    assert run_jobs() == 0
    assert client.post(f"/v1/jobs/{job['id']}/retry").status_code == 202
    run_jobs()
    assert get(client, f"/v1/jobs/{job['id']}")["state"] == "succeeded"


def test_failed_shard_fails_its_job_and_the_job_can_be_retried(
    client: TestClient, resources: Resources, sandbox: Sandbox, model_id: str, run_jobs: RunJobs
) -> None:
    job = submit(client, kind="sample", model_id=model_id, n_rows=N_ROWS)
    run_next_job(resources, sandbox, "first", is_draining=lambda: True)
    for _ in range(leases.CRASHES.failures_max):
        assert claim(resources, "sample_shard").shard == 1
        rescue_jobs(resources)
    run_jobs()

    failed = get(client, f"/v1/jobs/{job['id']}")
    assert (failed["state"], failed["error"]["code"]) == ("failed", "worker_crashed")
    assert {state for state, _ in shards(resources, job)} == {"failed", "cancelled"}

    assert client.post(f"/v1/jobs/{job['id']}/retry").status_code == 202
    run_jobs()
    assert get(client, f"/v1/jobs/{job['id']}")["state"] == "succeeded"


def test_changed_shard_size_does_not_split_a_job_again(
    client: TestClient, resources: Resources, sandbox: Sandbox, model_id: str
) -> None:
    job = submit(client, kind="sample", model_id=model_id, n_rows=N_ROWS)
    run_next_job(resources, sandbox, "first", is_draining=lambda: True)
    settings = cast("Settings", resources.settings).model_copy(update={"sample_shard_rows": 500})
    while run_next_job(replace(resources, settings=settings), sandbox, "second"):
        pass

    ended = get(client, f"/v1/jobs/{job['id']}")
    assert (ended["state"], len(shards(resources, job))) == ("succeeded", N_SHARDS)
    table = pq.read_table(io.BytesIO(content(client, ended["result"]["dataset_id"])))
    assert table.num_rows == N_ROWS


def test_shard_that_needs_more_memory_waits_for_a_worker_of_its_queue(
    client: TestClient, resources: Resources, sandbox: Sandbox, model_id: str
) -> None:
    job = submit(client, kind="sample", model_id=model_id, n_rows=N_ROWS)
    run_next_job(resources, sandbox, "first", is_draining=lambda: True)
    with resources.sessions.begin() as session:
        session.execute(text("update jobs set queue = 'large' where shard = 1"))
    parent = ids.from_text("job", job["id"])
    claimant = Claimant("first", "1", tuple(KINDS))

    def claimed(claimant: Claimant) -> int | None:
        with resources.sessions.begin() as session:
            shard = claims.claim_shard(session, claimant, parent, lease_seconds=60)
            return None if shard is None else shard.shard

    assert [claimed(claimant) for _ in range(N_SHARDS)] == [2, 3, 4, None]
    assert claimed(replace(claimant, queues=("default", "large"))) == 1


def test_shards_are_kept_as_long_as_their_job(
    client: TestClient, resources: Resources, sandbox: Sandbox, model_id: str
) -> None:
    job = submit(client, kind="sample", model_id=model_id, n_rows=N_ROWS)
    run_next_job(resources, sandbox, "first", is_draining=lambda: True)
    assert run_next_job(resources, sandbox, "second", queues=("default",)) is True
    with resources.sessions.begin() as session:
        # Without triggers, the test can change jobs that have ended.
        session.execute(text("set local session_replication_role = replica"))
        session.execute(text("update jobs set finished_at = finished_at - interval '9 days'"))
        assert retention.delete_old_jobs(session, timedelta(days=7), 100) == 0
    assert len(shards(resources, job)) == N_SHARDS


def test_deletion_of_a_failed_job_deletes_the_files_of_its_shards(
    client: TestClient, resources: Resources, sandbox: Sandbox, model_id: str
) -> None:
    job = submit(client, kind="sample", model_id=model_id, n_rows=N_ROWS)
    run_next_job(resources, sandbox, "first", is_draining=lambda: True)
    assert claim(resources, "sample").parent_id is None
    assert run_next_job(resources, sandbox, "second")
    assert client.post(f"/v1/jobs/{job['id']}/cancel").status_code == 200
    rescue_jobs(resources)
    assert get(client, f"/v1/jobs/{job['id']}")["state"] == "cancelled"
    roles = "select role from artifacts a join jobs j on j.id = a.job_id where j.parent_id is not null"
    assert rows(resources, roles) == ["table_1"]

    assert client.delete(f"/v1/jobs/{job['id']}").status_code == 204
    assert rows(resources, roles) == []
    kept = rows(resources, "select storage_key from artifacts")
    assert sorted(resources.store.keys("p/")) == sorted(kept)
