"""Orphaned servers of a dead supervisor, which are found by their pid files and stopped before a start."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

PATIENCE_SECONDS = 10


def stop_orphan(pid_file: Path, folder: Path, stop_signal: signal.Signals) -> None:
    """Stop the server named in a pid file if it runs in the folder, and wait until it has ended."""
    pid = _read_pid(pid_file)
    if pid is None:
        return
    for number in (stop_signal, signal.SIGKILL):
        if not _works_in(pid, folder):
            return
        os.kill(pid, number)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline and _works_in(pid, folder):
            time.sleep(0.02)


def _read_pid(pid_file: Path) -> int | None:
    try:
        first = pid_file.read_text().partition("\n")[0].strip()
    except FileNotFoundError:
        return None
    return int(first) if first.isdecimal() else None


def _works_in(pid: int, folder: Path) -> bool:
    """Return whether a process is the server of the folder. Its pid may have been reused."""
    if sys.platform == "linux":
        try:
            return Path(f"/proc/{pid}/cwd").readlink() == folder.resolve()
        except OSError:
            return False
    command = ["ps", "-o", "comm=", "-p", str(pid)]
    output = subprocess.run(command, check=False, capture_output=True, text=True).stdout  # noqa: S603 (no shell)
    return Path(output.strip()).name in {"postgres", "valkey-server"}
