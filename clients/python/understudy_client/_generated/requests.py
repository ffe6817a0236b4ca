# Generated from openapi.json by `make clients`. Do not edit.
"""Bodies and query parameters of requests."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, Required, TypedDict


class AggregateQuery(TypedDict, total=False):
    """An aggregate query that runs on the real and the synthetic table to compare the results."""

    name: str | None
    """Name of the query in the report. Derived from the query if omitted."""
    aggregate: Required[Literal["count", "share", "sum", "mean", "quantile", "distinct"]]
    """Aggregate function. `count` and `share` apply to rows. The other functions apply to the values of
    `column` that are not missing.
    """
    column: str | None
    """Column to aggregate. Required for `sum`, `mean`, `quantile` and `distinct`."""
    quantile: float | None
    """Quantile to compute, such as 0.5 for the median. Required for `quantile`."""
    group_by: list[str]
    """Columns to group by. The query has one result per combination of their values."""
    where: dict[str, ColumnConstraint]
    """Constraints on the rows to aggregate, by column name."""


class CanaryParameters(TypedDict, total=False):
    """Parameters of canaries: fictional training rows that test whether a sample reveals training rows."""

    n_canaries: Required[int]
    """Number of canaries to add."""
    n_repeats: int
    """Number of times that each canary is added. Repeated rows are memorized more easily."""


class ColumnChange(TypedDict, total=False):
    """Changes to one column. Omitted fields keep their values or are derived from the other fields."""

    kind: ColumnKind | None
    """New kind of the column. By default, the column keeps its kind if the type can store it. Otherwise, the
    kind is derived from the type.
    """
    arrow_type: str | None
    """New Arrow type of the stored values, such as `int64`. By default, the column keeps its type if the
    type can store the kind. Otherwise, the usual type of the kind is used.
    """
    domain: ColumnDomain | None
    """Permitted values of the column. They must be public knowledge. Null removes the domain."""
    notation: dict[str, Any] | None
    """Notation for parsing values from text and for writing them to text formats. Null removes the notation."""


class ColumnConstraint(TypedDict, total=False):
    """A constraint on a column.

    Set exactly one of `equals`, `one_of`, `is_missing`, or bounds (`minimum`, `maximum` or both).
    """

    equals: CellValue | None
    """The only allowed value."""
    one_of: list[CellValue]
    """List of the allowed values."""
    minimum: CellValue | None
    """The lowest allowed value."""
    maximum: CellValue | None
    """The highest allowed value."""
    is_missing: bool | None
    """Whether the value must be missing (`true`) or present (`false`)."""


class ColumnDomain(TypedDict, total=False):
    """The permitted values of a column: either levels, or bounds and a step.

    A domain must be public knowledge. Samples may contain every declared level that occurs in the table,
    even a level that occurs in only one row.
    """

    levels: list[CellValue]
    """Permitted values of a `category` or `boolean` column."""
    minimum: CellValue | None
    """Lowest permitted number, date or time. Null means that there is no lower bound."""
    maximum: CellValue | None
    """Highest permitted number, date or time. Null means that there is no upper bound."""
    step: int | float | None
    """Distance between permitted numbers, starting at `minimum`, or at 0 if there is no minimum. Only
    `integer`, `float` and `decimal` columns support a step.
    """


class ColumnRebalance(TypedDict, total=False):
    """A target distribution of one column. The other columns are sampled conditionally on its values."""

    column: Required[str]
    """Name of the column."""
    shares: Required[list[TargetShare]]
    """Target shares of the values, which must add up to 1."""


class CreateApiKey(TypedDict, total=False):
    """The name, the scopes and the expiry of a new API key."""

    name: Required[str]
    """Name of the key, for example its purpose."""
    scopes: Required[list[Literal["read", "read_real", "write", "admin", "operator"]]]
    """Permissions of the key. `read_real` also allows reading real values, `admin` allows everything within
    the project, and `operator` allows managing all projects.
    """
    expires_at: datetime | str | None
    """Time at which the key expires. If omitted, the key is valid until it is revoked."""


class CreatePipeline(TypedDict, total=False):
    """Request for a pipeline: train a model, sample from it, and evaluate the sample."""

    dataset_id: Required[str]
    """ID of the dataset. It may still be pending."""
    train: TrainStage
    """Parameters of the training."""
    sample: Required[SampleStage]
    """Parameters of the sample."""
    evaluate: EvaluateStage | None
    """Parameters of the evaluation. If omitted, there is no report."""
    labels: ResourceLabels
    priority: JobPriority


class CreateProject(TypedDict, total=False):
    """The name and the job limit of a new project."""

    name: Required[str]
    """Name of the project."""
    running_jobs_max: int | None
    """Maximum number of the project's jobs that run at the same time. If absent or null, the limit of the
    installation applies.
    """


class CreateUpload(TypedDict, total=False):
    """One or more files to send in parts. The files become the tables of one dataset."""

    files: Required[list[CreateUploadFile]]
    name: str | None
    """Name of the dataset. Defaults to the name of the first file without its suffix."""
    format: str | None
    """Format of all files. Derived from the suffix or content type if omitted."""
    labels: ResourceLabels
    options: ReadOptions
    """Options for reading the files."""
    part_bytes: int | None
    """Preferred size of a part in bytes. The size is rounded up to a multiple of 64 KiB, and increased if
    there would be more than 10,000 parts.
    """


class CreateUploadFile(TypedDict, total=False):
    """A file to send in parts."""

    filename: str | None
    """Name of the file. The table is named after it, and its suffix determines the format."""
    media_type: str | None
    """Content type of the file, which determines the format if the suffix does not."""
    size_bytes: Required[int]
    """Size of the file in bytes."""
    sha256: str | None
    """SHA-256 of the file, which is checked after all parts have been received."""


class CreateWebhook(TypedDict, total=False):
    """The URL of a new webhook, and the events to send."""

    url: Required[WebhookUrl]
    name: str
    """Name of the webhook."""
    event_types: SubscribedTypes


class EvaluateOptions(TypedDict, total=False):
    """Optional parameters of a job of kind `evaluate`."""

    target: str | None
    """Column to predict. The report measures how well models that are trained on the synthetic rows predict
    it.
    """
    protected: list[str]
    """Protected columns, such as sex. To measure bias, the report compares the groups of rows that these
    columns define.
    """
    sensitive: list[str]
    """Sensitive columns that a simulated attacker tries to infer. Chosen automatically if omitted."""
    queries: list[AggregateQuery]
    """Queries to run on both tables. The report compares their results."""
    policy: str | Policy
    """Policy for the verdict: `project` (the policy of your project), `standard`, `public`, or a custom
    policy. The gate always uses the policy of the project.
    """
    holdout_dataset_id: str | None
    """ID of a dataset of real rows that the model was not trained on. Defaults to the model's holdout, if
    the synthetic dataset was sampled from a model that was trained on the real dataset.
    """
    seed: RandomSeed
    labels: ResourceLabels
    priority: JobPriority
    table: str | None
    """Name of the table to evaluate. Required for datasets with several tables."""


class EvaluateParameters(EvaluateOptions, total=False):
    """Parameters of a job that evaluates a synthetic dataset against a real dataset."""

    kind: Required[Literal["evaluate"]]
    dataset_id: Required[str]
    """ID of the real dataset."""
    synthetic_dataset_id: Required[str]
    """ID of the synthetic dataset to evaluate."""


class EvaluateStage(TypedDict, total=False):
    """Parameters of the evaluation in a pipeline."""

    target: str | None
    """Column to predict. The report measures how well models that are trained on the synthetic rows predict
    it.
    """
    protected: list[str]
    """Protected columns, such as sex. To measure bias, the report compares the groups of rows that these
    columns define.
    """
    sensitive: list[str]
    """Sensitive columns that a simulated attacker tries to infer. Chosen automatically if omitted."""
    queries: list[AggregateQuery]
    """Queries to run on both tables. The report compares their results."""
    policy: str | Policy
    """Policy for the verdict: `project` (the policy of your project), `standard`, `public`, or a custom
    policy. The gate always uses the policy of the project.
    """
    holdout_dataset_id: str | None
    """ID of a dataset of real rows that the model was not trained on. Defaults to the model's holdout, if
    the synthetic dataset was sampled from a model that was trained on the real dataset.
    """
    seed: RandomSeed


class ImputeOptions(TypedDict, total=False):
    """Optional parameters of a job of kind `impute`."""

    labels: ResourceLabels
    priority: JobPriority
    table: str | None
    """Name of the table. Required if the dataset has several tables."""
    n_draws: int
    """Number of imputations of each row (multiple imputation). For a table of n rows, row i of draw d
    becomes row d * n + i of the result. Rows and draws are numbered from 0.
    """
    seed: RandomSeed
    name: str | None
    """Name of the imputed dataset. Derived from the source dataset's name if omitted."""


