"""Results of jobs, one class for each kind. The field `kind` distinguishes them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Discriminator, Field, Tag, TypeAdapter

from app.bodies.base import Body, known_values

DatasetId = Annotated[str, Field(description="ID of the dataset that the job created.")]
Warnings = Annotated[list[str] | None, Field(description="Warnings about the result.")]


class SampleGroup(Body):
    """The rows sampled for one condition, or for one value of a rebalanced column."""

    n_rows: Annotated[int, Field(description="Number of requested rows.", examples=[5000])]
    effective_sample_size: Annotated[
        int,
        Field(
            description="Number of independent rows that contain as much information as these rows. The "
            "number is small if the training data contained few similar rows.",
            examples=[1800],
        ),
    ]


class SampledIdentifiers(Body):
    """The generated identifiers of a sample, and the options that continue their sequence."""

    columns: Annotated[
        list[str], Field(description="Columns that contain generated identifiers.", examples=[["order_id"]])
    ]
    next_offset: Annotated[
        int | None,
        Field(
            description="Value of `offset` for a sample with the same seed that continues this sample. "
            "Samples with other seeds can repeat these identifiers. Null if the sample has conditions, "
            "because conditions limit the number of rows.",
            examples=[1000],
        ),
    ] = None
    next_id_start: Annotated[
        int | None,
        Field(
            description="Value of `id_start` for a further sample that repeats none of these identifiers. "
            "That sample can have any seed but no `offset`. Null if the job has no `id_start`.",
            examples=[1000],
        ),
    ] = None


class IngestResult(Body):
    """Result of an `ingest` job."""

    kind: Literal["ingest"]
    dataset_id: DatasetId
    n_rows_skipped: Annotated[
        int | None, Field(description="Number of rows that were skipped because they could not be read.")
    ] = None
    warnings: Warnings = None


class TrainResult(Body):
    """Result of a `train` job."""

    kind: Literal["train"]
    model_id: Annotated[str, Field(description="ID of the model that the job created.")]


class SampleResult(Body):
    """Result of a `sample` job."""

    kind: Literal["sample"]
    dataset_id: DatasetId
    groups: Annotated[
        list[SampleGroup] | None,
        Field(description="Groups of a sample with conditions or a rebalanced column, in request order."),
    ] = None
    identifiers: Annotated[
        SampledIdentifiers | None,
        Field(description="Generated identifiers. Absent if no column has generated identifiers."),
    ] = None
    warnings: Warnings = None


class ImputeResult(Body):
    """Result of an `impute` job."""

    kind: Literal["impute"]
    dataset_id: DatasetId


class EvaluateResult(Body):
    """Result of an `evaluate` job."""

    kind: Literal["evaluate"]
    report_id: Annotated[str, Field(description="ID of the report that the job created.")]
    verdict: Annotated[
        str | None, known_values("pass", "warn", "fail"), Field(description="Verdict of the report.")
    ] = None


class OtherResult(Body):
    """Result of a job of another kind, such as `probe`. Its fields depend on the kind."""

    model_config = ConfigDict(extra="allow")

    kind: str


OF_KIND = {
    "ingest": IngestResult,
    "train": TrainResult,
    "sample": SampleResult,
    "impute": ImputeResult,
    "evaluate": EvaluateResult,
}


def _tag(result: Any) -> str:
    """Return the union tag of a result, which is a JSON object or a response body."""
    kind = result["kind"] if isinstance(result, dict) else result.kind
    return kind if kind in OF_KIND else "other"


JobResult = Annotated[
    Annotated[IngestResult, Tag("ingest")]
    | Annotated[TrainResult, Tag("train")]
    | Annotated[SampleResult, Tag("sample")]
    | Annotated[ImputeResult, Tag("impute")]
    | Annotated[EvaluateResult, Tag("evaluate")]
    | Annotated[OtherResult, Tag("other")],
    Discriminator(_tag),
]
_RESULTS: TypeAdapter[JobResult] = TypeAdapter(JobResult)


def job_result(kind: str, stored: dict[str, Any] | None) -> JobResult | None:
    """Return the response body for the stored result of a job."""
    return None if stored is None else _RESULTS.validate_python({"kind": kind, **stored})
