"""XML by expat, as a stream: no document type, no entities, nothing deep, nothing that makes expat grow."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, Protocol
from xml.parsers import expat

from understudy.errors import InvalidInput, TooLarge
from understudy.tables.formats.scan import MEBIBYTE
from understudy.tables.formats.xlsx.archive import CHUNK_BYTES, unreadable

_DEPTH_MAX = 64
# Names that expat keeps: a workbook has some hundred.
_NAMES_MAX = 4_096
# One tag, comment or instruction; expat holds it as a whole.
_TOKEN_BYTES_MAX = MEBIBYTE

_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")


class Handler(Protocol):
    """What is told of a document; names come without their prefix."""

    def start(self, name: str, attributes: dict[str, str]) -> None: ...

    def end(self, name: str) -> None: ...

    def text(self, data: str) -> None: ...


class Elements:
    """A handler that needs the beginnings of elements only."""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Take the beginning of an element."""
        raise NotImplementedError

    def end(self, name: str) -> None:
        """Leave out where elements end."""

    def text(self, data: str) -> None:
        """Leave out texts."""


def parse(chunks: Iterable[bytes], handler: Handler) -> None:
    """Tell a handler of a document.

    Raises
    ------
    InvalidInput, TooLarge
        As `Parser.feed`.
    """
    document = Document(handler)
    for chunk in chunks:
        document.feed(chunk)
    document.close()


class Depth:
    """How many elements are open."""

    def __init__(self) -> None:
        self.n = 0

    def down(self) -> None:
        """Enter an element."""
        self.n += 1
        if self.n > _DEPTH_MAX:
            raise unreadable("The workbook's XML is nested too deeply. Save it again.")

    def up(self) -> None:
        """Leave an element."""
        self.n -= 1


class Parser:
    """Expat, without what a workbook does not need and an attacker would.

    Parameters
    ----------
    start, end, text : callable
        Told of elements, by their names as they are written, and of texts. Who takes elements that may be
        within each other counts their depth.
    """

    def __init__(
        self,
        start: Callable[[str, dict[str, str]], None],
        end: Callable[[str], None],
        text: Callable[[str], None],
    ) -> None:
        self._n_bytes = 0
        self._names: dict[str, str] = {}
        self._expat = expat.ParserCreate(intern=self._names)
        self._expat.buffer_text = True
        self._expat.buffer_size = 65_536
        self._expat.StartElementHandler = start
        self._expat.EndElementHandler = end
        self._expat.CharacterDataHandler = text
        self._expat.StartDoctypeDeclHandler = _refuse
        self._expat.EntityDeclHandler = _refuse
        self._expat.ExternalEntityRefHandler = _refuse

    def feed(self, chunk: bytes) -> None:
        """Read the next bytes of a document.

        Raises
        ------
        InvalidInput
            unreadable_file: not well-formed, or with what no workbook needs.
        TooLarge
            If a single tag is longer than a mebibyte.
        """
        for start in range(0, len(chunk), CHUNK_BYTES):
            piece = chunk[start : start + CHUNK_BYTES]
            _feed(self._expat, piece, is_last=False)
            self._n_bytes += len(piece)
            if len(self._names) > _NAMES_MAX:
                raise unreadable("The workbook's XML uses too many names to be a workbook. Save it again.")
            if self._n_bytes - self._expat.CurrentByteIndex > _TOKEN_BYTES_MAX:
                raise TooLarge(f"A single tag in the workbook is longer than {_TOKEN_BYTES_MAX:,} bytes.")

    def close(self) -> None:
        """Read the end of a document.

        Raises
        ------
        InvalidInput
            unreadable_file: the document is cut off.
        """
        _feed(self._expat, b"", is_last=True)


class Document(Parser):
    """A parser that tells a handler of elements by their names without a prefix."""

    def __init__(self, handler: Handler) -> None:
        self.depth = Depth()
        self._local_names: dict[str, str] = {}
        self._handler = handler
        super().__init__(self._start, self._end, handler.text)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self.depth.down()
        local = self._local_names.get(name)
        if local is None:
            local = self._local_names[name] = name.rpartition(":")[2]
        self._handler.start(local, attributes)

    def _end(self, name: str) -> None:
        self.depth.up()
        self._handler.end(self._local_names[name])


def _refuse(*_: object) -> int:
    raise unreadable("The workbook's XML declares a document type or entities. Save it again.")


def _feed(parser: Any, chunk: bytes, *, is_last: bool) -> None:
    try:
        parser.Parse(chunk, is_last)
    except InvalidInput:
        raise
    except (expat.ExpatError, LookupError, UnicodeError, ValueError):
        # Without its cause: it may hold what stands in the file.
        raise unreadable(
            "The workbook's XML is damaged: it is not well-formed, or not in its encoding. Save it again."
        ) from None


def unescape(text: str) -> str:
    """Return a text with its `_xHHHH_` as the characters that they stand for."""
    return _ESCAPED.sub(_character, text) if "_x" in text else text


def _character(match: re.Match[str]) -> str:
    code = int(match[1], 16)
    # Half a character cannot stand alone.
    return match[0] if 0xD800 <= code <= 0xDFFF else chr(code)


def attribute(attributes: dict[str, str], name: str) -> str | None:
    """Return an attribute, with or without a prefix."""
    value = attributes.get(name)
    if value is not None:
        return value
    return next((value for key, value in attributes.items() if key.rpartition(":")[2] == name), None)
