"""F22, F23: a disk that a running `understudy serve` uses is full."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.faults.callers import Callers, is_normal
from tests.faults.disks import keep_full, mount_disk, unmount_disk
from tests.faults.invariants import Recovery
from tests.faults.servers import move_wal
from tests.faults.stack import MODES, SECRET_KEY, Stack
from tests.integration.test_embedded import Serve, serve, stop
from understudy.embedded.running import settings_of_stack
from understudy.embedded.servers import PrivatePostgres
from understudy.errors import Unavailable

pytestmark = [pytest.mark.stack, pytest.mark.complete]

# Time in seconds that each disk stays full. The service must tolerate 600 s.
FULL_SECONDS = float(os.environ.get("FULL_DISK_SECONDS", "10"))
NORMAL_SECONDS = 30
# With this pause, some jobs are queued while a disk is full, but too few to delay the end of the test.
PAUSE_SECONDS = max(1.0, FULL_SECONDS / 60)
N_CALLERS = 3
# The folder on the small disk, relative to the data folder, and the size of the disk in MiB.
DISKS = {"data": ("", 384), "blobs": ("blobs", 32), "wal": ("wal", 96), "logs": ("logs", 8)}
# Short leases let the workers rescue lost jobs quickly.
SETTINGS = {"LEASE_SECONDS": "3", "HEARTBEAT_SECONDS": "0.5", "RESCUE_SECONDS": "0.5", "RING_SECONDS": "0.5"}


@pytest.fixture(scope="module", params=list(DISKS))
def disk(
    mode: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """Mount a small disk in a new data folder for each mode."""
    data = tmp_path_factory.mktemp("full") / "data"
    folder, mebibytes = DISKS[request.param]
    if not mount_disk(data / folder, mebibytes):
        pytest.skip("Only root can mount a disk.")
    if request.param == "wal":
        postgres = PrivatePostgres(data / "postgres")
        postgres.start()
        postgres.stop()
        move_wal(data / "postgres" / "data" / "pg_wal", data / folder)
    yield data / folder
    unmount_disk(data / folder)


@pytest.fixture(scope="module")
def data(disk: Path) -> Path:
    """Return the data folder of the stack."""
    return next(path for path in (disk, disk.parent) if path.name == "data")


@pytest.fixture(scope="module")
def running(mode: str, data: Path) -> Iterator[Serve]:
    """Run `understudy serve` in the data folder."""
    settings = {f"UNDERSTUDY_{name}": value for name, value in SETTINGS.items()}
    settings |= {"UNDERSTUDY_SECRET_KEY": SECRET_KEY}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.items():
            patch.setenv(name, value)
        running = serve(data, *(["--no-broker"] if mode == "none" else []))
    yield running
    stop(running)


@pytest.fixture(scope="module")
def stack(mode: str, running: Serve, data: Path, valkey: str) -> Iterator[Stack]:
    """Open a stack that uses the servers of `understudy serve`."""
    urls = {name: secret.get_secret_value() for name, secret in settings_of_stack(data).items()}
    broker_url = valkey if mode == "none" else urls["redis_url"]
    stack = Stack(urls["database_url"], broker_url, data.parent, MODES[mode])
    yield stack
    stack.close()


def test_full_disk_fails_no_job(stack: Stack, running: Serve, disk: Path) -> None:
    port = int((running.folder / "url").read_text().rpartition(":")[2])
    clients = [stack.client(port) for _ in range(N_CALLERS + 1)]
    api = running.part("API")
    with Callers(clients[1:], api.pid, PAUSE_SECONDS, float("inf")) as findings:
        Recovery(NORMAL_SECONDS).wait(lambda: len(findings.job_of_key) > N_CALLERS, "requests succeed")
        # The first jobs wait until the worker has imported its modules.
        Recovery(NORMAL_SECONDS).wait(lambda: is_normal(clients[0], findings), "jobs succeed")
        keep_full(disk, FULL_SECONDS, lambda: use_disk(stack, running))
        recovery = Recovery(NORMAL_SECONDS)
        seconds = recovery.wait(lambda: is_normal(clients[0], findings), "requests and jobs succeed")
    # `pytest -rP` prints these figures.
    sys.stdout.write(f"{FULL_SECONDS:.0f} s: {findings}; normal after {seconds:.1f} s\n")

    assert not findings.faults, findings.faults
    # Requests need no space on the disk of the logs. Requests fail while any other disk is full.
    assert (findings.statuses[503] + findings.statuses[507] > 0) == (disk.name != "logs")
    assert {job["state"] for job in clients[0].finish(*findings.job_of_key.values())} == {"succeeded"}
    assert stack.rows("select count(*) from jobs where state = 'failed'")[0][0] == 0
    assert stack.rows("select count(*) from jobs")[0][0] == len(findings.job_of_key)
    assert running.process.poll() is None
    assert running.part("API").pid == api.pid


def use_disk(stack: Stack, running: Serve) -> bool:
    """Start a new file of the write-ahead log, and return whether the supervisor is running."""
    with suppress(Unavailable), stack.resources.sessions.begin() as session:
        session.execute(text("select pg_logical_emit_message(false, 'test', 'x'), pg_switch_wal()"))
    return running.process.poll() is None
