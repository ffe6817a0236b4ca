"""Formats of live rows, and the pipe through which the sandbox sends them."""

from __future__ import annotations

from typing import Literal

LiveFormat = Literal["jsonl", "csv", "arrow"]

# Media types by format. The first format is the default.
LIVE_MEDIA_TYPES: dict[LiveFormat, str] = {
    "jsonl": "application/x-ndjson",
    "csv": "text/csv",
    "arrow": "application/vnd.apache.arrow.stream",
}
# Name of the pipe in the work folder.
LIVE_PIPE = "rows"
