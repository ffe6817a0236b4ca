"""Removal of unreachable data: blobs without a row, and old keys, events and uploads.

`erasure` removes deleted data and temporary files, which must be removed sooner.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import timedelta
from itertools import islice

from understudy.db import (
    artifacts,
    events,
    idempotency,
    job_attempts,
    projects,
    shards,
    uploads,
    usage,
    webhook_deliveries,
    workers,
)
from understudy.errors import Unavailable
from understudy.failpoints import failpoint
from understudy.logs import get_logger
from understudy.resources import Resources
from understudy.services.blob_keys import PREFIX, parse_key, parse_part_key
from understudy.services.results import discard
from understudy.services.turns import Turn, take_turn

WORKERS_KEPT = timedelta(days=1)
# Age after which a blob without a row is an orphan. Storing a blob and committing its row takes much less
# time.
ORPHANS_KEPT = timedelta(hours=1)
# Age after which an interrupted upload of a blob to an object store is aborted. No upload takes that long.
PARTIAL_KEPT = timedelta(hours=24)
BATCH = 1_000

logger = get_logger(__name__)


def sweep_in_turn(resources: Resources, *, every: timedelta) -> int:
    """Remove unreachable data, unless another worker does so or has done so less than `every` ago.

    A pass lists all keys of the store once, in pages. If its worker dies, another worker continues after the
    last page.
    """
    with take_turn(resources, "sweep", every=every) as turn:
        return 0 if turn is None else sweep(resources, turn=turn)


def sweep(resources: Resources, *, orphans_kept: timedelta = ORPHANS_KEPT, turn: Turn | None = None) -> int:
    """Remove unreachable data and return the number of removed blobs. Any process can call it at any time."""
    settings = resources.settings
    with resources.sessions.begin() as session:
        idempotency.delete_older(session, timedelta(seconds=settings.retention_idempotency_seconds))
        workers.forget(session, WORKERS_KEPT)
        uploads_kept = timedelta(seconds=settings.retention_uploads_seconds)
        shards.delete_old(session, uploads_kept)
        # A successful job deletes its upload immediately.
        old_uploads = artifacts.delete_old_uploads(session, uploads_kept)
        old_uploads += uploads.delete_expired(session, limit=BATCH)
    _compact_usage(resources)
    discard(resources.store, old_uploads)
    _delete_partial(resources)
    n_orphans = _sweep_orphans(resources, orphans_kept, turn)
    if n_orphans or old_uploads:
        logger.info("swept", n_orphans=n_orphans, n_uploads=len(old_uploads))
    _end_deliveries(resources)
    # This is the last step because it can take a long time.
    _delete_events(resources)
    return n_orphans + len(old_uploads)


def _end_deliveries(resources: Resources) -> None:
    """Mark deliveries as failed that were added while their webhook was being disabled."""
    n_ended = webhook_deliveries.BATCH
    while n_ended == webhook_deliveries.BATCH:
        with resources.sessions.begin() as session:
            n_ended = webhook_deliveries.end_some(session)


def _compact_usage(resources: Resources) -> None:
    """Add up the usage by day."""
    n_moved = BATCH
    while n_moved == BATCH:
        with resources.sessions.begin() as session:
            n_moved = usage.compact(session, BATCH)


def _delete_events(resources: Resources) -> None:
    """Delete old events in small transactions because each event may have deliveries."""
    age = timedelta(seconds=resources.settings.retention_events_seconds)
    n_deleted = BATCH
    while n_deleted == BATCH:
        with resources.sessions.begin() as session:
            n_deleted = events.delete_older(session, age, BATCH)


def _delete_partial(resources: Resources) -> None:
    try:
        resources.store.delete_partial(PREFIX, PARTIAL_KEPT)
    except Unavailable as error:
        logger.warning("partial_blobs_not_deleted", error_code=error.code)


def _sweep_orphans(resources: Resources, kept: timedelta, turn: Turn | None) -> int:
    keys = resources.store.keys(PREFIX, after="" if turn is None else turn.position)
    n_orphans = 0
    while batch := list(islice(keys, BATCH)):
        orphans = _orphans_among(resources, batch, kept) + _orphaned_parts(resources, batch, kept)
        failpoint("sweep.before_unlink")
        discard(resources.store, orphans)
        n_orphans += len(orphans)
        if turn is not None and not turn.keep(batch[-1]):
            break
    return n_orphans


def _orphans_among(resources: Resources, keys: Iterable[str], kept: timedelta) -> list[str]:
    """Return the keys that no artifact row contains and that no attempt or upload can still add.

    Blobs of unknown projects are kept because they may belong to another installation, or the store may
    belong to another database.
    """
    parts = {key: part for key in keys if (part := parse_key(key)) is not None}
    with resources.sessions() as session:
        known = artifacts.known_keys(session, parts)
        project_ids = {project.id for project in projects.all_of_them(session)}
        live = job_attempts.in_use(session, {part.token for part in parts.values()}, kept)
    made_before = time.time() - kept.total_seconds()
    return [
        key
        for key, part in parts.items()
        if key not in known
        and part.project_id in project_ids
        and part.token not in live
        # The job ID contains the time of the upload, because the ID is generated just before the blob is
        # stored.
        and (part.token != 0 or _seconds_of(part.job_id.int) < made_before)
    ]


def _orphaned_parts(resources: Resources, keys: Iterable[str], kept: timedelta) -> list[str]:
    """Return the keys of upload parts that no row contains, except recent parts and unknown projects."""
    parts = {key: part for key in keys if (part := parse_part_key(key)) is not None}
    if not parts:
        return []
    with resources.sessions() as session:
        # The order is important: a part that becomes an artifact between the two queries is in the first
        # result.
        known = uploads.known_keys(session, parts) | artifacts.known_keys(session, parts)
        project_ids = {project.id for project in projects.all_of_them(session)}
    made_before = time.time() - kept.total_seconds()
    return [
        key
        for key, part in parts.items()
        if key not in known and part.project_id in project_ids and _seconds_of(part.blob_id.int) < made_before
    ]


def _seconds_of(uuid7: int) -> float:
    return (uuid7 >> 80) / 1000
