"""Storage of the result files of a job. The files are complete on disk before any row refers to them."""

from __future__ import annotations

import hashlib
import os
import re
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

# Names of roles and of result files, such as `table-2` and `table-2.parquet`.
ROLE = re.compile(r"[a-z][a-z0-9_-]{0,63}", re.ASCII)
FILE_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,100}(\.[a-z0-9]{1,16})*", re.ASCII)
N_FILES_MAX = 10_000

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
        With the code `internal_error`, if the result is malformed, or if a file is not a regular file in the
        work's folder. Hostile input may control the process that names them.
    """
    files, facts = result.get("files", {}), result.get("facts", {})
    if not isinstance(facts, dict) or not _are_names(files):
        raise UnderstudyError("The result of the job is malformed. Retry the job.")
    stored: dict[str, StoredFile] = {}
    try:
        for role, name in files.items():
            key = make_key(
                attempt.project_id, attempt.job_id, attempt.token, role, PurePosixPath(name).suffix
            )
            stored[role] = _store_file(resources.store, key, _plain_file(folder, name))
    except BaseException:
        discard(resources.store, keys_of(stored))
        raise
    return Result(stored, facts)


def _are_names(files: object) -> bool:
    """Return whether all roles and file names are valid parts of a storage key."""
    return (
        isinstance(files, dict)
        and len(files) <= N_FILES_MAX
        and all(ROLE.fullmatch(role) for role in files)
        and all(isinstance(name, str) and FILE_NAME.fullmatch(name) for name in files.values())
    )


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
        # The file may belong to the user ID of the sandbox, and the sandbox chose its mode.
        os.fchown(file.fileno(), os.geteuid(), os.getegid())
        os.fchmod(file.fileno(), 0o600)
    store.put_file(key, path)
    return StoredFile(storage_key=key, sha256=digest.digest(), size_bytes=size_bytes)


def _plain_file(folder: Path, name: str) -> Path:
    """Return the path of a result file, and reject names that point outside the work folder."""
    path = folder / name
    if Path(name).name != name or not path.exists() or not stat.S_ISREG(path.lstat().st_mode):
        raise UnderstudyError(
            "A result file of the job is missing or is not a regular file in the job's folder. Retry the job."
        )
    return path
