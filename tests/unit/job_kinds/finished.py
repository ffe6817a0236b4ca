"""Successful jobs. Their work runs once, and all tests share the results."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv

from understudy.db import claims, leases
from understudy.db.claims import Claimant
from understudy.db.job_attempts import AttemptEnd
from understudy.job_kinds import KINDS
from understudy.job_kinds.base import StoredFile
from understudy.progress import no_progress
from understudy.resources import Resources
from understudy.services.job_records import facts_of, kind_of, parameters_of
from understudy.work.run import run_work

Json = dict[str, Any]

ANY_ID = "ds_" + "0" * 26
ROLES = {kind: f"{kind}_1" for kind in ("upload", "table", "rejects")}
INGEST_CONTEXT: Json = {"rows_max": 1_000, "columns_max": 10, "roles": [ROLES], "parts": {}}
INGEST: Json = {"kind": "ingest", "dataset_id": ANY_ID, "tables": [{"name": "table", "format": "csv"}]}
TRAIN: Json = {
    "kind": "train",
    "dataset_id": ANY_ID,
    "synthesizer": {"name": "independent"},
    "seed": 1,
    "name": "table",
}


def do_work(folder: Path, table: pa.Table) -> dict[str, Json]:
    """Run the work of `ingest` and `train` on a table, and return the results by job kind."""
    upload = folder / "table.csv"
    pacsv.write_csv(table, upload)
    payload = KINDS["ingest"].payload(INGEST, {"upload_1": str(upload)}, INGEST_CONTEXT)
    ingested = run_work(payload, folder, no_progress)
    inputs = {"table": str(folder / ingested["files"]["table_1"])}
    (facts,) = ingested["facts"]["tables"]
    context = {"schema": {"tables": {"table": facts["schema"]}}, "findings": {}}
    payload = KINDS["train"].payload(TRAIN, inputs, context)
    return {"ingest": ingested, "train": run_work(payload, folder, no_progress)}


def finish_next(resources: Resources, work: Json) -> Json:
    """Finish the next queued job with the result of earlier work."""
    files = {role: StoredFile("nowhere", b"", 1_000) for role in work["files"]}
    with resources.sessions.begin() as session:
        job = claims.claim(session, Claimant("worker@test", "1", tuple(KINDS)), lease_seconds=60)
        assert job is not None
        assert job.lease_token is not None
        result = kind_of(job).publish(session, facts_of(job), parameters_of(job), files, work["facts"])
        leases.finish(session, job.id, job.lease_token, result=result, end=AttemptEnd("succeeded"))
    return result
