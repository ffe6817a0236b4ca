"""What a caller may say about a file that is to be read; light, since the API knows it before any table."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

FormatName = Literal["csv", "parquet", "jsonl", "arrow"]
"""The names of the formats; a test holds them equal to those of `FORMATS`."""


class ReadOptions(BaseModel):
    """How a file is to be read, where the file itself does not say so; each format takes some of them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @property
    def given(self) -> frozenset[str]:
        """The names of the options that differ from their defaults."""
        return frozenset(self.model_dump(exclude_defaults=True))
