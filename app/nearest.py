"""Suggestions for names that do not exist: the most similar valid name."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches

# Longer names are not compared, because the comparison takes quadratic time.
LENGTH_MAX = 64


def suggestion(name: str, valid: Collection[str]) -> str:
    """Return a sentence that suggests the most similar valid name, or an empty text if none is similar."""
    by_lower = {candidate.lower(): candidate for candidate in sorted(valid)}
    matches = get_close_matches(name.lower(), by_lower, n=1) if len(name) <= LENGTH_MAX else []
    return f" Did you mean `{by_lower[matches[0]]}`?" if matches else ""
