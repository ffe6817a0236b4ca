"""Parameters of kind `ingest`."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from understudy.parameters.base import JobParameters, Name
from understudy.parameters.read_options import FormatName, ReadOptions


class IngestFile(NamedTuple):
    """An uploaded file and the table that it becomes."""

    position: int | None
    name: str | None
    format: FormatName


class IngestTable(BaseModel):
    """One of several files that are read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[Name, Field(description="Of the table.")]
    format: Annotated[FormatName, Field(description="Format of the file.")]


class FileParts(BaseModel):
    """The parts in which an uploaded file arrived."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    first: Annotated[int, Field(ge=1, description="Number of the first part.")]
    n: Annotated[int, Field(ge=1, description="Number of parts.")]
    sha256: Annotated[str | None, Field(description="SHA-256 of the file, if the sender stated it.")] = None


class IngestParameters(JobParameters):
    """Read an uploaded file, or several."""

    kind: Literal["ingest"]
    dataset_id: Annotated[str, Field(description="The dataset that waits for the file.")]
    format: Annotated[
        FormatName | None, Field(description="Format of the file; of several, each has its own.")
    ] = None
    tables: Annotated[tuple[IngestTable, ...], Field(description="The tables, where there are several.")] = ()
    parts: Annotated[
        tuple[FileParts, ...], Field(description="The parts of each file, where the files arrived in parts.")
    ] = ()
    options: Annotated[ReadOptions, Field(description="How it is to be read.")] = ReadOptions()

    @property
    def files(self) -> list[IngestFile]:
        """The files that were uploaded; the only one has neither position nor name."""
        if not self.tables:
            assert self.format is not None
            return [IngestFile(None, None, self.format)]
        return [
            IngestFile(position, table.name, table.format) for position, table in enumerate(self.tables, 1)
        ]
