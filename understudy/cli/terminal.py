"""Terminal output: results on stdout, everything else on stderr."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn

from understudy.progress import Progress as ProgressCallback

# Seconds before a progress bar appears.
PATIENCE_SECONDS = 1.0


def output() -> Console:
    """Return the console for results."""
    return Console(highlight=False)


def notices() -> Console:
    """Return the console for warnings, notices and progress."""
    return Console(stderr=True, highlight=False)


def write_json(result: Mapping[str, Any]) -> None:
    """Write the JSON object that a command prints with ``--json``."""
    sys.stdout.write(json.dumps(result, ensure_ascii=False) + "\n")


def print_result(
    result: Mapping[str, Any], show: Callable[[Mapping[str, Any]], None], *, as_json: bool
) -> None:
    """Print a result as JSON, or in readable form with `show`."""
    if as_json:
        write_json(result)
    else:
        show(result)


@contextmanager
def progress_bar(label: str) -> Iterator[ProgressCallback]:
    """Show a progress bar on a terminal for work that takes longer than a second."""
    bar = _Bar(label)
    try:
        yield bar
    finally:
        bar.close()


class _Bar:
    def __init__(self, label: str) -> None:
        self._label = label
        self._began = time.monotonic()
        self._task: TaskID | None = None
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            TaskProgressColumn(),
            TextColumn("{task.fields[rows]}"),
            TimeElapsedColumn(),
            console=notices(),
            transient=True,
            disable=not sys.stderr.isatty(),
            expand=True,
        )

    def __call__(
        self, phase: str, fraction: float, *, rows_done: int | None = None, rows_total: int | None = None
    ) -> None:
        if self._task is None:
            if time.monotonic() - self._began < PATIENCE_SECONDS:
                return
            self._task = self._progress.add_task(self._label, total=1.0, rows="")
            self._progress.start()
        rows = f"{rows_done:,} rows" if rows_done is not None else ""
        self._progress.update(
            self._task, completed=fraction, description=f"{self._label}: {phase}", rows=rows
        )

    def close(self) -> None:
        self._progress.stop()
