"""Ways to write the value of another column in an identifier, such as zero-padded or as parts of a date."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import pyarrow as pa

from understudy.transformers.array_reader import ArrayReader, require
from understudy.transformers.base import ArrowArray, Json
from understudy.transformers.generated.texts import pc

# Parts of dates and times in identifiers, in `strftime` notation.
TIME_PATTERNS = (
    *("%Y%m%d", "%d%m%Y", "%m%d%Y", "%y%m%d", "%d%m%y", "%m%d%y", "%Y-%m-%d", "%d-%m-%Y", "%m-%d-%Y"),
    *("%Y/%m/%d", "%d/%m/%Y", "%m/%d/%Y", "%Y.%m.%d", "%d.%m.%Y", "%Y_%m_%d", "%d%b%Y", "%d%b%y"),
    *("%Y%m%d%H%M", "%Y%m%d%H", "%Y%m%dT%H", "%H%M", "%Y%j", "%y%j", "%Y-%m", "%Y/%m", "%Y_%m", "%Y%m"),
    *("%m%Y", "%y%m", "%m%y", "%m%d", "%d%m", "%m-%d", "%d-%m", "%b%Y", "%b%y", "%Y", "%b", "%y", "%j", "%m"),
    *("%d", "%H"),
)
WIDTH_MAX = 12
_N_TOKENS_MAX, _N_LETTERS_MAX = 4, 6
# Letters and digits. All characters outside ASCII count as letters, because patterns with Unicode classes
# take a hundred times longer to compile.
_WORD, _MARK = r"[0-9A-Za-z\x{80}-\x{10FFFF}]", r"[^0-9A-Za-z\x{80}-\x{10FFFF}]"
_CASES = ("", "upper", "lower")
_FORMS_OF_TEXT = ("text", "bare", "plain", "initials", "prefix", "suffix", "token")
_FORMS_OF_NUMBERS = ("text", "pad", "prefix", "suffix")


@dataclass(frozen=True)
class Rendering:
    """A way to write a value of a column within an identifier.

    Parameters
    ----------
    form : str
        `text` (unchanged), `bare` (letters and digits only), `plain` (without leading zeros), `pad` (with
        leading zeros), `initials`, `prefix`, `suffix`, `token` (one run of letters and digits) or `time`.
    width : int
        Number of characters or index of the token. The value is 0 for forms that need neither.
    case : str
        `upper`, `lower`, or empty for unchanged letters.
    pattern : str
        Pattern from `TIME_PATTERNS` for the form `time`.
    """

    form: str
    width: int = 0
    case: str = ""
    pattern: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether different values always have different texts."""
        return self.form in ("text", "pad")

    @property
    def core(self) -> Rendering:
        """A rendering for a quick check. Its texts are contained in the texts of this rendering."""
        if self.form == "pad":
            return Rendering("text")
        return replace(self, width=1) if self.form in ("prefix", "suffix") else self

    def write(self, values: ArrowArray) -> ArrowArray:
        """Return the texts of values. Missing values stay missing."""
        texts = _FORMS[self.form](self, values)
        if self.case:
            texts = pc.utf8_upper(texts) if self.case == "upper" else pc.utf8_lower(texts)
        return texts.cast(pa.large_string())

    def suits(self, type_: pa.DataType) -> bool:
        """Return whether values of a type can be written in this form."""
        if pa.types.is_temporal(type_):
            return self.form == "time" and is_date_like(type_)
        if pa.types.is_integer(type_) or pa.types.is_floating(type_):
            return self.form in _FORMS_OF_NUMBERS
        is_text = pa.types.is_string(type_) or pa.types.is_large_string(type_)
        return is_text and self.form in _FORMS_OF_TEXT + _FORMS_OF_NUMBERS

    def to_json(self) -> Json:
        """Return the rendering for a model file."""
        return {"form": self.form, "width": self.width, "case": self.case, "pattern": self.pattern}

    @classmethod
    def from_reader(cls, reader: ArrayReader) -> Self:
        """Load a rendering from the output of `to_json`."""
        form, case = reader.choice("form", _FORMS), reader.choice("case", _CASES)
        pattern = reader.text("pattern")
        require(pattern in TIME_PATTERNS if form == "time" else not pattern, "a part of a date is unknown")
        return cls(form, reader.whole("width", 0, WIDTH_MAX), case, pattern)