class ImputeParameters(ImputeOptions, total=False):
    """Parameters of a job that imputes the missing values of a table and keeps all other values."""

    kind: Required[Literal["impute"]]
    model_id: Required[str]
    """ID of the model to impute with."""
    dataset_id: Required[str]
    """ID of the dataset with missing values. Its table must have the columns of the model."""


class IndependentParameters(TypedDict, total=False):
    """Parameters of a synthesizer that samples every column independently, as a baseline for scores."""

    name: Required[Literal["independent"]]


class Policy(TypedDict, total=False):
    """A named set of thresholds. Metrics without a threshold do not affect the verdict."""

    name: Required[str]
    """Name of the policy."""
    version: str
    """Version of the policy."""
    description: str
    """Purpose of the policy in one sentence."""
    thresholds: Required[list[PolicyThreshold]]
    """Thresholds that the scores of a report must meet."""


class PolicyThreshold(TypedDict, total=False):
    """Bounds on the score of one metric.

    The `direction` of the metric determines which scores are beyond a bound.
    """

    metric: Required[str]
    """Name of the metric, such as `membership_distance`."""
    of: Literal["score", "loss"]
    """Quantity that the bounds apply to: the `score`, or the `loss`, which is the amount by which the score
    is worse than the score of real rows.
    """
    warn: float | None
    """The check warns if the quantity is beyond this bound."""
    fail: float | None
    """The check fails if the quantity is beyond this bound."""
    required: bool
    """Whether the check warns if the score could not be computed."""


