"""Line breaks in Markdown: a line is short or contains one sentence, so that a diff shows what changed.

python -m tools.documentation.lines docs README.md    # put each sentence of a long line on its own line
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

N_CHARACTERS_MAX = 120
# Text with a full stop that does not end a sentence: code, abbreviations and list item numbers.
PROTECTED = re.compile(r"`[^`]*`|\b(?:e\.g|i\.e|et al|etc|vs|cf)\.|\b\d+\.(?=\s)")
SENTENCE_END = re.compile(r"[.!?][)\"”*]*\s+(?=[A-Z0-9*(\[\"“\x00])")
LIST_MARK = re.compile(r"\s*(?:[-*+]|\d+\.)\s+")
FENCE = re.compile(r"\s*(?:```|~~~)")
# Beginnings of lines that do not continue a paragraph.
OTHER_BLOCK = re.compile(r"\s*(?:\||#|<!--|>|!!!|```|~~~|$)")


def sentences(text: str) -> list[str]:
    """Return the sentences of a line or a paragraph. An emphasized lead-in belongs to its sentence."""
    protected: list[str] = []

    def protect(match: re.Match[str]) -> str:
        protected.append(match[0])
        return f"\x00{len(protected) - 1}\x01"

    masked = PROTECTED.sub(protect, text)
    parts = [""]
    begin = 0
    for end in [*(match.end() for match in SENTENCE_END.finditer(masked)), len(masked)]:
        is_open = parts[-1].count("**") % 2 == 1 or re.fullmatch(r"\*\*[^*]+\*\*", parts[-1])
        if is_open or not parts[-1]:
            parts[-1] = f"{parts[-1]} {masked[begin:end].strip()}".strip()
        else:
            parts.append(masked[begin:end].strip())
        begin = end
    return [re.sub(r"\x00(\d+)\x01", lambda match: protected[int(match[1])], part) for part in parts]


def long_lines(markdown: str) -> Iterator[tuple[int, str]]:
    """Yield the number and text of each line that is too long and contains more than one sentence."""
    for number, lines in _paragraphs(markdown):
        for index, line in enumerate(lines):
            text = LIST_MARK.sub("", line, count=1) if index == 0 else line
            if len(line) > N_CHARACTERS_MAX and len(sentences(text)) > 1:
                yield number + index, line


def _paragraphs(markdown: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the number of the first line, counted from 1, and the lines of each paragraph or list item."""
    is_code = False
    paragraph: list[str] = []
    for number, line in enumerate([*markdown.split("\n"), ""], 1):
        is_fence = FENCE.match(line) is not None
        is_text = not (is_code or is_fence or OTHER_BLOCK.match(line))
        is_code ^= is_fence
        if paragraph and (not is_text or LIST_MARK.match(line)):
            yield number - len(paragraph), paragraph
            paragraph = []
        if is_text and (paragraph or not line.startswith("    ")):
            paragraph.append(line)


def one_sentence_per_line(markdown: str) -> str:
    """Return the source with one sentence per line in each paragraph that contains a long line."""
    lines = markdown.split("\n")
    numbers = {number for number, _ in long_lines(markdown)}
    for number, paragraph in reversed(list(_paragraphs(markdown))):
        if numbers.isdisjoint(range(number, number + len(paragraph))):
            continue
        mark = LIST_MARK.match(paragraph[0])
        prefix = mark[0] if mark else ""
        text = " ".join([paragraph[0][len(prefix) :].strip(), *(line.strip() for line in paragraph[1:])])
        first, *others = sentences(text)
        replacement = [prefix + first, *(" " * len(prefix) + other for other in others)]
        lines[number - 1 : number - 1 + len(paragraph)] = replacement
    return "\n".join(lines)


def main(names: list[str]) -> None:
    """Rewrite the given Markdown files and the Markdown files in the given folders."""
    for path in map(Path, names):
        for page in sorted(path.rglob("*.md")) if path.is_dir() else [path]:
            source = page.read_text()
            wrapped = one_sentence_per_line(source)
            if wrapped != source:
                page.write_text(wrapped)


if __name__ == "__main__":
    main(sys.argv[1:])
