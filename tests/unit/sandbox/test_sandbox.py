from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.unit.sandbox.conftest import ENOUGH_SECONDS, GIBIBYTE, LIMITS
from understudy.sandbox import Run, Sandbox, SandboxLimits, SandboxRequest, accounts
from understudy.sandbox.walls import CAP_DAC_READ_SEARCH


def until(condition) -> None:
    deadline = time.monotonic() + ENOUGH_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def is_alive(pid: int) -> bool:
    try:
        return " Z " not in Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def running(run: Run) -> int:
    """Wait until a run has started its work, and return the PID of the run."""
    until(lambda: run.wait(0.05) is not None or run.progress is not None)
    assert run.pid is not None
    return run.pid


def test_work_receives_its_payload_and_runs_in_its_folder(finish, tmp_path):
    outcome = finish("echo", word="Ähre")
    assert outcome.ok
    assert outcome.result == {
        "payload": {"do": "echo", "word": "Ähre"},
        "folder": str(tmp_path),
        "cwd": str(tmp_path),
    }
    assert outcome.peak_memory_bytes > 1 << 20
    assert outcome.cpu_seconds > 0


def test_child_has_neither_credentials_nor_capabilities_nor_foreign_descriptors(hostile, finish, start):
    start("sleep", seconds=60)
    seen = finish("inspect").result
    assert not [name for name in seen["environment"] if name.startswith("UNDERSTUDY")]
    # With another user ID, the child keeps the capability to read files, which Landlock limits.
    has_own_uid = hostile.walls.accounts is not None
    kept = 1 << CAP_DAC_READ_SEARCH if has_own_uid else 0
    assert int(seen["capabilities"], 16) == kept
    assert (seen["uid"] in accounts.UIDS) if has_own_uid else (seen["uid"] == os.getuid())
    assert seen["no_new_privileges"] == "1"
    # The descriptors are the three standard streams, the pipe to the supervisor, and the directory listing.
    assert len(seen["descriptors"]) == 5
    assert seen["mode"] == 0o600


def test_server_process_has_one_thread(hostile, finish):
    finish("nothing")
    assert len(list(Path(f"/proc/{hostile.server_pid}/task").iterdir())) == 1


def test_server_does_not_inherit_credentials(tmp_path, monkeypatch):
    monkeypatch.setenv("UNDERSTUDY_SECRET_KEY", "planted")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "planted")
    with Sandbox("tests.unit.sandbox.works:run") as sandbox:
        run = sandbox.start(SandboxRequest({"do": "inspect"}, tmp_path, LIMITS))
        outcome = run.wait(ENOUGH_SECONDS)
        environ = Path(f"/proc/{sandbox.server_pid}/environ").read_bytes()
    assert "planted" not in outcome.result["environment"].values()
    assert b"planted" not in environ


def test_child_imports_arrow_but_not_pandas(finish):
    assert finish("make_array").result == {"n": 2, "has_pandas": False}


def test_understudy_error_keeps_its_code_and_detail(finish):
    outcome = finish("refuse")
    assert (outcome.error_code, outcome.error_detail) == ("ragged_rows", "Column 'age' has a gap.")


def test_characters_that_cannot_be_stored_are_replaced_in_details(finish):
    outcome = finish("refuse_with_odd_text")
    assert (outcome.error_code, outcome.error_detail) == ("ragged_rows", "Column 'a\ufffdb?' has a gap.")


def test_unexpected_error_reports_its_location_but_not_its_message(finish):
    outcome = finish("break")
    assert outcome.error_code == "internal_error"
    assert outcome.error_detail.startswith("ValueError in works.py line ")
    assert "secret" not in str(outcome)


@pytest.mark.parametrize(
    ("do", "payload", "code"),
    [
        ("take_memory", {"bytes": 4 * GIBIBYTE}, "out_of_memory"),
        ("take_threads", {}, "out_of_memory"),
        ("abort", {}, "out_of_memory"),
        ("write", {"bytes": 2 << 20}, "file_size_limit"),
        ("send_garbage", {}, "internal_error"),
        ("send_many_messages", {}, "internal_error"),
        ("send_invalid_progress", {}, "internal_error"),
        ("large_result", {"bytes": 10 << 20}, "internal_error"),
    ],
)
def test_violated_limits_have_their_own_error_codes(finish, do, payload, code):
    outcome = finish(do, **payload)
    assert not outcome.ok
    assert outcome.error_code == code


