"""Check that a file is text, and detect its encoding.

Valid UTF-8 is read as UTF-8. A byte order mark determines the encoding, and zero bytes in every other
position indicate UTF-16. The encoding of all other text is guessed, with a warning.
"""

from __future__ import annotations

import codecs
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from understudy.errors import InvalidInput
from understudy.progress import Progress
from understudy.tables.formats.csv.encodings import guess_encoding, label_of
from understudy.tables.formats.csv.other_files import check_kind
from understudy.tables.formats.scan import MEBIBYTE, Reading

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# In UTF-16 text, the high bytes of delimiters, digits and line endings are zero in any language. These bytes
# are all at even positions or all at odd positions. The first constant is the minimum fraction of zeros among
# the bytes at these positions. The second constant is the maximum number of zeros at the other positions, as
# a multiple of the number at these positions.
_ZEROS_MIN, _ZEROS_RATIO_MAX = 0.03, 0.1
# Above this fraction of zeros, text is read as UTF-16 even without two-byte line feeds.
_ZEROS_CLEAR = 0.3
# Number of bytes examined to guess an encoding.
_GUESS_BYTES = MEBIBYTE

_REMEDY = "Save the file as UTF-8 and upload it again, or set the option `encoding`."


@dataclass(frozen=True)
class Text:
    """A text file in UTF-8: the upload itself, or a converted copy.

    Parameters
    ----------
    encoding : str
        Encoding of the upload.
    has_mark : bool
        Whether the upload starts with a byte order mark.
    """

    path: Path
    longest_line_bytes: int
    warnings: tuple[str, ...] = ()
    encoding: str = "utf-8"
    has_mark: bool = False


class _Gauge:
    """The length of the longest line in a file that is read in pieces."""

    def __init__(self) -> None:
        self.longest = 0
        self._current = 0

    def add(self, data: bytes) -> None:
        """Add the next piece. Lines within a piece are not measured, because the whole piece is short."""
        ends = [data.find(b"\n"), data.find(b"\r"), data.rfind(b"\n"), data.rfind(b"\r")]
        positions = [end for end in ends if end >= 0]
        first, last = (min(positions), max(positions)) if positions else (len(data), -1)
        self.longest = max(self.longest, self._current + first)
        self._current = len(data) - 1 - last if positions else self._current + len(data)


def utf8_text(source: Path, reading: Reading) -> Text:
    """Return the text of the file in UTF-8.

    With `bad_rows=skip`, lines that are not valid UTF-8 are kept unchanged.

    Raises
    ------
    InvalidInput
        If the file is empty (code empty_file), is not text (code unreadable_file) or contains invalid
        characters (code wrong_encoding, with the line in the message).
    """
    with source.open("rb") as file:
        start = file.read(65_536)
    if not start:
        raise InvalidInput("The file is empty. Upload a file with at least one row.", code="empty_file")
    encoding = reading.options.encoding or _encoding_of(start)
    if encoding is None or encoding == "utf-8":
        check_kind(start)
        return _without_mark(_check_utf8(source, reading, is_given=encoding is not None), reading)
    return _translate(source, encoding, reading)


def _without_mark(text: Text, reading: Reading) -> Text:
    """Return a copy without the byte order mark.

    With the mark, DuckDB returns no rows if names contain doubled quotation marks and the delimiter.
    """
    if not text.has_mark:
        return text
    target = reading.scratch / "without_mark.csv"
    with text.path.open("rb") as file, target.open("wb") as copy:
        file.seek(len(codecs.BOM_UTF8))
        shutil.copyfileobj(file, copy, MEBIBYTE)
    return replace(text, path=target)


