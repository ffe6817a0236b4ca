"""Console script `understudy`: commands on files, and commands that run and administer the service."""

from __future__ import annotations

import sys

from understudy.cli.application import run
from understudy.pandas_import import without_pandas

__all__ = ["main"]


def main() -> None:
    """Run the command in `sys.argv` and exit with its status."""
    with without_pandas():
        sys.exit(run(sys.argv[1:]))
