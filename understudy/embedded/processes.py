"""Child processes that end with this process, each with a log file."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

LAUNCHER = Path(__file__).with_name("launch.py")
LOG_BYTES_MAX = 10 << 20


@dataclass(frozen=True)
class Account:
    """The account under which root runs a child. In a user namespace, the child can use root's files."""

    uid: int
    gid: int
    is_namespaced: bool = False

    def __str__(self) -> str:
        return f"namespace:{self.uid}:{self.gid}" if self.is_namespaced else f"{self.uid}:{self.gid}"

    @property
    def owner(self) -> tuple[int, int]:
        """The user ID and group ID, as seen outside the namespace, that must own the child's files."""
        return (os.geteuid(), os.getegid()) if self.is_namespaced else (self.uid, self.gid)


def launch_command(
    command: Sequence[str], *, folder: Path, account: Account | None, death_signal: signal.Signals
) -> list[str]:
    """Return the command line that runs a command through `launch.py`."""
    launcher = [sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid()), str(int(death_signal))]
    return [*launcher, str(account or "-"), str(folder), *command]


@dataclass(frozen=True)
class Program:
    """A program with its working directory, log, signals, account and environment.

    Parameters
    ----------
    command : sequence of str
        Full path of the program and its arguments.
    folder : Path
        Working directory.
    log : Path
        File for the output. The file is kept below 10 MiB, with one older file next to it.
    stop_signal : Signals
        Signal that asks the program to end.
    death_signal : Signals, optional
        Signal that the kernel sends when this process dies. The default is the stop signal.
    account : Account, optional
        Account that runs the program. The default is this process's account.
    environment : mapping, optional
        Environment variables for the program. The default is this process's environment.
    """

    command: Sequence[str]
    folder: Path
    log: Path
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals | None = None
    account: Account | None = None
    environment: Mapping[str, str] | None = None


class Child:
    """A program that runs as a child process.

    Start the program from the main thread because the kernel sends the death signal when the starting thread
    ends.
    """

    def __init__(self, program: Program) -> None:
        self.log = program.log
        self._command = launch_command(
            program.command,
            folder=program.folder,
            account=program.account,
            death_signal=program.death_signal or program.stop_signal,
        )
        self._stop_signal = program.stop_signal
        self._environment = None if program.environment is None else dict(program.environment)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process ID. Available after the start."""
        assert self._process is not None
        return self._process.pid

    @property
    def exit_status(self) -> int | None:
        """The exit status, which is negative for a signal. None while the program runs."""
        return self._process.poll() if self._process else None

    def start(self) -> None:
        """Start the program in a new session, so that Ctrl-C does not reach it directly."""
        with suppress(OSError):
            trim_log(self.log)
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 (our own command, no shell)
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self._environment,
                start_new_session=True,
            )

    def is_running(self) -> bool:
        """Return whether the program was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def ask_to_stop(self) -> None:
        """Send the stop signal, without waiting."""
        if self.is_running():
            os.kill(self.pid, self._stop_signal)

    def wait(self, timeout_seconds: float) -> int | None:
        """Return the exit status, or None if the program is still running after the timeout."""
        assert self._process is not None
        try:
            return self._process.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            return None

    def stop(self, patience_seconds: float = 10) -> None:
        """Ask the program to stop, and kill it after `patience_seconds`. Do nothing if it was not started."""
        self.ask_to_stop()
        if self._process is not None and self.wait(patience_seconds) is None:
            self._process.kill()
            self._process.wait()


def trim_log(log: Path, bytes_max: int = LOG_BYTES_MAX) -> None:
    """Copy a log above the size limit to a second file, and truncate the log while its writer appends to it.

    On a full disk, the older lines are lost.
    """
    if not log.exists() or log.stat().st_size <= bytes_max:
        return
    copy = log.with_name(log.name + ".1")
    try:
        copy.write_bytes(log.read_bytes())
    except OSError:
        copy.unlink(missing_ok=True)
    os.truncate(log, 0)


def last_lines(log: Path, n: int = 5) -> str:
    """Return the last lines of a log, for an error message."""
    if not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 4096))
        return "\n".join(file.read().decode(errors="replace").splitlines()[-n:])
