"""Convert the asynchronous modules of the Python client to synchronous ones."""

from __future__ import annotations

import re

HEADER = "# Generated from {name} by `make clients`. Do not edit.\n"

# Patterns and replacements, applied in this order. `\bAsync` removes the prefix of classes such as `AsyncJob`
# and `AsyncIterator`.
REPLACEMENTS = (
    (r"\basync (def|with|for)\b", r"\1"),
    (r"\bawait ", ""),
    (r"\b_async\b", "_sync"),
    (r"\bAsyncExitStack\b", "ExitStack"),
    (r"\basynccontextmanager\b", "contextmanager"),
    (r"\bAsyncGenerator\[(\w[\w.]*)\]", r"Generator[\1]"),
    (r"\b__a(enter|exit|iter|next)__\b", r"__\1__"),
    (r"\b(a)(close|iter_bytes|iter_raw|iter_lines|read)\(", r"\2("),
    (r"\baclosing\b", "closing"),
    (r"\bStopAsyncIteration\b", "StopIteration"),
    (r"\bAsync(?=[A-Z])", ""),
    (r"\basynchronous\b", "synchronous"),
)


def synchronous(name: str, source: str) -> str:
    """Return the synchronous module for an asynchronous one. `name` is the path of its file."""
    for pattern, replacement in REPLACEMENTS:
        source = re.sub(pattern, replacement, source)
    return HEADER.format(name=name) + source
