"""Options for reading a file. The module has no heavy imports because the API process uses it."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple

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
from understudy.parameters.base import COLUMN_NAME_LENGTH_MAX

FormatName = Literal["csv", "parquet", "jsonl", "arrow", "xlsx"]
"""Names of the file formats. A test checks that they equal the names in `FORMATS`."""

# Python's names for the supported encodings. Unlike some Python codecs, all of them decode bytes to text.
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
# The control characters separate fields in exports of some databases.
_SPECIAL_DELIMITERS = "\t \x01\x1c\x1d\x1e\x1f"
_TOKENS_MAX = 20
_TOKEN_LENGTH_MAX = 64
_NAMES_MAX = 2_000


def _delimiter(text: str) -> str:
    character = _DELIMITER_NAMES.get(text, text)
    if character == "whitespace":
        return character
    if (
        len(character) != 1
        or not (character in _SPECIAL_DELIMITERS or 32 < ord(character) < 127)
        or character.isalnum()
    ):
        raise ValueError("must be `tab`, `whitespace`, or one ASCII character other than a letter or digit")
    if character in "\"'":
        raise ValueError("cannot be a quotation mark")
    return character


def checked_encoding(text: str) -> str:
    """Return the usual name of a supported text encoding. Raise `ValueError` for other names."""
    try:
        name = codecs.lookup(text).name
    except (LookupError, ValueError):
        name = ""
    if name not in _ENCODINGS:
        raise ValueError("must be the name of a text encoding, such as utf-8, cp1252 or utf-16")
    return name


def _tokens(given: Any) -> Any:
    """Split tokens that are sent as one string, as in a form."""
    return tuple(given.split(",")) if isinstance(given, str) else given


def _check_tokens(tokens: tuple[str, ...]) -> tuple[str, ...]:
    if len(tokens) > _TOKENS_MAX or not all(0 < len(token) <= _TOKEN_LENGTH_MAX for token in tokens):
        raise ValueError(
            f"must be at most {_TOKENS_MAX} comma-separated values of 1 to {_TOKEN_LENGTH_MAX} characters"
        )
    return tokens


_RANGE = re.compile(r"\s*([1-9][0-9]{0,9})\s*(?:(-)\s*([1-9][0-9]{0,9})?)?\s*")


def line_ranges(text: str | None) -> list[tuple[int, int | None]]:
    """Return the first and the last number of each range in a list such as `2,5-7,120-`.

    Raises
    ------
    ValueError
        If the text is not a list in this format.
    """
    ranges: list[tuple[int, int | None]] = []
    for part in text.split(",") if text else []:
        match = _RANGE.fullmatch(part)
        if match is None:
            raise ValueError("must be numbers and ranges such as 2,5-7,120-")
        first = int(match[1])
        last = int(match[3]) if match[3] else None if match[2] else first
        if last is not None and last < first:
            raise ValueError("must not contain a range that ends before it begins")
        ranges.append((first, last))
    return ranges


def _check_ranges(text: str) -> str:
    line_ranges(text)
    return text


def _names(given: Any) -> Any:
    """Split names that are sent as one string: a JSON list, or names separated by commas."""
    if not isinstance(given, str):
        return given
    if given.startswith("["):
        try:
            return tuple(json.loads(given))
        except ValueError:
            pass
    return tuple(name for name in given.split(",") if name)


def _check_names(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(names) > _NAMES_MAX or not all(0 < len(name) <= COLUMN_NAME_LENGTH_MAX for name in names):
        raise ValueError(f"must be up to {_NAMES_MAX} column names, separated by commas")
    return names


_CELLS = re.compile(
    r"\$?([A-Za-z]{1,3})(?:\$?([1-9][0-9]{0,6}))?:\$?([A-Za-z]{1,3})(?:\$?([1-9][0-9]{0,6}))?"
)


class CellRange(NamedTuple):
    """A cell range: the letters of its first and last columns, and the numbers of its first and last rows."""

    first_column: str
    first_row: int
    last_column: str
    last_row: int | None


def cell_range(text: str) -> CellRange:
    """Parse a range of cells such as `A5:F120` or `A:F`.

    Raises
    ------
    ValueError
        If the text is not a range.
    """
    match = _CELLS.fullmatch(text.strip())
    if match is None:
        raise ValueError("must be a range of cells such as A5:F120")
    cells = CellRange(
        match[1].upper(), int(match[2] or 1), match[3].upper(), int(match[4]) if match[4] else None
    )
    is_reversed = (len(cells.first_column), cells.first_column) > (len(cells.last_column), cells.last_column)
    if is_reversed or (cells.last_row is not None and cells.last_row <= cells.first_row):
        raise ValueError(
            "must contain two or more rows and go from the top-left to the bottom-right cell, such as A5:F120"
        )
    return cells


def _check_range(text: str) -> str:
    cell_range(text)
    return text


class ReadOptions(BaseModel):
    """Options for reading a file. Each format supports some of these options.

    The upload form, the query parameters and the command line accept the same options as strings.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    sheet: Annotated[
        str | None,
        Field(
            max_length=255,
            min_length=1,
            pattern=r"^[^\x00-\x1f\x7f]*$",
            description="Name of the workbook sheet. Defaults to the first sheet that is not hidden.",
        ),
    ] = None
    delimiter: Annotated[
        Annotated[str, AfterValidator(_delimiter)] | None,
        Field(
            description="Field separator of a CSV file. `tab` stands for the tab character, and `whitespace` "
            "for one or more spaces. Detected if omitted."
        ),
    ] = None
    quote: Annotated[
        Literal['"', "'", "none"] | None,
        Field(
            description="Quote character of a CSV file, or `none` if values are not quoted. Detected if "
            "omitted."
        ),
    ] = None
    encoding: Annotated[
        Annotated[str, AfterValidator(checked_encoding)] | None,
        Field(description="Text encoding of a CSV file, such as `cp1252`. Detected if omitted."),
    ] = None
    decimal: Annotated[
        Literal[".", ","] | None,
        Field(
            description="Decimal separator of numbers written as text. Detected in each column with "
            "unambiguous values if omitted."
        ),
    ] = None
    thousands: Annotated[
        Literal[",", ".", " ", "'"] | None,
        Field(
            description="Thousands separator of numbers written as text. Detected in each column with "
            "unambiguous values if omitted."
        ),
    ] = None
    date_order: Annotated[
        Literal["day_first", "month_first"] | None,
        Field(
            description="Order of day and month in dates such as 01/02/2024. Detected in each column with "
            "unambiguous values if omitted."
        ),
    ] = None
    missing: Annotated[
        tuple[str, ...],
        BeforeValidator(_tokens),
        AfterValidator(_check_tokens),
        Field(
            description="Comma-separated list of additional words that represent missing values in a CSV "
            "file."
        ),
    ] = ()
    coerce: Annotated[
        tuple[str, ...],
        BeforeValidator(_names),
        AfterValidator(_check_names),
        Field(
            description="Comma-separated names of columns to read as numbers or dates even if many of their "
            "values cannot be parsed. These values become missing. By default, a column with more than a few "
            "such values is read as text.",
            json_schema_extra={"repeatable": True},
        ),
    ] = ()
    bad_rows: Annotated[
        Literal["fail", "skip"],
        Field(
            description="Handling of CSV rows that cannot be read: `fail` rejects the file, and `skip` omits "
            "these rows and stores a list of them."
        ),
    ] = "fail"
    bad_rows_share_max: Annotated[
        float,
        Field(
            ge=0,
            le=0.5,
            description="Maximum fraction of a CSV file's rows that may be skipped (default 0.01).",
        ),
    ] = 0.01

    flatten: Annotated[
        bool | None,
        Field(
            description='Handling of nested values in JSON Lines. If true, `{"user": {"id": 1}}` becomes a'
            " column `user.id`, and arrays become JSON text. If false, nested objects and arrays are "
            "rejected. By default, nested values are flattened with a warning."
        ),
    ] = None
    range: Annotated[
        Annotated[str, AfterValidator(_check_range)] | None,
        Field(
            max_length=30,
            description="Cell range of the table in a workbook, including the header, such as `A5:F120` or "
            "`B2:H`. Detected if omitted.",
        ),
    ] = None
    header_row: Annotated[
        int | None,
        Field(
            ge=0,
            le=10_000,
            description="Number of the CSV line or workbook row that contains the header, starting at 1. Use "
            "0 for a CSV file without a header. Detected if omitted.",
        ),
    ] = None
    skip_rows: Annotated[
        Annotated[str, AfterValidator(_check_ranges)] | None,
        Field(
            max_length=1_000,
            description="CSV lines or workbook rows to skip: numbers and ranges such as `2,5-7,120-`, "
            "starting at 1.",
        ),
    ] = None
    join_headers: Annotated[
        bool | None,
        Field(
            description=(
                "Handling of a second header row: `true` joins the cells of both rows to form the column "
                "names, and `false` reads the second row as data. Detected if omitted."
            )
        ),
    ] = None

    @property
    def given(self) -> frozenset[str]:
        """The names of the options that differ from their defaults."""
        return frozenset(self.model_dump(exclude_defaults=True))

    @model_validator(mode="after")
    def _marks_differ(self) -> ReadOptions:
        if self.decimal is not None and self.decimal == self.thousands:
            raise ValueError("decimal and thousands must be two different characters")
        return self


def text_fields() -> dict[str, Any]:
    """Return the options as optional string fields for pydantic's `create_model`. A form has only strings."""
    return {
        name: (Annotated[str | None, Field(description=option.description)], None)
        for name, option in ReadOptions.model_fields.items()
    }


def read_options(given: Mapping[str, Any]) -> ReadOptions:
    """Return read options from their string values.

    Raises
    ------
    InvalidInput
        If an option is unknown or invalid, with the code `invalid_parameters`.
    """
    try:
        return ReadOptions.model_validate(dict(given))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        name = f"`{first['loc'][0]}`: " if first["loc"] else ""
        raise InvalidInput(
            f"A read option is invalid: {name}{first['msg'].removeprefix('Value error, ')}.",
            code="invalid_parameters",
        ) from None
