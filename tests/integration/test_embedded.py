"""Tests that `understudy serve` restarts dead processes in its embedded stack and stops cleanly."""

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from understudy.client.api import Client
from understudy.embedded.background import BackgroundStack
from understudy.embedded.commands import StackOptions
from understudy.errors import UnderstudyError
from understudy.progress import no_progress

pytestmark = pytest.mark.stack

PATIENCE_SECONDS = 60
PARTS = {
    "PostgreSQL": "bin/postgres",
    "Valkey": "valkey-server",
    "API": "-m app",
    "Worker": "-m workers",
}


@dataclass
class Serve:
    """A running `understudy serve`."""

    process: subprocess.Popen[str]
    folder: Path

    def client(self) -> Client:
        """Return a client that uses the stack's first API key."""
        url = (self.folder / "url").read_text().strip()
        return Client(url, (self.folder / "api-key").read_text().strip())

    def part(self, name: str) -> psutil.Process:
        """Return the process of a component of the stack."""
        (process,) = [
            child
            for child in psutil.Process(self.process.pid).children()
            if PARTS[name] in " ".join(child.cmdline())
        ]
        return process

    def members(self) -> list[psutil.Process]:
        """Return all processes of the stack."""
        root = psutil.Process(self.process.pid)
        return [root, *root.children(recursive=True)]


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait until a condition is true."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def is_gone(process: psutil.Process) -> bool:
    """Return whether a process has ended. An orphan that is never reaped remains a zombie."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def serve(folder: Path, *options: str) -> Serve:
    """Start `understudy serve` on a free port and return when it is ready."""
    command = [sys.executable, "-m", "understudy.cli", "serve", "--data-dir", str(folder), "--port", "0"]
    process = subprocess.Popen(
        [*command, *options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        if line.startswith("Ready"):
            return Serve(process, folder)
        lines.append(line)
    raise AssertionError(f"serve ended with {process.wait()}:\n{''.join(lines)}")


def stop(stack: Serve) -> None:
    """Stop a running stack as Ctrl-C does."""
    with stack.process as process:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(PATIENCE_SECONDS)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """Run a stack for all tests that do not stop it."""
    running = serve(tmp_path_factory.mktemp("stack"))
    yield running
    stop(running)


@pytest.mark.parametrize("name", PARTS)
def test_killed_process_is_restarted_and_jobs_still_run(stack, name):
    killed = stack.part(name)
    killed.kill()
    wait_until(lambda: is_gone(killed))
    wait_until(lambda: _runs_a_job(stack))
    assert stack.part(name).pid != killed.pid


def _runs_a_job(stack: Serve) -> bool:
    try:
        with stack.client() as client:
            return client.run({"kind": "probe"}, no_progress)["state"] == "succeeded"
    except UnderstudyError:
        return False


@pytest.mark.parametrize("file", ["api-key", "secret-key"])
def test_only_the_owner_can_read_secrets(stack, file):
    assert stat.S_IMODE((stack.folder / file).stat().st_mode) == 0o600


def test_no_command_line_contains_the_secret(stack):
    secret = (stack.folder / "secret-key").read_text().strip()
    assert all(secret not in " ".join(member.cmdline()) for member in stack.members())


def command_on(stack: Serve, *arguments: str) -> str:
    """Run a command without settings on the data folder of a stack, and return its output."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("UNDERSTUDY_")}
    command = [sys.executable, "-m", "understudy.cli", *arguments, "--data-dir", str(stack.folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return done.stdout.strip()


def test_keys_are_created_and_revoked_in_a_stack_given_by_its_data_folder(stack):
    key = command_on(stack, "create-key", "--project", "sales")
    with Client((stack.folder / "url").read_text().strip(), key) as client:
        assert client.get("/v1/datasets")["data"] == []
        command_on(stack, "revoke-key", key, "--project", "sales")
        with pytest.raises(UnderstudyError) as caught:
            client.get("/v1/datasets")
    assert caught.value.code == "unauthenticated"


def test_second_stack_in_a_data_folder_is_refused(stack):
    command = [
        sys.executable,
        "-m",
        "understudy.cli",
        "serve",
        "--data-dir",
        str(stack.folder),
        "--port",
        "0",
    ]
    second = subprocess.run(command, capture_output=True, text=True, check=False)
    assert second.returncode == 4
    assert f"process {stack.process.pid}" in second.stderr
    assert (stack.folder / "url").exists()


def test_error_for_a_port_in_use_contains_a_remedy(stack, tmp_path):
    port = (stack.folder / "url").read_text().strip().rpartition(":")[2]
    command = [sys.executable, "-m", "understudy.cli", "serve", "--data-dir", str(tmp_path), "--port", port]
    second = subprocess.run(command, capture_output=True, text=True, check=False)
    assert second.returncode == 4
    assert "--port" in second.stderr


def test_demo_uses_a_running_stack(stack):
    background = BackgroundStack(StackOptions(data_dir=stack.folder))
    background.start()
    background.stop()
    assert not background.is_child
    assert background.url == (stack.folder / "url").read_text().strip()
    assert stack.process.poll() is None


def test_kill_9_leaves_no_process_running_and_keeps_the_data(tmp_path):
    first = serve(tmp_path)
    with first.client() as client:
        job_id = client.run({"kind": "probe"}, no_progress)["id"]
    members = first.members()
    with first.process as process:
        process.kill()
    wait_until(lambda: all(map(is_gone, members)))
    second = serve(tmp_path)
    with second.client() as client:
        assert client.get(f"/v1/jobs/{job_id}")["state"] == "succeeded"
    members = second.members()
    os.kill(second.process.pid, signal.SIGTERM)
    stop(second)
    assert second.process.returncode == 0
    assert all(map(is_gone, members))
    assert not (tmp_path / "url").exists()


def test_stack_runs_jobs_without_a_broker(tmp_path):
    running = serve(tmp_path, "--no-broker")
    try:
        assert _runs_a_job(running)
        running.part("PostgreSQL").kill()
        wait_until(lambda: _runs_a_job(running))
        assert not any(PARTS["Valkey"] in " ".join(member.cmdline()) for member in running.members())
        command = [sys.executable, "-m", "understudy.cli", "create-key", "--project", "more"]
        created = subprocess.run([*command, "--data-dir", str(tmp_path)], capture_output=True, text=True)
        assert created.returncode == 0, created.stderr
    finally:
        stop(running)
