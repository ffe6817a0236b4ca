"""Read columns that are separated by spaces: replace the spaces between fields with tabs."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

from understudy.tables.formats.csv.decoding import Text
from understudy.tables.formats.csv.sampling import split_lines
from understudy.tables.formats.layout.cells import is_value
from understudy.tables.formats.scan import Reading

WHITESPACE = "whitespace"
_FIELD = re.compile(r'"(?:[^"]|"")*"|[^ \t]+')
_SPACES = re.compile(rb'("(?:[^"]|"")*")|[ \t]+')
_OTHER_DELIMITERS = re.compile(r"[,;|\t]")
_ALIGNED = re.compile(r"\S {2,}\S")
_START_BYTES = 64 * 1024
_LINES_MAX = 200
_COLUMNS_MIN = 3
_ALIGNED_MIN = 0.9
_WARNING = (
    "The columns are separated by spaces. Set the option `delimiter` to `whitespace` to avoid this message, "
    "or to another character to read the lines differently."
)


def with_tabs(text: Text, reading: Reading) -> Text:
    """Return a copy of a file with tabs between its fields if they are separated by spaces."""
    wanted = reading.options.delimiter
    if wanted != WHITESPACE and (wanted is not None or not is_split_by_spaces(text)):
        return text
    target = reading.scratch / "with_tabs.csv"
    with text.path.open("rb") as file, target.open("wb") as copy:
        for line in file:
            content = line.rstrip(b"\r\n")
            fields = _SPACES.sub(lambda match: match[1] or b"\t", content.strip(b" \t"))
            copy.write(fields + line[len(content) :])
    warnings = () if wanted else (_WARNING,)
    return replace(text, path=target, warnings=(*text.warnings, *warnings))


def is_split_by_spaces(text: Text) -> bool:
    """Return whether spaces separate the columns in the first lines.

    All lines must have the same number of words. At least one column must have typed values below its name.
    """
    lines = _first_lines(text)
    if len(lines) < _COLUMNS_MIN or any(map(_OTHER_DELIMITERS.search, lines)):
        return False
    rows = [_FIELD.findall(line) for line in lines]
    names, body = rows[0], rows[1:]
    if len(names) < _COLUMNS_MIN or any(len(row) != len(names) for row in body):
        return False
    return not any(map(is_value, names)) and any(
        all(is_value(row[column]) for row in body) for column in range(len(names))
    )


def _first_lines(text: Text) -> list[str]:
    with text.path.open("rb") as file:
        start = file.read(_START_BYTES)
    lines = split_lines(start.decode("utf-8", errors="ignore").removeprefix("\ufeff"))
    complete = lines if len(start) < _START_BYTES else lines[:-1]
    return [line.rstrip("\r\n") for line in complete if line.strip()][:_LINES_MAX]


def is_aligned(lines: list[str]) -> bool:
    """Return whether most lines contain runs of several spaces, as in columns of fixed width."""
    n_aligned = sum(_ALIGNED.search(line) is not None for line in lines)
    return len(lines) > 1 and n_aligned >= _ALIGNED_MIN * len(lines)


def separator_of(lines: list[str]) -> str | None:
    """Return a punctuation mark or control character that occurs equally often in every line."""
    if len(lines) <= _COLUMNS_MIN:
        return None
    counts = [Counter(re.findall(r"[^\w\s\"'.\-/@]|[\x01-\x08\x1c-\x1f]", line)) for line in lines]
    common = {mark: n for mark, n in counts[0].items() if all(each[mark] == n for each in counts)}
    # A colon is also part of times, labels and URLs.
    marks = [mark for mark, n in common.items() if ord(mark) < 127 and (mark != ":" or n > 1)]
    best = max(marks, key=lambda mark: common[mark], default=None)
    names = lines[0].split(best) if best else []
    return best if all(name.strip() and not is_value(name) for name in names) else None
