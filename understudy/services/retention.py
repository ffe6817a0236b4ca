"""Delete data after its retention period ends. If several periods apply, the one that ends first counts.

A deletion includes everything that was derived from the data, like a request with `cascade=true`. If it is
interrupted, the next call repeats it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from understudy.db import retention
from understudy.errors import NotFound
from understudy.logs import get_logger
from understudy.resources import Resources
from understudy.services.datasets import delete_dataset
from understudy.services.models import delete_model

BATCH = 100

logger = get_logger(__name__)

Find = Callable[[Session, timedelta, int], list[retention.Owned]]


def delete_expired(resources: Resources) -> int:
    """Delete expired data in all projects, and return the number of deleted resources.

    Any process can call this function at any time. One call deletes a limited number of resources.
    """
    settings = resources.settings
    n_deleted = 0
    for find, delete, seconds in (
        (retention.old_uploaded_datasets, delete_dataset, settings.retention_datasets_seconds),
        (retention.old_generated_datasets, delete_dataset, settings.retention_results_seconds),
        (retention.old_models, delete_model, settings.retention_results_seconds),
    ):
        if seconds is not None:
            n_deleted += _delete(resources, find, delete, timedelta(seconds=seconds))
    n_jobs = _delete_jobs(resources)
    if n_deleted or n_jobs:
        logger.info("data_expired", n_resources=n_deleted, n_jobs=n_jobs)
    return n_deleted + n_jobs


def _delete(resources: Resources, find: Find, delete: Callable[..., None], age: timedelta) -> int:
    with resources.sessions() as session:
        expired = find(session, age, BATCH)
    return sum(_delete_one(resources, delete, project_id, row_id) for project_id, row_id in expired)


def _delete_one(resources: Resources, delete: Callable[..., None], project_id: UUID, row_id: UUID) -> bool:
    try:
        delete(resources, project_id, row_id, cascade=True)
    except NotFound:
        # The resource was derived from data that has just been deleted, or another process has deleted it.
        return False
    return True


def _delete_jobs(resources: Resources) -> int:
    seconds = resources.settings.retention_jobs_seconds
    if seconds is None:
        return 0
    with resources.sessions.begin() as session:
        return retention.delete_old_jobs(session, timedelta(seconds=seconds), BATCH)
