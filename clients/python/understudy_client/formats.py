"""File formats. The name of a format is the suffix of its files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

FORMATS = ("csv", "parquet", "jsonl", "arrow", "xlsx")
REJECTS_FORMATS = ("csv", "parquet")
ROWS_FORMATS = ("csv", "jsonl", "arrow")


def suffix_format(filename: str, formats: Sequence[str] = FORMATS) -> str | None:
    """Return the format that matches the suffix of a file name, regardless of case, or None."""
    suffix = Path(filename).suffix.removeprefix(".").lower()
    return suffix if suffix in formats else None


def download_format(path: Path, formats: Sequence[str] = FORMATS) -> str:
    """Return the format of a file to download.

    Raises
    ------
    ValueError
        If the suffix of the path is not one of the formats.
    """
    known = suffix_format(path.name, formats)
    if known is None:
        listed = f"{', '.join(formats[:-1])} or {formats[-1]}"
        raise ValueError(
            f"The suffix of {path.name!r} is not a known format. Use the suffix {listed}, or pass `format`."
        )
    return known
