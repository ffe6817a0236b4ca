"""What a caller may say about a file that is to be read; light, since the API knows it before any table."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from understudy.errors import InvalidInput

FormatName = Literal["csv", "parquet", "jsonl", "arrow", "xlsx"]
"""The names of the formats; a test holds them equal to those of `FORMATS`."""

# Python's names; what each of them decodes is text, and nothing but text.
_ENCODINGS = frozenset(
    codecs.lookup(name).name
    for name in (
        *("utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"),
        *(f"cp{number}" for number in (437, 850, 852, 855, 858, 866, 874, 932, 936, 949, 950)),
        *(f"cp{number}" for number in range(1250, 1259)),
        *(f"iso8859-{part}" for part in (*range(1, 12), *range(13, 17))),
        *("koi8-r", "koi8-u", "mac-roman", "shift_jis", "euc_jp", "gbk", "gb18030", "big5", "euc_kr"),
    )
)
_DELIMITER_NAMES = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "bar": "|", "space": " "}
_TOKENS_MAX = 20
_TOKEN_LENGTH_MAX = 64


def _delimiter(text: str) -> str:
    character = _DELIMITER_NAMES.get(text, text)
    if len(character) != 1 or not (character in "\t " or 32 < ord(character) < 127) or character.isalnum():
        raise ValueError("takes one ASCII character that is no letter or digit, or `tab`")
    if character in "\"'":
        raise ValueError("cannot be a quotation mark")
    return character


def _encoding(text: str) -> str:
    try:
        name = codecs.lookup(text).name
    except (LookupError, ValueError):
        name = ""
    if name not in _ENCODINGS:
        raise ValueError("takes the name of an encoding of text, such as utf-8, cp1252 or utf-16")
    return name


def _tokens(given: Any) -> Any:
    """Part tokens that come in one text, as from a form."""
    return tuple(given.split(",")) if isinstance(given, str) else given


def _check_tokens(tokens: tuple[str, ...]) -> tuple[str, ...]:
    if len(tokens) > _TOKENS_MAX or not all(0 < len(token) <= _TOKEN_LENGTH_MAX for token in tokens):
        raise ValueError(
            f"takes up to {_TOKENS_MAX} words of 1 to {_TOKEN_LENGTH_MAX} characters, with commas between"
        )
    return tokens


class ReadOptions(BaseModel):
    """How a file is to be read, where the file itself does not say so; each format takes some of them.

    A field's name and description are those of the form, the query and the command line as well, each of
    which gives texts.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    sheet: Annotated[
        str | None,
        Field(
            max_length=255,
            min_length=1,
            pattern=r"^[^\x00-\x1f\x7f]*$",
            description="The sheet of a workbook; else the first that is not hidden.",
        ),
    ] = None
    delimiter: Annotated[
        Annotated[str, AfterValidator(_delimiter)] | None,
        Field(description="CSV: the character between fields, or `tab`; else found by looking."),
    ] = None
    quote: Annotated[
        Literal['"', "'", "none"] | None,
        Field(description="CSV: the quotation mark, or `none`; else found by looking."),
    ] = None
    encoding: Annotated[
        Annotated[str, AfterValidator(_encoding)] | None,
        Field(description="CSV: the encoding of the text, such as `cp1252`; else found by looking."),
    ] = None
    decimal: Annotated[
        Literal[".", ","] | None,
        Field(description="CSV: the decimal mark of numbers; else by column, where it is clear."),
    ] = None
    thousands: Annotated[
        Literal[",", ".", " ", "'"] | None,
        Field(description="CSV: what parts thousands; else by column, where it is clear."),
    ] = None
    date_order: Annotated[
        Literal["day_first", "month_first"] | None,
        Field(description="CSV: the order in dates like 01/02/2024; else by column, where it is clear."),
    ] = None
    missing: Annotated[
        tuple[str, ...],
        BeforeValidator(_tokens),
        AfterValidator(_check_tokens),
        Field(description="CSV: words that mean a missing value, beside the usual ones; commas between."),
    ] = ()
    bad_rows: Annotated[
        Literal["fail", "skip"],
        Field(description="CSV: what becomes of a row that cannot be read: `fail`, or `skip` and list it."),
    ] = "fail"
    bad_rows_share_max: Annotated[
        float,
        Field(ge=0, le=0.5, description="CSV: the share of rows that may be skipped (0.01)."),
    ] = 0.01

    @property
    def given(self) -> frozenset[str]:
        """The names of the options that differ from their defaults."""
        return frozenset(self.model_dump(exclude_defaults=True))

    @model_validator(mode="after")
    def _marks_differ(self) -> ReadOptions:
        if self.decimal is not None and self.decimal == self.thousands:
            raise ValueError("decimal and thousands cannot be the same mark")
        return self


def text_fields() -> dict[str, Any]:
    """Return the options as optional texts, for pydantic's `create_model`: a form knows nothing else."""
    return {
        name: (Annotated[str | None, Field(description=option.description)], None)
        for name, option in ReadOptions.model_fields.items()
    }


def read_options(given: Mapping[str, Any]) -> ReadOptions:
    """Return options from texts by name.

    Raises
    ------
    InvalidInput
        invalid_parameters, with the option and its rule.
    """
    try:
        return ReadOptions.model_validate(dict(given))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        name = f"`{first['loc'][0]}`: " if first["loc"] else ""
        raise InvalidInput(
            f"The options of reading cannot be used: {name}{first['msg'].removeprefix('Value error, ')}.",
            code="invalid_parameters",
        ) from None
