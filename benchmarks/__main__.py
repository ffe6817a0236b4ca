"""Run all benchmarks except the peers: `make bench`."""

from __future__ import annotations

import argparse
import subprocess
import sys

# Benchmarks that need the tables in the data folder.
WITH_DATA = (
    *("benchmarks.conditional", "benchmarks.membership"),
    *("benchmarks.reports", "benchmarks.power_check", "benchmarks.real_against_real"),
)


def main() -> None:
    """Run each benchmark in a separate process, so that peak memory is measured separately."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--data", help="folder with adult.csv, housing.csv, diamonds.csv")
    parser.add_argument(
        "--write-results", action="store_true", help="write dated result files into benchmarks/results"
    )
    arguments = parser.parse_args()
    data = ["--data", arguments.data] if arguments.data else []
    written = ["--write-results"] if arguments.write_results else []
    for module, *options in (
        ["benchmarks.engine", *data, *written],
        *([[module, *data] for module in WITH_DATA] if data else []),
        ["benchmarks.fresh_rows", *written],
        ["benchmarks.scaling", *written],
        ["benchmarks.inference", *data],
        ["benchmarks.ingest"],
        ["benchmarks.downloads"],
        ["benchmarks.claims", *written],
        ["benchmarks.stack"],
        ["benchmarks.sharded_samples", *written],
    ):
        print(f"\n== {module}", flush=True)
        subprocess.run([sys.executable, "-m", module, *options], check=True)  # noqa: S603 - modules of this package


if __name__ == "__main__":
    main()