class ProbeOptions(TypedDict, total=False):
    """Optional parameters of a job of kind `probe`."""

    labels: ResourceLabels
    priority: JobPriority
    seconds: float
    """Time to wait in seconds."""


class ProbeParameters(ProbeOptions, total=False):
    """Parameters of a job that only waits. Use such a job to test an installation."""

    kind: Required[Literal["probe"]]


class ReadOptions(TypedDict, total=False):
    """Options for reading a file. Each format supports some of these options.

    The upload form, the query parameters and the command line accept the same options as strings.
    """

    sheet: str | None
    """Name of the workbook sheet. Defaults to the first sheet that is not hidden."""
    delimiter: str | None
    """Field separator of a CSV file. `tab` stands for the tab character, and `whitespace` for one or more
    spaces. Detected if omitted.
    """
    quote: Literal['"', "'", "none"] | None
    """Quote character of a CSV file, or `none` if values are not quoted. Detected if omitted."""
    encoding: str | None
    """Text encoding of a CSV file, such as `cp1252`. Detected if omitted."""
    decimal: Literal[".", ","] | None
    """Decimal separator of numbers written as text. Detected in each column with unambiguous values if
    omitted.
    """
    thousands: Literal[",", ".", " ", "'"] | None
    """Thousands separator of numbers written as text. Detected in each column with unambiguous values if
    omitted.
    """
    date_order: Literal["day_first", "month_first"] | None
    """Order of day and month in dates such as 01/02/2024. Detected in each column with unambiguous values if
    omitted.
    """
    missing: list[str]
    """Comma-separated list of additional words that represent missing values in a CSV file."""
    coerce: list[str]
    """Comma-separated names of columns to read as numbers or dates even if many of their values cannot be
    parsed. These values become missing. By default, a column with more than a few such values is read as
    text.
    """
    bad_rows: Literal["fail", "skip"]
    """Handling of CSV rows that cannot be read: `fail` rejects the file, and `skip` omits these rows and
    stores a list of them.
    """
    bad_rows_share_max: float
    """Maximum fraction of a CSV file's rows that may be skipped (default 0.01)."""
    flatten: bool | None
    """Handling of nested values in JSON Lines. If true, `{"user": {"id": 1}}` becomes a column `user.id`,
    and arrays become JSON text. If false, nested objects and arrays are rejected. By default, nested
    values are flattened with a warning.
    """
    range: str | None
    """Cell range of the table in a workbook, including the header, such as `A5:F120` or `B2:H`. Detected if
    omitted.
    """
    header_row: int | None
    """Number of the CSV line or workbook row that contains the header, starting at 1. Use 0 for a CSV file
    without a header. Detected if omitted.
    """
    skip_rows: str | None
    """CSV lines or workbook rows to skip: numbers and ranges such as `2,5-7,120-`, starting at 1."""
    join_headers: bool | None
    """Handling of a second header row: `true` joins the cells of both rows to form the column names, and
    `false` reads the second row as data. Detected if omitted.
    """


