"""Styles of JSON text: separators and escapes, or Python literals."""

from __future__ import annotations

import ast
import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

# Number of strings used to detect the style.
N_TEXTS = 200


class Style(BaseModel):
    """The style of JSON text in a column."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    is_python: bool = False
    is_compact: bool = False
    is_ascii: bool = False

    @property
    def between_items(self) -> str:
        """The separator between members or items."""
        return "," if self.is_compact else ", "

    @property
    def after_key(self) -> str:
        """The separator between a key and its value."""
        return ":" if self.is_compact else ": "

    @property
    def null(self) -> str:
        """The text that represents null."""
        return "None" if self.is_python else "null"

    @property
    def booleans(self) -> tuple[str, str]:
        """The texts that represent true and false."""
        return ("True", "False") if self.is_python else ("true", "false")

    def write(self, value: Any) -> str:  # Any: JSON
        """Return the text of a value."""
        if self.is_python:
            return repr(value)
        separators = (self.between_items, self.after_key)
        return json.dumps(value, ensure_ascii=self.is_ascii, separators=separators)


_STYLES = [Style(is_compact=c, is_ascii=a) for c in (False, True) for a in (False, True)]


class ReadFloat(float):
    """A float that is written exactly as in its source text."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> ReadFloat:
        """Return the float that a string represents."""
        number = super().__new__(cls, text)
        number.text = text
        return number


def read_json(text: str) -> Any:  # Any: JSON
    """Return the value of a JSON string. NaN and infinite numbers become null.

    Raises
    ------
    ValueError, RecursionError
        If the text is not valid JSON.
    """
    return json.loads(text, parse_float=ReadFloat, parse_constant=lambda _: None)


def read_python(text: str) -> Any:  # Any: Python literals
    """Return the value of a string that contains Python literals, such as ``{'a': None}``.

    Raises
    ------
    ValueError, RecursionError
        If the text contains anything else, or a literal that JSON cannot represent, such as a set.
    """
    try:
        value = ast.literal_eval(text)
        json.dumps(value)
    except (SyntaxError, TypeError, MemoryError) as error:
        raise ValueError("not a literal") from error
    return value


def detect_style(texts: Sequence[str], *, is_python: bool) -> Style:
    """Return the style that reproduces the most strings."""
    if is_python:
        return Style(is_python=True)
    hits: Counter[Style] = Counter()
    for text in texts:
        value = json.loads(text)
        hits.update(style for style in _STYLES if style.write(value) == text)
    return max(_STYLES, key=lambda style: hits[style])
