"""Work for `probe` jobs: wait for a given time."""

from __future__ import annotations

import time

from understudy.parameters.probe import ProbeParameters
from understudy.work.base import WorkResult, Workspace

STEP_SECONDS = 0.25


def work(workspace: Workspace, parameters: ProbeParameters) -> WorkResult:
    """Wait for the given number of seconds and report progress."""
    start = time.monotonic()
    while (elapsed := time.monotonic() - start) < parameters.seconds:
        workspace.progress("waiting", elapsed / parameters.seconds)
        time.sleep(min(STEP_SECONDS, parameters.seconds - elapsed))
    return WorkResult()