class ReleaseDataset(TypedDict, total=False):
    """Reason for releasing a sample from quarantine."""

    reason: Required[str]
    """Reason for the release, which is stored with the dataset."""


class RotateApiKey(TypedDict, total=False):
    """Expiry settings for the old key and its replacement."""

    grace_seconds: int
    """Seconds that the old key remains valid while clients switch to the new key. An old key that expires
    earlier keeps its expiry.
    """
    expires_at: datetime | str | None
    """Time at which the key expires. If omitted, the key is valid until it is revoked."""


class RotateWebhookSecret(TypedDict, total=False):
    """The time for which the old secret remains in use."""

    grace_seconds: int
    """Seconds for which requests are signed with both secrets."""


class SampleCondition(TypedDict, total=False):
    """A group of rows with constraints on some columns."""

    where: Required[dict[str, ColumnConstraint]]
    """Constraints by column name. All other columns are sampled from the model."""
    n_rows: Required[int]
    """Number of rows in the group."""


class SampleOptions(TypedDict, total=False):
    """Optional parameters of a job of kind `sample`."""

    n_rows: int | None
    """Number of rows to sample. Required without `conditions`. With conditions, the default is their total
    number of rows minus `offset`.
    """
    seed: RandomSeed
    offset: int
    """Number of rows to skip. For the same seed, row k is the same in every sample."""
    id_start: IdentifierStart
    conditions: list[SampleCondition]
    """Groups of rows with conditions. The sample contains the groups in this order."""
    rebalance: ColumnRebalance | None
    """Target distribution of one column."""
    name: str | None
    """Name of the dataset. Derived from the model's name if omitted."""
    labels: ResourceLabels
    priority: JobPriority


class SampleParameters(SampleOptions, total=False):
    """Parameters of a job that samples rows from a model, optionally under constraints."""

    kind: Required[Literal["sample"]]
    model_id: Required[str]
    """ID of the model to sample from."""


class SampleStage(TypedDict, total=False):
    """Parameters of the sample in a pipeline."""

    n_rows: int | None
    """Number of rows to sample. Required without `conditions`. With conditions, the default is their total
    number of rows minus `offset`.
    """
    seed: RandomSeed
    offset: int
    """Number of rows to skip. For the same seed, row k is the same in every sample."""
    id_start: IdentifierStart
    conditions: list[SampleCondition]
    """Groups of rows with conditions. The sample contains the groups in this order."""
    rebalance: ColumnRebalance | None
    """Target distribution of one column."""
    name: str | None
    """Name of the dataset. Derived from the model's name if omitted."""


