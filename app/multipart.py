"""A streaming parser for ``multipart/form-data`` bodies.

Starlette's form parser first writes every file to the system's temporary folder. The file would then have to
be copied from that folder. This parser passes on the bytes of a file as they arrive.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

from understudy.errors import InvalidInput, TooLarge

# Maximum size of a form field value.
FIELD_BYTES_MAX = 1 << 16
FIELDS_MAX = 16
FILES_MAX = 100
HEADER_BYTES_MAX = 1 << 14
# Maximum size of a body without the bytes of its files.
OVERHEAD_BYTES = FIELDS_MAX * (FIELD_BYTES_MAX + HEADER_BYTES_MAX) + FILES_MAX * HEADER_BYTES_MAX


class FileSink(Protocol):
    """A receiver for the files of a form, which arrive one at a time."""

    def begin(self, filename: str | None, media_type: str | None) -> None:
        """Start the next file."""

    def take(self, data: bytes) -> None:
        """Append bytes to the current file."""


@dataclass
class _Part:
    disposition: bytes = b""
    media_type: str | None = None
    name: str = ""
    is_file: bool = False
    data: bytearray = field(default_factory=bytearray)


class MultipartReader:
    """A parser that keeps the fields of a form in memory and passes the bytes of its files to a sink."""

    def __init__(self, boundary: bytes, sink: FileSink) -> None:
        self.sink = sink
        self.fields: dict[str, str] = {}
        self.n_files = 0
        self.is_complete = False
        self._part = _Part()
        self._header_name = b""
        self._header_value = b""
        with _translated_errors():
            self._parser = MultipartParser(boundary, self._callbacks())

    def feed(self, data: bytes) -> None:
        """Parse the next bytes of the body.

        Raises
        ------
        InvalidInput
            If the body is malformed, or contains a file in a field other than `file`.
        """
        with _translated_errors():
            self._parser.write(data)

    def _callbacks(self) -> Any:  # The type of these callbacks is private to python-multipart.
        callbacks: dict[str, Callable[..., None]] = {
            "on_part_begin": self._begin_part,
            "on_header_field": self._header_field,
            "on_header_value": self._header_value_part,
            "on_header_end": self._end_header,
            "on_headers_finished": self._end_headers,
            "on_part_data": self._part_data,
            "on_part_end": self._end_part,
            "on_end": self._end,
        }
        return callbacks

    def _begin_part(self) -> None:
        self._part = _Part()

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _header_value_part(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _end_header(self) -> None:
        name = self._header_name.lower()
        if name == b"content-disposition":
            self._part.disposition = self._header_value
        elif name == b"content-type":
            self._part.media_type = media_type_of(self._header_value.decode("latin-1"))
        self._header_name = self._header_value = b""

    def _end_headers(self) -> None:
        _, options = parse_options_header(self._part.disposition)
        self._part.name = _text(options.get(b"name", b""), "The name of a form field")
        self._part.is_file = b"filename" in options
        if not self._part.name:
            raise malformed(
                "A part of the form has no name. Name each part in its Content-Disposition header."
            )
        if not self._part.is_file:
            return
        if self._part.name != "file":
            raise malformed(
                "A file was sent in a form field other than `file`. Send each file in a field named `file`."
            )
        if self.n_files == FILES_MAX:
            raise TooLarge(
                f"The form has more than {FILES_MAX} files. Upload the remaining files as another dataset.",
                code="too_many_files",
            )
        self.n_files += 1
        self.sink.begin(_text(options[b"filename"], "The name of a file"), self._part.media_type)

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        if self._part.is_file:
            self.sink.take(data[start:end])
        elif len(self._part.data) + end - start > FIELD_BYTES_MAX:
            raise malformed(
                f"The form field {self._part.name!r} is longer than {FIELD_BYTES_MAX:,} bytes. Shorten it."
            )
        else:
            self._part.data += data[start:end]

    def _end_part(self) -> None:
        if self._part.is_file:
            return
        if len(self.fields) == FIELDS_MAX or self._part.name in self.fields:
            raise malformed(
                f"The form has more than {FIELDS_MAX} fields or contains a field twice. Send each field "
                f"only once."
            )
        self.fields[self._part.name] = _text(bytes(self._part.data), f"The form field `{self._part.name}`")

    def _end(self) -> None:
        self.is_complete = True


@contextmanager
def _translated_errors() -> Iterator[None]:
    try:
        yield
    except FormParserError as error:
        raise malformed(
            "The body is not well-formed multipart/form-data. Check its headers and the boundary."
        ) from error


def media_type_of(text: str) -> str | None:
    """Return the bare media type of a Content-Type."""
    return text.partition(";")[0].strip().lower() or None


def malformed(detail: str) -> InvalidInput:
    """Return the error for a malformed body."""
    return InvalidInput(detail, code="malformed_body")


def _text(data: bytes, place: str) -> str:
    if b"\0" in data:
        raise InvalidInput(
            f"{place} contains a NUL character. Remove this character.",
            code="invalid_parameters",
        )
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise malformed(
            "The name or the value of a form field is not UTF-8. Encode both as UTF-8."
        ) from error
