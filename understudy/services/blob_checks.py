"""Search for artifacts with missing or wrongly sized blobs, for example after a file system error."""

from __future__ import annotations

import random
from dataclasses import dataclass
from uuid import UUID

from understudy import ids
from understudy.db import artifacts
from understudy.db.artifacts import StoredArtifact
from understudy.errors import NotFound
from understudy.logs import get_logger
from understudy.resources import Resources
from understudy.storage import Store

BATCH = 500

logger = get_logger(__name__)


@dataclass(frozen=True)
class BlobCheck:
    """The number of checked artifacts, and the job ID and role of each damaged artifact."""

    n_checked: int
    damaged: tuple[tuple[str, str], ...]


def check_all_blobs(resources: Resources) -> BlobCheck:
    """Check the blobs of all artifacts. Their content is not read: jobs and downloads compare checksums."""
    n_checked, after = 0, UUID(int=0)
    damaged: list[tuple[str, str]] = []
    while batch := _read(resources, after):
        n_checked += len(batch)
        damaged += _damaged_among(resources, batch)
        after = batch[-1].id
    return BlobCheck(n_checked, tuple(damaged))


def check_some_blobs(resources: Resources, rng: random.Random) -> BlobCheck:
    """Check a batch of artifacts that begins at a random artifact, and log an error for each damaged blob."""
    with resources.read_sessions() as session:
        first, last = artifacts.id_range(session)
    if first is None or last is None:
        return BlobCheck(0, ())
    batch = _read(resources, UUID(int=rng.randint(first.int - 1, last.int - 1)))
    if len(batch) < BATCH:
        # Continue with the oldest artifacts.
        batch = list(dict.fromkeys((*batch, *_read(resources, UUID(int=0)))))[:BATCH]
    check = BlobCheck(len(batch), tuple(_damaged_among(resources, batch)))
    for job_id, role in check.damaged:
        logger.error("blob_damaged", job_id=job_id, role=role)
    return check


def _read(resources: Resources, after: UUID) -> list[StoredArtifact]:
    with resources.read_sessions() as session:
        return artifacts.batch(session, after, BATCH)


def _damaged_among(resources: Resources, batch: list[StoredArtifact]) -> list[tuple[str, str]]:
    suspects = [row for row in batch if not _is_stored(resources.store, row)]
    if not suspects:
        return []
    with resources.read_sessions() as session:
        # A deletion removes the row before the blob.
        known = artifacts.known_keys(session, [row.storage_key for row in suspects])
    return [(ids.to_text("job", row.job_id), row.role) for row in suspects if row.storage_key in known]


def _is_stored(store: Store, row: StoredArtifact) -> bool:
    try:
        return store.size(row.storage_key) == row.size_bytes
    except NotFound:
        return False