class SchemaChange(TypedDict, total=False):
    """A merge patch (RFC 7396) for a table schema. The patch addresses columns by name."""

    columns: dict[str, ColumnChange]
    """Changes by column name. Omitted columns do not change."""
    primary_key: list[str] | None
    """Names of the columns that identify a row. Null removes the primary key."""
    subject: list[str] | None
    """Names of the columns that identify the person or other subject to whom a row belongs. Null removes the
    subject.
    """
    order_by: list[str] | None
    """Names of the columns that order the rows of one subject or parent row. Null removes the order."""
    role: Literal["data", "reference"] | None
    """Role of the table: `data`, or `reference` for public lookup data. Null restores `data`."""
    locale: str | None
    """Language and country of generated names and texts in the whole dataset, such as `de-at`. Null restores
    `en`.
    """


class SdvMetadata(TypedDict, total=False):
    """SDV metadata as JSON, in version SINGLE_TABLE_V1, MULTI_TABLE_V1 or V1."""

    METADATA_SPEC_VERSION: Required[str]


class TargetShare(TypedDict, total=False):
    """The target share of one value in a column."""

    value: CellValue | None
    """Value that the share applies to. If omitted, the share applies to missing values."""
    share: Required[float]
    """Fraction of the rows that have the value."""


class TrainOptions(TypedDict, total=False):
    """Optional parameters of a job of kind `train`."""

    table: str | None
    """Name of the table. Required if the dataset has several tables."""
    synthesizer: SynthesizerParameters
    """Synthesizer and its parameters."""
    seed: RandomSeed
    holdout_fraction: float
    """Fraction of the rows to hold out from training. Privacy metrics compare the held-out rows with the
    training rows.
    """
    canaries: CanaryParameters | None
    """Fictional rows (canaries) to add to the training rows. `evaluate` then measures how well an attacker
    distinguishes the added canaries from canaries that were not added. Canaries slightly reduce fidelity.
    """
    name: str | None
    """Name of the model. Defaults to the name of the table or dataset."""
    labels: ResourceLabels
    priority: JobPriority


class TrainParameters(TrainOptions, total=False):
    """Parameters of a job that trains a synthesizer on a dataset."""

    kind: Required[Literal["train"]]
    dataset_id: Required[str]
    """ID of the dataset to train on."""


class TrainStage(TypedDict, total=False):
    """Parameters of the training in a pipeline."""

    table: str | None
    """Name of the table. Required if the dataset has several tables."""
    synthesizer: SynthesizerParameters
    """Synthesizer and its parameters."""
    seed: RandomSeed
    holdout_fraction: float
    """Fraction of the rows to hold out from training. Privacy metrics compare the held-out rows with the
    training rows.
    """
    canaries: CanaryParameters | None
    """Fictional rows (canaries) to add to the training rows. `evaluate` then measures how well an attacker
    distinguishes the added canaries from canaries that were not added. Canaries slightly reduce fidelity.
    """
    name: str | None
    """Name of the model. Defaults to the name of the table or dataset."""


class TreeChainParameters(TypedDict, total=False):
    """Parameters of a tree chain, which predicts each column from the preceding columns with trees."""

    name: Required[Literal["tree_chain"]]
    preset: Literal["fast", "balanced", "best", "guarded"]
    """Trade-off between fit time, fidelity and privacy. `fast` fits in seconds. `balanced` averages several
    trees. `best` also adds boosted trees and rejects rows that look unrealistic. `guarded` stores less
    information about individual rows in the model file.
    """
    time_budget_seconds: float | None
    """Time budget of the fit in seconds, as an alternative to `preset`. The fit uses the best of `fast`,
    `balanced` and `best` that is likely to finish within this time on the machine that runs it.
    """


