"""All benchmarks of our own, one after the other: `make bench`."""

from __future__ import annotations

import argparse
import subprocess
import sys

# What cannot do without the tables of the folder.
OF_THE_FOLDER = (
    *("benchmarks.conditional", "benchmarks.membership"),
    *("benchmarks.reports", "benchmarks.power_check", "benchmarks.real_against_real"),
)


def main() -> None:
    """Run each benchmark in a process of its own, so that one's memory is not another's."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--data", help="folder with adult.csv, housing.csv, diamonds.csv for the engine")
    parser.add_argument("--write-results", action="store_true", help="write the engine's dated files")
    arguments = parser.parse_args()
    data = ["--data", arguments.data] if arguments.data else []
    written = ["--write-results"] if arguments.write_results else []
    for module, *options in (
        ["benchmarks.engine", *data, *written],
        *([[module, *data] for module in OF_THE_FOLDER] if data else []),
        ["benchmarks.scaling", *written],
        ["benchmarks.inference", *data],
        ["benchmarks.ingest"],
        ["benchmarks.downloads"],
        ["benchmarks.stack"],
    ):
        print(f"\n== {module}", flush=True)
        subprocess.run([sys.executable, "-m", module, *options], check=True)  # noqa: S603 - our own modules


if __name__ == "__main__":
    main()
