"""The bytes of a part, cut between its rows or texts, and when those need no XML parser."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

DATA_TAG = b"<sheetData>"
ROW_END = b"</row>"
# As large as needed to make a batch, and small beside what a batch takes.
_BLOCK_BYTES = 1024**2
_DECLARATION = re.compile(rb"(?:\xef\xbb\xbf)?(<\?xml[^<>]*\?>)?\s*<[a-zA-Z]")
_ENCODING = re.compile(rb"""encoding\s*=\s*["']utf-8["']""", re.IGNORECASE)
_ROW_NUMBER = re.compile(rb'<row r="([0-9]{1,9})"')


def cut_blocks(chunks: Iterator[bytes], beginning: Sequence[bytes], end: bytes) -> Iterator[bytes]:
    """Yield a part in blocks of about a mebibyte that end with a tag, as far as it has this tag.

    Parameters
    ----------
    beginning : sequence of bytes
        Tags with which blocks end before any other does: what these hold is read by the parser.
    end : bytes
        The tag with which all other blocks end.
    """
    held = bytearray()
    tags = list(reversed(beginning))
    for chunk in chunks:
        n_searched = len(held)
        held += chunk
        while tags and (found := held.find(tags[-1], max(0, n_searched - len(tags[-1])))) >= 0:
            yield _cut(held, found + len(tags.pop()))
            n_searched = 0
        if len(held) >= _BLOCK_BYTES:
            yield _cut_behind(held, end)
    while held:
        yield _cut_behind(held, end)


def _cut_behind(held: bytearray, tag: bytes) -> bytes:
    found = held.rfind(tag)
    return _cut(held, len(held) if found < 0 else found + len(tag))


def _cut(held: bytearray, end: int) -> bytes:
    block = bytes(held[:end])
    del held[:end]
    return block


def may_skip_parser(block: bytes, *, is_first: bool) -> bool:
    """Return whether what follows a block can be read without the parser.

    They cannot after anything that changes how bytes are read: an encoding other than UTF-8, or the beginning
    of a comment, an instruction or a section of plain characters.
    """
    if b"<!" in block:
        return False
    if not is_first:
        return b"<?" not in block
    start = _DECLARATION.match(block)
    if start is None:
        return False
    declaration = start[1] or b""
    is_utf8 = b"encoding" not in declaration or _ENCODING.search(declaration) is not None
    return is_utf8 and block.count(b"<?") == (1 if declaration else 0)


def last_row(block: bytes) -> int | None:
    """Return the number of the last row of a block; None if the block does not end with a row."""
    start = block.rfind(b"<row")
    match = _ROW_NUMBER.match(block, start) if start >= 0 and block.endswith(ROW_END) else None
    return int(match[1]) if match else None
