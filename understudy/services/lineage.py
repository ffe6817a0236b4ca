"""Descendants of datasets and models, which are found, locked and deleted together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy.orm import Session

from understudy import ids
from understudy.db import (
    artifacts,
    datasets,
    erasures,
    idempotency,
    jobs,
    models,
    planned_results,
    reports,
    uploads,
)
from understudy.errors import Conflict
from understudy.services.blob_keys import job_prefix, upload_prefix

if TYPE_CHECKING:
    from understudy.db.orm import Dataset, Job, Model, Report

LISTED_MAX = 20


@dataclass
class Descendants:
    """A dataset or model with all its descendants, in order of derivation, and their reports and jobs.

    Every member comes after the members that it was derived from.
    """

    project_id: UUID
    members: list[Dataset | Model] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)

    def without_head(self) -> list[str]:
        """Return the text IDs of everything except the first member and the job that creates it."""
        own_job_id = self.members[0].job_id
        return [
            *(_text_id(member) for member in self.members[1:]),
            *(ids.to_text("report", report.id) for report in self.reports),
            *(ids.to_text("job", job.id) for job in self.jobs if job.id != own_job_id),
        ]


def find_descendants(session: Session, project_id: UUID, head: Dataset | Model) -> Descendants:
    """Return a locked dataset or model and all its descendants, after locking the descendants.

    The locks prevent jobs that are about to finish from adding descendants before the transaction ends.
    """
    descendants = Descendants(project_id)
    generation = [head]
    while generation:
        # An imputed dataset can be in several generations. It must come after all its ancestors.
        descendants.members = [
            member for member in descendants.members if member not in generation
        ] + generation
        generation = _derived(session, project_id, generation)
    dataset_ids = [member.id for member in descendants.members if _is_dataset(member)]
    descendants.reports = reports.about(session, project_id, dataset_ids)
    descendants.jobs = jobs.active_on(
        session, project_id, [_text_id(member) for member in descendants.members]
    )
    return descendants


def check_no_descendants(descendants: Descendants) -> None:
    """Raise `Conflict` with a list of the descendants if there are any."""
    others = descendants.without_head()
    if not others:
        return
    listed = ", ".join(others[:LISTED_MAX]) + (", …" if len(others) > LISTED_MAX else "")
    raise Conflict(
        f"{_text_id(descendants.members[0])} is still needed by {listed}. Delete these resources first, or "
        "repeat the request with cascade=true if the operation supports it.",
        code="in_use",
    )


def delete_with_descendants(session: Session, descendants: Descendants) -> list[str]:
    """Delete all rows, and erase all jobs. Return the keys of the blobs to delete after the commit.

    `erasure.erase_files` deletes the blobs that cannot be deleted then or that a job has yet to store.
    """
    project_id = descendants.project_id
    job_ids = [row.job_id for row in (*descendants.members, *descendants.reports)]
    dataset_ids = [member.id for member in descendants.members if _is_dataset(member)]
    upload_ids = uploads.of_datasets(session, project_id, dataset_ids)
    keys = artifacts.delete_of_jobs(session, project_id, job_ids)
    reports.delete(session, project_id, [report.id for report in descendants.reports])
    for member in reversed(descendants.members):
        (datasets if _is_dataset(member) else models).delete(session, project_id, [member.id])
    erased = jobs.erase(session, project_id, job_ids, [_text_id(member) for member in descendants.members])
    # Jobs of a pipeline refer to results that do not exist yet.
    stages = erased
    while texts := planned_results.text_ids_of(job.planned_id for job in stages):
        stages = jobs.erase(session, project_id, [], texts)
        erased += stages
    for job in erased:
        if job.state in jobs.ACTIVE_STATES:
            jobs.request_cancel(session, project_id, job.id)
    # Shards still have files if their job has not succeeded.
    keys += artifacts.delete_of_jobs(
        session, project_id, [job.id for job in erased if job.parent_id is not None]
    )
    text_ids = [
        *(_text_id(member) for member in descendants.members),
        *(ids.to_text("report", report.id) for report in descendants.reports),
        *(ids.to_text("upload", upload_id) for upload_id in upload_ids),
        *(ids.to_text("job", job.id) for job in erased),
    ]
    idempotency.erase(session, project_id, [job.id for job in erased], text_ids)
    prefixes = {job_prefix(project_id, job.id): job.id for job in erased}
    uploaded = dict.fromkeys(upload_prefix(project_id, upload_id) for upload_id in upload_ids)
    # Old shards no longer have rows, but their files are parts of a sample.
    known = (*prefixes, *uploaded)
    others = {f"{key.rpartition('/')[0]}/": None for key in keys if not key.startswith(known)}
    erasures.add(session, project_id, {**prefixes, **uploaded, **others})
    return keys


def _derived(
    session: Session, project_id: UUID, generation: Iterable[Dataset | Model]
) -> list[Dataset | Model]:
    dataset_ids = [member.id for member in generation if _is_dataset(member)]
    model_ids = [member.id for member in generation if not _is_dataset(member)]
    return [
        *models.trained_on(session, project_id, dataset_ids),
        *datasets.made_from(session, project_id, model_ids=model_ids, dataset_ids=dataset_ids),
    ]


def _is_dataset(member: Dataset | Model) -> bool:
    return member.__tablename__ == "datasets"


def _text_id(member: Dataset | Model) -> str:
    return ids.to_text("dataset" if _is_dataset(member) else "model", member.id)
