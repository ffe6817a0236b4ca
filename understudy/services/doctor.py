"""Checks of an installation, each with its remedy. `understudy doctor` prints them."""

from __future__ import annotations

import os
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from sqlalchemy.orm import Session

from understudy.db import server, workers
from understudy.db.revision import check_revision
from understudy.errors import UnderstudyError
from understudy.resources import Resources
from understudy.sandbox.walls import find_walls
from understudy.services.disks import find_disk_problem, free_bytes
from understudy.services.findings import Finding
from understudy.services.object_store_findings import SKEW_SECONDS_MAX, object_store_findings
from understudy.services.rescue import WORKER_SILENT_AFTER
from understudy.storage.local import LocalStore

# Minimum free space of a disk in bytes, for the files of a few jobs.
FREE_BYTES_MIN = 2 << 30
PROBE_BYTES = 1 << 20
KEY_FILES = ("secret-key", "api-key", "postgres/password", "valkey/password", "valkey/valkey.conf")


def diagnose(resources: Resources) -> list[Finding]:
    """Return the findings of all checks. The finding to solve first comes first."""
    findings: list[Finding] = []
    for check in (_database, _broker, _storage, object_store_findings, _disks, _walls, _workers, _key_files):
        findings += check(resources)
    return findings


def _database(resources: Resources) -> Iterator[Finding]:
    try:
        with resources.sessions() as session:
            yield Finding("database", f"PostgreSQL {server.version(session)} responds.")
            yield _checked("migrations", lambda: check_revision(session), "The schema is up to date.")
            yield _clock(session)
    except UnderstudyError as error:
        remedy = "Start PostgreSQL, and check UNDERSTUDY_DATABASE_URL."
        yield Finding("database", error.detail, is_fault=True, remedy=remedy)


def _checked(check: str, run: Callable[[], object], good: str) -> Finding:
    try:
        run()
    except UnderstudyError as error:
        return Finding(check, error.detail, is_fault=True, remedy="Run `understudy migrate`.")
    return Finding(check, good)


def _clock(session: Session) -> Finding:
    before = time.time()
    skew = server.clock_seconds(session) - (before + time.time()) / 2
    detail = f"The clock of the database differs by {abs(skew):.1f} s."
    if abs(skew) <= SKEW_SECONDS_MAX:
        return Finding("clock", detail)
    remedy = "Synchronize the clocks of both machines, for example with chrony."
    return Finding("clock", detail, remedy=remedy)


def _broker(resources: Resources) -> Iterator[Finding]:
    if resources.queue.is_reachable():
        yield Finding("broker", "The broker responds.")
    else:
        remedy = "Start Valkey, and check UNDERSTUDY_REDIS_URL. Until then, jobs start up to 30 s late."
        yield Finding("broker", "The broker does not respond.", is_fault=True, remedy=remedy)


def _storage(resources: Resources) -> Iterator[Finding]:
    for name, folder in _folders(resources).items():
        try:
            _write_file(folder)
        except OSError as error:
            remedy = f"Make {folder} writable for the account of the service, or choose another folder."
            yield Finding(name, f"{folder}: {os.strerror(error.errno or 0)}", is_fault=True, remedy=remedy)
        else:
            yield Finding(name, f"{folder} is writable, and files can be synced and renamed.")


def _folders(resources: Resources) -> dict[str, Path]:
    folders = {"scratch": resources.scratch_folder, "temporary files": Path(tempfile.gettempdir())}
    if isinstance(resources.store, LocalStore):
        folders = {"storage": resources.store.incoming.root, **folders}
    return folders


def _write_file(folder: Path) -> None:
    """Write, sync and rename a file as the blob store does, then delete it."""
    with tempfile.TemporaryDirectory(dir=folder, prefix=".doctor-") as place:
        source, target = Path(place) / "source", Path(place) / "target"
        with source.open("wb") as file:
            file.write(bytes(PROBE_BYTES))
            file.flush()
            os.fsync(file.fileno())
        source.rename(target)
        os.link(target, source)
        directory = os.open(place, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


def _disks(resources: Resources) -> Iterator[Finding]:
    problem = find_disk_problem(resources)
    if problem is not None:
        remedy = "Free some disk space. Workers then continue automatically."
        yield Finding("disk space", problem, is_fault=True, remedy=remedy)
    for name, n_bytes in free_bytes(resources).items():
        detail = f"{n_bytes / (1 << 30):.1f} GiB are free for {name} files."
        is_low = n_bytes < FREE_BYTES_MIN
        advice = "Free disk space, or delete datasets and models." if is_low else None
        yield Finding("disk space", detail, remedy=advice)


def _walls(resources: Resources) -> Iterator[Finding]:
    missing = find_walls().missing()
    for sentence in missing:
        remedy = "Use another kernel or container runtime (docs/explanation/reliability.md#sandbox)."
        yield Finding("sandbox", sentence, remedy=remedy)
    if not missing:
        yield Finding("sandbox", "The kernel provides all mechanisms of the sandbox.")


def _workers(resources: Resources) -> Iterator[Finding]:
    try:
        with resources.sessions() as session:
            n_slots = workers.count_slots(session, WORKER_SILENT_AFTER)
    except UnderstudyError:
        return
    if n_slots:
        yield Finding("workers", f"Workers can run {n_slots} jobs at once.")
    else:
        remedy = "Start a worker with `understudy worker`, or check the log of the running worker."
        yield Finding("workers", "No worker accepts jobs.", is_fault=True, remedy=remedy)


def _key_files(resources: Resources) -> Iterator[Finding]:
    """Check the files of the embedded stack that contain secrets."""
    folder = resources.settings.data_dir
    for name in KEY_FILES:
        file = folder / name
        try:
            mode = stat.S_IMODE(file.stat().st_mode)
        except OSError:
            continue
        if mode & 0o077:
            remedy = f"Run `chmod 600 {file}`, and replace the key if others may have read it."
            detail = f"Other accounts can access {file} (mode {mode:o})."
            yield Finding("key files", detail, is_fault=True, remedy=remedy)
        else:
            yield Finding("key files", f"Only its owner can read {file}.")
