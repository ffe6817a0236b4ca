from __future__ import annotations

import ctypes
import errno
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.sandbox import kernel_probes, probes
from understudy.embedded.processes import LAUNCHER
from understudy.sandbox import Sandbox, SandboxLimits, SandboxRequest, calls, seccomp
from understudy.sandbox.accounts import Accounts
from understudy.sandbox.walls import Walls

LIMITS = SandboxLimits(memory_bytes=2 << 30, cpu_seconds=30, file_bytes=1 << 20, folder_bytes=1 << 22)

# On Linux, these tests fail if the kernel does not offer every wall.
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Only Linux has Landlock and seccomp.")

# Attempts that are skipped outside the sandbox, because they change the machine or because some systems
# reject them in every process.
NOT_MADE_OUTSIDE = kernel_probes.NOT_MADE_OUTSIDE | {
    *("write_code", "plant_pth", "read_shadow", "truncate_secret", "leave_group", "mount_folder"),
    *("set_up_ring", "share_memory", "make_user_namespace", "make_mount_namespace", "trace", "copy_memory"),
}

SANDBOX_PROGRAM = """
import json, sys
from pathlib import Path
from understudy.sandbox import *
payload, folder = json.loads(sys.argv[1]), Path(sys.argv[2])
with Sandbox("tests.unit.sandbox.works:run") as sandbox:
    limits = SandboxLimits(memory_bytes=2 << 30, cpu_seconds=30, file_bytes=1 << 20, folder_bytes=1 << 22)
    run = sandbox.start(SandboxRequest({"do": "probe", **payload}, folder, limits))
    print(json.dumps(run.wait(60).result))
"""


# This program starts one or several runs at the same time, and prints the first error code.
LIMIT_PROGRAM = """
import json, sys
from pathlib import Path
from understudy.sandbox import *
payload, folder = json.loads(sys.argv[1]), Path(sys.argv[2])
with Sandbox("tests.unit.sandbox.works:run") as sandbox:
    limits = SandboxLimits(16 << 30, 30, 1 << 20, 1 << 22)
    requests = [SandboxRequest(payload, folder, limits)] * int((sys.argv[3:] or ["1"])[0])
    outcomes = [run.wait(60) for run in [sandbox.start(request) for request in requests]]
    print(json.dumps(next((outcome.error_code for outcome in outcomes if not outcome.ok), None)))
"""


@pytest.fixture
def payload(tmp_path: Path) -> Iterator[dict[str, object]]:
    """Provide a private file, listening sockets and another process, which the child must not reach."""
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    for name in ("secret", "copy", "movable"):
        (folder / name).write_text("planted")
        (folder / name).chmod(0o600)
    keep_alive = subprocess.Popen(["sleep", "60"])
    buffer = (ctypes.c_char * 8)()
    with (
        tempfile.TemporaryDirectory(dir="/tmp") as short,
        socket.create_server(("127.0.0.1", 0)) as tcp,
        socket.socket(socket.AF_UNIX) as unix,
        socket.socket(socket.AF_UNIX) as abstract,
    ):
        abstract.bind(f"\0understudy-{os.getpid()}")
        abstract.listen(50)
        unix.bind(f"{short}/socket")
        unix.listen(50)
        yield {
            "secret": str(folder / "secret"),
            "folder": str(folder),
            "socket": f"{short}/socket",
            "abstract": f"\0understudy-{os.getpid()}",
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


def test_no_escape_attempt_succeeds_in_the_sandbox(payload, work_folder):
    assert run(SandboxRequest({"do": "probe", **payload}, work_folder, LIMITS)) == {"succeeded": []}


def test_no_escape_attempt_succeeds_if_the_worker_runs_as_an_ordinary_user(payload, work_folder):
    assert run_as_ordinary_user(SANDBOX_PROGRAM, payload, work_folder) == {"succeeded": []}


def run_as_ordinary_user(program: str, payload: dict[str, object], folder: Path, *more: str) -> object:
    account = "namespace:1000:1000" if os.geteuid() == 0 else "-"
    launcher = [sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid()), "9", account, str(Path.cwd())]
    command = [*launcher, sys.executable, "-P", "-c", program, json.dumps(payload), str(folder), *more]
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("how", ["files", "deleted", "mapped"])
def test_limits_on_files_apply_if_the_worker_runs_as_an_ordinary_user(work_folder, how):
    payload = {"do": "fill_folder", "how": how, "n": 20, "seconds": 30}
    assert run_as_ordinary_user(LIMIT_PROGRAM, payload, work_folder) == "file_size_limit"


