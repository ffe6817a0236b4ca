"""The worker's handle for a run."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from understudy.errors import CODES
from understudy.sandbox import failures
from understudy.sandbox.messages import (
    KILL,
    TERMINATE,
    Json,
    MessageReader,
    Outcome,
)
from understudy.sandbox.oom_kills import count_oom_kills
from understudy.sandbox.usage import PAUSE_SECONDS, Usage

CHUNK_BYTES = 1 << 16
# Maximum time until a run begins. A server starts in two seconds on an idle machine.
START_SECONDS = 120.0
# Maximum time from when the child's pipe closes until the server reports that the child has ended.
REPORT_SECONDS = 5.0
PHASE_LENGTH_MAX = 100
DETAIL_LENGTH_MAX = 2_000
N_ROWS_MAX = 1 << 53


def is_progress(progress: object) -> bool:
    """Return whether a progress message is well-formed because hostile input may control the child."""
    return (
        isinstance(progress, dict)
        and set(progress) <= {"phase", "fraction", "rows_done", "rows_total"}
        and isinstance(phase := progress.get("phase"), str)
        and len(phase) <= PHASE_LENGTH_MAX
        and phase.isprintable()
        and isinstance(fraction := progress.get("fraction"), int | float)
        # NaN fails this comparison.
        and 0 <= fraction <= 1
        and all(is_count(progress[name]) for name in ("rows_done", "rows_total") if name in progress)
    )


def is_count(value: object) -> bool:
    """Return whether a message value is a valid number of rows."""
    return type(value) is int and 0 <= value < N_ROWS_MAX


def is_end(message: Json) -> bool:
    """Return whether a message is a well-formed result or error, which ends the work."""
    if set(message) == {"result"}:
        return isinstance(message["result"], dict)
    error = message.get("error")
    return (
        set(message) == {"error"}
        and isinstance(error, dict)
        and isinstance(error.get("code"), str)
        and error["code"] in CODES
        and isinstance(error.get("detail", ""), str)
    )


class Run:
    """A running child. Call `wait`, which reads the child's messages, until it returns an outcome.

    Parameters
    ----------
    connection : socket
        Connection to the server of the sandbox.
    output : int
        Descriptor of the pipe from the child.
    usage : Usage
        Meter for the size of the run's files.
    code_folders : sequence of Path
        Folders that contain code. An exception must be located in one of these folders.
    """

    def __init__(
        self, connection: socket.socket, output: int, usage: Usage, code_folders: Sequence[Path]
    ) -> None:
        self._connection = connection
        self._output = output
        self._usage = usage
        self._code_folders = code_folders
        os.set_blocking(output, False)
        connection.setblocking(False)
        self._server_reader = MessageReader()
        self._child_reader = MessageReader()
        self._report_deadline = time.monotonic() + START_SECONDS
        self._open = {connection.fileno(), output}
        self._exit: Json | None = None
        self._end: Json = {}
        self._fault: tuple[str, str] | None = None
        self._outcome: Outcome | None = None
        self._n_oom_kills = count_oom_kills()
        self.progress: Json | None = None
        self.pid: int | None = None

    @property
    def outcome(self) -> Outcome | None:
        """The outcome, or None if no call of `wait` has returned one."""
        return self._outcome

    def wait(self, timeout_seconds: float) -> Outcome | None:
        """Return the outcome, or None if the run has not ended within the timeout."""
        deadline = time.monotonic() + timeout_seconds
        while self._outcome is None:
            # The files of the run are measured regularly, even if it sends no messages.
            now = time.monotonic()
            self._listen(min(deadline, self._report_deadline, now + PAUSE_SECONDS) - now)
            self._check_usage()
            if self._has_ended():
                self._finish()
            elif time.monotonic() >= deadline:
                break
        return self._outcome

    def terminate(self) -> None:
        """Ask the run to end, with SIGTERM to its whole process group."""
        self._order(TERMINATE)

    def kill(self) -> None:
        """Kill the run, with SIGKILL to its whole process group."""
        self._order(KILL)
        # Also kill the child directly because the server may be stopped. The pid cannot have been reused
        # before the server reports the child's end.
        if self.pid is not None and self._exit is None and self._outcome is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)

    def close(self) -> None:
        """Close the connection to the run. The server kills a run that has not ended."""
        if self._open or self._connection.fileno() >= 0:
            self._open.clear()
            self._connection.close()
            with contextlib.suppress(OSError):
                os.close(self._output)

    def _check_usage(self) -> None:
        is_running = self.pid is not None and self._exit is None and self._fault is None
        if is_running and self.pid is not None and self._usage.is_exceeded(self.pid):
            self._stop_for("file_size_limit", failures.FOLDER_DETAIL)

    def _stop_for(self, code: str, detail: str) -> None:
        """Kill the run, and report this fault as its error."""
        self._fault = (code, detail)
        self._open.discard(self._output)
        self.kill()

    def _order(self, order: bytes) -> None:
        with contextlib.suppress(OSError):
            self._connection.send(order)

    def _listen(self, timeout_seconds: float) -> None:
        poll = select.poll()
        for descriptor in self._open:
            poll.register(descriptor, select.POLLIN)
        for descriptor, _ in poll.poll(max(0.0, timeout_seconds) * 1000):
            if descriptor == self._output:
                self._hear_child()
            else:
                self._hear_server()

    def _hear_server(self) -> None:
        try:
            data = self._connection.recv(CHUNK_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._open.discard(self._connection.fileno())
        for message in self._server_reader.feed(data):
            if "pid" in message:
                self.pid = message["pid"]
                self._report_deadline = float("inf")
            else:
                self._exit = message

    def _hear_child(self) -> None:
        try:
            data = os.read(self._output, CHUNK_BYTES)
        except BlockingIOError:
            return
        if not data:
            self._open.discard(self._output)
            # The pipe is closed, so the child has ended or will end soon.
            self._report_deadline = time.monotonic() + REPORT_SECONDS
        try:
            for message in self._child_reader.feed(data):
                self._take(message)
        except ValueError:
            self._stop_for(
                "internal_error", "The job's process sent invalid or too many messages. Retry the job."
            )

    def _take(self, message: Json) -> None:
        if self._end:
            raise ValueError("the child sent a message after the end of its work")
        if set(message) == {"progress"} and is_progress(message["progress"]):
            self.progress = message["progress"]
        elif is_end(message):
            self._end = message
        else:
            raise ValueError("the message is of an unknown kind")

    def _has_ended(self) -> bool:
        if self._exit is not None:
            # The pipe now contains all of the child's messages. Only orphaned descendants of the child can
            # write more.
            return True
        is_server_gone = self._connection.fileno() not in self._open
        return is_server_gone or time.monotonic() >= self._report_deadline

    def _finish(self) -> None:
        while self._output in self._open and self._has_output():
            self._hear_child()
        if self._exit is None:
            self.kill()
        outcome = self._judge(self._exit or {})
        self.close()
        self._outcome = outcome

    def _has_output(self) -> bool:
        poll = select.poll()
        poll.register(self._output, select.POLLIN)
        return any(events & select.POLLIN for _, events in poll.poll(0))

    def _judge(self, report: Json) -> Outcome:
        status = report.get("status")
        exit_signal = -status if status is not None and status < 0 else None
        outcome = Outcome(
            ok=False,
            has_started=self.pid is not None,
            exit_signal=exit_signal,
            peak_memory_bytes=report.get("peak_memory_bytes"),
            cpu_seconds=report.get("cpu_seconds"),
        )
        code, detail = self._code_and_detail(exit_signal, out_of_memory=report.get("out_of_memory", False))
        if code is not None:
            return replace(outcome, error_code=code, error_detail=detail)
        result = self._end.get("result")
        return replace(outcome, ok=True, result=result) if status == 0 and result is not None else outcome

    def _code_and_detail(
        self, exit_signal: int | None, *, out_of_memory: bool
    ) -> tuple[str | None, str | None]:
        error = self._end.get("error")
        if self._fault is not None:
            return self._fault
        if error is not None and error["code"] == "internal_error":
            # The worker logs this detail.
            return error["code"], failures.describe_place(error.get("place"), self._code_folders)
        if error is not None:
            return error["code"], error.get("detail", "")[:DETAIL_LENGTH_MAX]
        if exit_signal == signal.SIGXCPU:
            return "time_limit", failures.TIME_DETAIL
        if exit_signal == signal.SIGXFSZ:
            return "file_size_limit", failures.FILE_SIZE_DETAIL
        if exit_signal == signal.SIGKILL and count_oom_kills() > self._n_oom_kills:
            return "out_of_memory", failures.KILLED_DETAIL
        if out_of_memory and exit_signal in (signal.SIGABRT, signal.SIGSEGV):
            return "out_of_memory", failures.MEMORY_DETAIL
        return None, None
