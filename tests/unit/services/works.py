"""Works that end in every way there is; run in the real sandbox in place of a kind's own work.

A `probe` names its way by its parameter `seconds`, the only one it has.
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
    """Leave one file."""
    (folder / "table.parquet").write_bytes(b"rows")
    return {"files": {"table": "table.parquet"}, "facts": {}}


def crash(folder: Path, progress: Progress) -> Json:
    """Die by a signal."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def refuse(folder: Path, progress: Progress) -> Json:
    """Tell the caller what is wrong."""
    raise InvalidInput("Line 7 has 2 fields.", code="ragged_rows")


def lack_a_part(folder: Path, progress: Progress) -> Json:
    """Miss something that may come back."""
    raise Unavailable("Gone.")


def lack_space(folder: Path, progress: Progress) -> Json:
    """Find the disk full."""
    raise StorageFull("Full.")


def err(folder: Path, progress: Progress) -> Json:
    """Have a bug, whose message quotes the data."""
    raise KeyError(SECRET)


def run_out_of_memory(folder: Path, progress: Progress) -> Json:
    """Want more memory than there is."""
    raise MemoryError


def climb_out(folder: Path, progress: Progress) -> Json:
    """Name a file outside of the folder."""
    (folder.parent / "other").write_bytes(b"not ours")
    return {"files": {"table": "../other"}, "facts": {}}


def link_out(folder: Path, progress: Progress) -> Json:
    """Name a link to a file outside of the folder."""
    (folder / "table.parquet").symlink_to("/etc/passwd")
    return {"files": {"table": "table.parquet"}, "facts": {}}


def invent(folder: Path, progress: Progress) -> Json:
    """Name a file that is not there."""
    return {"files": {"table": "table.parquet"}, "facts": {}}


def wait(folder: Path, progress: Progress) -> Json:
    """Work for a while."""
    for step in range(600):
        progress("waiting", step / 600)
        time.sleep(0.1)
    return {"files": {}, "facts": {}}


def ignore_signals(folder: Path, progress: Progress) -> Json:
    """Do not end when asked to."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    return wait(folder, progress)


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
    )
}


def run(payload: Json, folder: Path, progress: Progress) -> Json:
    """Work in the way that the job names."""
    return list(WAYS.values())[int(payload["parameters"]["seconds"])](folder, progress)


def seconds_of(way: str) -> float:
    """Return the parameter that names a way."""
    return float(list(WAYS).index(way))
