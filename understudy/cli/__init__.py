"""The console script: fit, sample, impute, evaluate on files; the service: demo, serve, worker, migrate."""

from __future__ import annotations

import sys

from understudy.cli.application import run

__all__ = ["main"]


def main() -> None:
    """Run the command that the arguments name and exit with its status."""
    sys.exit(run(sys.argv[1:]))
