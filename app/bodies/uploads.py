"""Bodies of uploads, sent at once or in parts."""

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
        description="SHA-256 in lower-case hexadecimal.",
        examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    ),
]


PART_BYTES_MAX = 512 << 20


class _UploadForm(BaseModel):
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
    format: Annotated[str | None, Field(description="Else by the file's suffix or content type.")] = None
    labels: Annotated[
        str | None, Field(description="A JSON object of labels.", examples=['{"team": "ops"}'])
    ] = None


UploadDatasetForm = create_model(
    "UploadDatasetForm", __base__=_UploadForm, __doc__=_UploadForm.__doc__, **text_fields()
)


class UploadedDataset(Body):
    """A dataset that was just uploaded, and the job that reads it."""

    dataset: Dataset
    job: Job


class CreateUploadFile(BaseModel):
    """A file that is to be sent in parts."""

    model_config = ConfigDict(extra="forbid")

    filename: Annotated[
        str | None,
        Field(
            max_length=1024,
            pattern=NO_CONTROL_CHARACTERS,
            description="Without its suffix, the name of the table; the suffix tells the format.",
            examples=["orders.csv"],
        ),
    ] = None
    media_type: Annotated[
        str | None,
        Field(
            max_length=255, description="Tells the format where the suffix does not.", examples=["text/csv"]
        ),
    ] = None
    size_bytes: Annotated[int, Field(ge=1, lt=2**62, examples=[2_500_000_000])]
    sha256: Annotated[
        Sha256 | None, Field(description="Of the whole file; checked when all parts are there.")
    ] = None


class CreateUpload(BaseModel):
    """What is to be sent in parts: one file, or several, which are then the tables of one dataset."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"files": [{"filename": "orders.csv", "size_bytes": 2_500_000_000}]}]
        },
    )

    files: Annotated[list[CreateUploadFile], Field(min_length=1, max_length=100)]
    name: Annotated[
        Name | None, Field(description="Of the dataset; else the first file's name without its suffix.")
    ] = None
    format: Annotated[
        str | None, Field(max_length=32, description="Of all files; else by suffix or media type.")
    ] = None
    labels: Labels = {}
    options: Annotated[ReadOptions, Field(description="How the files are to be read.")] = ReadOptions()
    part_bytes: Annotated[
        int | None,
        Field(
            ge=1,
            le=PART_BYTES_MAX,
            description="A wish: rounded up to 64 KiB, and further if there were more than 10,000 parts.",
        ),
    ] = None


class UploadPart(Body):
    """A part that has arrived."""

    number: Annotated[int, Field(examples=[1])]
    size_bytes: int
    sha256: Sha256

    @classmethod
    def of(cls, row: orm.UploadPart | StoredPart) -> Self:
        """Return the body of a row."""
        return cls(number=row.number, size_bytes=row.size_bytes, sha256=row.sha256.hex())


class UploadFile(Body):
    """A file of an upload, and which parts are its own."""

    filename: str | None = None
    table_name: Annotated[str, Field(description="What the table will be called.", examples=["orders"])]
    format: FormatName
    size_bytes: int
    sha256: Annotated[Sha256 | None, Field(description="As it was told.")] = None
    first_part: Annotated[int, Field(description="Number of its first part.", examples=[1])]
    n_parts: Annotated[int, Field(description="How many are its own.", examples=[150])]


class Upload(Body):
    """Files that are sent in parts."""

    id: Annotated[str, Field(examples=["upl_01kaz7m2q5e1h9v3x8r6t4n0bc"])]
    state: Annotated[Literal["open", "completed"], Field(description="Completed: it has become a dataset.")]
    name: Annotated[str, Field(description="Of the dataset.", examples=["orders"])]
    labels: dict[str, str]
    size_bytes: Annotated[int, Field(description="Of all files.")]
    part_bytes: Annotated[
        int,
        Field(description="Of every part but the last of a file, which has the rest.", examples=[1 << 24]),
    ]
    n_parts: Annotated[int, Field(description="Of all files; numbered from 1.")]
    files: list[UploadFile]
    parts: Annotated[list[UploadPart] | None, Field(description="Those that have arrived; not in lists.")] = (
        None
    )
    dataset_id: Annotated[str | None, Field(description="What it has become.")] = None
    created_at: Timestamp
    expires_at: Annotated[Timestamp, Field(description="When it is removed if no part comes until then.")]

    @classmethod
    def of(cls, row: orm.Upload, parts: Sequence[orm.UploadPart] | None = None) -> Self:
        """Return the body of a row."""
        files: list[dict[str, Any]] = [without_nulls(file) for file in row.files]
        return cls(
            id=ids.to_text("upload", row.id),
            state="open" if row.dataset_id is None else "completed",
            name=row.name,
            labels=row.labels,
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
