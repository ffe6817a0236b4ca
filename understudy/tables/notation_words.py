"""Words and shares in notations. Importing this module loads neither Arrow nor NumPy."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError

# Maximum length of a word such as `--` or `-nan`, which begins like a formula but is not one.
_SIGN_LENGTH_MAX = 4


def without_formula(text: str) -> str:
    """Check that no written value begins like a spreadsheet formula, except for short words such as `--`."""
    is_sign = text.startswith(("+", "-")) and len(text) <= _SIGN_LENGTH_MAX
    begins = text.startswith(tuple("=+-@\uff1d\uff0b\uff0d\uff20")) and not is_sign
    if begins or any(ord(character) < 32 for character in text):
        raise ValueError("the text must not begin like a formula or contain control characters")
    return text


def is_word(text: str) -> bool:
    """Return whether a text can represent missing values in a notation."""
    try:
        _WORD_ADAPTER.validate_python(text)
    except ValidationError:
        return False
    return True


Word = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(without_formula)]
_WORD_ADAPTER: TypeAdapter[str] = TypeAdapter(Word)
Words = Annotated[
    tuple[Word, ...],
    Field(
        max_length=20,
        description="Words that represent missing values. If there are none, missing values are written as "
        "empty text.",
    ),
]


Shares = Annotated[tuple[Annotated[float, Field(ge=0, le=1)], ...], Field(max_length=21)]
