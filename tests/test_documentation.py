"""Tests that paths and lists in the documentation match the code."""

from __future__ import annotations

import re
from pathlib import Path

from understudy.tables.kinds import ColumnKind

ROOT = Path(__file__).parent.parent
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()
FOLDERS = ("understudy", "app", "workers", "tests", "tools", "docs", "migrations")


def paths_in(text: str) -> list[str]:
    """Return the paths in the repository that a text contains, in order of appearance."""
    quoted = re.findall(r"`([^`\s]+)`", text)
    return list(dict.fromkeys(path for path in quoted if path.partition("/")[0] in FOLDERS and "/" in path))


def globs_of(path: str) -> list[str]:
    """Return glob patterns for a path. `<name>` matches any name, and `{a,b}` yields one pattern each."""
    braces = re.search(r"\{([^}]*)\}", path)
    if braces is None:
        return [re.sub(r"<[a-z]+>", "[a-z]*", path)]
    return [
        glob
        for alternative in braces[1].split(",")
        for glob in globs_of(path[: braces.start()] + alternative + path[braces.end() :])
    ]


def test_every_path_in_the_architecture_exists() -> None:
    paths = paths_in(ARCHITECTURE)
    assert len(paths) > 40
    assert [path for path in paths if not all(any(ROOT.glob(glob)) for glob in globs_of(path))] == []


def test_every_row_of_the_table_of_locations_contains_a_path() -> None:
    section = ARCHITECTURE.partition("## Where is")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 20
    assert [row for row in rows if not paths_in(row)] == []


def test_command_line_page_lists_every_kind_of_column() -> None:
    listed = re.search(r"Kinds: ([^.]*)\.", (ROOT / "docs" / "reference" / "cli.md").read_text())
    assert listed is not None
    assert re.findall(r"`(\w+)`", listed[1]) == list(ColumnKind)
