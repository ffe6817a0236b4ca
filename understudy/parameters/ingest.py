"""Parameters of `ingest` jobs."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from understudy.parameters.base import JobParameters, Name
from understudy.parameters.read_options import FormatName, ReadOptions


class IngestTable(BaseModel):
    """A table to create from an uploaded file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[Name, Field(description="Name of the table.")]
    format: Annotated[FormatName, Field(description="Format of the file.")]


class FileParts(BaseModel):
    """The parts of an uploaded file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    first: Annotated[int, Field(ge=1, description="Number of the first part.")]
    n: Annotated[int, Field(ge=1, description="Number of parts of the file.")]
    sha256: Annotated[str | None, Field(description="SHA-256 of the file, if the client declared it.")] = None


class IngestParameters(JobParameters):
    """Parameters of a job that reads uploaded files. Each file becomes a table."""

    kind: Literal["ingest"]
    dataset_id: Annotated[str, Field(description="ID of the pending dataset.")]
    tables: Annotated[
        tuple[IngestTable, ...],
        Field(min_length=1, description="Tables to create, in the order of the files."),
    ]
    parts: Annotated[
        tuple[FileParts, ...],
        Field(description="Parts of each file, if the files were uploaded in parts."),
    ] = ()
    options: Annotated[ReadOptions, Field(description="Options for reading the files.")] = ReadOptions()
