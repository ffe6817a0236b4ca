"""Check the messages in an Arrow file or stream before Arrow allocates memory for them.

An Arrow file is a stream between two magic strings, followed by a footer with the positions of the batches.
Batches are located by reading the stream. The positions in the footer must agree with the positions in the
stream.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from understudy.errors import InvalidInput, TooLarge
from understudy.tables.formats.arrow.flatbuffer import Malformed, Table
from understudy.tables.formats.canonical import check_columns
from understudy.tables.formats.scan import MEBIBYTE, ReadLimits

# A whole batch and all dictionaries are in memory at the same time.
BATCH_BYTES_MAX = 512 * MEBIBYTE
_METADATA_BYTES_MAX = 64 * MEBIBYTE
_MESSAGES_MAX = 1_000_000

_MARK = b"ARROW1"
_STREAM_MARK = b"\xff\xff\xff\xff"
_FILE_START = 8
_SCHEMA, _DICTIONARY, _BATCH = 1, 2, 3


@dataclass(frozen=True)
class Layout:
    """The number of rows in a file, and the positions of the stream and its record batches.

    Parameters
    ----------
    start : int
        Position of the first byte of the stream.
    batches : list of int
        Positions of the record batches.
    """

    start: int
    n_rows: int = 0
    batches: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class _Message:
    position: int
    kind: int
    header: Table
    body_position: int
    body_bytes: int


def read_layout(path: Path, limits: ReadLimits) -> Layout:
    """Check all messages in a file and return the positions of its batches.

    Raises
    ------
    InvalidInput
        If the file is empty (code empty_file) or is not a valid Arrow file (code unreadable_file).
    TooLarge
        If a batch is too large (code too_large) or the table has too many columns (code too_many_columns).
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(8)
        _check_kind(start)
        try:
            if start.startswith(_MARK):
                return _read_file(file, size, limits)
            return _read_stream(file, 0, size, limits)
        except Malformed:
            raise _unreadable(
                "The Arrow file is damaged: its metadata cannot be read. Export it again."
            ) from None


def _check_kind(start: bytes) -> None:
    if not start:
        raise InvalidInput("The file is empty. Upload a file with at least one row.", code="empty_file")
    if start.startswith(b"FEA1"):
        raise _unreadable("The file is a Feather version 1 file. Export it as version 2 or as Parquet.")
    if start.startswith(b"PAR1"):
        raise _unreadable("The file is a Parquet file, not an Arrow file. Specify the format `parquet`.")
    if not start.startswith((_MARK, _STREAM_MARK)):
        raise _unreadable(
            "The file is neither an Arrow file nor an Arrow stream. "
            "Set `format` to the file's actual format, or correct its suffix."
        )


def _read_file(file: BinaryIO, size: int, limits: ReadLimits) -> Layout:
    end = size - len(_MARK) - 4
    file.seek(max(0, end))
    tail = file.read()
    if end < _FILE_START or tail[4:] != _MARK:
        raise _unreadable("The Arrow file is truncated: its footer is missing. Upload it again.")
    footer_bytes = int.from_bytes(tail[:4], "little", signed=True)
    if not 0 < footer_bytes <= min(end - _FILE_START, _METADATA_BYTES_MAX):
        raise _unreadable(
            "The footer of the Arrow file is damaged or larger than 64 MiB. Export the file again."
        )
    layout = _read_stream(file, _FILE_START, end - footer_bytes, limits)
    file.seek(end - footer_bytes)
    footer = Table.root(file.read(footer_bytes))
    if [offset for offset, _, _ in footer.structs(3, "<qi4xq")] != layout.batches:
        raise _unreadable("The footer of the Arrow file does not match its batches. Export the file again.")
    return layout


