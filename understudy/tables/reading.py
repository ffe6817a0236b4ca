"""What a caller may say about a file that is to be read; light, since the API knows it before any table."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

FormatName = Literal["csv", "parquet", "xlsx"]
"""The names of the formats; a test holds them equal to those of `FORMATS`."""


class ReadOptions(BaseModel):
    """How a file is to be read, where the file itself does not say so; each format takes some of them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sheet: Annotated[
        str | None,
        Field(
            max_length=255,
            pattern=r"^[^\x00-\x1f\x7f]+$",
            description="The sheet of a workbook; else the first that is not hidden.",
        ),
    ] = None

    @property
    def given(self) -> frozenset[str]:
        """The names of the options that differ from their defaults."""
        return frozenset(self.model_dump(exclude_defaults=True))
