"""Types of command-line options."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable


def names_of(known: Iterable[str]) -> Callable[[str], list[str]]:
    """Return an argparse type for comma-separated names."""
    choices = list(known)

    def read(text: str) -> list[str]:
        names = [name for name in text.split(",") if name]
        unknown = [name for name in names if name not in choices]
        if unknown:
            raise argparse.ArgumentTypeError(
                f"unknown names: {', '.join(unknown)}; choose from: {', '.join(choices)}"
            )
        return names

    return read
