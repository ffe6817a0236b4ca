from __future__ import annotations

import ctypes
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.sandbox import probes
from understudy.embedded.processes import LAUNCHER
from understudy.sandbox import Sandbox, SandboxLimits, SandboxRequest, seccomp
from understudy.sandbox.walls import Walls

LIMITS = SandboxLimits(memory_bytes=2 << 30, cpu_seconds=30, file_bytes=1 << 20)

# On Linux, these tests fail if the kernel does not offer every wall.
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Only Linux has Landlock and seccomp.")

# Attempts that change this machine, so they are not made outside the sandbox, and attempts that a system may
# refuse to every process.
NOT_MADE_OUTSIDE = {
    *("write_code", "plant_pth", "read_shadow", "truncate_secret", "leave_group", "mount_folder"),
    *("set_up_ring", "share_memory", "make_user_namespace", "make_mount_namespace", "trace", "copy_memory"),
}

SANDBOX_PROGRAM = """
import json, sys
from pathlib import Path
from understudy.sandbox import *
payload, folder = json.loads(sys.argv[1]), Path(sys.argv[2])
with Sandbox("tests.unit.sandbox.works:run") as sandbox:
    limits = SandboxLimits(memory_bytes=2 << 30, cpu_seconds=30, file_bytes=1 << 20)
    run = sandbox.start(SandboxRequest({"do": "probe", **payload}, folder, limits))
    print(json.dumps(run.wait(60).result))
"""


@pytest.fixture
def payload(tmp_path: Path) -> Iterator[dict[str, object]]:
    """Provide a private file, listening sockets and another process, which the child must not reach."""
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    for name in ("secret", "copy"):
        (folder / name).write_text("planted")
        (folder / name).chmod(0o600)
    keep_alive = subprocess.Popen(["sleep", "60"])
    buffer = (ctypes.c_char * 8)()
    with (
        tempfile.TemporaryDirectory(dir="/tmp") as short,
        socket.create_server(("127.0.0.1", 0)) as tcp,
        socket.socket(socket.AF_UNIX) as unix,
    ):
        unix.bind(f"{short}/socket")
        unix.listen(50)
        yield {
            "secret": str(folder / "secret"),
            "folder": str(folder),
            "socket": f"{short}/socket",
            "port": tcp.getsockname()[1],
            "pid": keep_alive.pid,
            "address": ctypes.addressof(buffer),
        }
    keep_alive.kill()
    keep_alive.wait()


@pytest.fixture
def work_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir(mode=0o700)
    return folder


def run(request: SandboxRequest) -> dict[str, object]:
    with Sandbox("tests.unit.sandbox.works:run") as sandbox:
        outcome = sandbox.start(request).wait(60)
        assert outcome is not None
        assert outcome.ok, outcome
        return outcome.result


def test_no_attempt_to_leave_the_sandbox_succeeds(payload, work_folder):
    assert run(SandboxRequest({"do": "probe", **payload}, work_folder, LIMITS)) == {"succeeded": []}


def test_no_attempt_succeeds_if_the_worker_runs_as_an_ordinary_user(payload, work_folder):
    account = "namespace:1000:1000" if os.geteuid() == 0 else "-"
    program = [sys.executable, "-P", "-c", SANDBOX_PROGRAM, json.dumps(payload), str(work_folder)]
    command = [sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid()), "9", account, str(Path.cwd())]
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    done = subprocess.run([*command, *program], capture_output=True, text=True, env=environment)
    assert json.loads(done.stdout or "null") == {"succeeded": []}, done.stderr


def test_attempts_succeed_outside_the_sandbox(payload, work_folder, monkeypatch):
    monkeypatch.chdir(work_folder)
    names = [name for name in probes.PROBES if name not in NOT_MADE_OUTSIDE]
    assert probes.try_all({**payload, "names": names}) == names


def test_honest_work_can_read_inputs_and_write_files_and_import_modules(payload, work_folder):
    request = SandboxRequest(
        {"do": "use_inputs_and_folder", "input": payload["secret"]},
        work_folder,
        LIMITS,
        inputs=[Path(str(payload["secret"]))],
    )
    assert run(request) == {"imported": True}
    assert (work_folder / "file").read_text() == "planted"


def test_threads_of_all_runs_together_are_limited(work_folder):
    with Sandbox("tests.unit.sandbox.works:run") as sandbox:
        outcome = sandbox.start(SandboxRequest({"do": "take_threads"}, work_folder, LIMITS)).wait(60)
    assert outcome.error_code == "out_of_memory"


@pytest.mark.parametrize("processor", ["x86_64", "aarch64"])
def test_filter_follows_its_lists_on_every_processor(processor):
    denied = {**seccomp.DENIED[processor], **seccomp.NEW_CALLS}
    numbers = {number: name for name, number in (denied | seccomp.CHECKED[processor]).items()}
    for number in range(seccomp.NEWEST_CALL + 2):
        name = numbers.get(number)
        expected = (
            "ENOSYS"
            if name == "clone3" or number > seccomp.NEWEST_CALL
            else "EPERM"
            if name in denied or name in ("kill", "tgkill", "prlimit64", "sched_setaffinity", "clone")
            else "allow"
        )
        # The argument 99 is neither this process nor a flag of threads nor an option of prctl.
        assert decide(processor, number, 99) == expected, (number, name)
    checked = seccomp.CHECKED[processor]
    assert decide(processor, checked["clone"], 0x3D0F00) == "allow"
    assert decide(processor, checked["kill"], 42) == "allow"
    assert decide(processor, checked["prctl"], 1) == "EPERM"
    assert decide(processor, checked["prlimit64"], 0) == "allow"
    assert decide("i386", checked["kill"], 42, program_of=processor) == "kill"


def decide(processor: str, number: int, argument: int, *, program_of: str | None = None) -> str:
    """Interpret the filter as the kernel does (Documentation/networking/filter.rst)."""
    architecture = seccomp.AUDIT_ARCHITECTURE.get(processor, 0x40000003)
    data = {seccomp.NUMBER: number, seccomp.ARCHITECTURE: architecture, seccomp.FIRST_ARGUMENT: argument}
    program = seccomp.filter_program(program_of or processor, 42)
    tests = {
        seccomp.EQUAL: lambda word, value: word == value,
        seccomp.AT_LEAST: lambda word, value: word >= value,
        seccomp.HAS_BITS: lambda word, value: bool(word & value),
    }
    position = word = 0
    while True:
        code, if_true, if_false, value = program[position]
        position += 1
        if code == seccomp.LOAD:
            word = data[value]
        elif code == seccomp.RETURN:
            names = {seccomp.RETURN_ALLOW: "allow", seccomp.RETURN_KILL: "kill"}
            return names.get(value) or {1: "EPERM", 38: "ENOSYS"}[value & 0xFFFF]
        else:
            position += if_true if tests[code](word, value) else if_false


def test_missing_walls_are_described_with_their_consequence():
    sentences = Walls(landlock=0, seccomp=False, uid=None).missing()
    assert len(sentences) == (3 if os.geteuid() == 0 else 2)
    assert "all files of the worker's account" in sentences[0]
    assert Walls(landlock=7, seccomp=True, uid=64_200).missing() == ()
