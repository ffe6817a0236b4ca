"""The shared strings of a workbook, stored in the scratch folder."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from understudy.errors import TooLarge
from understudy.tables.formats.scan import GIBIBYTE, Reading
from understudy.tables.formats.xlsx.archive import Archive
from understudy.tables.formats.xlsx.blocks import cut_blocks, may_skip_parser
from understudy.tables.formats.xlsx.fast_path import read_texts
from understudy.tables.formats.xlsx.markup import Document, unescape

_PART_BYTES_MAX = 8 * GIBIBYTE
_KEPT_TEXTS = 8_192
_TEXT_END = b"</si>"


class SharedStrings:
    """Shared strings by index, in memory-mapped files.

    Parameters
    ----------
    ends : sequence of int
        End position of each text in bytes, preceded by an entry of 0.
    """

    def __init__(self, ends: pa.Buffer, texts: pa.Buffer) -> None:
        self.ends = memoryview(ends).cast("q")
        n_texts = len(self.ends) - 1
        self._texts: Any = pa.Array.from_buffers(pa.large_string(), n_texts, [None, ends, texts])

    def take(self, indices: npt.NDArray[np.int64]) -> pa.Array[Any]:
        """Return the texts with the given indices. All indices must exist."""
        taken: pa.Array[Any] = self._texts.take(pa.array(indices))
        return taken.cast(pa.string())


def read_shared_strings(archive: Archive, part: str | None, reading: Reading) -> SharedStrings:
    """Read the shared strings. Memory use does not grow with the number of strings.

    Raises
    ------
    InvalidInput, TooLarge
        If the part is damaged, or if a text exceeds the size limit of a cell.
    """
    folder = reading.scratch
    with (folder / "texts").open("wb") as texts, (folder / "ends").open("wb") as ends:
        handler = _Strings(texts, ends, reading.limits.cell_bytes_max)
        if part is not None:
            _read(archive.chunks(part, bytes_max=_PART_BYTES_MAX), handler)
        handler.flush()
    return SharedStrings(_map(folder / "ends"), _map(folder / "texts"))


def _read(chunks: Iterator[bytes], handler: _Strings) -> None:
    document = Document(handler)
    may_skip, is_between_texts, is_first = True, False, True
    for block in cut_blocks(chunks, (_TEXT_END,), _TEXT_END):
        if is_between_texts and (texts := read_texts(block, handler.bytes_max)) is not None:
            handler.add_all(texts)
            continue
        n_expected = handler.n_texts + block.count(_TEXT_END)
        document.feed(block)
        may_skip = may_skip and may_skip_parser(block, is_first=is_first)
        # The parser has handled all texts of the block, and no element is open.
        is_block_complete = handler.n_texts == n_expected and document.depth.n == 1
        is_between_texts = may_skip and is_block_complete and block.endswith(_TEXT_END)
        is_first = False
    document.close()


def _map(path: Path) -> pa.Buffer:
    if path.stat().st_size == 0:
        return pa.py_buffer(b"")
    return pa.memory_map(str(path)).read_buffer()


class _Strings:
    """A handler that joins the `t` elements of each `si` element. Phonetic texts (`rPh`) are ignored."""

    def __init__(self, texts: BinaryIO, ends: BinaryIO, bytes_max: int) -> None:
        self.n_texts = 0
        self._texts, self._ends = texts, ends
        self.bytes_max = bytes_max
        self._held: list[bytes] = []
        self._held_ends = array("q", [0])
        self._n_bytes = 0
        self._pieces: list[str] = []
        self._n_characters = 0
        self._n_phonetic = 0
        self._is_collecting = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Handle the start of an element."""
        if name == "t":
            self._is_collecting = self._n_phonetic == 0
        elif name == "si":
            self._pieces, self._n_characters = [], 0
        elif name == "rPh":
            self._n_phonetic += 1

    def text(self, data: str) -> None:
        """Add a piece of a text."""
        if self._is_collecting:
            self._n_characters += len(data)
            if self._n_characters > self.bytes_max:
                raise text_too_long(self.bytes_max)
            self._pieces.append(data)

    def end(self, name: str) -> None:
        """Handle the end of an element."""
        if name == "t":
            self._is_collecting = False
        elif name == "si":
            self._add(unescape("".join(self._pieces)).encode())
        elif name == "rPh":
            self._n_phonetic -= 1

    def _add(self, text: bytes) -> None:
        if len(text) > self.bytes_max:
            raise text_too_long(self.bytes_max)
        self._held.append(text)
        self._n_bytes += len(text)
        self._held_ends.append(self._n_bytes)
        self.n_texts += 1
        if len(self._held) == _KEPT_TEXTS or len(text) > _KEPT_TEXTS:
            self.flush()

    def add_all(self, texts: pa.Array[Any]) -> None:
        """Add texts after their lengths have been checked."""
        self.flush()
        _, ends, data = texts.buffers()
        assert ends is not None
        bounds = np.frombuffer(memoryview(ends), np.int32)[
            texts.offset : texts.offset + len(texts) + 1
        ].astype(np.int64)
        if data is not None:
            self._texts.write(memoryview(data)[bounds[0] : bounds[-1]])
        self._ends.write((bounds[1:] - bounds[0] + self._n_bytes).tobytes())
        self._n_bytes += int(bounds[-1] - bounds[0])
        self.n_texts += len(texts)

    def flush(self) -> None:
        """Write the buffered texts."""
        self._texts.write(b"".join(self._held))
        self._held_ends.tofile(self._ends)
        self._held, self._held_ends = [], array("q")


def text_too_long(bytes_max: int) -> TooLarge:
    """Return the error for a text that exceeds the size limit of a cell."""
    return TooLarge(
        f"The workbook contains a text value of more than {bytes_max:,} bytes. Shorten the text, or remove "
        "the column."
    )
