"""Durable Postgres and Valkey servers for tests that stop or freeze them, or fill their disks."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.faults.disks import mount_disk, unmount_disk
from tests.faults.workers import until
from understudy.embedded.servers import PrivatePostgres, PrivateValkey

WAL_MEBIBYTES = 96


@dataclass
class Servers:
    """A durable Postgres server and a Valkey server that tests can stop.

    `wal` is the small disk of the write-ahead log, or None if no disk can be mounted.
    """

    postgres: PrivatePostgres
    valkey: PrivateValkey
    wal: Path | None

    def kill(
        self, *servers: PrivatePostgres | PrivateValkey, number: signal.Signals = signal.SIGKILL
    ) -> None:
        """Send a signal to servers and wait until they have ended."""
        for server in servers:
            os.kill(server.pid, number)
        for server in servers:
            until(lambda server=server: not server.is_running(), "the server has ended")

    def start_again(self, pause_seconds: float = 0) -> None:
        """After a pause, start the servers that have ended."""
        time.sleep(pause_seconds)
        for server in (self.postgres, self.valkey):
            if not server.is_running():
                server.start()


@contextmanager
def open_servers(folder: Path) -> Iterator[Servers]:
    """Start the servers, with the write-ahead log on a small disk if a disk can be mounted."""
    postgres, valkey = PrivatePostgres(folder / "postgres"), PrivateValkey(folder / "valkey")
    postgres.start()
    wal = move_wal_to_small_disk(postgres, folder)
    valkey.start()
    yield Servers(postgres, valkey, wal)
    postgres.stop()
    valkey.stop()
    if wal is not None:
        unmount_disk(wal)


def move_wal_to_small_disk(postgres: PrivatePostgres, folder: Path) -> Path | None:
    """Move the write-ahead log to a small disk, and return its folder, or None if no disk can be mounted."""
    postgres.stop()
    wal = folder / "wal"
    try:
        if not mount_disk(wal, WAL_MEBIBYTES):
            return None
        move_wal(folder / "postgres" / "data" / "pg_wal", wal)
        return wal
    finally:
        postgres.start()


def move_wal(folder: Path, disk: Path) -> None:
    """Move the write-ahead log of a stopped server to a disk, and replace its folder with a symbolic link."""
    status = folder.stat()
    shutil.copytree(folder, disk / folder.name)
    shutil.rmtree(folder)
    folder.symlink_to(disk / folder.name)
    for path in (disk, *disk.rglob("*")):
        os.chown(path, status.st_uid, status.st_gid)
        path.chmod(0o700 if path.is_dir() else 0o600)
