"""Tests for the sandbox in containers configured as in the compose file."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys

import pytest
import yaml

from tests.containers.layout import HEADERS, ROOT, call_numbers, container_command, profile_program
from understudy.db.log_privacy import SETTINGS
from understudy.sandbox import calls, seccomp

PROFILE = json.loads((ROOT / "seccomp.json").read_text())
PROGRAM = """
import ctypes, json, os, socket, subprocess, sys
from pathlib import Path
from tests.unit.sandbox import probes
from understudy.sandbox import Sandbox, SandboxLimits, SandboxRequest, walls
folder = Path.cwd()
for name in ("data", "work", "tmp"):
    (folder / name).mkdir(mode=0o700)
for name in ("secret", "copy", "movable"):
    (folder / "data" / name).write_text("planted")
unix, abstract = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
unix.bind(str(folder / "socket")), unix.listen()
abstract.bind("\\0understudy"), abstract.listen()
sleeper = subprocess.Popen(["sleep", "60"])
buffer = (ctypes.c_char * 8)()
payload = {
    "secret": str(folder / "data" / "secret"), "folder": str(folder / "data"), "pid": sleeper.pid,
    "socket": str(folder / "socket"), "abstract": "\\0understudy", "port": 1,
    "address": ctypes.addressof(buffer),
}
limits = SandboxLimits(2 << 30, 30, 1 << 20, 1 << 22)
with Sandbox("tests.unit.sandbox.works:run") as sandbox:
    probed = sandbox.start(SandboxRequest({"do": "probe", **payload}, folder / "work", limits)).wait(60)
    request = {"do": "use_inputs_and_folder", "input": payload["secret"]}
    honest = SandboxRequest(request, folder / "tmp", limits, inputs=[folder / "data" / "secret"])
    honest = sandbox.start(honest).wait(60)
sleeper.kill()
names = ["read_secret", "create_file", "write_code", "read_shadow", "mount_folder", "change_root"]
os.chdir(folder)
print(json.dumps({
    "succeeded": probed.result["succeeded"],
    "honest": honest.result,
    "missing": walls.find_walls().missing(),
    "outside": probes.try_all({**payload, "names": names}),
}))
"""

needs_root = pytest.mark.skipif(
    os.geteuid() != 0 or sys.platform != "linux" or not HEADERS[platform.machine()].exists(),
    reason="Only root on Linux, with the kernel's headers, can build the layout.",
)


@needs_root
def test_honest_work_succeeds_in_a_container_and_every_escape_attempt_fails():
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(container_command(PROGRAM), capture_output=True, text=True, env=environment)
    assert json.loads(done.stdout or "null") == {
        "succeeded": [],
        "honest": {"imported": True},
        "missing": [],
        # The worker itself can read its data, but cannot change the code.
        "outside": ["read_secret", "create_file"],
    }, done.stderr


@needs_root
def test_profile_allows_the_calls_that_confine_a_job():
    numbers = call_numbers()
    profile_program(PROFILE, numbers)
    allowed = {
        name for rule in PROFILE["syscalls"] if rule["action"] == "SCMP_ACT_ALLOW" for name in rule["names"]
    }
    confining = {"landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self"}
    confining |= {"seccomp", "prctl", "capset", "unshare", "clone", "prlimit64", "setsid"}
    assert confining <= allowed
    dangerous = {"ptrace", "process_vm_readv", "bpf", "userfaultfd", "keyctl", "io_uring_setup", "mount"}
    dangerous |= {"perf_event_open", "setns", "pivot_root", "kexec_load", "init_module", "open_by_handle_at"}
    assert not dangerous & allowed
    assert dangerous <= {*calls.DENIED["x86_64"], *calls.NEW_CALLS}


def test_containers_of_the_service_have_the_profile_and_no_privileges():
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    for name in ("api", "worker", "migrate"):
        service = services[name]
        assert service["security_opt"] == ["no-new-privileges:true", "seccomp=./seccomp.json"]
        assert service["cap_drop"] == ["ALL"]
        assert service["read_only"] is True
        assert "cap_add" not in service
        assert "privileged" not in service
    for name in ("postgres", "valkey"):
        assert services[name]["security_opt"] == ["no-new-privileges:true"]


def test_compose_file_keeps_values_out_of_the_log_of_postgres():
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    program, *words = services["postgres"]["command"]
    assert program == "postgres"
    assert words[::2] == ["-c"] * len(SETTINGS)
    assert words[1::2] == [f"{name}={value}" for name, value in SETTINGS.items()]


@pytest.mark.parametrize(
    ("name", "flags", "decision"),
    [
        ("unshare", 0x10000000, seccomp.RETURN_ALLOW),
        ("unshare", 0x50000000, seccomp.RETURN_ALLOW),
        ("unshare", 0x00020000, seccomp.RETURN_ERRNO | 1),
        ("clone", 0x3D0F00, seccomp.RETURN_ALLOW),
        ("clone", 0x10000011, seccomp.RETURN_ERRNO | 1),
        ("clone3", 0, seccomp.RETURN_ERRNO | 38),
        ("getpid", 0, seccomp.RETURN_ALLOW),
        ("ptrace", 0, seccomp.RETURN_ERRNO | 1),
    ],
)
def test_profile_allows_only_the_namespaces_and_calls_of_a_job(name, flags, decision):
    numbers = {"unshare": 1, "clone": 2, "clone3": 3, "getpid": 4, "ptrace": 5}
    data = {seccomp.NUMBER: numbers[name], seccomp.FIRST_ARGUMENT: flags}
    assert interpret(profile_program(PROFILE, numbers), data) == decision


def interpret(program, data):
    tests = {
        seccomp.EQUAL: lambda word, value: word == value,
        seccomp.HAS_BITS: lambda word, value: bool(word & value),
    }
    position = word = 0
    while True:
        code, if_true, if_false, value = program[position]
        position += 1
        if code == seccomp.LOAD:
            word = data[value]
        elif code == seccomp.RETURN:
            return value
        else:
            position += if_true if tests[code](word, value) else if_false