class UpdateApiKey(TypedDict, total=False):
    """Changes to an API key. Omitted fields keep their values."""

    name: str
    """New name of the key."""
    expires_at: datetime | str | None
    """Time at which the key expires. If omitted, the key is valid until it is revoked."""


class UpdateDataset(TypedDict, total=False):
    """Changes to a dataset. Omitted fields keep their values."""

    name: str
    """New name of the dataset."""
    labels: LabelChanges


class UpdateLabels(TypedDict, total=False):
    """Changes to the labels of a resource."""

    labels: LabelChanges


class UpdateManagedProject(TypedDict, total=False):
    """Changes to a project. Omitted fields keep their values."""

    name: str
    """New name of the project."""
    running_jobs_max: int | None
    """Maximum number of the project's jobs that run at the same time. If absent or null, the limit of the
    installation applies.
    """


class UpdateModel(TypedDict, total=False):
    """Changes to a model. Omitted fields keep their values."""

    name: str
    """New name of the model."""
    labels: LabelChanges


class UpdateProject(TypedDict, total=False):
    """Changes to a project. Omitted fields keep their values."""

    policy: str | Policy | None
    """Name of a predefined policy (`standard` or `public`), or a custom policy."""
    gate: Literal["off", "on_fail", "until_reviewed"] | None
    """New gate of the project."""


class UpdateWebhook(TypedDict, total=False):
    """Changes to a webhook. Omitted fields keep their values."""

    url: WebhookUrl
    name: str
    """New name of the webhook."""
    event_types: SubscribedTypes
    is_enabled: bool
    """Whether events are sent."""


CellValue = bool | int | float | str

ColumnKind = Literal[
    "integer",
    "float",
    "decimal",
    "boolean",
    "category",
    "date",
    "time",
    "timestamp",
    "duration",
    "identifier",
    "text",
    "name",
    "email",
    "phone",
    "address",
    "ip",
    "card",
    "iban",
    "national_id",
    "postal_code",
    "coordinates",
    "url",
]

IdentifierStart = int | None

JobPriority = int

JobRequest = TrainParameters | SampleParameters | ImputeParameters | EvaluateParameters | ProbeParameters

LabelChanges = dict[str, str | None]

RandomSeed = int | None

ResourceLabels = dict[str, str]

SubscribedTypes = (
    list[
        Literal[
            "job.queued",
            "job.running",
            "job.succeeded",
            "job.failed",
            "job.cancelled",
            "dataset.ready",
            "dataset.failed",
            "dataset.quarantined",
            "dataset.released",
            "dataset.deleted",
            "model.created",
            "model.deleted",
            "report.created",
            "report.deleted",
            "api_key.created",
            "api_key.rotated",
            "api_key.revoked",
            "project.created",
            "project.updated",
            "webhook.disabled",
            "webhook.ping",
        ]
    ]
    | None
)

SynthesizerParameters = TreeChainParameters | IndependentParameters

WebhookUrl = str


class ListDatasetsQuery(TypedDict, total=False):
    """Query parameters of `list_datasets`."""

    state: Literal["pending", "ready", "failed"]
    """Return only datasets in this state."""
    origin: Literal["upload", "sample", "imputation"]
    """Return only datasets of this origin."""
    model_id: str
    """Return only datasets that were generated with this model."""
    quarantined: bool
    """Return only datasets in quarantine (`true`), or only datasets that are not in quarantine (`false`)."""
    limit: int
    """Maximum number of items on the page."""
    after: str
    """The `next` cursor of the previous page."""
    label: list[str]
    """Return only items with this label, written as `key:value`. Repeat the parameter to require up to 16
    labels.
    """
    created_after: datetime | str
    """Return only items that were created at this time or later (RFC 3339)."""
    created_before: datetime | str
    """Return only items that were created before this time (RFC 3339)."""


class DeleteDatasetQuery(TypedDict, total=False):
    """Query parameters of `delete_dataset`."""

    cascade: bool
    """Whether to also delete the models, datasets and reports that were derived from the dataset."""


