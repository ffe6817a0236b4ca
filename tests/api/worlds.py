"""A project with one resource of each type, created without running jobs."""

from __future__ import annotations

from hashlib import sha256

from tests.rows import TABLE_SCHEMA, new_job, new_model, new_report, new_upload, new_webhook
from understudy import ids
from understudy.db import (
    artifacts,
    dataset_tables,
    datasets,
    events,
    jobs,
    models,
    reports,
    uploads,
    webhook_deliveries,
    webhooks,
)
from understudy.db.artifacts import NewArtifact
from understudy.db.dataset_tables import NewTable, TableFacts
from understudy.resources import Resources
from understudy.services.api_keys import Caller, create_api_key

BLOB = b"not a real file, but bytes with a length"
REPORT = b'{"metrics": []}'.ljust(len(BLOB))


def make_world(resources: Resources, caller: Caller) -> dict[str, str]:
    """Add a resource of each type to a project, and return their IDs by type."""
    project = caller.project_id
    with resources.sessions.begin() as session:
        made_by, pipeline_id = {}, ids.new_id()
        for role in ("table_1", "model", "report_json"):
            job = jobs.add(session, new_job(project, pipeline_id=pipeline_id))
            made_by[role] = job
            key = f"world/{job.id.hex}/{role}"
            path = resources.staging_folder / job.id.hex
            content = REPORT if role == "report_json" else BLOB
            path.write_bytes(content)
            resources.store.put_file(key, path)
            artifact = NewArtifact(role, 0, key, sha256(content).digest(), len(content))
            artifacts.add(session, project, job.id, artifact)
        dataset = datasets.add_pending(session, made_by["table_1"], dataset_id=ids.new_id(), name="x")
        dataset_tables.add(session, dataset, [NewTable("x", "csv")])
        facts = TableFacts(3, 1, len(BLOB), TABLE_SCHEMA, findings={})
        dataset_tables.set_ready(session, dataset, 1, facts)
        datasets.set_ready(session, project, dataset.id, relationship_candidates=[], locale="en")
        model = models.add(session, made_by["model"], new_model(dataset.id, size_bytes=len(BLOB)))
        report = reports.add(session, made_by["report_json"], new_report(dataset.id, dataset.id))
        upload = uploads.add(session, project, new_upload())
        webhook = webhooks.add(session, new_webhook(project))
        event_id = events.add(session, project, "webhook.ping", webhook.id, only_webhook=webhook.id)
        delivery, _ = webhook_deliveries.of_event(session, webhook, event_id)
    key, _ = create_api_key(resources, project, "world")
    return {
        "api_key": ids.to_text("api_key", key.id),
        "dataset": ids.to_text("dataset", dataset.id),
        "job": ids.to_text("job", made_by["table_1"].id),
        "pipeline": ids.to_text("pipeline", pipeline_id),
        "model": ids.to_text("model", model.id),
        "report": ids.to_text("report", report.id),
        "upload": ids.to_text("upload", upload.id),
        "webhook": ids.to_text("webhook", webhook.id),
        "event": ids.to_text("event", event_id),
        "delivery": ids.to_text("delivery", delivery.id),
    }
