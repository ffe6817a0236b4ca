"""Factories of database rows and uploads with default values. A test sets only the values that matter."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from understudy import ids
from understudy.db.datasets import MadeDataset
from understudy.db.jobs import NewJob
from understudy.db.models import NewModel
from understudy.db.orm import Dataset, Job
from understudy.db.reports import NewReport
from understudy.db.uploads import NewUpload
from understudy.db.webhooks import NewWebhook
from understudy.resources import Resources
from understudy.services.datasets import ArrivedFile, NewDataset, upload_tables

Json = dict[str, Any]

COLUMN = {"name": "a", "kind": "integer", "arrow_type": "int64", "nullable": False}
TABLE_SCHEMA: Json = {"columns": [COLUMN]}
DATASET_SCHEMA: Json = {"tables": {"x": TABLE_SCHEMA}, "relationships": [], "locale": "en"}
FINDINGS: Json = {"tables": {"x": {}}, "relationships": []}


def new_job(project_id: UUID, **changes: Any) -> NewJob:
    """Return a new probe job."""
    job = NewJob(project_id, kind="probe", parameters={"kind": "probe"}, labels={}, ttl_seconds=3600)
    return replace(job, **changes)


def new_model(dataset_id: UUID, **changes: Any) -> NewModel:
    """Return a new model of a table `x`."""
    model = NewModel(
        dataset_id=dataset_id,
        name="m",
        synthesizer={"name": "independent"},
        seed=1,
        holdout_fraction=0.2,
        n_rows_trained=2,
        size_bytes=1,
        dataset_schema=DATASET_SCHEMA,
        findings=FINDINGS,
        tables=["x"],
        card={},
    )
    return replace(model, **changes)


def made_dataset(model_id: UUID, source_dataset_id: UUID | None = None) -> MadeDataset:
    """Return a new sample, or an imputation if `source_dataset_id` is given."""
    return MadeDataset("s", model_id, DATASET_SCHEMA, FINDINGS, source_dataset_id)


def new_report(dataset_id: UUID, synthetic_dataset_id: UUID) -> NewReport:
    """Return a new report without scores."""
    verdict = {"outcome": "pass", "sentence": "", "policy": "p", "policy_version": "1", "checks": []}
    tables = [{"real": "x", "synthetic": "x"}]
    return NewReport(dataset_id, synthetic_dataset_id, tables=tables, summary={}, verdict=verdict)


def new_upload(**changes: Any) -> NewUpload:
    """Return a new upload of one part."""
    file = {"table_name": "x", "format": "csv", "size_bytes": 4, "first_part": 1, "n_parts": 1}
    upload = NewUpload(
        name="u",
        labels={},
        options={},
        files=[file],
        size_bytes=4,
        part_bytes=1 << 16,
        n_parts=1,
        kept=timedelta(hours=1),
    )
    return replace(upload, **changes)


def new_webhook(project_id: UUID, url: str = "https://hooks.example.org/") -> NewWebhook:
    """Return a new webhook for all types of events. Its secret cannot be decrypted."""
    return NewWebhook(ids.new_id(), project_id, "w", url, None, secret="")


def upload_csv(
    resources: Resources,
    project_id: UUID,
    data: bytes,
    new: NewDataset | None = None,
    *,
    idempotency_key: str | None = None,
) -> tuple[Dataset, Job]:
    """Upload a CSV file as the route does. The table has the same name as the dataset."""
    new = new or NewDataset("table", {})
    source = resources.staging_folder / f"upload-{ids.new_id().hex}"
    source.write_bytes(data)
    file = ArrivedFile(new.name, "csv", source, hashlib.sha256(data).digest(), len(data))
    return upload_tables(resources, project_id, new, [file], idempotency_key=idempotency_key)
