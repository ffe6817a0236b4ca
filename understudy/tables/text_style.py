"""The style of a CSV file: its delimiter, quotation marks, line endings and encoding.

A table keeps the style of its file, so that samples are written in the same style. Importing this module
loads neither Arrow nor NumPy.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from understudy.parameters.read_options import checked_encoding

METADATA_KEY = b"understudy.text_style"
"""Key in the metadata of an Arrow schema. The value is the style as JSON."""


TAB_SUFFIXES = (".tsv", ".tab")
"""Suffixes of tab-delimited files."""


class TextStyle(BaseModel):
    """The style of a CSV file. The defaults are the style of a table that does not come from a CSV file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    delimiter: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=1,
            pattern=r"[^\r\n\"'\x00]",
            description="Delimiter; null for a comma, or for a tab in files with the suffix .tsv.",
        ),
    ] = None
    quoting: Annotated[
        Literal["text", "all", "minimal"],
        Field(
            description="Values to enclose in quotation marks: all values of text columns, all values, or "
            "only values that require quotation marks."
        ),
    ] = "text"
    quote: Annotated[Literal['"', "'"], Field(description="Quotation mark.")] = '"'
    line_ending: Annotated[Literal["\n", "\r\n", "\r"], Field(description="Line ending.")] = "\n"
    encoding: Annotated[
        str,
        Field(min_length=1, max_length=32, description="Python's name of the encoding."),
        AfterValidator(checked_encoding),
    ] = "utf-8"
    has_mark: Annotated[bool, Field(description="Whether the file starts with a byte order mark.")] = False


PLAIN = TextStyle()
"""The style of tables that do not come from a CSV file."""


Metadata = dict[bytes | str, bytes | str]


def style_metadata(style: TextStyle | None) -> Metadata | None:
    """Return Arrow schema metadata that stores a style."""
    if style is None:
        return None
    return {METADATA_KEY: style.model_dump_json(exclude_defaults=True).encode()}


def read_style(metadata: dict[bytes, bytes] | None) -> TextStyle | None:
    """Return the style from the metadata of an Arrow schema, or None if the metadata has no valid style."""
    text = (metadata or {}).get(METADATA_KEY)
    if text is None:
        return None
    try:
        return TextStyle.model_validate_json(text)
    except ValidationError:
        return None


def known_style(metadata: dict[bytes, bytes] | None) -> Metadata | None:
    """Return only the style entry of an Arrow schema's metadata."""
    return style_metadata(read_style(metadata))
