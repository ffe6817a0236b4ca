"""Benchmark the sandbox overhead: ``python -m benchmarks.sandbox_overhead [--pairs N]``.

Empty jobs run alternately in a sandbox with all walls that this machine supports and in a sandbox that only
forks. The result is the median difference within a pair, so slow changes in the load cancel out. The CPU time
depends less on the load than the wall time.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from understudy.parameters.base import Json
from understudy.progress import Progress
from understudy.sandbox import Sandbox, SandboxLimits, SandboxRequest
from understudy.sandbox.walls import find_walls

RESULTS = Path(__file__).parent / "results"
TARGET = "benchmarks.sandbox_overhead:do_nothing"
LIMITS = SandboxLimits(4 << 30, 60, 1 << 20, 1 << 22)
N_PAIRS = 200
N_WARM_UP = 5
OVERHEAD_MS_MAX = 10.0


def do_nothing(payload: Json, folder: Path, progress: Progress) -> Json:
    """Return an empty result."""
    return {}


def main() -> None:
    """Measure the overhead, and print the figures as JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sandbox_overhead", description=__doc__)
    parser.add_argument("--pairs", type=int, default=N_PAIRS)
    parser.add_argument(
        "--write-results", action="store_true", help="write benchmarks/results/DATE-sandbox-overhead.json"
    )
    arguments = parser.parse_args()
    with Sandbox(TARGET) as walled, Sandbox(TARGET, ["benchmarks.without_walls"]) as bare:
        for sandbox in (walled, bare):
            for _ in range(N_WARM_UP):
                run(sandbox)
        # The order alternates, so that neither sandbox always runs second.
        pairs = []
        for number in range(arguments.pairs):
            if number % 2:
                pairs.append((run(walled), run(bare)))
            else:
                without = run(bare)
                pairs.append((run(walled), without))
    figures = figures_of(pairs)
    print(json.dumps(figures, indent=1))
    if arguments.write_results:
        target = RESULTS / f"{datetime.now(UTC):%Y-%m-%d}-sandbox-overhead.json"
        target.write_text(json.dumps(figures, indent=1) + "\n")


def run(sandbox: Sandbox) -> tuple[float, float]:
    """Run an empty job, and return its wall and CPU time in milliseconds."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        running = sandbox.start(SandboxRequest({}, Path(folder), LIMITS))
        outcome = running.wait(60)
        seconds = time.perf_counter() - began
        running.close()
    assert outcome is not None
    assert outcome.ok, outcome
    return 1000 * seconds, 1000 * outcome.cpu_seconds


def figures_of(pairs: list[tuple[tuple[float, float], tuple[float, float]]]) -> dict[str, Any]:
    """Return the medians with and without walls, and the median difference within a pair."""
    figures: dict[str, Any] = {"pairs": len(pairs), "walls_missing": list(find_walls().missing())}
    for name, at in (("wall_ms", 0), ("cpu_ms", 1)):
        differences = [walled[at] - bare[at] for walled, bare in pairs]
        quartiles = statistics.quantiles(differences, n=4)
        figures[name] = {
            "with_walls": round(statistics.median(walled[at] for walled, _ in pairs), 2),
            "without_walls": round(statistics.median(bare[at] for _, bare in pairs), 2),
            "overhead": round(quartiles[1], 2),
            "overhead_quartiles": [round(quartiles[0], 2), round(quartiles[2], 2)],
        }
    figures["load_average"] = round(os.getloadavg()[0], 1)
    figures["is_met"] = figures["wall_ms"]["overhead"] <= OVERHEAD_MS_MAX
    return figures


if __name__ == "__main__":
    main()
