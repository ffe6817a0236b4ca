"""A project that holds one of everything, made without running any job."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from understudy import ids
from understudy.db import artifacts, datasets, jobs, models, reports, uploads
from understudy.resources import Resources
from understudy.services.api_keys import Caller

SCHEMA: dict[str, Any] = {
    "columns": [{"name": "a", "kind": "integer", "arrow_type": "int64", "nullable": False, "evidence": ""}]
}
BLOB = b"not a real file, but bytes with a length"


def make_world(resources: Resources, caller: Caller) -> dict[str, str]:
    """Add a dataset, a job, a model, a report and an open upload to a project; return their ids by noun."""
    project = caller.project_id
    with resources.sessions.begin() as session:
        job_ids = []
        for role in ("table", "model", "report_json"):
            job = jobs.add(
                session,
                project_id=project,
                kind="probe",
                parameters={"kind": "probe"},
                labels={},
                ttl_seconds=3600,
            )
            job_ids.append(job.id)
            key = f"world/{job.id.hex}/{role}"
            path = resources.staging_folder / job.id.hex
            path.write_bytes(BLOB)
            resources.store.put_file(key, path)
            artifacts.add(
                session,
                project_id=project,
                job_id=job.id,
                role=role,
                token=0,
                storage_key=key,
                sha256=job.id.bytes * 2,
                size_bytes=len(BLOB),
            )
        dataset = datasets.add_pending(
            session,
            dataset_id=ids.new_id(),
            project_id=project,
            job_id=job_ids[0],
            name="x",
            format="csv",
            labels={},
        )
        datasets.set_ready(
            session, project, dataset.id, n_rows=3, n_columns=1, size_bytes=len(BLOB), table_schema=SCHEMA
        )
        model = models.add(
            session,
            project_id=project,
            job_id=job_ids[1],
            dataset_id=dataset.id,
            name="x",
            labels={},
            synthesizer={"name": "independent"},
            seed=1,
            holdout_fraction=0.2,
            n_rows_trained=2,
            size_bytes=len(BLOB),
            table_schema=SCHEMA,
            card={},
        )
        report = reports.add(
            session,
            project_id=project,
            job_id=job_ids[2],
            dataset_id=dataset.id,
            synthetic_dataset_id=dataset.id,
            summary={},
            verdict={"outcome": "pass", "sentence": "", "policy": "p", "policy_version": "1", "checks": []},
        )
        upload = uploads.add(
            session,
            project_id=project,
            name="x",
            labels={},
            options={},
            files=[{"table_name": "x", "format": "csv", "size_bytes": 4, "first_part": 1, "n_parts": 1}],
            size_bytes=4,
            part_bytes=1 << 16,
            n_parts=1,
            kept=timedelta(hours=1),
        )
    return {
        "dataset": ids.to_text("dataset", dataset.id),
        "job": ids.to_text("job", job_ids[0]),
        "model": ids.to_text("model", model.id),
        "report": ids.to_text("report", report.id),
        "upload": ids.to_text("upload", upload.id),
    }
