"""The index of the decision records."""

from __future__ import annotations

from pathlib import Path

from tools.documentation.markdown import table

INTRODUCTION = """\
# Decisions

Each record describes one decision that is hard to reverse: the situation, the decision, and its consequences.
When a decision changes, a new record replaces the old one.
"""


def decisions_page(folder: Path) -> str:
    """Return the page that lists the decision records of a folder."""
    rows = [
        (path.stem.partition("-")[0], f"[{_title(path)}]({path.name})")
        for path in sorted(folder.glob("0*.md"))
    ]
    return f"{INTRODUCTION}\n{table(('Number', 'Decision'), rows)}"


def _title(path: Path) -> str:
    heading = path.read_text().partition("\n")[0].removeprefix("# ")
    return heading.removeprefix(path.stem.partition("-")[0]).lstrip(".: ")