def _encoding_of(start: bytes) -> str | None:
    """Return the encoding that a byte order mark or the positions of zero bytes indicate."""
    for mark, encoding in _MARKS:
        if start.startswith(mark):
            return encoding
    even, odd = start[0::2].count(0), start[1::2].count(0)
    fewer, more = sorted((even, odd))
    is_wide = more > _ZEROS_MIN * len(start) / 2 and fewer <= _ZEROS_RATIO_MAX * more
    if not is_wide or start.startswith(b"\0\0"):
        return None
    encoding = "utf-16-be" if even > odd else "utf-16-le"
    if fewer == 0 and more > _ZEROS_CLEAR * len(start) / 2:
        return encoding
    text = start[: len(start) // 2 * 2].decode(encoding, "replace")
    has_lines = 2 * text.count("\n") > start.count(b"\n")
    return encoding if has_lines and "\0" not in text and text.count("\ufffd") <= 1 else None


def unify_line_endings(source: Path, target: Path) -> Path:
    """Copy a file and replace every line ending with a single line feed.

    Use this function only for files that mix line endings, because it also replaces line endings within
    quotation marks.
    """
    with (
        # Latin-1 maps each byte to one character, so invalid UTF-8 is copied unchanged.
        source.open("r", encoding="latin-1", newline=None) as file,
        target.open("w", encoding="latin-1", newline="") as copy,
    ):
        while text := file.read(MEBIBYTE):
            copy.write(text)
    return target


def _check_utf8(source: Path, reading: Reading, *, is_given: bool) -> Text:
    """Return the file if it is valid UTF-8, or a converted copy if it can only be Windows-1252."""
    gauge = _Gauge()
    position = _first_invalid(source, reading.progress, gauge)
    with source.open("rb") as file:
        start = file.read(MEBIBYTE)
    if position is None:
        return Text(source, gauge.longest, has_mark=start.startswith(codecs.BOM_UTF8))
    if position < MEBIBYTE and _is_garbage(start):
        raise InvalidInput("The file is not text. Upload a CSV or Parquet file.", code="unreadable_file")
    is_lenient = reading.options.bad_rows == "skip"
    is_utf8 = is_given or start.startswith(codecs.BOM_UTF8) or _holds_only_utf8(source, position)
    if is_utf8 or _has_valid_line(source, position):
        if is_lenient:
            return Text(source, gauge.longest, has_mark=start.startswith(codecs.BOM_UTF8))
        raise _wrong_encoding(source, position, is_mixed=not is_utf8)
    return _guessed(source, position, reading)


def _guessed(source: Path, position: int, reading: Reading) -> Text:
    """Guess the encoding of a file and return a converted copy."""
    with source.open("rb") as file:
        file.seek(max(0, position - 1024))
        guess = guess_encoding(file.read(_GUESS_BYTES))
    rivals = " or ".join(f"{label_of(rival)} (`{rival}`)" for rival in guess.rivals)
    also = f", but {rivals} is also possible" if rivals else ""
    warning = (
        f"The file is not valid UTF-8 and was read as {guess.label}{also}. Check accented letters and "
        "symbols, and set the option `encoding` if they are wrong."
    )
    return replace(_translate(source, guess.encoding, reading, label=guess.label), warnings=(warning,))


def _chunks(source: Path, start: int = 0) -> Iterator[bytes]:
    with source.open("rb") as file:
        file.seek(start)
        while chunk := file.read(MEBIBYTE):
            yield chunk


def _first_invalid(source: Path, progress: Progress, gauge: _Gauge) -> int | None:
    """Return the position of the first byte that is not valid UTF-8. Raise an error for a zero byte."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    size = source.stat().st_size
    n_bytes = 0
    position: int | None = None
    for chunk in _chunks(source):
        if (zero := chunk.find(b"\0")) >= 0:
            raise _no_text(f"byte {n_bytes + zero + 1:,} is zero")
        if position is None:
            position = _invalid_in(chunk, decoder, n_bytes)
        gauge.add(chunk)
        n_bytes += len(chunk)
        progress("checking", n_bytes / size)
    if position is None and (carried := len(decoder.getstate()[0])):
        return n_bytes - carried
    return position


def _no_text(reason: str) -> InvalidInput:
    return InvalidInput(
        f"The file is not text: {reason}. If it is UTF-16, set the option `encoding`. Otherwise, upload a "
        "CSV file.",
        code="unreadable_file",
    )


def _invalid_in(chunk: bytes, decoder: codecs.IncrementalDecoder, n_bytes: int) -> int | None:
    carried = len(decoder.getstate()[0])
    if chunk.isascii() and not carried:
        return None
    try:
        decoder.decode(chunk)
    except UnicodeDecodeError as error:
        return n_bytes + error.start - carried
    return None


def _is_garbage(chunk: bytes) -> bool:
    """Return whether more than 2% of the bytes are control characters, as in a binary file."""
    control = bytes(set(range(32)) - set(b"\t\n\v\f\r"))
    return len(chunk) - len(chunk.translate(None, control)) > len(chunk) / 50


def _holds_only_utf8(source: Path, position: int) -> bool:
    """Return whether the first invalid bytes are damaged UTF-8: a surrogate or a truncated character."""
    with source.open("rb") as file:
        file.seek(position)
        data = file.read(4)
    is_surrogate = len(data) >= 3 and data[0] == 0xED and 0xA0 <= data[1] <= 0xBF and 0x80 <= data[2] <= 0xBF
    is_cut = position + len(data) == source.stat().st_size and len(data) < 4 and data[0] >= 0xC2
    if is_cut:
        try:
            codecs.getincrementaldecoder("utf-8")().decode(data)
        except UnicodeDecodeError:
            return False
    return is_surrogate or is_cut


def _has_valid_line(source: Path, position: int) -> bool:
    """Return whether any line with non-ASCII characters is valid UTF-8."""
    held = b""
    for chunk in _chunks(source):
        lines = (held + chunk).split(b"\n")
        # A line of more than 1 MiB is checked in pieces.
        held = lines.pop() if len(lines[-1]) < MEBIBYTE else b""
        if chunk.isascii() and not held:
            continue
        if any(_is_utf8(line) for line in lines if not line.isascii()):
            return True
    return bool(held) and not held.isascii() and _is_utf8(held)


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _wrong_encoding(source: Path, position: int, *, is_mixed: bool) -> InvalidInput:
    mixed = ", but other lines are, so the file mixes encodings" if is_mixed else ""
    return InvalidInput(
        f"Line {_line_at(source, position):,} (byte {position + 1:,} of the file) is not valid UTF-8{mixed}. "
        f"{_REMEDY}",
        code="wrong_encoding",
    )


def _line_at(source: Path, position: int) -> int:
    n_ends, n_left = 0, position
    for chunk in _chunks(source):
        read = chunk[: max(0, n_left)]
        n_ends += read.count(b"\n") + read.count(b"\r") - read.count(b"\r\n")
        n_left -= len(chunk)
        if n_left <= 0:
            break
    return n_ends + 1


def _translate(source: Path, encoding: str, reading: Reading, *, label: str | None = None) -> Text:
    """Return a copy of the file in UTF-8. With `bad_rows=skip`, invalid bytes remain invalid.

    Parameters
    ----------
    label : str, optional
        Name of the encoding for messages, if the encoding is a guess.
    """
    target = reading.scratch / "utf8.csv"
    is_wide = encoding.startswith(("utf-16", "utf-32"))
    lenient = "surrogatepass" if is_wide else "surrogateescape"
    errors = "strict" if label or reading.options.bad_rows == "fail" else lenient
    n_lines = n_characters = 0
    has_mark = encoding in ("utf-16", "utf-32", "utf-8-sig")
    gauge = _Gauge()
    size = source.stat().st_size
    try:
        with (
            source.open("r", encoding=encoding, errors=errors, newline="") as file,
            target.open("wb") as copy,
        ):
            while text := file.read(MEBIBYTE):
                if (zero := text.find("\0")) >= 0:
                    line = n_lines + 1 + text.count("\n", 0, zero)
                    raise _no_text(f"line {line:,} contains a NUL character")
                has_mark |= n_characters == 0 and text.startswith("\ufeff")
                data = (text.removeprefix("\ufeff") if n_characters == 0 else text).encode("utf-8", errors)
                copy.write(data)
                gauge.add(data)
                n_lines += text.count("\n")
                n_characters += len(text)
                reading.progress("checking", min(1.0, n_characters / size))
    except UnicodeError:
        guess = f"neither UTF-8 nor {label}" if label else f"not valid {encoding}"
        raise InvalidInput(
            f"The text is {guess}: the first invalid character is on line {n_lines + 1:,} or later. "
            f"{_REMEDY}",
            code="wrong_encoding",
        ) from None
    return Text(target, gauge.longest, encoding=_writing_name(source, encoding), has_mark=has_mark)


def _writing_name(source: Path, encoding: str) -> str:
    """Return the encoding with its byte order, so that Python does not write a byte order mark."""
    if encoding not in ("utf-16", "utf-32"):
        return "utf-8" if encoding == "utf-8-sig" else encoding
    with source.open("rb") as file:
        is_big = file.read(4).startswith((codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE))
    return f"{encoding}-{'be' if is_big else 'le'}"
