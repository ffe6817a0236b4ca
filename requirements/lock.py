"""Update the lock files: `make lock`. Each lock file is valid for every platform and Python from 3.11."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent

# Lock files, and the extras that each contains in addition to the engine.
LOCKS: dict[str, tuple[str, ...]] = {
    "service.txt": ("service",),
    "otel.txt": ("service", "otel"),
    "run.txt": ("service", "embedded", "demo"),
    "dev.txt": ("service", "embedded", "demo", "dev"),
    "bench.txt": ("service", "embedded", "demo", "dev", "bench"),
}


def lock(name: str, extras: tuple[str, ...]) -> None:
    """Write a lock file with hashes and without the address of an index."""
    command = [
        sys.executable,
        "-m",
        "uv",
        "pip",
        "compile",
        "--quiet",
        "--universal",
        "--python-version",
        "3.11",
    ]
    command += ["--generate-hashes", "--no-emit-index-url", "--no-header", "--no-annotate", "--output-file"]
    command += [str(HERE / name), "pyproject.toml", str(HERE / "build.in")]
    for extra in extras:
        command += ["--extra", extra]
    subprocess.run(command, check=True, cwd=HERE.parent)  # noqa: S603 - trusted arguments


if __name__ == "__main__":
    for name, extras in LOCKS.items():
        lock(name, extras)
