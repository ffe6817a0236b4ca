"""Parameters of kind `ingest`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from understudy.parameters.base import JobParameters, Name
from understudy.parameters.read_options import FormatName, ReadOptions


class IngestTable(BaseModel):
    """The table that an uploaded file becomes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[Name, Field(description="Name of the table.")]
    format: Annotated[FormatName, Field(description="Format of the file.")]


class FileParts(BaseModel):
    """The parts in which an uploaded file arrived."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    first: Annotated[int, Field(ge=1, description="Number of the first part.")]
    n: Annotated[int, Field(ge=1, description="Number of parts.")]
    sha256: Annotated[str | None, Field(description="SHA-256 of the file, if the sender stated it.")] = None


class IngestParameters(JobParameters):
    """Read uploaded files, each of which becomes a table."""

    kind: Literal["ingest"]
    dataset_id: Annotated[str, Field(description="The dataset that waits for the files.")]
    tables: Annotated[tuple[IngestTable, ...], Field(min_length=1, description="In the order of the files.")]
    parts: Annotated[
        tuple[FileParts, ...], Field(description="The parts of each file, where the files arrived in parts.")
    ] = ()
    options: Annotated[ReadOptions, Field(description="How the files are to be read.")] = ReadOptions()
