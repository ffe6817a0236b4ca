"""All benchmarks, one after the other: `make bench`."""

from __future__ import annotations

import argparse
import subprocess
import sys


def main() -> None:
    """Run each benchmark in a process of its own, so that one's memory is not another's."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", help="folder with adult.csv, housing.csv, diamonds.csv for the engine")
    arguments = parser.parse_args()
    # Without that folder the engine has the flights, which a package carries, and no other table.
    tables = ["--data", arguments.data] if arguments.data else ["--tables"]
    engine = ["benchmarks.engine", "--flights", *tables]
    for module, *options in (engine, ["benchmarks.ingest"], ["benchmarks.stack"]):
        print(f"\n== {module}", flush=True)
        subprocess.run([sys.executable, "-m", module, *options], check=True)  # noqa: S603 - our own modules


if __name__ == "__main__":
    main()
