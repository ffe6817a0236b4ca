"""Check that the table of fault tests names existing tests and all groups of faults."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reference" / "fault-tests.md").read_text()
TEST = re.compile(r"`([\w/]+\.py)::(\w+)`")


def test_every_named_test_exists() -> None:
    named = TEST.findall(PAGE)
    missing = []
    for file, name in named:
        path = ROOT / file if "/" in file else ROOT / "tests" / "faults" / file
        if f"def {name}(" not in path.read_text():
            missing.append(f"{file}::{name}")
    assert len(named) > 40
    assert missing == []


def test_every_group_of_faults_has_a_row() -> None:
    rows = re.findall(r"^\| F(\d+) \|", PAGE, re.MULTILINE)
    assert [int(row) for row in rows] == list(range(1, 40))


def test_every_mutant_has_a_row() -> None:
    source = (ROOT / "tests" / "faults" / "mutants.py").read_text()
    names = re.findall(r"Mutant\(\s*\"([^\"]+)\"", source)
    assert len(names) >= 7
    assert [
        name
        for name in names
        if not re.search(rf"^\| {re.escape(name)}( \(harmless\))? \|", PAGE, re.MULTILINE)
    ] == []