def is_date_like(type_: pa.DataType) -> bool:
    """Return whether a type is a date or a timestamp."""
    return bool(pa.types.is_date(type_) or pa.types.is_timestamp(type_))


def renderings_of(type_: pa.DataType) -> Iterator[Rendering]:
    """Yield the renderings for values of a type, from the most to the least complete."""
    if is_date_like(type_):
        for pattern in TIME_PATTERNS:
            yield Rendering("time", pattern=pattern)
            if "%b" in pattern:
                yield Rendering("time", pattern=pattern, case="upper")
    elif pa.types.is_integer(type_) or pa.types.is_floating(type_):
        yield Rendering("text")
        yield from (Rendering("pad", width) for width in range(2, WIDTH_MAX + 1))
        # Numbers such as 10142018 can contain dates.
        for form in ("prefix", "suffix"):
            yield from (Rendering(form, width) for width in range(_N_LETTERS_MAX, 1, -1))
    elif pa.types.is_string(type_) or pa.types.is_large_string(type_):
        for case in _CASES:
            yield from _renderings_of_texts(case)
        yield from (Rendering("pad", width) for width in range(2, WIDTH_MAX + 1))


def _renderings_of_texts(case: str) -> Iterator[Rendering]:
    yield from (Rendering(form, case=case) for form in ("text", "bare", "plain", "initials"))
    yield from (Rendering("token", i, case) for i in range(_N_TOKENS_MAX))
    for form in ("prefix", "suffix"):
        yield from (Rendering(form, width, case) for width in range(_N_LETTERS_MAX, 0, -1))


def _text(_: Rendering, values: ArrowArray) -> ArrowArray:
    """Return values as text. Numbers have neither decimals nor an exponent."""
    if pa.types.is_floating(values.type):
        numbers = np.nan_to_num(values.to_numpy(zero_copy_only=False), posinf=0, neginf=0)
        is_missing = np.asarray(values.is_null(nan_is_null=True), np.bool_)
        values = pa.array(np.clip(numbers, -(2**53), 2**53).astype(np.int64), mask=is_missing)
    texts: ArrowArray = values.cast(pa.large_string())
    return texts


def _replaced(values: Any, pattern: str, replacement: str) -> ArrowArray:
    replaced: ArrowArray = pc.replace_substring_regex(values, pattern=pattern, replacement=replacement)
    return replaced


def _bare(own: Rendering, values: ArrowArray) -> ArrowArray:
    return _replaced(_text(own, values), _MARK, "")


def _plain(own: Rendering, values: ArrowArray) -> ArrowArray:
    return _replaced(_text(own, values), r"^0+(.)", r"\1")


def _initials(own: Rendering, values: ArrowArray) -> ArrowArray:
    return _replaced(_text(own, values), rf"{_MARK}*({_WORD})(?:{_WORD}|['\x{2019}])*{_MARK}*", r"\1")


def _prefix(own: Rendering, values: ArrowArray) -> ArrowArray:
    sliced: ArrowArray = pc.utf8_slice_codeunits(_bare(own, values), 0, own.width)
    return sliced


def _suffix(own: Rendering, values: ArrowArray) -> ArrowArray:
    sliced: ArrowArray = pc.utf8_slice_codeunits(_bare(own, values), -own.width, 2**30)
    return sliced


def _token(own: Rendering, values: ArrowArray) -> ArrowArray:
    pattern = rf"(?s)^(?:{_MARK}*{_WORD}+{_MARK}){{{own.width}}}{_MARK}*({_WORD}+).*$"
    return _replaced(_text(own, values), pattern, r"\1")


def _pad(own: Rendering, values: ArrowArray) -> ArrowArray:
    padded: ArrowArray = pc.utf8_lpad(_text(own, values), width=own.width, padding="0")
    return padded


def _time(own: Rendering, values: ArrowArray) -> ArrowArray:
    # The text contains the local time. Arrow writes seconds with fractions, which no pattern contains.
    local = pc.local_timestamp(values) if getattr(values.type, "tz", None) else values
    written: ArrowArray = pc.strftime(local, format=own.pattern)
    return written


_FORMS = {
    "text": _text,
    "bare": _bare,
    "plain": _plain,
    "initials": _initials,
    "prefix": _prefix,
    "suffix": _suffix,
    "token": _token,
    "pad": _pad,
    "time": _time,
}
