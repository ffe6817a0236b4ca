"""Reads files that are refused, in a process of their own: ``python -m tests.hostile.measuring FILE …``."""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from understudy.errors import InvalidInput
from understudy.tables.formats import ReadLimits, format_for_path


def main() -> None:
    """Print the code in which each file ends, how long that took, and the peak of memory."""
    codes, seconds = [], []
    for path in map(Path, sys.argv[1:]):
        start = time.process_time()
        with TemporaryDirectory() as folder:
            try:
                format_for_path(path).ingest(path, Path(folder) / "table.parquet", ReadLimits())
                codes.append("")
            except InvalidInput as error:
                codes.append(error.code)
        seconds.append(round(time.process_time() - start, 2))
    sys.stdout.write(
        json.dumps({"codes": codes, "cpu_seconds": seconds, "peak_megabytes": _peak_megabytes()})
    )


def _peak_megabytes() -> int:
    status = Path("/proc/self/status")
    if status.exists():
        # Not ru_maxrss, which on Linux begins with that of the process that started this one.
        kibibytes = int(status.read_text().partition("VmHWM:")[2].split()[0])
        return round(kibibytes * 1024 / 1e6)
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6)


if __name__ == "__main__":
    main()
