"""Split a part of a workbook into blocks, and determine which blocks can be read without the XML parser."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

DATA_TAG = b"<sheetData>"
ROW_END = b"</row>"
# Maximum size of a block. A block can fill a batch, but is small compared with the memory of a batch.
_BLOCK_BYTES = 1024**2
_DECLARATION = re.compile(rb"(?:\xef\xbb\xbf)?(<\?xml[^<>]*\?>)?\s*<[a-zA-Z]")
_ENCODING = re.compile(rb"""encoding\s*=\s*["']utf-8["']""", re.IGNORECASE)
_ROW_NUMBER = re.compile(rb'<row r="([0-9]{1,9})"')


def cut_blocks(chunks: Iterator[bytes], beginning: Sequence[bytes], end: bytes) -> Iterator[bytes]:
    """Yield a part in blocks of about one mebibyte. A block ends with the given tag if it contains the tag.

    Parameters
    ----------
    beginning : sequence of bytes
        Tags that end the first blocks, which the parser has to read.
    end : bytes
        Tag that ends all other blocks.
    """
    held = bytearray()
    tags = list(reversed(beginning))
    for chunk in chunks:
        n_searched = len(held)
        held += chunk
        while tags and (position := held.find(tags[-1], max(0, n_searched - len(tags[-1])))) >= 0:
            yield _cut(held, position + len(tags.pop()))
            n_searched = 0
        if len(held) >= _BLOCK_BYTES:
            yield _cut_after(held, end)
    while held:
        yield _cut_after(held, end)


def _cut_after(held: bytearray, tag: bytes) -> bytes:
    position = held.rfind(tag)
    return _cut(held, len(held) if position < 0 else position + len(tag))


def _cut(held: bytearray, end: int) -> bytes:
    block = bytes(held[:end])
    del held[:end]
    return block


def may_skip_parser(block: bytes, *, is_first: bool) -> bool:
    """Return whether the blocks after this block can be read without the parser.

    The parser is required after an encoding other than UTF-8, or after the start of a comment, a processing
    instruction or a CDATA section. Each of these changes how the following bytes are read.
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
    """Return the number of the last row of a block, or None if the block does not end with a row."""
    start = block.rfind(b"<row")
    match = _ROW_NUMBER.match(block, start) if start >= 0 and block.endswith(ROW_END) else None
    return int(match[1]) if match else None
