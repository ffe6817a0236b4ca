"""The console script: fit, sample, impute, evaluate on files; the service: demo, serve, worker, migrate."""

from __future__ import annotations

import sys

from understudy.cli.application import run
from understudy.pandas_import import without_pandas

__all__ = ["main"]


def main() -> None:
    """Run the command that the arguments name and exit with its status."""
    with without_pandas():
        sys.exit(run(sys.argv[1:]))