def test_threads_are_counted_for_each_run_if_the_worker_runs_as_an_ordinary_user(work_folder):
    payload = {"do": "start_threads", "n": 900, "seconds": 1}
    assert run_as_ordinary_user(LIMIT_PROGRAM, payload, work_folder, "2") is None


def test_escape_attempts_succeed_outside_the_sandbox(payload, work_folder, monkeypatch):
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


@pytest.mark.parametrize("processor", ["x86_64", "aarch64"])
def test_filter_applies_its_lists_on_every_processor(processor):
    denied = {**calls.DENIED[processor], **calls.NEW_CALLS}
    checked = calls.CHECKED[processor]
    names = {number: name for name, number in (denied | checked | calls.UNSUPPORTED[processor]).items()}
    for number in range(calls.NEWEST_CALL + 2):
        name = names.get(number)
        expected = "EPERM" if name in denied or name in checked else "allow"
        if name in ("clone3", "openat2") or number > calls.NEWEST_CALL:
            expected = "ENOSYS"
        elif name in ("fallocate", "ioctl"):
            expected = "EOPNOTSUPP"
        # If all arguments of a call have this value, no rule allows the call.
        assert decide(processor, number, *[0xFEFEFEFE] * 6) == expected, (number, name)
    assert decide("i386", checked["kill"], 42, program_of=processor) == "kill"


@pytest.mark.parametrize("processor", ["x86_64", "aarch64"])
@pytest.mark.parametrize(
    ("name", "arguments", "decision"),
    [
        ("clone", (0x3D0F00,), "allow"),
        ("clone", (0x3D0B00,), "EPERM"),
        ("clone", (0x13D0F00,), "EPERM"),
        ("kill", (42, 9), "allow"),
        ("kill", (0, 9), "EPERM"),
        ("prlimit64", (0, 9), "allow"),
        ("prctl", (15,), "allow"),
        ("prctl", (1, 0), "EPERM"),
        ("prctl", (4, 0), "EPERM"),
        ("fcntl", (3, 1030, 0), "allow"),
        ("fcntl", (3, 8, 42), "EPERM"),
        ("fcntl", (3, 10, 9), "EPERM"),
        ("fcntl", (3, 15, 0), "EPERM"),
        ("fcntl", (3, 1026, 0), "EPERM"),
        ("ioctl", (3, 0x5401), "allow"),
        ("ioctl", (3, 0x8901), "EOPNOTSUPP"),
        ("ioctl", (3, 0x8902), "EOPNOTSUPP"),
        ("close_range", (3, 9, 4), "allow"),
        ("close_range", (3, 9, 2), "EPERM"),
        ("mmap", (0, 4096, 3, 0x22), "allow"),
        ("mmap", (0, 4096, 3, 0x40022), "EPERM"),
        ("openat", (0, 0, 0x41, 0o644), "allow"),
        ("openat", (0, 0, 0x41, 0o4755), "EPERM"),
    ],
)
def test_decision_of_the_filter_depends_on_the_arguments(processor, name, arguments, decision):
    assert decide(processor, calls.CHECKED[processor][name], *arguments) == decision


def decide(processor: str, number: int, *arguments: int, program_of: str | None = None) -> str:
    """Interpret the filter as the kernel does (Documentation/networking/filter.rst)."""
    architecture = seccomp.AUDIT_ARCHITECTURE.get(processor, 0x40000003)
    data = {seccomp.NUMBER: number, seccomp.ARCHITECTURE: architecture}
    data |= {seccomp.FIRST_ARGUMENT + 8 * i: argument for i, argument in enumerate(arguments)}
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
            return names.get(value) or errno.errorcode[value & 0xFFFF].replace("ENOTSUP", "EOPNOTSUPP")
        else:
            position += if_true if tests[code](word, value) else if_false


def test_consequences_of_missing_walls_are_described():
    sentences = Walls(landlock=0, seccomp=False, accounts=None).missing()
    assert len(sentences) == (3 if os.geteuid() == 0 else 2)
    assert "all files of the worker's account" in sentences[0]
    some = Accounts(Path("/run"), [64_200])
    assert Walls(landlock=7, seccomp=True, accounts=some).missing() == ()
