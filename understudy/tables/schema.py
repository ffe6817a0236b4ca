"""What we know of a table: the kinds of its columns.

A schema is made by `inference.infer_schema`, may be edited by the user, and is what synthesizers, reports and
formats agree on. `arrow_type` is the exact type in which the column is stored and given back.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, cast

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from understudy.errors import InvalidInput
from understudy.tables.word_lists import WordList


class ColumnKind(StrEnum):
    """What a column's values mean; each kind has its own transformer."""

    integer = "integer"
    float = "float"
    decimal = "decimal"
    boolean = "boolean"
    category = "category"
    date = "date"
    time = "time"
    timestamp = "timestamp"
    duration = "duration"
    identifier = "identifier"
    text = "text"
    name = "name"
    email = "email"
    phone = "phone"
    address = "address"
    ip = "ip"
    card = "card"
    iban = "iban"
    national_id = "national_id"
    postal_code = "postal_code"
    coordinates = "coordinates"
    url = "url"


# Not learnt but made anew: what such values are says who somebody is, or is nothing to be learnt from.
# Coordinates that are stored as numbers are learnt as numbers, of which none that is rare is kept.
MADE_ANEW_KINDS = frozenset(
    {
        *(ColumnKind.identifier, ColumnKind.text),
        *(ColumnKind.name, ColumnKind.email, ColumnKind.phone, ColumnKind.address),
        *(ColumnKind.ip, ColumnKind.card, ColumnKind.iban, ColumnKind.national_id, ColumnKind.postal_code),
        *(ColumnKind.coordinates, ColumnKind.url),
    }
)

# Languages and countries that names and addresses can be made up for: those of mimesis.
LOCALES = WordList(Path(__file__).with_name("locales.txt"))


Confidence = Annotated[float, Field(ge=0, le=1)]


class RunnerUp(BaseModel):
    """The kind that came second."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: ColumnKind
    confidence: Confidence


class Candidate(BaseModel):
    """A column that may have a part in the table, and why."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str
    confidence: Confidence
    evidence: Annotated[str, Field(description="In words, without any value.")]


class Reference(Candidate):
    """A column whose values seem to be those of another table's key."""

    parent_table: str
    parent_column: str


class Column(BaseModel):
    """One column: its name, kind and exact type."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(min_length=1, max_length=255)]
    kind: ColumnKind
    arrow_type: Annotated[str, Field(description="The Arrow type of the stored values, such as `int64`.")]
    nullable: bool
    evidence: Annotated[str, Field(description="Why this kind was chosen, in words.")] = ""
    confidence: Annotated[
        Confidence | None,
        Field(
            description="How sure the kind is, 0 to 1. A column without it was never looked at: a fit looks "
            "at the values of text and whole numbers itself, and makes anew what is personal."
        ),
    ] = None
    runner_up: Annotated[RunnerUp | None, Field(description="The kind that came second.")] = None


class Schema(BaseModel):
    """The columns of a table, in their order, with unique names."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    columns: Annotated[tuple[Column, ...], Field(min_length=1)]
    subject: Annotated[
        str | None,
        Field(description="The column that says whose row it is; protection then counts subjects."),
    ] = None
    locale: Annotated[
        str,
        Field(description="The language and country of made-up names, addresses and texts, such as `de-at`."),
    ] = "en"
    primary_key_candidates: Annotated[
        tuple[Candidate, ...],
        Field(
            description="Columns without missing values in which no value occurs twice; the best one first."
        ),
    ] = ()
    subject_candidate: Annotated[
        Candidate | None,
        Field(description="The column that seems to say whose row it is; it counts only as `subject`."),
    ] = None
    target_candidate: Annotated[
        Candidate | None, Field(description="The column that seems to be what the others are to predict.")
    ] = None
    foreign_key_candidates: Annotated[
        tuple[Reference, ...],
        Field(description="Columns that seem to refer to other tables of the dataset; the surest first."),
    ] = ()

    @field_validator("locale")
    @classmethod
    def _locale_is_known(cls, locale: str) -> str:
        if locale not in LOCALES:
            raise ValueError(f"locale must be one of {', '.join(LOCALES)}")
        return locale

    @model_validator(mode="after")
    def _names_are_unique(self) -> Schema:
        names = self.names
        if len(set(names)) != len(names):
            raise ValueError("column names must be unique")
        if self.subject is not None and self.subject not in names:
            raise ValueError("the subject must be one of the columns")
        return self

    @property
    def names(self) -> list[str]:
        """The columns' names, in order."""
        return [column.name for column in self.columns]

    def column(self, name: str) -> Column:
        """Return the column of that name.

        Raises
        ------
        InvalidInput
            If there is none.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise InvalidInput(f"The table has no column {name!r}.", code="unknown_column")

    def to_arrow(self) -> pa.Schema:
        """Return the Arrow schema of the stored table."""
        return pa.schema(
            [pa.field(c.name, parse_arrow_type(c.arrow_type), nullable=c.nullable) for c in self.columns]
        )


def parse_arrow_type(text: str) -> pa.DataType:
    """Return the Arrow type that `str(type)` printed, for every type that a column may be stored in.

    Raises
    ------
    InvalidInput
        If it is not one of them.
    """
    if text in _PLAIN_TYPES:
        return _PLAIN_TYPES[text]
    for pattern, make in _PARAMETRIC_TYPES:
        if match := pattern.fullmatch(text):
            try:
                return make(match)
            except (ValueError, OverflowError):  # such as decimal128(99, 2)
                break
    raise InvalidInput(
        f"{text!r} is not an Arrow type that a column can be stored in.", code="unsupported_column"
    )


_UNITS: tuple[Literal["s", "ms", "us", "ns"], ...] = ("s", "ms", "us", "ns")

_EXACT_TYPES: tuple[pa.DataType, ...] = (
    *(pa.int8(), pa.int16(), pa.int32(), pa.int64()),
    *(pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()),
    *(pa.float16(), pa.float32(), pa.float64()),
    *(pa.bool_(), pa.string(), pa.large_string()),
    *(pa.date32(), pa.date64(), pa.time32("s"), pa.time32("ms"), pa.time64("us"), pa.time64("ns")),
    *(pa.timestamp(unit) for unit in _UNITS),
    *(pa.duration(unit) for unit in _UNITS),
)
_PLAIN_TYPES: dict[str, pa.DataType] = {str(type_): type_ for type_ in _EXACT_TYPES}
# Arrow prints halffloat, float and double, and reads the names with digits: both are taken.
_PLAIN_TYPES |= {"float16": pa.float16(), "float32": pa.float32(), "float64": pa.float64()}


def _zoned_timestamp(match: re.Match[str]) -> pa.DataType:
    return pa.timestamp(cast(Literal["s", "ms", "us", "ns"], match[1]), tz=match[2])


_PARAMETRIC_TYPES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], pa.DataType]], ...] = (
    (re.compile(r"decimal128\((\d+), (-?\d+)\)"), lambda m: pa.decimal128(int(m[1]), int(m[2]))),
    (re.compile(r"timestamp\[(s|ms|us|ns), tz=([\w/+:-]+)\]"), _zoned_timestamp),
)
