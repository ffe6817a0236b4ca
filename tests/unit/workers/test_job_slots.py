from __future__ import annotations

import os
import signal
from contextlib import ExitStack

from workers.job_slots import JobSlots


def take_in_fork(slots: JobSlots) -> tuple[int, bool]:
    """Fork a process that takes and keeps a slot. Return its ID and whether the slot was free."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        with slots.taken() as is_taken:
            os.write(writer, b"y" if is_taken else b"n")
            signal.pause()
    os.close(writer)
    is_taken = os.read(reader, 1) == b"y"
    os.close(reader)
    return pid, is_taken


def end(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def is_free(slots: JobSlots) -> bool:
    with slots.taken() as is_taken:
        return is_taken


def test_threads_of_a_process_share_the_slots():
    slots = JobSlots(2)
    with ExitStack() as stack:
        assert [stack.enter_context(slots.taken()) for _ in range(3)] == [True, True, False]
    assert is_free(slots)


def test_processes_share_the_slots_and_a_killed_process_releases_its_slot():
    slots = JobSlots(2)
    with slots.taken():
        pid, is_taken = take_in_fork(slots)
        assert is_taken
        assert not is_free(slots)
        end(pid)
        assert is_free(slots)


def test_forked_process_does_not_own_the_slots_of_its_parent():
    slots = JobSlots(1)
    with slots.taken():
        pid, is_taken = take_in_fork(slots)
        end(pid)
        assert not is_taken
        assert not is_free(slots)
