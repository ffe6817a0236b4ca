"""Work that never ends by itself. In the sandbox, this module replaces the real work of a job."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from understudy.progress import Progress

Json = dict[str, Any]


def run(payload: Json, folder: Path, progress: Progress) -> Json:
    """Wait until the worker ends the attempt."""
    time.sleep(600)
    raise AssertionError("the worker did not end the attempt")
