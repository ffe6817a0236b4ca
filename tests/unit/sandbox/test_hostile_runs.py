"""Tests for runs that send malformed messages or exceed their resource limits."""

from __future__ import annotations

import json
import os
import resource
import sys
from pathlib import Path

import pytest

from tests.unit.sandbox.conftest import ENOUGH_SECONDS, GIBIBYTE, LIMITS
from understudy.errors import CODES
from understudy.sandbox import SandboxLimits, SandboxRequest, accounts, failures, usage
from understudy.sandbox.accounts import Accounts, find_accounts
from understudy.sandbox.messages import decode
from understudy.sandbox.usage import Usage

only_linux = pytest.mark.skipif(
    sys.platform != "linux", reason="Only Linux lists the open files of a process."
)


@pytest.mark.parametrize(
    "messages",
    [
        ['{"result": {}}', '{"result": {}}'],
        ['{"result": {}}', '{"progress": {"phase": "late", "fraction": 0.5}}'],
        ['{"error": {"code": "no_such_code", "detail": "x"}}'],
        ['{"error": {"code": ["a"], "detail": "x"}}'],
        ['{"error": {"code": "not_found", "detail": {"a": 1}}}'],
        ['{"result": {}, "error": {"code": "not_found", "detail": "x"}}'],
        ['{"result": [1]}'],
        ['{"other": 1}'],
        ['{"result": {"a": NaN}}'],
        ['{"result": {"a": 1e999}}'],
        ['{"result": {"a": "\\ud800"}}'],
        ['{"result": {"a\\u0000": 1}}'],
        ['{"result": {"a": ' + "9" * 5_000 + "}}"],
    ],
)
def test_malformed_messages_end_the_run(finish, messages):
    outcome = finish("send", messages=messages)
    assert (outcome.ok, outcome.error_code) == (False, "internal_error")
    assert outcome.error_detail == "The job's process sent invalid or too many messages. Retry the job."


@pytest.mark.parametrize("depth", [200, 100_000])
def test_deeply_nested_message_ends_the_run(finish, depth):
    assert finish("send_deep_message", depth=depth).error_code == "internal_error"


def test_message_with_too_many_values_ends_the_run(finish):
    assert finish("send_wide_message", n=2_000_000).error_code == "internal_error"


def test_messages_of_honest_work_are_accepted():
    message = {"result": {"facts": {"Ähre": [1, 2.5, None, True, "日本"]}, "files": {"table": "t.parquet"}}}
    assert decode(json.dumps(message).encode()) == message


@pytest.mark.parametrize(
    "place",
    [
        None,
        "Smith",
        {"class": "Smith", "file": "/home/Smith.py", "line": 1},
        {"class": ["x"], "file": 3, "line": "4"},
        {"class": "Smith", "file": "../Smith.py", "line": 1},
        {"class": "Smith", "file": f"{Path(failures.__file__).parent}/Smith.py", "line": 1},
        {"class": "Smith", "file": f"{Path(failures.__file__).parent}/../sandbox/run.py", "line": 1},
        {"class": "Smith", "file": failures.__file__, "line": 10**9},
        {"class": "Smith", "file": "\0.py", "line": 1},
    ],
)
def test_location_of_an_error_contains_nothing_that_the_child_invented(place):
    assert failures.describe_place(place, [Path(failures.__file__).parent]) == "Exception."


def test_location_of_an_error_consists_of_class_and_file_and_line():
    place = {"class": "ValueError", "file": failures.__file__, "line": 3}
    sentence = failures.describe_place(place, [Path(failures.__file__).parent])
    assert sentence == "ValueError in failures.py line 3."


def test_detail_of_an_internal_error_is_not_taken_from_the_child(finish):
    outcome = finish("send", messages=['{"error": {"code": "internal_error", "detail": "John Smith"}}'])
    assert "internal_error" in CODES
    assert "Smith" not in str(outcome)


