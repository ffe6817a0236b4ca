"""The console script: fit, sample, evaluate on files; demo, serve, worker, migrate for the service."""

from __future__ import annotations

import sys

from understudy.cli.application import run

__all__ = ["main"]


def main() -> None:
    """Run the command that the arguments name and exit with its status."""
    sys.exit(run(sys.argv[1:]))
