"""A streaming XML parser that uses expat and bounded memory, and rejects document types and entities."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, Protocol
from xml.parsers import expat

from understudy.errors import InvalidInput, TooLarge
from understudy.tables.formats.scan import MEBIBYTE
from understudy.tables.formats.xlsx.archive import CHUNK_BYTES, unreadable

_DEPTH_MAX = 64
# Maximum number of distinct names, which expat stores in memory. A workbook uses a few hundred names.
_NAMES_MAX = 4_096
# Maximum size of a tag, comment or instruction. expat stores each of them in memory as a whole.
_TOKEN_BYTES_MAX = MEBIBYTE

_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")


class Handler(Protocol):
    """A class that handles the elements and texts of a document. Element names have no prefix."""

    def start(self, name: str, attributes: dict[str, str]) -> None: ...

    def end(self, name: str) -> None: ...

    def text(self, data: str) -> None: ...


class Elements:
    """A handler that processes only start tags."""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Handle the start of an element."""
        raise NotImplementedError

    def end(self, name: str) -> None:
        """Ignore the end of an element."""

    def text(self, data: str) -> None:
        """Ignore texts."""


def parse(chunks: Iterable[bytes], handler: Handler) -> None:
    """Parse a document and pass its elements and texts to a handler.

    Raises
    ------
    InvalidInput, TooLarge
        See `Parser.feed`.
    """
    document = Document(handler)
    for chunk in chunks:
        document.feed(chunk)
    document.close()


class Depth:
    """The number of open elements."""

    def __init__(self) -> None:
        self.n = 0

    def down(self) -> None:
        """Enter an element."""
        self.n += 1
        if self.n > _DEPTH_MAX:
            raise unreadable(
                f"The workbook's XML is nested more than {_DEPTH_MAX} levels deep. Open the workbook in a "
                f"spreadsheet program and save it again."
            )

    def up(self) -> None:
        """Leave an element."""
        self.n -= 1


class Parser:
    """An expat parser that rejects document types and entities, and limits the size of tags.

    Parameters
    ----------
    start, end, text : callable
        Callbacks for elements, which receive the unchanged element names, and for texts. Callbacks that
        accept nested elements must limit the depth.
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
            With code unreadable_file, if the document is not well-formed or uses unsupported features.
        TooLarge
            If a tag is longer than one mebibyte.
        """
        for start in range(0, len(chunk), CHUNK_BYTES):
            piece = chunk[start : start + CHUNK_BYTES]
            _feed(self._expat, piece, is_last=False)
            self._n_bytes += len(piece)
            if len(self._names) > _NAMES_MAX:
                raise unreadable(
                    f"The workbook's XML has more than {_NAMES_MAX:,} distinct element names. Open the "
                    "workbook in a spreadsheet program and save it again."
                )
            if self._n_bytes - self._expat.CurrentByteIndex > _TOKEN_BYTES_MAX:
                raise TooLarge(
                    f"The workbook contains a tag of more than {_TOKEN_BYTES_MAX:,} bytes. Open it in a "
                    f"spreadsheet program and save it again."
                )

    def close(self) -> None:
        """Read the end of a document.

        Raises
        ------
        InvalidInput
            With code unreadable_file, if the document is truncated.
        """
        _feed(self._expat, b"", is_last=True)


class Document(Parser):
    """A parser that passes elements to a handler under their names without a prefix."""

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
    raise unreadable(
        "The workbook's XML declares a document type or entities. Open the workbook in a "
        "spreadsheet program and save it again."
    )


def _feed(parser: Any, chunk: bytes, *, is_last: bool) -> None:
    try:
        parser.Parse(chunk, is_last)
    except InvalidInput:
        raise
    except (expat.ExpatError, LookupError, UnicodeError, ValueError):
        # The cause is suppressed because its message may contain data from the file.
        raise unreadable(
            "The workbook's XML is damaged: it is malformed or not valid in its encoding. Open the "
            "workbook in a spreadsheet program and save it again."
        ) from None


def unescape(text: str) -> str:
    """Replace escapes of the form `_xHHHH_` with their characters."""
    return _ESCAPED.sub(_character, text) if "_x" in text else text


def _character(match: re.Match[str]) -> str:
    code = int(match[1], 16)
    # A single surrogate is not a character.
    return match[0] if 0xD800 <= code <= 0xDFFF else chr(code)


def attribute(attributes: dict[str, str], name: str) -> str | None:
    """Return the value of an attribute, whether its name has a prefix or not."""
    value = attributes.get(name)
    if value is not None:
        return value
    return next((value for key, value in attributes.items() if key.rpartition(":")[2] == name), None)
