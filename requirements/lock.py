"""Resolve the lock files anew: `make lock`. Universal: one lock for every platform and Python from 3.11."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent

# What is locked: file -> the extras it installs, besides the engine itself.
LOCKS: dict[str, tuple[str, ...]] = {
    "service.txt": ("service",),
    "run.txt": ("service", "embedded", "demo"),
    "dev.txt": ("service", "embedded", "demo", "dev"),
    "bench.txt": ("service", "embedded", "demo", "dev", "bench"),
}


def lock(name: str, extras: tuple[str, ...]) -> None:
    """Write one lock with hashes and without the address of any index."""
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
    subprocess.run(command, check=True, cwd=HERE.parent)  # noqa: S603 - our own arguments


if __name__ == "__main__":
    for name, extras in LOCKS.items():
        lock(name, extras)
