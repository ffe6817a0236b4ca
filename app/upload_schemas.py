"""Bodies of uploads, at once or in parts."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from app.schemas import Dataset, Job
from app.service_schemas import Body
from understudy.job_kinds.base import Name


class UploadDatasetForm(BaseModel):
    """Files to upload, and what is to be known of it; read from the form as it streams in."""

    model_config = ConfigDict(extra="forbid")

    file: Annotated[
        list[Annotated[str, Field(json_schema_extra={"format": "binary"})]],
        Field(
            min_length=1,
            max_length=100,
            description="The tables; the name of each is its file's without the suffix.",
        ),
    ]
    name: Annotated[Name | None, Field(description="Else the first file's name without its suffix.")] = None
    format: Annotated[
        str | None, Field(description="`csv` or `parquet`; else by the file's suffix or content type.")
    ] = None
    labels: Annotated[
        str | None, Field(description="A JSON object of labels.", examples=['{"team": "ops"}'])
    ] = None


class UploadedDataset(Body):
    """A dataset that was just uploaded, and the job that reads it."""

    dataset: Dataset
    job: Job
