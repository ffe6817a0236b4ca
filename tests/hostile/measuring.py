"""Measure failing reads in a separate process: ``python -m tests.hostile.measuring FILE …``."""

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
    """Print the error codes, the CPU times, the number of remaining files and the peak memory."""
    codes, seconds, n_left, n_shown = [], [], 0, 0
    for path in map(Path, sys.argv[1:]):
        start = time.process_time()
        with TemporaryDirectory() as folder:
            try:
                format_for_path(path).ingest(path, Path(folder) / "table.parquet", ReadLimits())
                codes.append("")
            except InvalidInput as error:
                codes.append(error.code)
                n_left += len(list(Path(folder).iterdir()))
                n_shown += error.__context__ is not None and not error.__suppress_context__
        seconds.append(round(time.process_time() - start, 2))
    # The numbers of remaining files, and of errors that reveal the original exception.
    counts = {"n_left": n_left, "n_shown": n_shown}
    measured = {"codes": codes, "cpu_seconds": seconds, "peak_megabytes": _peak_megabytes(), **counts}
    sys.stdout.write(json.dumps(measured))


def _peak_megabytes() -> int:
    status = Path("/proc/self/status")
    if status.exists():
        # On Linux, ru_maxrss is not usable because it starts at the value of the parent process.
        kibibytes = int(status.read_text().partition("VmHWM:")[2].split()[0])
        return round(kibibytes * 1024 / 1e6)
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6)


if __name__ == "__main__":
    main()