@only_linux
@pytest.mark.parametrize(
    ("how", "n"), [("files", 20), ("deleted", 20), ("mapped", 1), ("empty", 900), ("deep", 60)]
)
def test_exceeding_the_limits_of_a_folder_ends_the_run(finish, monkeypatch, how, n):
    monkeypatch.setattr(usage, "N_FILES_MAX", 500)
    outcome = finish("fill_folder", how=how, n=n, seconds=ENOUGH_SECONDS)
    assert outcome.error_code == "file_size_limit"
    assert outcome.error_detail == failures.FOLDER_DETAIL


@only_linux
@pytest.mark.parametrize(("how", "n"), [("files", 5), ("deleted", 5), ("empty", 100)])
def test_files_within_the_limits_of_a_folder_are_allowed(finish, how, n):
    assert finish("fill_folder", how=how, n=n, seconds=0.6).ok


def test_size_of_a_sparse_file_counts_only_its_occupied_blocks(tmp_path):
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(1 << 30)
    assert Usage(tmp_path, LIMITS).measure(os.getpid()) < 1 << 20


@only_linux
def test_threads_of_one_run_do_not_limit_another_run(start, finish):
    limits = SandboxLimits(16 * GIBIBYTE, 60, 1 << 20, 1 << 22)
    first = start("start_threads", limits, n=900, seconds=20)
    while first.progress is None:
        assert first.wait(0.05) is None
    second = finish("start_threads", limits, n=900, seconds=0.1)
    assert second.ok, second
    first.kill()


@only_linux
def test_run_cannot_start_more_threads_than_its_limit(finish):
    limits = SandboxLimits(64 * GIBIBYTE, 60, 1 << 20, 1 << 22)
    # On a busy machine, it takes seconds to start the threads, and none may have ended by then.
    assert finish("start_threads", limits, n=1_100, seconds=30).error_code == "out_of_memory"


@pytest.mark.skipif(os.geteuid() != 0, reason="Only root can give each run its own user ID.")
def test_each_run_has_its_own_user_id(start):
    runs = [start("start_threads", n=1, seconds=0.5) for _ in range(3)]
    uids = {run.wait(ENOUGH_SECONDS).result["uid"] for run in runs}
    assert len(uids) == 3
    assert uids <= set(accounts.UIDS)


def test_user_id_is_reserved_until_it_is_released(tmp_path):
    pool, other_worker = Accounts(tmp_path, [5, 6]), Accounts(tmp_path, [5, 6])
    first, second = pool.take(), other_worker.take()
    assert {first.uid, second.uid} == {5, 6}
    with pytest.raises(OSError, match="in use"):
        pool.take()
    first.release()
    assert other_worker.take().uid == first.uid


def test_user_id_is_released_when_its_process_is_killed(tmp_path):
    pool = Accounts(tmp_path, [5])
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        pool.take()
        os.write(writer, b"x")
        os.kill(os.getpid(), 9)
    os.waitpid(pid, 0)
    assert os.read(reader, 1) == b"x"
    assert pool.take().uid == 5


def test_lock_folder_that_others_can_write_to_is_not_used(tmp_path):
    (tmp_path / accounts.FOLDER_NAME).mkdir(mode=0o755)
    assert find_accounts([tmp_path]) is None


def test_child_that_cannot_confine_itself_does_not_count_as_a_crash(hostile, tmp_path):
    request = SandboxRequest({"do": "nothing"}, tmp_path / "missing", LIMITS)
    outcome = hostile.start(request).wait(ENOUGH_SECONDS)
    assert outcome.error_code == "unavailable"
    assert not outcome.is_crash


@only_linux
def test_process_that_cannot_start_does_not_count_as_a_crash(hostile, finish, tmp_path):
    finish("nothing")
    hard = resource.prlimit(hostile.server_pid, resource.RLIMIT_NOFILE)[1]
    resource.prlimit(hostile.server_pid, resource.RLIMIT_NOFILE, (8, hard))
    outcome = hostile.start(SandboxRequest({"do": "nothing"}, tmp_path, LIMITS)).wait(ENOUGH_SECONDS)
    resource.prlimit(hostile.server_pid, resource.RLIMIT_NOFILE, (hard, hard))
    assert not outcome.has_started
    assert not outcome.is_crash
    assert finish("nothing").ok