def _read_stream(file: BinaryIO, start: int, end: int, limits: ReadLimits) -> Layout:
    messages = _messages(file, start, end)
    schema = next(messages, None)
    if schema is None or schema.kind != _SCHEMA:
        raise _unreadable("The Arrow file does not start with a schema. Export it again.")
    check_columns(schema.header.vector_length(1), limits)
    n_rows = 0
    batches: list[int] = []
    dictionaries: dict[int, int] = {}
    for message in messages:
        if message.kind == _BATCH:
            _check_batch(_decoded_bytes(file, message, message.header))
            n_rows += _n_rows(message.header)
            batches.append(message.position)
        elif message.kind == _DICTIONARY:
            _add_dictionary(file, message, dictionaries)
            _check_dictionaries(sum(dictionaries.values()))
        else:
            raise _unreadable(
                "The Arrow file contains data that is not part of a table. Export only the table."
            )
    return Layout(start, n_rows, batches)


def _messages(file: BinaryIO, position: int, end: int) -> Iterator[_Message]:
    n_messages = 0
    while position < end:
        metadata = _metadata(file, position, end)
        if metadata is None:
            return
        message = Table.root(metadata)
        header = message.table(2)
        body_bytes = message.number(3, "q")
        body_position = position + 8 + len(metadata)
        if header is None or not 0 <= body_bytes <= end - body_position:
            raise _truncated()
        yield _Message(position, message.number(1, "B"), header, body_position, body_bytes)
        position = body_position + body_bytes
        n_messages += 1
        if n_messages > _MESSAGES_MAX:
            raise TooLarge(
                f"The Arrow file has more than {_MESSAGES_MAX:,} batches and dictionaries. Export it with "
                "larger batches."
            )


def _metadata(file: BinaryIO, position: int, end: int) -> bytes | None:
    """Return the metadata of a message, or None at the end-of-stream marker."""
    file.seek(position)
    prefix = file.read(8)
    if position + 8 > end:
        raise _truncated()
    if not prefix.startswith(_STREAM_MARK):
        raise Malformed
    length = int.from_bytes(prefix[4:], "little", signed=True)
    if length == 0:
        return None
    if not 0 < length <= _METADATA_BYTES_MAX:
        raise Malformed
    if length > end - position - 8:
        raise _truncated()
    return file.read(length)


def _n_rows(batch: Table) -> int:
    n_rows = batch.number(0, "q")
    if n_rows < 0 or any(length < 0 or missing < 0 for length, missing in batch.structs(1, "<qq")):
        raise Malformed
    return n_rows


def _add_dictionary(file: BinaryIO, message: _Message, sizes: dict[int, int]) -> None:
    batch = message.header.table(1)
    if batch is None:
        raise Malformed
    _n_rows(batch)
    n_bytes = _decoded_bytes(file, message, batch)
    key, is_delta = message.header.number(0, "q"), message.header.number(2, "?")
    sizes[key] = n_bytes + (sizes.get(key, 0) if is_delta else 0)


def _decoded_bytes(file: BinaryIO, message: _Message, batch: Table) -> int:
    """Return the size of a batch in memory, based on the declared lengths of its compressed buffers."""
    is_compressed = batch.table(3) is not None
    total = message.body_bytes
    for offset, length in batch.structs(2, "<qq"):
        if offset < 0 or length < 0 or offset + length > message.body_bytes:
            raise Malformed
        if is_compressed and length > 0:
            if length < 8:
                raise Malformed
            file.seek(message.body_position + offset)
            total += max(0, _declared_bytes(file.read(8)))
    return total


def _declared_bytes(prefix: bytes) -> int:
    (declared,) = struct.unpack("<q", prefix)
    if declared < -1:  # The length -1 means that the buffer is not compressed.
        raise Malformed
    return int(declared)


def _check_batch(n_bytes: int) -> None:
    if n_bytes > BATCH_BYTES_MAX:
        raise TooLarge(
            f"A batch in the Arrow file needs more than {BATCH_BYTES_MAX:,} bytes of memory. Export the file "
            "with smaller batches."
        )


def _check_dictionaries(n_bytes: int) -> None:
    if n_bytes > BATCH_BYTES_MAX:
        raise TooLarge(
            f"The dictionaries in the Arrow file need more than {BATCH_BYTES_MAX:,} bytes of memory. Export "
            "the file without dictionary encoding."
        )


def _truncated() -> InvalidInput:
    return _unreadable("The Arrow file is truncated: it ends within a batch. Upload it again.")


def _unreadable(detail: str) -> InvalidInput:
    return InvalidInput(detail, code="unreadable_file")
