"""Delete reports, job data and whole projects."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy.orm import Session

from understudy import ids
from understudy.db import (
    api_keys,
    artifacts,
    datasets,
    erasures,
    events,
    idempotency,
    jobs,
    models,
    projects,
    reports,
    uploads,
    usage,
    webhooks,
)
from understudy.errors import Conflict
from understudy.resources import Resources
from understudy.services.blob_keys import job_prefix, project_prefix
from understudy.services.checks import Check, accept
from understudy.services.lineage import delete_with_descendants, find_descendants
from understudy.services.results import discard

if TYPE_CHECKING:
    from understudy.db.orm import Job, Project, Report

# Number of events that a transaction deletes with their deliveries.
EVENTS_BATCH = 2_000


def delete_report(
    resources: Resources, project_id: UUID, report_id: UUID, *, check: Check[Report] = accept
) -> None:
    """Delete a report and its files, and erase the job that created it.

    Parameters
    ----------
    check : callable (session, row) -> None
        Function that raises an error if the locked row must not be deleted.

    Raises
    ------
    NotFound
        If the project has no such report.
    """
    with resources.sessions.begin() as session:
        report = reports.lock(session, project_id, report_id)
        check(session, report)
        reports.delete(session, project_id, [report.id])
        keys = _erase_job(session, project_id, report.job_id, ids.to_text("report", report.id))
    discard(resources.store, keys)


def delete_job(resources: Resources, project_id: UUID, job_id: UUID, *, check: Check[Job] = accept) -> None:
    """Erase the data of a job that has ended. Its ID, kind, state and times are kept.

    Parameters
    ----------
    check : callable (session, row) -> None
        Function that raises an error if the locked row must not be erased.

    Raises
    ------
    NotFound
        If the project has no such job.
    Conflict
        If the job has not ended, or a dataset, model or report that it created still exists.
    """
    with resources.sessions.begin() as session:
        job = jobs.lock(session, project_id, job_id)
        check(session, job)
        if job.state in jobs.ACTIVE_STATES:
            raise Conflict(
                f"The job is {job.state}. Cancel it, wait until it has ended, then delete it.",
                code="in_use",
            )
        created = _created_by(session, project_id, job_id)
        if created is not None:
            raise Conflict(
                f"The job created {created}, which still exists. Delete {created} first.", code="in_use"
            )
        keys = _erase_job(session, project_id, job_id)
    discard(resources.store, keys)


def delete_project(
    resources: Resources, project_id: UUID, name: str, *, check: Check[Project] = accept
) -> None:
    """Delete all data of a project and revoke its API keys. Only the ID of the project is kept.

    Parameters
    ----------
    name : str
        Name of the project, which confirms that the caller means this project.
    check : callable (session, row) -> None
        Function that raises an error if the locked row must not be deleted.

    Raises
    ------
    Conflict
        If the project has another name.
    NotFound
        If the project does not exist or was deleted.
    """
    with resources.sessions.begin() as session:
        project = projects.get_active(session, project_id, is_locked=True)
        check(session, project)
        if project.name != name:
            raise Conflict(
                "`name` is not the name of the project. Send the name that a GET request for the project "
                "returns."
            )
        erasures.add(session, project_id, {project_prefix(project_id): None})
        keys = erase_project(session, project_id)
    discard(resources.store, keys)


def erase_project(session: Session, project_id: UUID) -> list[str]:
    """Delete or erase all rows of a deleted project. Return the keys of the blobs to delete.

    Its webhooks are erased first, so they receive no events about the deletion.

    `erasure.erase_files` repeats this for a minute because requests that began earlier may add rows. It also
    repeats this until `is_erased` is True because a call deletes a limited number of events and deliveries.
    """
    webhooks.remove_all(session, project_id)
    keys: list[str] = []
    for dataset_id in datasets.uploaded(session, project_id):
        dataset = datasets.lock(session, project_id, dataset_id)
        keys += delete_with_descendants(session, find_descendants(session, project_id, dataset))
    keys += uploads.delete_all(session, project_id)
    for job in jobs.erase_all(session, project_id):
        keys += artifacts.delete_of_jobs(session, project_id, [job.id])
        if job.state in jobs.ACTIVE_STATES:
            jobs.request_cancel(session, project_id, job.id)
    idempotency.delete_all(session, project_id)
    api_keys.revoke_all(session, project_id)
    projects.erase(session, project_id)
    events.delete_some(session, project_id, EVENTS_BATCH)
    usage.delete_unlocked(session, project_id)
    return keys


def is_erased(session: Session, project_id: UUID) -> bool:
    """Return whether a deleted project has no events, no webhooks and no usage."""
    has_events = events.exist(session, project_id)
    has_webhooks = webhooks.count(session, project_id) > 0
    return not (has_events or has_webhooks or usage.exists(session, project_id))


def _created_by(session: Session, project_id: UUID, job_id: UUID) -> str | None:
    """Return the text ID of an existing resource that a job created, if there is one."""
    for noun, find in (("dataset", datasets.of_job), ("model", models.of_job), ("report", reports.of_job)):
        row_id = find(session, project_id, job_id)
        if row_id is not None:
            return ids.to_text(noun, row_id)
    return None


def _erase_job(session: Session, project_id: UUID, job_id: UUID, *text_ids: str) -> list[str]:
    """Erase a job and its shards, and return the keys of the blobs to delete."""
    job_ids = {job_id, *(job.id for job in jobs.erase(session, project_id, [job_id], []))}
    idempotency.erase(session, project_id, [job_id], [ids.to_text("job", job_id), *text_ids])
    erasures.add(session, project_id, {job_prefix(project_id, own): own for own in job_ids})
    return artifacts.delete_of_jobs(session, project_id, job_ids)