class DownloadDatasetQuery(TypedDict, total=False):
    """Query parameters of `download_dataset`."""

    format: Literal["csv", "parquet", "jsonl", "arrow", "xlsx"]
    """Format of the file. By default, the header `Accept` selects the format. Without this header, the
    format is `parquet`, which needs no conversion.
    """
    csv_safe: bool
    """Whether to put an apostrophe before values that a spreadsheet would interpret as formulas. CSV only."""
    csv_style: Literal["source", "plain"]
    """Style of the file. `source` (default) keeps the delimiter, quotation marks, line endings and encoding
    of the uploaded CSV file. `plain` uses commas, quoted text and UTF-8. CSV only.
    """
    table: str
    """Name of the table. Required if the dataset has several tables."""


class GetSchemaQuery(TypedDict, total=False):
    """Query parameters of `get_schema`."""

    table: str
    """Name of the table. Required if the dataset has several tables."""


class UpdateSchemaQuery(TypedDict, total=False):
    """Query parameters of `update_schema`."""

    table: str
    """Name of the table. Required if the dataset has several tables."""
    validate_only: bool
    """Whether to validate the change without saving it."""


class ApplySdvMetadataQuery(TypedDict, total=False):
    """Query parameters of `apply_sdv_metadata`."""

    table: str
    """Name of the table. Required if the dataset has several tables."""


class GetProfileQuery(TypedDict, total=False):
    """Query parameters of `get_profile`."""

    exact: bool
    """Whether to return exact statistics, including extreme and rare real values. Requires the scope
    `read_real`.
    """
    table: str
    """Name of the table. Required if the dataset has several tables."""


class DownloadRejectsQuery(TypedDict, total=False):
    """Query parameters of `download_rejects`."""

    format: Literal["parquet", "csv"]
    """Format of the file."""
    table: str
    """Name of the table. Required if the dataset has several tables."""


class ListUploadsQuery(TypedDict, total=False):
    """Query parameters of `list_uploads`."""

    limit: int
    """Maximum number of items on the page."""
    after: str
    """The `next` cursor of the previous page."""


class ListJobsQuery(TypedDict, total=False):
    """Query parameters of `list_jobs`."""

    state: Literal["queued", "running", "succeeded", "failed", "cancelled"]
    """Return only jobs in this state."""
    kind: Literal["ingest", "train", "sample", "impute", "evaluate", "probe"]
    """Return only jobs of this kind."""
    dataset_id: str
    """Return only jobs that use this dataset."""
    model_id: str
    """Return only jobs that use this model."""
    limit: int
    """Maximum number of items on the page."""
    after: str
    """The `next` cursor of the previous page."""
    label: list[str]
    """Return only items with this label, written as `key:value`. Repeat the parameter to require up to 16
    labels.
    """
    created_after: datetime | str
    """Return only items that were created at this time or later (RFC 3339)."""
    created_before: datetime | str
    """Return only items that were created before this time (RFC 3339)."""


class ListJobEventsQuery(TypedDict, total=False):
    """Query parameters of `list_job_events`."""

    limit: int
    """Maximum number of items on the page."""
    after: str
    """The `next` cursor of the previous page."""


class ListModelsQuery(TypedDict, total=False):
    """Query parameters of `list_models`."""

    dataset_id: str
    """Return only models that were trained on this dataset."""
    limit: int
    """Maximum number of items on the page."""
    after: str
    """The `next` cursor of the previous page."""
    label: list[str]
    """Return only items with this label, written as `key:value`. Repeat the parameter to require up to 16
    labels.
    """
    created_after: datetime | str
    """Return only items that were created at this time or later (RFC 3339)."""
    created_before: datetime | str
    """Return only items that were created before this time (RFC 3339)."""


class SampleRowsQuery(TypedDict, total=False):
    """Query parameters of `sample_rows`."""

    n: int
    """Number of rows."""
    offset: int
    """Number of rows to skip."""
    seed: int
    """Seed of the rows. Chosen by the service if omitted."""
    format: Literal["jsonl", "csv", "arrow"]
    """Format of the rows. By default, the header `Accept` selects the format."""


