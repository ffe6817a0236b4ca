"""Bodies of datasets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field

from app.bodies.base import Body, Page, Timestamp, id_text, known_values
from app.bodies.jobs import JobFailure
from app.bodies.labels import LabelChanges
from app.bodies.quarantine import DatasetQuarantine, QuarantineRelease
from understudy import ids
from understudy.parameters.base import Name

if TYPE_CHECKING:
    from understudy.db import orm

# Format of a dataset whose tables were uploaded in different formats.
MIXED_FORMATS = "mixed"

DatasetState = Literal["pending", "ready", "failed"]


class DatasetTable(Body):
    """A table of a dataset. Its sizes are present once the dataset is `ready`."""

    name: Annotated[str, Field(examples=["orders"])]
    format: Annotated[str, Field(description="Format of the uploaded file.", examples=["csv"])]
    n_rows: Annotated[int | None, Field(examples=[336776])] = None
    n_columns: Annotated[int | None, Field(examples=[19])] = None
    size_bytes: Annotated[int | None, Field(description="Size of the stored Parquet file in bytes.")] = None

    @classmethod
    def of(cls, row: orm.DatasetTable) -> Self:
        """Return the response body for a database row."""
        return cls(**{name: getattr(row, name) for name in cls.model_fields})


class Dataset(Body):
    """A stored collection of one or more tables: uploaded, sampled or imputed.

    Uploaded and imputed tables contain real values.
    """

    id: Annotated[str, Field(examples=["ds_01kaz7m2q5e1h9v3x8r6t4n0bc"])]
    name: Annotated[str, Field(examples=["flights"])]
    state: Annotated[
        str,
        known_values(*get_args(DatasetState)),
        Field(description="State of the dataset. A dataset can be used once it is `ready`."),
    ]
    origin: Annotated[
        str,
        known_values("upload", "sample", "imputation"),
        Field(description="Origin of the rows. More origins may be added."),
    ]
    format: Annotated[
        str,
        Field(
            description="Format of the uploaded files, or `mixed` if they have different formats.",
            examples=["csv"],
        ),
    ]
    labels: dict[str, str]
    n_rows: Annotated[
        int | None, Field(description="Total number of rows in all tables.", examples=[336776])
    ] = None
    n_columns: Annotated[
        int | None, Field(description="Total number of columns of all tables.", examples=[19])
    ] = None
    size_bytes: Annotated[
        int | None, Field(description="Total size of the stored Parquet files in bytes.")
    ] = None
    tables: Annotated[list[DatasetTable], Field(description="Tables in the order of the uploaded files.")]
    error: Annotated[
        JobFailure | None, Field(description="Reason for the failure, if the dataset is `failed`.")
    ] = None
    job_id: Annotated[
        str,
        Field(
            description="ID of the job that created the dataset.", examples=["job_01kaz7m2q6f4w8y2z0a5c7e9gh"]
        ),
    ]
    model_id: Annotated[
        str | None, Field(description="ID of the model that the dataset was generated with.")
    ] = None
    source_dataset_id: Annotated[
        str | None, Field(description="ID of the dataset whose missing values were imputed.")
    ] = None
    quarantine: Annotated[
        DatasetQuarantine | None,
        Field(
            description="Reason why the sample is in quarantine. A sample in quarantine can be evaluated, "
            "but neither downloaded nor used for training."
        ),
    ] = None
    release: Annotated[
        QuarantineRelease | None,
        Field(description="Release of the sample from quarantine. A release is final."),
    ] = None
    created_at: Timestamp
    updated_at: Timestamp

    @classmethod
    def of(cls, row: orm.Dataset, tables: Sequence[orm.DatasetTable]) -> Self:
        """Return the response body for a dataset and its tables."""
        formats = {table.format for table in tables}
        return cls(
            id=ids.to_text("dataset", row.id),
            name=row.name,
            state=row.state,
            origin=row.origin,
            format=formats.pop() if len(formats) == 1 else MIXED_FORMATS,
            labels=row.labels,
            n_rows=_total(table.n_rows for table in tables),
            n_columns=_total(table.n_columns for table in tables),
            size_bytes=_total(table.size_bytes for table in tables),
            tables=[DatasetTable.of(table) for table in tables],
            error=JobFailure.of(row.error_code, row.error_detail),
            job_id=ids.to_text("job", row.job_id),
            model_id=id_text("model", row.model_id),
            source_dataset_id=id_text("dataset", row.source_dataset_id),
            quarantine=DatasetQuarantine.of(row),
            release=QuarantineRelease.of(row),
            created_at=row.created_at,
            updated_at=row.updated_at,
        )


def _total(counts: Iterable[int | None]) -> int | None:
    """Return the sum of the counts, or None if a count is unknown."""
    known = list(counts)
    return None if None in known else sum(count for count in known if count is not None)


class DatasetPage(Page):
    """A page of datasets, newest first."""

    data: list[Dataset]


class UpdateDataset(BaseModel):
    """Changes to a dataset. Omitted fields keep their values."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"name": "flights 2013"}]})

    # None means that the name is omitted. A request cannot contain null, because a dataset must have a name.
    name: Annotated[Name, Field(description="New name of the dataset.")] = None  # type: ignore[assignment]
    labels: LabelChanges = {}
