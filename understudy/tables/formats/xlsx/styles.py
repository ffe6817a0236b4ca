"""Detect dates, times, timestamps and durations from the number formats of cells."""

from __future__ import annotations

import re
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from understudy.tables.formats.scan import MEBIBYTE
from understudy.tables.formats.xlsx.archive import Archive, unreadable
from understudy.tables.formats.xlsx.markup import Elements, parse

_PART_BYTES_MAX = 32 * MEBIBYTE
# Maximum number of cell styles in an Excel workbook.
STYLES_MAX = 65_536


class Kind(IntEnum):
    """The kind of a cell's value."""

    number = 0
    date = 1
    timestamp = 2
    time = 3
    duration = 4
    boolean = 5
    text = 6


WORDS = {
    Kind.number: "numbers",
    Kind.date: "dates",
    Kind.timestamp: "timestamps",
    Kind.time: "times",
    Kind.duration: "durations",
    Kind.boolean: "booleans",
    Kind.text: "text",
}

# Built-in formats, which have a number but no code. Numbers 27 to 36 and 50 to 58 are dates in East Asian
# languages.
_BUILT_IN = {
    **dict.fromkeys((*range(14, 18), *range(27, 37), *range(50, 59)), Kind.date),
    **dict.fromkeys((18, 19, 20, 21, 32, 33, 34, 35, 45, 47, 55, 56), Kind.time),
    22: Kind.timestamp,
    46: Kind.duration,
}
_ELAPSED = re.compile(r"\[(?:h+|m+|s+)\]", re.IGNORECASE)
# Parts of a format code that do not display a date or time: quoted and escaped letters, padding, colors,
# conditions and locales.
_DECORATION = re.compile(r'"[^"]*"?|\\.|_.|\*.|\[[^\]]*\]?', re.DOTALL)


def kind_of_code(code: str) -> Kind:
    """Return the kind of value that a format code displays."""
    if _ELAPSED.search(re.sub(r'"[^"]*"|\\.', "", code)):
        return Kind.duration
    plain = _DECORATION.sub("", code).split(";")[0].lower()
    if plain.strip() in ("general", "@", ""):
        return Kind.number
    letters = set(plain) & set("ymdhs")
    has_time = bool(letters & set("hs"))
    # Next to hours or seconds, the letter m represents minutes.
    has_date = bool(letters & set("yd")) or letters == {"m"}
    if has_date:
        return Kind.timestamp if has_time else Kind.date
    return Kind.time if has_time else Kind.number


def read_styles(archive: Archive, part: str | None) -> npt.NDArray[np.int8]:
    """Return the kind of value for each cell style, in the order of the styles."""
    styles = _Styles()
    if part is not None:
        parse(archive.chunks(part, bytes_max=_PART_BYTES_MAX), styles)
    return np.array(styles.kinds() or [Kind.number], np.int8)


class _Styles(Elements):
    def __init__(self) -> None:
        self._codes: dict[str, Kind] = {}
        self._formats: list[str] = []
        self._is_within = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Add a format code or a cell style."""
        if name == "xf":
            if self._is_within:
                self._formats.append(attributes.get("numFmtId", "0"))
        elif name == "numFmt":
            self._codes[attributes.get("numFmtId", "")] = kind_of_code(attributes.get("formatCode", ""))
        elif name in ("cellXfs", "cellStyleXfs", "cellStyles", "dxfs"):
            self._is_within = name == "cellXfs"
        if len(self._formats) + len(self._codes) > 2 * STYLES_MAX:
            raise unreadable(
                f"The workbook has more than {2 * STYLES_MAX:,} cell styles and number formats. Copy the "
                "table to a new workbook."
            )

    def kinds(self) -> list[Kind]:
        """Return the kinds in the order of the styles."""
        return [self._codes.get(key) or self._built_in(key) for key in self._formats]

    def _built_in(self, key: str) -> Kind:
        return (
            _BUILT_IN.get(int(key), Kind.number)
            if key.isascii() and key.isdecimal() and len(key) < 6
            else Kind.number
        )
