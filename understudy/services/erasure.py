"""Deletion of the files of deleted resources, which is repeated until no file is left."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from understudy import ids
from understudy.db import erasures, idempotency, job_attempts
from understudy.db.erasures import Pending
from understudy.errors import UnderstudyError
from understudy.failpoints import failpoint
from understudy.folder_removal import remove_folder
from understudy.logs import get_logger
from understudy.process_folders import remove_abandoned
from understudy.resources import Resources
from understudy.services.blob_keys import project_prefix
from understudy.services.deletion import erase_project, is_erased
from understudy.services.turns import Turn, take_turn

# An erasure is repeated for this time, so that it also finds blobs that a process was storing when it died.
ERASURES_KEPT = timedelta(seconds=60)
# Age after which staged files are removed even if their process is alive or unknown.
STAGED_KEPT = timedelta(hours=24)
BATCH = 500

logger = get_logger(__name__)


def erase_files(resources: Resources, *, kept: timedelta = ERASURES_KEPT) -> int:
    """Delete the blobs of erased jobs and uploads, and the temporary files of ended attempts and processes.

    The function returns the number of deleted blobs.
    """
    remove_temporary_files(resources)
    return _erase_blobs(resources, kept, None)


def erase_in_turn(resources: Resources) -> int:
    """Erase files as `erase_files` does, but delete blobs only if no other worker is doing so.

    Every worker calls this function every few seconds.
    """
    remove_temporary_files(resources)
    with take_turn(resources, "erasure") as turn:
        return 0 if turn is None else _erase_blobs(resources, ERASURES_KEPT, turn)


def remove_temporary_files(resources: Resources) -> None:
    """Remove the folders of ended attempts and processes on this machine."""
    _remove_attempts(resources)
    remove_abandoned(resources.staging.root, STAGED_KEPT.total_seconds())


def _erase_blobs(resources: Resources, kept: timedelta, turn: Turn | None) -> int:
    n_deleted, after = 0, ""
    while True:
        with resources.sessions() as session:
            batch = erasures.pending(session, kept=kept, after=after, limit=BATCH)
        if not batch:
            return n_deleted
        unfinished = _erase_projects(resources, batch)
        _erase_late_responses(resources, batch)
        counts = []
        for erasure in batch:
            counts.append(_delete_blobs(resources, erasure))
            # An interrupted pass starts again because each erasure is repeated anyway.
            if turn is not None and not turn.keep(""):
                return n_deleted
        completed = [
            erasure.prefix
            for erasure, count in zip(batch, counts, strict=True)
            if erasure.is_final and count is not None and erasure.prefix not in unfinished
        ]
        if completed:
            with resources.sessions.begin() as session:
                erasures.remove(session, completed)
        n_deleted += sum(count or 0 for count in counts)
        after = batch[-1].prefix


def _erase_projects(resources: Resources, batch: Iterable[Pending]) -> set[str]:
    """Erase the rows that requests added while their project was being deleted.

    Return the prefixes of the projects that still have events or webhooks.
    """
    unfinished = set()
    for erasure in batch:
        if erasure.prefix == project_prefix(erasure.project_id):
            with resources.sessions.begin() as session:
                # The blobs of these rows are under the project's prefix.
                erase_project(session, erasure.project_id)
                if not is_erased(session, erasure.project_id):
                    unfinished.add(erasure.prefix)
    return unfinished


def _erase_late_responses(resources: Resources, batch: Iterable[Pending]) -> None:
    """Erase the responses that requests stored while the jobs in the responses were being erased."""
    job_ids: dict[UUID, list[UUID]] = {}
    for erasure in batch:
        if erasure.job_id is not None:
            job_ids.setdefault(erasure.project_id, []).append(erasure.job_id)
    with resources.sessions.begin() as session:
        for project_id, erased in job_ids.items():
            text_ids = [ids.to_text("job", job_id) for job_id in erased]
            idempotency.erase(session, project_id, erased, text_ids)


def _delete_blobs(resources: Resources, erasure: Pending) -> int | None:
    """Return the number of deleted blobs, or None if some of them could not be deleted."""
    try:
        keys = list(resources.store.keys(erasure.prefix))
        for key in keys:
            failpoint("erase.before_unlink")
            resources.store.delete(key)
        resources.store.delete_partial(erasure.prefix, timedelta(0))
    except UnderstudyError as error:
        logger.warning("blobs_not_erased", error_code=error.code)
        return None
    return len(keys)


def _remove_attempts(resources: Resources) -> None:
    """Remove the folders that ended or lost attempts left behind."""
    folders = {int(path.name): path for path in resources.scratch_folder.iterdir() if path.name.isdecimal()}
    with resources.sessions() as session:
        running = job_attempts.running(session, folders)
    for token, path in folders.items():
        if token not in running:
            try:
                remove_folder(path)
            except OSError as error:
                # The next pass tries again. Blobs are erased regardless.
                logger.warning("attempt_not_removed", token=token, errno=error.errno)