class ListReportsQuery(TypedDict, total=False):
    """Query parameters of `list_reports`."""

    dataset_id: str
    """Return only reports whose real or synthetic dataset has this ID."""
    limit: int
    """Maximum number of items on the page."""
    after: str
    """The `next` cursor of the previous page."""
    label: list[str]
    """Return only items with this label, written as `key:value`. Repeat the parameter to require up to 16
    labels.
    """
    created_after: datetime | str
    """Return only items that were created at this time or later (RFC 3339)."""
    created_before: datetime | str
    """Return only items that were created before this time (RFC 3339)."""


class DeleteProjectQuery(TypedDict, total=False):
    """Query parameters of `delete_project`."""

    name: Required[str]
    """Name of the project, to confirm the deletion."""


class ListApiKeysQuery(TypedDict, total=False):
    """Query parameters of `list_api_keys`."""

    limit: int
    """Maximum number of items on the page."""
    after: str
    """The `next` cursor of the previous page."""


class ListProjectsQuery(TypedDict, total=False):
    """Query parameters of `list_projects`."""

    limit: int
    """Maximum number of items on the page."""
    after: str
    """The `next` cursor of the previous page."""


class DeleteManagedProjectQuery(TypedDict, total=False):
    """Query parameters of `delete_managed_project`."""

    name: Required[str]
    """Name of the project, to confirm the deletion."""


class ListEventsQuery(TypedDict, total=False):
    """Query parameters of `list_events`."""

    type: Literal[
        "job.queued",
        "job.running",
        "job.succeeded",
        "job.failed",
        "job.cancelled",
        "dataset.ready",
        "dataset.failed",
        "dataset.quarantined",
        "dataset.released",
        "dataset.deleted",
        "model.created",
        "model.deleted",
        "report.created",
        "report.deleted",
        "api_key.created",
        "api_key.rotated",
        "api_key.revoked",
        "project.created",
        "project.updated",
        "webhook.disabled",
        "webhook.ping",
    ]
    """Return only events of this type."""
    job_id: str
    """Return only events about this job."""
    dataset_id: str
    """Return only events about this dataset and about jobs that use it."""
    limit: int
    """Maximum number of items on the page."""
    after: str
    """The `next` cursor of the previous page."""
    created_after: datetime | str
    """Return only items that were created at this time or later (RFC 3339)."""
    created_before: datetime | str
    """Return only items that were created before this time (RFC 3339)."""


class ListWebhooksQuery(TypedDict, total=False):
    """Query parameters of `list_webhooks`."""

    limit: int
    """Maximum number of items on the page."""
    after: str
    """The `next` cursor of the previous page."""


class ListWebhookDeliveriesQuery(TypedDict, total=False):
    """Query parameters of `list_webhook_deliveries`."""

    state: Literal["pending", "succeeded", "failed"]
    """Return only deliveries in this state."""
    limit: int
    """Maximum number of items on the page."""
    after: str
    """The `next` cursor of the previous page."""


class ListPipelinesQuery(TypedDict, total=False):
    """Query parameters of `list_pipelines`."""

    dataset_id: str
    """Return only pipelines on this dataset."""
    limit: int
    """Maximum number of items on the page."""
    after: str
    """The `next` cursor of the previous page."""
    label: list[str]
    """Return only items with this label, written as `key:value`. Repeat the parameter to require up to 16
    labels.
    """
    created_after: datetime | str
    """Return only items that were created at this time or later (RFC 3339)."""
    created_before: datetime | str
    """Return only items that were created before this time (RFC 3339)."""


class GetUsageQuery(TypedDict, total=False):
    """Query parameters of `get_usage`."""

    start_date: str
    """First day, in UTC. By default, 29 days before `end_date`."""
    end_date: str
    """Last day, in UTC. By default, today."""
