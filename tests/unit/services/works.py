"""Test work for every possible end of a job. In the sandbox, this module replaces the real work of a job.

The parameter `seconds` of a `probe` job selects how the work ends.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from understudy.errors import InvalidInput, StorageFull, Unavailable
from understudy.progress import Progress

Json = dict[str, Any]
SECRET = "a value of the data"


def succeed(folder: Path, progress: Progress) -> Json:
    """Write one result file."""
    (folder / "table.parquet").write_bytes(b"rows")
    return {"files": {"table": "table.parquet"}, "facts": {}}


def crash(folder: Path, progress: Progress) -> Json:
    """Kill the process with a signal."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def refuse(folder: Path, progress: Progress) -> Json:
    """Raise an error for the caller."""
    raise InvalidInput("Line 7 has 2 fields.", code="ragged_rows")


def lack_a_part(folder: Path, progress: Progress) -> Json:
    """Raise a transient error."""
    raise Unavailable("Gone.")


def lack_space(folder: Path, progress: Progress) -> Json:
    """Raise the error of a full disk."""
    raise StorageFull("Full.")


def err(folder: Path, progress: Progress) -> Json:
    """Raise an unexpected error whose message contains data."""
    raise KeyError(SECRET)


def run_out_of_memory(folder: Path, progress: Progress) -> Json:
    """Allocate more memory than the limit."""
    raise MemoryError


def climb_out(folder: Path, progress: Progress) -> Json:
    """Return a file outside the folder."""
    (folder.parent / "other").write_bytes(b"not ours")
    return {"files": {"table": "../other"}, "facts": {}}


def link_out(folder: Path, progress: Progress) -> Json:
    """Return a link to a file outside the folder."""
    (folder / "table.parquet").symlink_to("/etc/passwd")
    return {"files": {"table": "table.parquet"}, "facts": {}}


def invent(folder: Path, progress: Progress) -> Json:
    """Return a file that does not exist."""
    return {"files": {"table": "table.parquet"}, "facts": {}}


def wait(folder: Path, progress: Progress) -> Json:
    """Work for a limited time."""
    for step in range(600):
        progress("waiting", step / 600)
        time.sleep(0.1)
    return {"files": {}, "facts": {}}


def ignore_signals(folder: Path, progress: Progress) -> Json:
    """Ignore the request to stop."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    return wait(folder, progress)


def freeze(folder: Path, progress: Progress) -> Json:
    """Stop the process, which then reacts to no signal but SIGKILL and uses no CPU time."""
    os.kill(os.getpid(), signal.SIGSTOP)
    raise AssertionError


WAYS: dict[str, Callable[[Path, Progress], Json]] = {
    way.__name__: way
    for way in (
        succeed,
        crash,
        refuse,
        lack_a_part,
        lack_space,
        err,
        run_out_of_memory,
        climb_out,
        link_out,
        invent,
        wait,
        ignore_signals,
        freeze,
    )
}


def run(payload: Json, folder: Path, progress: Progress) -> Json:
    """Run the work that the job selects."""
    return list(WAYS.values())[int(payload["parameters"]["seconds"])](folder, progress)


def seconds_of(way: str) -> float:
    """Return the parameter that selects how the work ends."""
    return float(list(WAYS).index(way))
