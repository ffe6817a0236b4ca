"""The fenced code blocks of a Markdown page, and the comments that mark blocks as not run.

A block of Python or shell is run unless a comment such as this one precedes it:

    <!-- not run: needs Docker -->

A `text` block that directly follows contains the expected output. In this output, `…` matches any characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PYTHON = ("python", "py")
SHELL = ("sh", "bash", "shell")
CONSOLE = ("console",)
FENCE = re.compile(r"(?P<indent>[ ]*)(?P<fence>```+|~~~+)[ ]*(?P<language>[\w-]*)")
MARK = re.compile(r"<!--\s*not run\b:?\s*(?P<reason>.*?)\s*-->")


@dataclass(frozen=True)
class Block:
    """A fenced code block.

    Parameters
    ----------
    line : int
        Number of the first source line on the page, starting from 1.
    reason : str or None
        Reason why the block is not run, or None if it is run.
    output : str or None
        Expected output, or None if the page does not contain it.
    """

    page: str
    line: int
    language: str
    source: str
    reason: str | None = None
    output: str | None = None

    @property
    def place(self) -> str:
        """The position of the block, as `page:line`."""
        return f"{self.page}:{self.line}"

    def line_at(self, number: int) -> str:
        """Return the line with this number on the page, or the first line for numbers outside the block."""
        lines = self.source.splitlines() or [""]
        index = number - self.line
        return lines[index if 0 <= index < len(lines) else 0]

    @property
    def is_python(self) -> bool:
        """Whether the block is Python."""
        return self.language in PYTHON

    @property
    def is_code(self) -> bool:
        """Whether the block must either run or be marked."""
        return self.language in (*PYTHON, *SHELL, *CONSOLE)


def pages() -> list[Path]:
    """Return the pages with code to run here. `tests/how_to` runs other pages in a copy of the project."""
    followed_in_a_copy = set((ROOT / "docs" / "how-to").glob("add-*.md"))
    return [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        ROOT / "clients" / "python" / "README.md",
        *sorted(set((ROOT / "docs").rglob("*.md")) - followed_in_a_copy),
    ]


def code_blocks(path: Path) -> list[Block]:
    """Return the Python and shell blocks of a page, in order."""
    return [block for block in blocks_of(str(path.relative_to(ROOT)), path.read_text()) if block.is_code]


def blocks_of(page: str, markdown: str) -> list[Block]:
    """Return all fenced blocks of a page. Code blocks contain their expected output."""
    fenced = list(_fenced(page, markdown.splitlines()))
    blocks = []
    for index, (block, end) in enumerate(fenced):
        following = fenced[index + 1] if index + 1 < len(fenced) else None
        output = None
        if following is not None and following[0].language == "text":
            between = markdown.splitlines()[end : following[0].line - 2]
            output = following[0].source if not "".join(between).strip() else None
        if block.language in CONSOLE:
            blocks.append(_from_console(block))
        else:
            blocks.append(Block(block.page, block.line, block.language, block.source, block.reason, output))
    return blocks


def _fenced(page: str, lines: list[str]) -> Iterator[tuple[Block, int]]:
    """Yield blocks without their output, each with the number of its last line."""
    index = 0
    while index < len(lines):
        opening = FENCE.match(lines[index])
        if opening is None:
            index += 1
            continue
        end = next(
            (
                number
                for number in range(index + 1, len(lines))
                if lines[number].strip() == opening["fence"] and lines[number].startswith(opening["indent"])
            ),
            len(lines),
        )
        indent = len(opening["indent"])
        source = "".join(f"{line[indent:]}\n" for line in lines[index + 1 : end])
        yield Block(page, index + 2, opening["language"], source, _reason(lines[:index])), end + 1
        index = end + 1


def _reason(lines_before: list[str]) -> str | None:
    """Return the reason in the comment before a block, which can be empty, or None if there is no comment."""
    last = next((line for line in reversed(lines_before) if line.strip()), "")
    mark = MARK.fullmatch(last.strip())
    return None if mark is None else mark["reason"]


def _from_console(block: Block) -> Block:
    """Return a block with the commands of a console block, on the same lines, and the expected output."""
    is_command = [line.startswith(("$ ", "> ")) for line in block.source.splitlines()]
    lines = list(zip(block.source.splitlines(), is_command, strict=True))
    source = "".join(f"{line[2:] if command else ''}\n" for line, command in lines)
    output = "".join(f"{line}\n" for line, command in lines if not command)
    return Block(block.page, block.line, block.language, source, block.reason, output or None)


def matches(shown: str, output: str) -> bool:
    """Return whether the output equals the expected output up to white space. `…` matches any characters."""
    pattern = re.escape(" ".join(shown.split())).replace("…", ".*")
    return re.fullmatch(pattern, " ".join(output.split()), re.DOTALL) is not None
