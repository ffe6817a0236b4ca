"""Tests that each how-to page that adds a component works if its steps are followed literally."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.how_to.pages import ROOT, Block, change_file, check_output, copy_project, follow, run

PAGES = sorted((ROOT / "docs" / "how-to").glob("add-*.md"))
# The commands of these pages run tests that need PostgreSQL.
WITH_SERVERS = {"add-an-endpoint.md"}


def test_every_family_of_components_has_a_page() -> None:
    assert [page.stem for page in PAGES] == [
        "add-a-format",
        "add-a-kind-of-job",
        "add-a-metric",
        "add-a-store",
        "add-a-synthesizer",
        "add-an-endpoint",
    ]


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, id=page.stem, marks=[pytest.mark.stack] if page.name in WITH_SERVERS else [])
        for page in PAGES
    ],
)
def test_following_the_page_results_in_a_working_component(page: Path, tmp_path: Path) -> None:
    follow(page, copy_project(tmp_path / "understudy"))


def test_a_change_whose_context_is_missing_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file.py").write_text("a = 1\n")
    with pytest.raises(AssertionError, match="0 times"):
        change_file(Block("diff", "file.py", " b = 1\n+c = 2\n"), tmp_path)


def test_a_change_replaces_removed_lines(tmp_path: Path) -> None:
    (tmp_path / "file.py").write_text("a = 1\n\nb = 2\n")
    change_file(Block("diff", "file.py", " a = 1\n\n-b = 2\n+b = 3\n"), tmp_path)
    assert (tmp_path / "file.py").read_text() == "a = 1\n\nb = 3\n"


def test_a_failing_command_is_reported(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="ended with 3"):
        run("exit 3", tmp_path)


def test_a_missing_line_of_output_is_reported() -> None:
    check_output(Block("text", None, "1 row… of 3\n"), "start\n1 row, first of 3\n")
    with pytest.raises(AssertionError, match="lacks the line"):
        check_output(Block("text", None, "2 rows\n"), "1 row\n")