def test_cpu_time_is_limited(finish):
    outcome = finish("spin", SandboxLimits(2 * GIBIBYTE, 1, 1 << 20, 1 << 22))
    assert (outcome.error_code, outcome.exit_signal) == ("time_limit", signal.SIGXCPU)


def test_full_stderr_does_not_block_the_work(finish):
    assert finish("flood_stderr").result == {"finished": True}


@pytest.mark.parametrize(("do", "exit_signal"), [("kill_itself", signal.SIGKILL), ("exit", None)])
def test_child_that_dies_without_a_message_counts_as_a_crash(finish, do, exit_signal):
    outcome = finish(do)
    assert outcome.is_crash
    assert outcome.exit_signal == exit_signal


def test_progress_is_visible_while_the_work_runs(start):
    run = start("sleep", seconds=60)
    running(run)
    assert run.progress == {"phase": "sleeping", "fraction": 0.5, "rows_done": 3, "rows_total": 6}
    run.kill()
    assert run.wait(ENOUGH_SECONDS).exit_signal == signal.SIGKILL


def test_wait_returns_none_after_its_timeout(start):
    assert start("sleep", seconds=60).wait(0.05) is None


def test_terminate_ends_work_that_has_the_default_signal_handlers(start):
    run = start("sleep", seconds=60)
    running(run)
    run.terminate()
    assert run.wait(ENOUGH_SECONDS).exit_signal == signal.SIGTERM


def test_kill_ends_work_that_ignores_terminate(start):
    run = start("ignore_term")
    running(run)
    run.terminate()
    assert run.wait(0.2) is None
    run.kill()
    assert run.wait(ENOUGH_SECONDS).exit_signal == signal.SIGKILL


def test_closing_a_run_kills_its_process(start):
    run = start("sleep", seconds=60)
    pid = running(run)
    run.close()
    until(lambda: not is_alive(pid))


def test_several_runs_can_execute_at_the_same_time(start):
    runs = [start("sleep", seconds=60) for _ in range(5)]
    assert len({running(run) for run in runs}) == 5


def test_killed_server_counts_as_a_crash_and_is_replaced_for_the_next_run(hostile, start, finish):
    run = start("sleep", seconds=60)
    pid = running(run)
    server_pid = hostile.server_pid
    os.kill(server_pid, signal.SIGKILL)
    assert run.wait(ENOUGH_SECONDS).is_crash
    until(lambda: not is_alive(pid))
    assert finish("nothing").ok
    assert hostile.server_pid != server_pid


def test_run_can_be_killed_even_while_the_server_is_frozen(hostile, start, finish):
    run = start("sleep", seconds=60)
    pid = running(run)
    os.kill(hostile.server_pid, signal.SIGSTOP)
    try:
        run.kill()
        until(lambda: not is_alive(pid))
        assert run.wait(ENOUGH_SECONDS).is_crash
    finally:
        os.kill(hostile.server_pid, signal.SIGCONT)
    assert finish("nothing").ok


PROGRAM = """
import os, sys, time
from pathlib import Path
from understudy.sandbox import *
sandbox = Sandbox("tests.unit.sandbox.works:run")
limits = SandboxLimits(2 << 30, 10, 1 << 20, 1 << 22)
if sys.argv[1] == "forked":
    sandbox.open()
    if os.fork():
        time.sleep(60)
run = sandbox.start(SandboxRequest({"do": "sleep", "seconds": 60}, Path(sys.argv[2]), limits))
while run.progress is None:
    run.wait(0.05)
print(os.getpid(), run.pid, flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("mode", ["alone", "forked"])
def test_work_dies_with_the_process_that_started_it(tmp_path, mode):
    command = [sys.executable, "-c", PROGRAM, mode, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        supervisor, child = (int(word) for word in program.stdout.readline().split())
        os.kill(supervisor, signal.SIGKILL)
        until(lambda: not is_alive(child))
        program.kill()


def test_child_and_server_die_with_the_process_that_owns_the_sandbox(tmp_path):
    command = [sys.executable, "-c", PROGRAM, "alone", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        child = int(program.stdout.readline().split()[1])
        server = int(Path(f"/proc/{child}/stat").read_text().rsplit(") ", 1)[1].split()[1])
        program.kill()
        until(lambda: not is_alive(child) and not is_alive(server))
