"""Tests for worker properties that do not require a running worker."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from understudy.job_queue import QUEUE_NAME, TASK_NAME
from workers.celery_app import app
from workers.drain import Drain
from workers.timers import Timers

ENOUGH_SECONDS = 60.0


def test_task_has_the_name_that_the_doorbell_sends():
    app.loader.import_default_modules()
    names = [name for name in app.tasks if not name.startswith("celery.")]
    assert names == [TASK_NAME]
    assert app.conf.task_default_queue == QUEUE_NAME


def test_celery_stores_no_results_and_accepts_no_pickle():
    conf = app.conf
    assert (conf.task_acks_late, conf.task_ignore_result, conf.result_backend) == (False, True, None)
    assert (conf.accept_content, conf.task_serializer) == (["json"], "json")


def test_drain_is_not_over_before_it_begins():
    drain = Drain()
    assert not drain.has_begun
    assert not drain.is_over()


def test_drain_is_over_after_its_deadline():
    drain = Drain()
    drain.begin(3600)
    assert drain.has_begun
    assert not drain.is_over()
    drain.begin(0)
    assert drain.is_over()


WORKER_COMMANDS = {
    "understudy worker": ("-m", "understudy.cli", "worker"),
    "celery worker": ("-m", "celery", "-A", "workers.celery_app", "worker"),
}
WITHOUT_LANDLOCK = """
import errno, os, sys
from understudy.sandbox import confinement, seccomp
landlock_create_ruleset = 444
confinement.forbid_new_privileges()
seccomp.install([
    (seccomp.LOAD, 0, 0, seccomp.NUMBER),
    (seccomp.EQUAL, 0, 1, landlock_create_ruleset),
    (seccomp.RETURN, 0, 0, seccomp.RETURN_ERRNO | errno.ENOSYS),
    (seccomp.RETURN, 0, 0, seccomp.RETURN_ALLOW),
])
os.execv(sys.executable, [sys.executable, "-m", "understudy.cli", "worker"])
"""
SETTINGS = {
    "UNDERSTUDY_SECRET_KEY": "x" * 32,
    "UNDERSTUDY_DATABASE_URL": "postgresql://127.0.0.1:1/understudy",
    "UNDERSTUDY_REDIS_URL": "redis://127.0.0.1:1/0",
}


@pytest.mark.parametrize("command", WORKER_COMMANDS.values(), ids=WORKER_COMMANDS)
@pytest.mark.parametrize("missing", SETTINGS)
def test_worker_exits_with_an_error_that_names_the_missing_setting(command, missing, tmp_path, monkeypatch):
    monkeypatch.setenv("UNDERSTUDY_DATA_DIR", str(tmp_path))
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv(missing)

    result = subprocess.run(
        [sys.executable, "-P", *command],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=ENOUGH_SECONDS,
        check=False,
    )

    assert result.returncode == 5
    assert result.stderr.splitlines()[-1] == f"error: {missing} is not set. Set it in the environment."


@pytest.mark.skipif(sys.platform != "linux", reason="Only Linux has Landlock and seccomp.")
def test_strict_worker_refuses_to_start_without_landlock(tmp_path, monkeypatch):
    monkeypatch.setenv("UNDERSTUDY_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("UNDERSTUDY_SANDBOX", "strict")
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    result = subprocess.run(
        [sys.executable, "-P", "-c", WITHOUT_LANDLOCK],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        capture_output=True,
        text=True,
        timeout=ENOUGH_SECONDS,
        check=False,
    )
    assert result.returncode == 5
    last = result.stderr.splitlines()[-1]
    assert last.startswith("error: The kernel has no Landlock")
    assert last.endswith("Use another kernel, or set UNDERSTUDY_SANDBOX=auto.")


FORKING = """
import os
from workers.drain import Drain
drain = Drain()
reader, writer = os.pipe()
if os.fork() == 0:
    os.read(reader, 1)
    os._exit(0 if drain.is_over() else 1)
drain.begin(0)
os.write(writer, b"x")
print(os.wait()[1])
"""


def test_forked_process_detects_that_the_drain_has_begun():
    # The code runs in a separate program, because this process has threads and should not fork.
    done = subprocess.run([sys.executable, "-c", FORKING], capture_output=True, text=True, check=True)
    assert done.stdout == "0\n"


def test_timer_continues_after_a_failed_call():
    calls = threading.Semaphore(0)

    def call() -> None:
        calls.release()
        raise ValueError

    timers = Timers()
    timers.start("failing", 0.001, call)
    assert all(calls.acquire(timeout=ENOUGH_SECONDS) for _ in range(3))
    timers.stop(ENOUGH_SECONDS)
    assert not any(thread.name == "failing" for thread in threading.enumerate())
