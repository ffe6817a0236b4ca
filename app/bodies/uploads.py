"""Bodies of uploads, in one request or in parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, create_model

from app.bodies.base import Body, Page, Timestamp, id_text, without_nulls
from app.bodies.datasets import Dataset
from app.bodies.jobs import Job
from understudy import ids
from understudy.db.uploads import StoredPart
from understudy.parameters.base import NO_CONTROL_CHARACTERS, Labels, Name
from understudy.parameters.read_options import FormatName, ReadOptions, text_fields

if TYPE_CHECKING:
    from understudy.db import orm
Sha256 = Annotated[
    str,
    Field(
        pattern=r"^[0-9a-f]{64}$",
        description="SHA-256 in lowercase hexadecimal.",
        examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    ),
]


PART_BYTES_MAX = 512 << 20


class _UploadForm(BaseModel):
    """A multipart upload form: the files, and options for reading them."""

    model_config = ConfigDict(extra="forbid")

    file: Annotated[
        list[Annotated[str, Field(json_schema_extra={"format": "binary"})]],
        Field(
            min_length=1,
            max_length=100,
            description="Files of the tables. Each table is named after its file, without the suffix.",
        ),
    ]
    name: Annotated[
        Name | None,
        Field(description="Name of the dataset. Defaults to the name of the first file without its suffix."),
    ] = None
    format: Annotated[
        str | None,
        Field(
            description="Format of the files, such as `csv`. Derived from the file's suffix or content "
            "type if omitted."
        ),
    ] = None
    labels: Annotated[
        str | None,
        Field(description="Labels of the dataset as a JSON object.", examples=['{"team": "ops"}']),
    ] = None


UploadDatasetForm = create_model(
    "UploadDatasetForm", __base__=_UploadForm, __doc__=_UploadForm.__doc__, **text_fields()
)


class UploadedDataset(Body):
    """An uploaded dataset and the job that reads it."""

    dataset: Dataset
    job: Job


class CreateUploadFile(BaseModel):
    """A file to send in parts."""

    model_config = ConfigDict(extra="forbid")

    filename: Annotated[
        str | None,
        Field(
            max_length=1024,
            pattern=NO_CONTROL_CHARACTERS,
            description="Name of the file. The table is named after it, and its suffix determines the"
            " format.",
            examples=["orders.csv"],
        ),
    ] = None
    media_type: Annotated[
        str | None,
        Field(
            max_length=255,
            description="Content type of the file, which determines the format if the suffix does not.",
            examples=["text/csv"],
        ),
    ] = None
    size_bytes: Annotated[
        int, Field(ge=1, lt=2**62, description="Size of the file in bytes.", examples=[2_500_000_000])
    ]
    sha256: Annotated[
        Sha256 | None,
        Field(description="SHA-256 of the file, which is checked after all parts have been received."),
    ] = None


class CreateUpload(BaseModel):
    """One or more files to send in parts. The files become the tables of one dataset."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"files": [{"filename": "orders.csv", "size_bytes": 2_500_000_000}]}]
        },
    )

    files: Annotated[list[CreateUploadFile], Field(min_length=1, max_length=100)]
    name: Annotated[
        Name | None,
        Field(description="Name of the dataset. Defaults to the name of the first file without its suffix."),
    ] = None
    format: Annotated[
        str | None,
        Field(
            max_length=32,
            description="Format of all files. Derived from the suffix or content type if omitted.",
        ),
    ] = None
    labels: Labels = {}
    options: Annotated[ReadOptions, Field(description="Options for reading the files.")] = ReadOptions()
    part_bytes: Annotated[
        int | None,
        Field(
            ge=1,
            le=PART_BYTES_MAX,
            description="Preferred size of a part in bytes. The size is rounded up to a multiple of 64 "
            "KiB, and increased if there would be more than 10,000 parts.",
        ),
    ] = None


class UploadPart(Body):
    """A part that was received."""

    number: Annotated[int, Field(examples=[1])]
    size_bytes: int
    sha256: Sha256

    @classmethod
    def of(cls, row: orm.UploadPart | StoredPart) -> Self:
        """Return the response body for a database row."""
        return cls(number=row.number, size_bytes=row.size_bytes, sha256=row.sha256.hex())


class UploadFile(Body):
    """A file in an upload and the numbers of its parts."""

    filename: str | None = None
    table_name: Annotated[str, Field(description="Name of the table.", examples=["orders"])]
    format: FormatName
    size_bytes: int
    sha256: Annotated[Sha256 | None, Field(description="SHA-256 that the client declared.")] = None
    first_part: Annotated[int, Field(description="Number of the first part of the file.", examples=[1])]
    n_parts: Annotated[int, Field(description="Number of parts of the file.", examples=[150])]


class Upload(Body):
    """An upload of one or more files in parts."""

    id: Annotated[str, Field(examples=["upl_01kaz7m2q5e1h9v3x8r6t4n0bc"])]
    state: Annotated[
        Literal["open", "completed"],
        Field(description="State of the upload. `dataset_id` is set once the upload is completed."),
    ]
    name: Annotated[str, Field(description="Name of the dataset.", examples=["orders"])]
    labels: dict[str, str]
    options: Annotated[
        dict[str, Any],
        Field(description="Read options that differ from their defaults."),
    ]
    size_bytes: Annotated[int, Field(description="Total size of all files in bytes.")]
    part_bytes: Annotated[
        int,
        Field(
            description=(
                "Size in bytes of each part except the last part of a file, which contains the remaining "
                "bytes."
            ),
            examples=[1 << 24],
        ),
    ]
    n_parts: Annotated[
        int, Field(description="Total number of parts of all files. Parts are numbered from 1.")
    ]
    files: list[UploadFile]
    parts: Annotated[
        list[UploadPart] | None,
        Field(description="Parts that were received. Omitted from lists of uploads."),
    ] = None
    dataset_id: Annotated[
        str | None, Field(description="ID of the dataset that was created from the upload.")
    ] = None
    created_at: Timestamp
    expires_at: Annotated[
        Timestamp, Field(description="Time at which the upload is deleted if no further part is received.")
    ]

    @classmethod
    def of(cls, row: orm.Upload, parts: Sequence[orm.UploadPart] | None = None) -> Self:
        """Return the response body for a database row."""
        files: list[dict[str, Any]] = [without_nulls(file) for file in row.files]
        return cls(
            id=ids.to_text("upload", row.id),
            state="open" if row.dataset_id is None else "completed",
            name=row.name,
            labels=row.labels,
            options=row.options,
            size_bytes=row.size_bytes,
            part_bytes=row.part_bytes,
            n_parts=row.n_parts,
            files=[UploadFile(**file) for file in files],
            parts=None if parts is None else [UploadPart.of(part) for part in parts],
            dataset_id=id_text("dataset", row.dataset_id),
            created_at=row.created_at,
            expires_at=row.expires_at,
        )


class UploadPage(Page):
    """A page of uploads, newest first."""

    data: list[Upload]
