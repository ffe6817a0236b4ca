"""Tests that every Markdown line is short or contains a single sentence, so that diffs are easy to read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.documentation.blocks import ROOT
from tools.documentation.lines import long_lines, one_sentence_per_line, sentences

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
LONG = "This sentence is longer than a line may be, " + "and it continues, " * 5 + "until it ends here."


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_long_line_contains_only_one_sentence(path: Path) -> None:
    faults = [f"{path.relative_to(ROOT)}:{number}: {line}" for number, line in long_lines(path.read_text())]
    assert faults == [], f"Run `python -m tools.documentation.lines {path.relative_to(ROOT)}`."


@pytest.mark.parametrize(
    ("markdown", "is_found"),
    [
        (LONG, False),
        (f"{LONG} Another one.", True),
        (f"- {LONG} Another one.", True),
        (f"- **Lead-in.** {LONG}", False),
        (f"{LONG[:-1]} (Giomi et al. 2023).", False),
        (f"{LONG[:-1]} `a. B`.", False),
        (f"```text\n{LONG} Another one.\n```", False),
        (f"| {LONG} Another one. |", False),
        ("Short. Another.", False),
    ],
    ids=["one", "two", "item", "lead-in", "abbreviation", "code span", "code", "table", "short"],
)
def test_a_long_line_of_two_sentences_is_reported(markdown: str, is_found: bool) -> None:
    assert bool(list(long_lines(markdown))) == is_found


def test_a_lead_in_stays_with_the_sentence_that_follows() -> None:
    assert sentences("**One split.** It is one. A second.") == ["**One split.** It is one.", "A second."]


def test_wrapped_sentences_of_a_list_item_are_indented() -> None:
    wrapped = one_sentence_per_line(f"Text.\n\n- {LONG} Another\n  one.\n\n```text\na. B\n```\n")
    assert wrapped == f"Text.\n\n- {LONG}\n  Another one.\n\n```text\na. B\n```\n"


def test_short_lines_stay_as_they_are() -> None:
    assert one_sentence_per_line("One. Two.\nThree\nfour.\n") == "One. Two.\nThree\nfour.\n"
