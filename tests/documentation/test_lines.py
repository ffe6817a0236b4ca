"""The Markdown sources have one sentence on a line or short lines, so that a diff is easy to read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.documentation.blocks import FENCE, ROOT

N_CHARACTERS_MAX = 120
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
# The end of a sentence within a line: a full stop, then a capital letter, a number or code.
SENTENCE_END = re.compile(r"[.!?][)\"”*`]*\s+(?=[A-Z0-9`*(\[\"“])")
# Not ends of sentences.
ABBREVIATIONS = re.compile(r"\b(?:e\.g|i\.e|et al|etc|vs|cf|St)\.|\b\d+\.(?=\s)")


def long_lines(markdown: str) -> Iterator[tuple[int, str]]:
    """Yield the long lines of prose that contain more than one sentence, outside of code and tables."""
    fence = None
    for number, line in enumerate(markdown.splitlines(), 1):
        opening = FENCE.match(line)
        if opening is not None:
            if fence is None:
                fence = opening["fence"]
            elif line.strip() == fence:
                fence = None
            continue
        is_table = line.lstrip().startswith("|")
        if fence is not None or is_table or line.startswith("    ") or len(line) <= N_CHARACTERS_MAX:
            continue
        if n_sentences(line) > 1:
            yield number, line


def n_sentences(line: str) -> int:
    """Return the number of sentences on a line; marks of lists and emphasized lead-ins do not count."""
    text = re.sub(r"^\s*(?:[-*+]|\d+\.)\s+", "", line)
    text = re.sub(r"^\*\*[^*]+\*\*[.:]?\s*", "", text)
    return 1 + len(SENTENCE_END.findall(ABBREVIATIONS.sub("", text)))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_long_line_is_one_sentence(path: Path) -> None:
    found = [f"{path.relative_to(ROOT)}:{number}: {line}" for number, line in long_lines(path.read_text())]
    assert found == [], f"Put each sentence on its own line, or wrap at {N_CHARACTERS_MAX} characters."


LONG = "This sentence is longer than a line may be, " + "and it continues, " * 5 + "until it ends here."


@pytest.mark.parametrize(
    ("markdown", "is_found"),
    [
        (LONG, False),
        (f"{LONG} Another one.", True),
        (f"- **Lead-in.** {LONG}", False),
        (f"{LONG[:-1]}, et al. (2022).", False),
        (f"```text\n{LONG} Another one.\n```", False),
        (f"| {LONG} Another one. |", False),
        ("Short. Another.", False),
    ],
    ids=["one sentence", "two", "lead-in", "abbreviation", "code", "table", "short"],
)
def test_a_long_line_of_two_sentences_is_found(markdown: str, is_found: bool) -> None:
    assert bool(list(long_lines(markdown))) == is_found
