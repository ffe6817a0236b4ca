"""Convert a JSON document to JSON Lines. The document is an array of objects, or contains such an array.

The elements of the array are copied as they are written, one per line, so no digit of a number is lost.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from understudy.errors import InvalidInput, TooLarge
from understudy.tables.formats.jsonl.shapes import table_of
from understudy.tables.formats.scan import MEBIBYTE, Reading

_BLANK = re.compile(r"[ \t\r\n]*")
_LINE_END = re.compile(r"[\r\n]+")
# Numbers are not converted, because only the structure of the document is examined.
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)
_COPY = "objects.jsonl"
# An object with more keys is a row, which is then rejected because it has too many columns.
_KEYS_MAX = 10_000


@dataclass(frozen=True)
class Document:
    """A file of JSON Lines: the upload itself, or a copy with one line per object of the document.

    Parameters
    ----------
    is_copy : bool
        Whether line n of the file is object n of the upload.
    """

    path: Path
    is_copy: bool = False
    warnings: tuple[str, ...] = ()

    def explain(self, message: str) -> str:
        """Return a message about the file. For a copy, refer to the lines as objects."""
        if not self.is_copy:
            return message
        words = {"Line": "Object", "line": "object", "Lines": "Objects", "lines": "objects"}
        return re.sub(r"\b([Ll]ines?)(?= [0-9])", lambda match: words[match[1]], message)


def json_lines(path: Path, reading: Reading) -> Document:
    """Return the file as JSON Lines.

    Raises
    ------
    InvalidInput
        If a JSON document does not have exactly one array of objects, or cannot be read (code
        unreadable_file).
    """
    limit = 4 * reading.limits.cell_bytes_max
    with path.open("rb") as file:
        source = _Source(file, limit)
        first = source.peek()
        if first == "[":
            copy = reading.scratch / _COPY
            _copy_array(source, copy, "The JSON array")
            source.check_end()
            return Document(copy, is_copy=True)
        if first != "{" or not source.has_open_line():
            return Document(path)
    with path.open("rb") as file:
        if (document := _concatenated(_Source(file, limit), reading)) is not None:
            return document
    with path.open("rb") as file:
        return _enclosed(_Source(file, limit), path, reading)


class _Incomplete(Exception):
    """Raised if a value is not valid JSON, or does not end within the size limit."""

    def __init__(self, line: int, *, is_long: bool) -> None:
        super().__init__()
        self.line = line
        self.is_long = is_long

    def error(self, limit: int) -> Exception:
        """Return the error for the user."""
        if self.is_long:
            return TooLarge(
                f"The JSON value that starts on line {self.line:,} is longer than {limit:,} bytes. Convert "
                "the document to JSON Lines (one object per line)."
            )
        return _unreadable(f"Line {self.line:,} is not valid JSON. Correct it, or write one object per line.")


class _Source:
    """A reader of JSON values from a file, in bounded memory."""

    def __init__(self, file: IO[bytes], limit: int) -> None:
        self.limit = limit
        self._file = file
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._text = ""
        self._start = 0
        self._n_lines = 0
        self._is_whole = False
        self._fill(64 * 1024)
        self._text = self._text.removeprefix("\ufeff")

    def _fill(self, size: int) -> None:
        data = self._file.read(size)
        self._is_whole = not data
        self._n_lines += self._text.count("\n", 0, self._start)
        try:
            self._text = self._text[self._start :] + self._decoder.decode(data, final=self._is_whole)
        except UnicodeDecodeError:
            # The cause is suppressed because the decoder's error contains the bytes.
            raise InvalidInput(
                f"Line {self.line:,} or a later line is not valid UTF-8. Save the file as UTF-8 and upload "
                "it again.",
                code="wrong_encoding",
            ) from None
        self._start = 0

    @property
    def line(self) -> int:
        """The number of the current line of the file."""
        return self._n_lines + self._text.count("\n", 0, self._start) + 1

    def peek(self) -> str:
        """Return the next character that is not blank, or an empty string at the end of the file."""
        while True:
            match = _BLANK.match(self._text, self._start)
            assert match is not None
            self._start = match.end()
            if self._start < len(self._text) or self._is_whole:
                return self._text[self._start : self._start + 1]
            self._fill(MEBIBYTE)

    def take(self, characters: str) -> str:
        """Return the next character, which must be one of the given characters."""
        character = self.peek()
        if not character or character not in characters:
            raise _Incomplete(self.line, is_long=False)
        self._start += 1
        return character

    def value(self) -> tuple[Any, str]:
        """Return the next value, both parsed and as text."""
        self.peek()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._start)
            except (json.JSONDecodeError, RecursionError) as error:
                if self._is_whole or isinstance(error, RecursionError):
                    line = self.line + (error.lineno - 1 if isinstance(error, json.JSONDecodeError) else 0)
                    line -= self._text.count("\n", 0, self._start)
                    # The cause is suppressed because the decoder's error contains the text.
                    raise _Incomplete(line, is_long=False) from None
            else:
                if end < len(self._text) or self._is_whole:
                    text = self._text[self._start : end]
                    self._start = end
                    return value, text
            size = len(self._text) - self._start
            if size > self.limit:
                raise _Incomplete(self.line, is_long=True)
            self._fill(max(MEBIBYTE, size))

    def has_objects(self) -> bool:
        """Return whether the next value is an array whose first element is an object."""
        self.take("[")
        is_object = self.peek() == "{"
        self._n_lines += self._text.count("\n", 0, self._start)
        self._text = "[" + self._text[self._start :]
        self._start = 0
        return is_object

    def has_open_line(self) -> bool:
        """Return whether the first line is the whole file or does not contain a complete value."""
        while (end := self._text.find("\n", self._start)) < 0 and not self._is_whole:
            if len(self._text) > self.limit:
                return True
            self._fill(MEBIBYTE)
        if end < 0 or (not self._text[end:].strip() and self._is_whole_after(end)):
            return True
        depth, is_closed = _depth(self._text[self._start : end])
        return depth > 0 and is_closed

    def _is_whole_after(self, end: int) -> bool:
        """Return whether only blanks follow."""
        start, self._start = self._start, end
        is_blank = self.peek() == ""
        if is_blank:
            self._start = start
        return is_blank

    def check_end(self) -> None:
        """Check that only blanks follow."""
        if self.peek():
            raise _unreadable(
                f"Line {self.line:,} contains data after the end of the JSON array. Remove the data, or "
                "write one object per line."
            )


_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*("?)|([\[{])|([\]}])')


def _depth(text: str) -> tuple[int, bool]:
    """Return the number of open brackets, and whether all strings are closed."""
    depth, is_closed = 0, True
    for match in _TOKEN.finditer(text):
        depth += bool(match[2]) - bool(match[3])
        is_closed = is_closed and (match[1] is None or match[1] == '"')
    return depth, is_closed


def _copy_array(source: _Source, target: Path, name: str) -> int:
    """Write the elements of an array of objects, one per line. Return the number of elements."""
    n = 0
    try:
        source.take("[")
        with target.open("w", encoding="utf-8", newline="") as file:
            is_closed = source.peek() == "]" and source.take("]") == "]"
            while not is_closed:
                if source.peek() != "{":
                    raise _unreadable(
                        f"{name} has an element on line {source.line:,} that is not an object. Write one "
                        "object per row, with a key for each column."
                    )
                file.write(_on_one_line(source.value()[1]))
                n += 1
                is_closed = source.take(",]") == "]"
    except _Incomplete as fault:
        raise fault.error(source.limit) from None
    if n == 0:
        raise InvalidInput(f"{name} is empty. Add at least one object.", code="no_rows")
    return n


def _on_one_line(text: str) -> str:
    # In valid JSON, a line ending is never part of a string.
    return _LINE_END.sub(" ", text) + "\n"


def _concatenated(source: _Source, reading: Reading) -> Document | None:
    """Convert objects that each span several lines to JSON Lines. Return None for a single object."""
    target = reading.scratch / _COPY
    n = 0
    try:
        with target.open("w", encoding="utf-8", newline="") as file:
            while source.peek() == "{":
                text = source.value()[1]
                file.write(_on_one_line(text))
                n += 1
                if n == 1 and "\n" not in text:
                    target.unlink()
                    return None
                if n == 1 and not source.peek():
                    return None
    except _Incomplete as fault:
        target.unlink()
        if n == 0:
            return None
        raise fault.error(source.limit) from None
    if source.peek():
        raise _unreadable(f"Line {source.line:,} is not a JSON object. Write one object per line.")
    return Document(target, is_copy=True)


def _enclosed(source: _Source, path: Path, reading: Reading) -> Document:
    """Convert the only array of objects in an object to JSON Lines, or return the object itself."""
    arrays: dict[str, Path] = {}
    others: dict[str, Any] = {}
    try:
        for key in _keys(source):
            if source.peek() == "[" and source.has_objects():
                arrays[key] = reading.scratch / f"objects-{len(arrays)}.jsonl"
                _copy_array(source, arrays[key], f"The array {key[:100]!r}")
            else:
                others[key] = source.value()[0]
            if len(others) > _KEYS_MAX:
                return Document(path)
        if source.peek():
            return Document(path)
    except _Incomplete as fault:
        if fault.line == 1 and not fault.is_long:
            return Document(path)
        raise fault.error(source.limit) from None
    array = table_of(list(arrays), others)
    if array is None:
        copy = reading.scratch / _COPY
        return Document(copy, is_copy=True) if others and copy.exists() else Document(path)
    left_out = f" The document's {len(others)} other keys were left out." if len(others) > 1 else ""
    left_out = " The document's other key was left out." if len(others) == 1 else left_out
    warning = f"The file is a JSON document, and the array {array[:100]!r} was read as the table.{left_out}"
    return Document(arrays[array], is_copy=True, warnings=(warning,))


def _keys(source: _Source) -> Iterator[str]:
    """Yield the keys of an object. The caller reads the value of each key."""
    source.take("{")
    if source.peek() == "}":
        source.take("}")
        return
    while True:
        if source.peek() != '"':
            raise _Incomplete(source.line, is_long=False)
        key = source.value()[0]
        source.take(":")
        yield key
        if source.take(",}") == "}":
            return


def _unreadable(detail: str) -> InvalidInput:
    return InvalidInput(detail, code="unreadable_file")
