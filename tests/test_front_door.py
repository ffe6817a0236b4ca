"""Tests that the files that contributors look for first are valid and state the same version."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


@pytest.mark.parametrize(
    ("file", "pattern"),
    [
        ("CITATION.cff", r"^version: (.+)$"),
        ("CHANGELOG.md", r"^## (\S+)"),
        ("openapi.json", r'^\s*"version": ?"([^"]+)"'),
    ],
)
def test_every_file_states_the_version_of_the_project(file: str, pattern: str) -> None:
    match = re.search(pattern, (ROOT / file).read_text(), re.MULTILINE)
    assert match is not None
    assert match[1] == VERSION


@pytest.mark.parametrize("file", ["CONTRIBUTING.md", "SECURITY.md", "README.md"])
def test_links_lead_to_existing_files_of_the_repository(file: str) -> None:
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", (ROOT / file).read_text())]
    local = [link for link in links if link and "://" not in link]
    assert local
    assert [link for link in local if not (ROOT / link).exists()] == []


def test_the_readme_has_at_most_150_lines() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 150


def test_every_make_target_that_a_document_names_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {
        target
        for file in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
        for target in re.findall(r"`make ([a-z-]+)", file.read_text())
    }
    assert {"check", "test", "demo", "bench"} <= named
    assert named <= targets
