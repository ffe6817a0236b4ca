"""Summarize a coverage report of the tests by package: `make coverage`.

    python -m benchmarks.coverage REPORT.json [--write-results]

`REPORT.json` is the output of `coverage json`. The percentages count lines and branches.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
COMMAND = "make coverage"


@dataclass(frozen=True)
class Coverage:
    """The number of lines and branches in a package, and how many of them the tests ran."""

    n_total: int
    n_covered: int

    @property
    def percent(self) -> float:
        """The covered share in percent, with one decimal."""
        return round(100 * self.n_covered / self.n_total, 1) if self.n_total else 100.0


def package_of(path: str) -> str:
    """Return the package of a file, with two levels for `understudy` and one for the other packages."""
    parts = Path(path).parts
    return "/".join(parts[:2]) if parts[0] == "understudy" and len(parts) > 2 else parts[0]


def summarize(report: dict[str, Any]) -> dict[str, Coverage]:
    """Return the coverage of each package, and the total coverage under the key `total`."""
    totals: Counter[str] = Counter()
    covered: Counter[str] = Counter()
    for path, file in report["files"].items():
        summary = file["summary"]
        for key in (package_of(path), "total"):
            totals[key] += summary["num_statements"] + summary["num_branches"]
            covered[key] += summary["covered_lines"] + summary["covered_branches"]
    return {key: Coverage(totals[key], covered[key]) for key in sorted(totals)}


def main() -> None:
    """Print the coverage by package, and write it with `--write-results`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.coverage", description="Summarize coverage.")
    parser.add_argument("report", type=Path, help="output of `coverage json`")
    parser.add_argument(
        "--write-results", action="store_true", help="write benchmarks/results/DATE-coverage.json"
    )
    options = parser.parse_args()
    packages = summarize(json.loads(options.report.read_text()))
    for name, coverage in packages.items():
        print(f"{name:32} {coverage.percent:5.1f}%  of {coverage.n_total:6,} lines and branches")
    if options.write_results:
        today = time.strftime("%Y-%m-%d")
        result = {
            "date": today,
            "command": COMMAND,
            "percent": {name: coverage.percent for name, coverage in packages.items()},
        }
        path = RESULTS / f"{today}-coverage.json"
        path.write_text(json.dumps(result, indent=2) + "\n")
        print(f"Wrote {path}")


if __name__ == "__main__":
    main()
