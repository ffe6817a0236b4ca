"""Storage of the result files of a job. The files are complete on disk before any row refers to them."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from understudy.errors import UnderstudyError
from understudy.job_kinds.base import StoredFile
from understudy.logs import get_logger
from understudy.resources import Resources
from understudy.services.blob_keys import KeyParts, make_key
from understudy.storage import Store

logger = get_logger(__name__)


@dataclass(frozen=True)
class Result:
    """The result of a job: stored files by role, and facts as JSON."""

    files: Mapping[str, StoredFile]
    facts: dict[str, Any]


def store_result(resources: Resources, attempt: KeyParts, folder: Path, result: dict[str, Any]) -> Result:
    """Move the result files of an attempt to the store. If one file cannot be stored, delete the others.

    Raises
    ------
    StorageFull, Unavailable
        If the files cannot be stored now.
    UnderstudyError
        With the code `internal_error`, if a result is not a regular file in the work's folder.
    """
    stored: dict[str, StoredFile] = {}
    try:
        for role, name in result.get("files", {}).items():
            key = make_key(
                attempt.project_id, attempt.job_id, attempt.token, role, PurePosixPath(name).suffix
            )
            stored[role] = _store_file(resources.store, key, _plain_file(folder, name))
    except BaseException:
        discard(resources.store, keys_of(stored))
        raise
    return Result(stored, result.get("facts", {}))


def keys_of(files: Mapping[str, StoredFile]) -> list[str]:
    """Return the keys of stored files."""
    return [file.storage_key for file in files.values()]


def discard(store: Store, keys: Iterable[str]) -> None:
    """Delete blobs without a row. The sweep later removes blobs that cannot be deleted now."""
    try:
        for key in keys:
            store.delete(key)
    except UnderstudyError as error:
        logger.warning("blobs_not_deleted", error_code=error.code)


def _store_file(store: Store, key: str, path: Path) -> StoredFile:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
        size_bytes = os.fstat(file.fileno()).st_size
        # The sandbox may have another user ID, which must not own a stored file.
        os.fchown(file.fileno(), os.geteuid(), os.getegid())
    store.put_file(key, path)
    return StoredFile(storage_key=key, sha256=digest.digest(), size_bytes=size_bytes)


def _plain_file(folder: Path, name: str) -> Path:
    """Return the path of a result file, and reject names that lead out of the work's folder."""
    path = folder / name
    if Path(name).name != name or not path.exists() or not stat.S_ISREG(path.lstat().st_mode):
        raise UnderstudyError(
            "A result file of the job is missing or is not a regular file in the job's folder. Retry the job."
        )
    return path
