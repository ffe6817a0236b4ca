# Generated from openapi.json by `make clients`. Do not edit.
"""Resources and other objects in the responses of the service."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from understudy_client.base import Model, tag_of

CellValue = bool | int | float | str
ColumnKind = str
ConfidenceInterval = list[float] | None
JsonValue = Any
PageCursor = str
RowCounts = dict[str, int]
SubjectCounts = dict[str, int]
WebhookUrl = str


class AggregateQuery(Model):
    """An aggregate query that runs on the real and the synthetic table to compare the results."""

    name: str | None = None
    """Name of the query in the report. Derived from the query if omitted."""
    aggregate: str
    """Aggregate function. `count` and `share` apply to rows. The other functions apply to the values of
    `column` that are not missing.
    """
    column: str | None = None
    """Column to aggregate. Required for `sum`, `mean`, `quantile` and `distinct`."""
    quantile: float | None = None
    """Quantile to compute, such as 0.5 for the median. Required for `quantile`."""
    group_by: list[str] = []
    """Columns to group by. The query has one result per combination of their values."""
    where: dict[str, ColumnConstraint] = {}
    """Constraints on the rows to aggregate, by column name."""


class AlphaPrecisionResult(Model):
    """Closeness of the precision curve to the diagonal, which is the expected curve of real rows."""

    metric: Literal["alpha_precision"]
    score: float
    interval: ConfidenceInterval | None = None
    n_rows: RowCounts
    n_subjects: SubjectCounts | None = None
    curve: list[list[float]]
    """Points on the precision curve. Each point contains a share of the real rows, counted from the center
    outward, and the share of synthetic rows in the region of these real rows.
    """


class ApiKey(Model):
    """An API key without its secret. Revoking a key erases its name."""

    id: str
    name: str | None = None
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None = None
    """Time at which the key expires."""
    revoked_at: datetime | None = None
    """Time at which the key was revoked."""


class ApiKeyPage(Model):
    """A page of API keys, newest first."""

    has_more: bool
    """Whether more items follow this page."""
    next: PageCursor | None = None
    data: list[ApiKey]


class AppliedSdvMetadata(Model):
    """The changed schema, and warnings about metadata that was not applied."""

    schema_: TableSchema = Field(..., alias="schema")
    warnings: list[str]
    """Warnings about metadata that was not applied."""


class AttackerScore(Model):
    """Scores of one attacker in a membership inference attack."""

    name: str
    auc: float
    found: float
    """True positive rate (share of members detected) at a false positive rate of 1%."""


class AttributeInferenceResult(Model):
    """Share of correct guesses for training rows minus the share for held-out rows, in the worst column."""

    metric: Literal["attribute_inference"]
    score: float
    interval: ConfidenceInterval | None = None
    n_rows: RowCounts
    n_subjects: SubjectCounts | None = None
    columns: list[SensitiveAttributeScore]
    """Scores of the sensitive columns, in descending order of `attack` minus `control`."""


class AugmentationResult(Model):
    """Gain in AUC or R2 when the evaluated rows are added to the real training rows of a model."""

    metric: Literal["augmentation"]
    score: float
    interval: ConfidenceInterval | None = None
    n_rows: RowCounts
    n_subjects: SubjectCounts | None = None
    target: str
    measure: str
    real: float
    """AUC or R2 of the model trained on real rows only."""
    augmented: float
    """AUC or R2 of the model trained on real and evaluated rows."""


class BaseRatesResult(Model):
    """Largest absolute difference between the real and the synthetic rate of an outcome in a group."""

    metric: Literal["base_rates"]
    score: float
    interval: ConfidenceInterval | None = None
    n_rows: RowCounts
    n_subjects: SubjectCounts | None = None
    target: str | None
    measure: str
    worst_column: str
    worst_group: str
    worst_label: str
    columns: list[ColumnBaseRates]


class BaselineScore(Model):
    """Score of real rows that are evaluated as if they were synthetic.

    A synthetic table cannot be expected to score better.
    """

    score: float
    """Mean score over all samples of real rows."""
    interval: list[float] | None = None
    """Prediction interval of the score. If real rows are evaluated as if they were synthetic, *all* scores
    of a report lie within their intervals with a probability of 95%. Null if the spread of the score is
    not known.
    """
    n_draws: int
    """Number of times that real rows were sampled and scored."""


class BetaRecallResult(Model):
    """Closeness of the recall curve to the diagonal, which is approximately the curve of real rows."""

    metric: Literal["beta_recall"]
    score: float
    interval: ConfidenceInterval | None = None
    n_rows: RowCounts
    n_subjects: SubjectCounts | None = None
    curve: list[list[float]]
    """Points on the recall curve. Each point contains a share of the synthetic rows, counted from the center
    outward, and the share of real rows near these synthetic rows.
    """


class CanariesResult(Model):
    """AUC of an attacker who distinguishes planted canaries from canaries that were not planted."""

    metric: Literal["canaries"]
    score: float
    interval: ConfidenceInterval | None = None
    n_rows: RowCounts
    n_subjects: SubjectCounts | None = None
    exposure: float
    """Mean exposure of the planted canaries in bits. Each planted canary is ranked among the canaries that
    were not planted.
    """
    exposure_by_chance: float
    """Mean exposure in bits if all ranks are equally likely."""
    exposure_most: float
    """Exposure in bits if every planted canary ranks above all canaries that were not planted."""
    n_planted: int
    n_found: int
    """Number of planted canaries that equal a synthetic row."""


class ClassScores(Model):
    """Scores of both models for one class that has enough test rows."""

    label: str
    n_test: int
    auc_synthetic: float
    auc_real: float | None
    precision_synthetic: float | None
    """Precision of the model trained on the evaluated rows. Null if the model never predicts the class."""
    precision_real: float | None
    recall_synthetic: float
    recall_real: float | None


class CodeLabelPair(Model):
    """Two columns with a one-to-one correspondence between their values in the real table."""

    columns: list[str]
    score: float
    """Score of the pair: 1 minus the decrease from `matched_real` to `matched_synthetic`."""
    n_levels: int
    """Number of distinct pairs of values in the real table."""
    matched_real: float
    """Share of real rows where the two values correspond to each other."""
    matched_synthetic: float
    """Share of synthetic rows with a pair of values that correspond in the real table, or with two new
    values that correspond one-to-one.
    """


class CodeLabelsResult(Model):
    """Share of rows with a matching code and label. The worst pair determines the score."""

    metric: Literal["code_labels"]
    score: float
    interval: ConfidenceInterval | None = None
    n_rows: RowCounts
    n_subjects: SubjectCounts | None = None
    pairs: list[CodeLabelPair]
    """Pairs of columns, worst first."""


class ColumnAdherenceResult(Model):
    """Adherence of each column. The overall score is the mean over columns."""

    metric: Literal["column_adherence"]
    score: float
    interval: ConfidenceInterval | None = None
    n_rows: RowCounts
    n_subjects: SubjectCounts | None = None
    columns: list[ColumnAdherenceScore]


class ColumnAdherenceScore(Model):
    """Share of a column's synthetic values that are within the real range or match a real category."""

    column: str
    kind: ColumnKind
    score: float
    """Share of synthetic values that are within the real range or match a real category. The share is
    rounded to thousandths to protect the two real rows that define a range.
    """
    measure: str


class ColumnBaseRates(Model):
    """Base rates of the groups in one protected column."""

    column: str
    groups: list[GroupBaseRates]
    n_groups_hidden: int
    """Number of values that are pooled into one group because they occur in fewer than 5 real rows or are
    not among the 12 most frequent.
    """


class ColumnCandidate(Model):
    """A column that may have a special role in its table, such as the primary key."""

    column: str
    confidence: float
    evidence: str
    """Explanation of the finding. It never includes values from the column."""


class ColumnConstraint(Model):
    """A constraint on a column.

    Set exactly one of `equals`, `one_of`, `is_missing`, or bounds (`minimum`, `maximum` or both).
    """

    equals: CellValue | None = None
    """The only allowed value."""
    one_of: list[CellValue] = []
    """List of the allowed values."""
    minimum: CellValue | None = None
    """The lowest allowed value."""
    maximum: CellValue | None = None
    """The highest allowed value."""
    is_missing: bool | None = None
    """Whether the value must be missing (`true`) or present (`false`)."""


class ColumnCoverageResult(Model):
    """Coverage of each column. The overall score is the mean over columns."""

    metric: Literal["column_coverage"]
    score: float
    interval: ConfidenceInterval | None = None
    n_rows: RowCounts
    n_subjects: SubjectCounts | None = None
    columns: list[ColumnCoverageScore]


class ColumnCoverageScore(Model):
    """Share of a column's real range or categories that the synthetic values cover."""

    column: str
    kind: ColumnKind
    score: float
    """Share of the real range or categories that is covered. The share is rounded to hundredths to protect
    the two real rows that define a range.
    """
    measure: str


class ColumnDistribution(Model):
    """The distribution of one column in the real and in the synthetic table."""

    column: str
    kind: ColumnKind
    form: str
    edges: list[float] = []
    """Rounded bin edges of a histogram. Times are in seconds, and dates and timestamps are in seconds since
    1970-01-01. The outermost bins include all values beyond them.
    """
    texts: list[str] = []
    """Bin edges in the notation of the column. Empty if the column has no notation."""
    notation: dict[str, Any] | None = None
    """Notation of the column's values. Null if the column has no notation."""
    labels: list[str] = []
    """Labels of the bars: the most frequent values, followed by the pooled values."""
    real: list[float] = []
    """Share of all real rows in each bin or bar."""
    synthetic: list[float] = []
    """Share of all synthetic rows in each bin or bar."""
    missing_real: float
    missing_synthetic: float


class ColumnHistogram(Model):
    """A histogram with the number of rows between consecutive edges."""

    edges: list[float | str]
    """Edges of the bins. There is one more edge than there are bins."""
    n_rows: list[int]
    """Number of rows in each bin."""


class ColumnMissingness(Model):
    """MissingValueSimilarity for one column: 1 minus the difference between the shares of missing values."""

    column: str
    score: float
    real: float
    """Share of real values that are missing."""
    synthetic: float
    """Share of synthetic values that are missing."""


class ColumnNotation(Model):
    """The property with the largest difference between a column's real and synthetic values."""

    column: str
    property: str
    """Property of the values: `notation`, `decimals` (number of decimals), `width` (digits of zero-padded
    numbers), `resolution` (of times), or `form` (sequence of letters, digits and punctuation).
    """
    score: float
    """Score of the column: 1 minus the decrease from `real` to `synthetic`."""
    real: float
    """Share of the real values with the property."""
    synthetic: float
    """Share of the synthetic values with the property."""


class ColumnOdds(Model):
    """Scores of one protected column, for the target class with the largest excess."""

    column: str
    label: str
    """Class that counts as the positive prediction."""
    synthetic: float
    """Equalized odds difference of the model trained on the evaluated rows: the larger of the gaps in true
    and in false positive rates.
    """
    synthetic_interval: list[float]
    real: float
    """Equalized odds difference of the same model trained on real rows."""
    real_interval: list[float]
    excess: float
    """Equalized odds difference of the model trained on the evaluated rows minus that of the model trained
    on real rows.
    """
    excess_interval: list[float]
    groups: list[GroupOdds]
    n_groups_hidden: int
    """Number of values that are pooled into one group because they occur in fewer than 5 real rows or are
    not among the 12 most frequent.
    """


class ColumnPairsResult(Model):
    """Similarity between the real and synthetic joint distributions of each pair of columns.

    The score is the average over all pairs.
    """

    metric: Literal["column_pairs"]
    score: float
    interval: ConfidenceInterval | None = None
    n_rows: RowCounts
    n_subjects: SubjectCounts | None = None
    columns: list[str]
    """Names of the columns, in the order of the matrix."""
    matrix: list[list[float | None]]
    """Similarity between the joint distributions of each pair of columns in the two tables, from 0 to 1.
    Null on the diagonal.
    """


class ColumnParity(Model):
    """Scores of one protected column, for the target class with the largest excess."""

    column: str
    label: str
    """Class that counts as the positive prediction."""
    synthetic: SelectionParity
    """Demographic parity of the model trained on the evaluated rows."""
    real: SelectionParity
    """Demographic parity of the same model trained on real rows."""
    excess: float
    """Parity difference of the model trained on the evaluated rows minus that of the model trained on real
    rows.
    """
    excess_interval: list[float]
    groups: list[GroupSelectionRates]
    n_groups_hidden: int
    """Number of values that are pooled into one group because they occur in fewer than 5 real rows or are
    not among the 12 most frequent.
    """


class ColumnProfile(Model):
    """Statistics of one column. Fields that are undefined or suppressed to protect real rows are absent."""

    name: str
    kind: str
    """Kind of the column in the current schema."""
    n_missing: int
    """Number of missing values in the rows that were read."""
    n_distinct: int
    """Number of distinct values in the rows that were read."""
    minimum: float | str | None = None
    """A number, or a date or time as text."""
    maximum: float | str | None = None
    """A number, or a date or time as text."""
    mean: float | str | None = None
    """A number, or a date or time as text."""
    standard_deviation: float | None = None
    quantiles: list[ColumnQuantile] | None = None
    histogram: ColumnHistogram | None = None
    top_values: list[FrequentValue] | None = None
    """Most frequent values, at most ten, in descending order of frequency."""
    written: WrittenStatistics | None = None
    """Statistics in the notation of the column. Absent if the schema does not define a notation for the
    column.
    """


class ColumnQuantile(Model):
    """A quantile: the value below which the given fraction of the rows lies."""

    fraction: float
    value: float | str
    """A number, or a date or time as text."""


class ColumnRebalancing(Model):
    """Scores of one protected column, for the class with the largest parity difference before weighting."""

    column: str
    label: str
    """Class that counts as the positive prediction."""
    before: FairnessScores
    """Scores of the model trained on the evaluated rows without weights."""
    after: FairnessScores
    """Scores of the model trained on the same rows with weights."""
    reduction: float
    """Parity difference before weighting minus the parity difference after weighting."""
    reduction_interval: list[float]
    weights: list[float]
    """Smallest and largest weight of a synthetic row."""


class ColumnReference(Model):
    """A column with values that appear to refer to the key of another table."""

    column: str
    confidence: float
    evidence: str
    """Explanation of the finding. It never includes values from the column."""
    parent_table: str
    parent_column: str


class ColumnSegments(Model):
    """Scores of the groups in one protected column."""

    column: str
    segments: list[SegmentScore]
    n_groups_hidden: int
    """Number of values that are pooled into one group because they occur in fewer than 5 real rows or are
    not among the 12 most frequent.
    """


class ColumnShapeScore(Model):
    """The score of one column: the lower of `known_values` and `missing_values`."""

    column: str
    kind: ColumnKind
    score: float
    measure: str
    known_values: float
    """Similarity of the distributions of the values that are not missing."""
    missing_values: float
    """Similarity of the two shares of missing values: 1 minus their difference."""


class ColumnShapesResult(Model):
    """Column shape score of each column. The overall score is the mean over columns."""

    metric: Literal["column_shapes"]
    score: float
    interval: ConfidenceInterval | None = None
    n_rows: RowCounts
    n_subjects: SubjectCounts | None = None
    columns: list[ColumnShapeScore]


class ColumnTail(Model):
    """Statistics of one skewed column in both tables, rounded to three significant digits."""

    column: str
    side: str
    """Side of the long tail."""
    score: float
    """Similarity of the mean, the standard deviation and the quantile in the two tables, averaged over these
    statistics.
    """
    level: float
    """Level of the quantile: 0.999, or less if fewer than 5 real rows exceed it."""
    mean_real: float
    mean_synthetic: float | None = None
    sd_real: float
    sd_synthetic: float | None = None
    quantile_real: float
    """Quantile of the real values at `level`, or at 1 minus `level` for a lower tail."""
    quantile_synthetic: float | None = None


class ComparedTables(Model):
    """Names of a real and a synthetic table that a report compares."""

    real: str
    synthetic: str


class ContingencyResult(Model):
    """ContingencySimilarity of all pairs of categorical columns. The overall score is the mean over pairs."""

    metric: Literal["contingency"]
    score: float
    interval: ConfidenceInterval | None = None
    n_rows: RowCounts
    n_subjects: SubjectCounts | None = None
    columns: list[str]
    """Names of the columns, in the order of the matrix."""
    matrix: list[list[float | None]]
    """Similarity between the joint distributions of each pair of columns in the two tables, from 0 to 1.
    Null on the diagonal.
    """


class CorrelationsResult(Model):
    """CorrelationSimilarity for each pair of numeric columns. The score uses Pearson's correlations."""

    metric: Literal["correlations"]
    score: float
    interval: ConfidenceInterval | None = None
    n_rows: RowCounts
    n_subjects: SubjectCounts | None = None
    columns: list[str]
    """Names of the columns, in the order of the matrices."""
    spearman_score: float | None
    """Mean similarity between the Spearman correlations of both tables. Null if undefined."""
    pearson_real: list[list[float | None]]
    """Pearson's correlations. Null on the diagonal and where the correlation is not defined."""
    pearson_synthetic: list[list[float | None]]
    spearman_real: list[list[float | None]]
    spearman_synthetic: list[list[float | None]]


class CoverageResult(Model):
    """Share of real rows that are closer to a synthetic row than to their fifth-nearest real row."""

    metric: Literal["coverage"]
    score: float
    interval: ConfidenceInterval | None = None
    n_rows: RowCounts
    n_subjects: SubjectCounts | None = None


class Dataset(Model):
    """A stored collection of one or more tables: uploaded, sampled or imputed.

    Uploaded and imputed tables contain real values.
    """

    id: str
    name: str
    state: str
    """State of the dataset. A dataset can be used once it is `ready`."""
    origin: str
    """Origin of the rows. More origins may be added."""
    format: str
    """Format of the uploaded files, or `mixed` if they have different formats."""
    labels: dict[str, str]
    n_rows: int | None = None
    """Total number of rows in all tables."""
    n_columns: int | None = None
    """Total number of columns of all tables."""
    size_bytes: int | None = None
    """Total size of the stored Parquet files in bytes."""
    tables: list[DatasetTable]
    """Tables in the order of the uploaded files."""
    error: JobFailure | None = None
    """Reason for the failure, if the dataset is `failed`."""
    job_id: str
    """ID of the job that created the dataset."""
    model_id: str | None = None
    """ID of the model that the dataset was generated with."""
    source_dataset_id: str | None = None
    """ID of the dataset whose missing values were imputed."""
    quarantine: DatasetQuarantine | None = None
    """Reason why the sample is in quarantine. A sample in quarantine can be evaluated, but neither
    downloaded nor used for training.
    """
    release: QuarantineRelease | None = None
    """Release of the sample from quarantine. A release is final."""
    created_at: datetime
    updated_at: datetime


class DatasetPage(Model):
    """A page of datasets, newest first."""

    has_more: bool
    """Whether more items follow this page."""
    next: PageCursor | None = None
    data: list[Dataset]


class DatasetProfile(Model):
    """Column statistics for a table."""

    n_rows: int
    """Number of rows in the table."""
    n_rows_read: int
    """Number of rows that the statistics were computed from."""
    protection: ProfileProtection | None = None
    """Privacy protection of the statistics. Absent if the statistics are exact."""
    columns: list[ColumnProfile]


class DatasetQuarantine(Model):
    """Reason why a sample is in quarantine."""

    reason: str
    """Cause of the quarantine: `failed` if a report fails the project's policy, or `unreviewed` if the
    sample has no report yet.
    """
    sentence: str
    since: datetime
    report_id: str | None = None
    """ID of the report that fails the policy."""
    policy: str | None = None
    """Name of the policy."""
    checks: list[FailedCheck] = []
    """Checks that the sample did not pass. Empty if `reason` is `unreviewed`."""


class DatasetTable(Model):
    """A table of a dataset. Its sizes are present once the dataset is `ready`."""

    name: str
    format: str
    """Format of the uploaded file."""
    n_rows: int | None = None
    n_columns: int | None = None
    size_bytes: int | None = None
    """Size of the stored Parquet file in bytes."""


class DeliveryAttempt(Model):
    """A request to a webhook."""

    started_at: datetime
    status: int | None = None
    """HTTP status of the response."""
    error_code: str | None = None
    """Reason for the failure."""
    duration_seconds: float | None = None
    """Duration of the request. Absent if no connection was made."""


class DemographicParityResult(Model):
    """Increase in the demographic parity difference if the evaluated rows replace the real training rows."""

    metric: Literal["demographic_parity"]
    score: float
    interval: ConfidenceInterval | None = None
    n_rows: RowCounts
    n_subjects: SubjectCounts | None = None
    target: str
    columns: list[ColumnParity]
    not_judged: list[str]
    """Protected columns that are not scored because fewer than two of their groups have at least 50 test
    rows.
    """


class DensityResult(Model):
    """Mean number of real neighborhoods that each synthetic row is in, relative to the mean for real rows.

    The score is capped at 1.
    """

    metric: Literal["density"]
    score: float
    interval: ConfidenceInterval | None = None
    n_rows: RowCounts
    n_subjects: SubjectCounts | None = None
    density: float
    """Density without the cap at 1. A value above 1 means that synthetic rows are concentrated where real
    rows are dense.
    """


class DistinguishingColumn(Model):
    """Importance of one column for the classifier."""

    column: str
    auc_lost: float
    """Decrease in the AUC when the values of this column are shuffled."""


class DistinguishingRow(Model):
    """A row that the classifier identified as synthetic with high confidence."""

    row: int
    """Position of the row in the synthetic table, counted from 0."""
    score: float
    """Estimated probability that the row is synthetic."""


class EntityAttribute(Model):
    """A column that has the same value in all rows of an entity."""

    column: str
    constant_real: float
    """Share of real entities that have the same value in all rows, among entities with several rows."""
    constant_synthetic: float | None
    """Share of synthetic entities that have the same value in all rows, among entities with several rows.
    Null if the synthetic table has fewer than 20 entities with several rows.
    """


class EntityColumn(Model):
    """Scores of one column that identifies entities."""

    column: str
    score: float
    """Lowest of these values: `rows_similarity`; for each attribute, 1 minus the decrease from
    `constant_real` to `constant_synthetic`; for each combination, 1 minus its `duplicated` value.
    """
    rows_per_entity_real: float
    """Mean number of rows per entity in the real table, rounded to three significant digits."""
    rows_per_entity_synthetic: float
    rows_similarity: float
    """Similarity between the two tables in the number of rows per entity. The tables are first reduced to
    the same size. Differences that chance explains do not lower the similarity.
    """
    attributes: list[EntityAttribute] = []
    """Columns that have the same value in all rows of an entity, worst first."""
    unique: list[UniqueCombination] = []
    """Column combinations that include this column and are unique in the real table, worst first."""


class EntityStructureResult(Model):
    """Similarity of the structure of entities in the two tables. The worst column determines the score."""

    metric: Literal["entity_structure"]
    score: float
    interval: ConfidenceInterval | None = None
    n_rows: RowCounts
    n_subjects: SubjectCounts | None = None
    entities: list[EntityColumn]
    """Columns that identify entities, worst first."""


class EqualisedOddsResult(Model):
    """Increase in the equalized odds difference if the evaluated rows replace the real training rows."""

    metric: Literal["equalised_odds"]
    score: float
    interval: ConfidenceInterval | None = None
    n_rows: RowCounts
    n_subjects: SubjectCounts | None = None
    target: str
    columns: list[ColumnOdds]
    not_judged: list[str]
    """Protected columns that are not scored because fewer than two of their groups have enough test rows."""


class EvaluateResult(Model):
    """Result of an `evaluate` job."""

    kind: Literal["evaluate"]
    report_id: str
    """ID of the report that the job created."""
    verdict: str | None = None
    """Verdict of the report."""


class EvaluationOptions(Model):
    """Options of an evaluation: column roles, aggregate queries and the policy."""

    target: str | None = None
    """Column to predict. The report measures how well models that are trained on the synthetic rows predict
    it.
    """
    protected: list[str] = []
    """Protected columns, such as sex. To measure bias, the report compares the groups of rows that these
    columns define.
    """
    sensitive: list[str] = []
    """Sensitive columns that a simulated attacker tries to infer. Chosen automatically if omitted."""
    queries: list[AggregateQuery] = []
    """Queries to run on both tables. The report compares their results."""
    policy: str | Policy | None = None
    """Policy for the verdict: `standard`, `public`, or a custom policy."""


class EvaluationReport(Model):
    """A stored report with all its scores."""

    schema_version: Literal["2"]
    versions: dict[str, str]
    """Versions of the software that computed the scores, by name."""
    seed: int
    options: EvaluationOptions
    """Resolved options of the evaluation."""
    tables: dict[str, TableSize]
    """Sizes of the tables by role: `real`, `synthetic`, `holdout`."""
    unit: str | None = None
    """Unit that the privacy scores count: rows, or the subjects that the schema declares."""
    n_subjects_shared: int | None = None
    """Number of subjects with rows both in the real table and in the holdout. If it is not zero, the attacks
    have no valid control and none of their checks passes.
    """
    n_rows_shared: int | None = None
    """Number of holdout rows that are identical to a row of the real table in every column, including
    identifiers. If it exceeds `n_rows_shared_max`, the attacks have no valid control and none of their
    checks passes.
    """
    n_rows_shared_max: int | None = None
    """Maximum number of shared rows that a random split can explain. Only one in a million random splits of
    these rows results in more shared rows.
    """
    is_target_chosen: bool = False
    """Whether the target was detected from its column name because the caller did not specify a target."""
    verdict: Verdict
    metrics: list[MetricScores]
    columns: list[ColumnDistribution]
    left_out: list[ExcludedColumn] = []
    """Columns that are not scored: identifiers, free text and personal fields."""
    id: str
    dataset_id: str
    """ID of the real dataset."""
    synthetic_dataset_id: str
    """ID of the synthetic dataset."""
    job_id: str
    """ID of the job that created the report."""
    labels: dict[str, str]
    created_at: datetime


class Event(Model):
    """A change in a project. It contains no values and no names."""

    id: str
    """ID of the event, also sent in the header `webhook-id`."""
    type: str
    """Type of the event."""
    timestamp: datetime
    """Time of the change."""
    data: EventData


class EventData(Model):
    """The resources that an event is about, and their state. The event type determines the fields."""

    job_id: str | None = None
    dataset_id: str | None = None
    model_id: str | None = None
    report_id: str | None = None
    api_key_id: str | None = None
    project_id: str | None = None
    webhook_id: str | None = None
    kind: str | None = None
    """Kind of the job."""
    state: str | None = None
    """State of the job."""
    error_code: str | None = None
    """Error code of a failed job or dataset."""


class EventPage(Model):
    """A page of events, oldest first."""

    has_more: bool
    """Whether more items follow this page."""
    next: PageCursor | None = None
    data: list[Event]


class ExactCopiesResult(Model):
    """Share of synthetic rows that equal a training row in every column."""

    metric: Literal["exact_copies"]
    score: float
    interval: ConfidenceInterval | None = None
    n_rows: RowCounts
    n_subjects: SubjectCounts | None = None
    n_copies: int
    """Number of synthetic rows that equal a training row."""
    n_copies_of_unique: int
    """Number of synthetic rows that equal a unique training row. A unique row occurs once among the training
    and held-out rows, or only in the rows of one subject.
    """
    is_telling: bool
    """Whether a column has enough distinct values to make chance copies unlikely. If true, no unique row
    should be copied.
    """
    p_value: float | None = None
    """One-sided p-value of the number of training rows among the copied unique rows. The null hypothesis is
    that training rows and held-out rows are equally likely to be copied.
    """


class ExcludedColumn(Model):
    """A column that is not scored, with the reason."""

    column: str
    kind: ColumnKind
    """Kind of the excluded column."""
    reason: str
    copied: float | None
    """Share of the synthetic values that also occur in the real table. Null if there are no synthetic
    values.
    """


class FailedCheck(Model):
    """A check that a sample did not pass."""

    metric: str
    outcome: str
    """Outcome of the check: `fail`, `warn` or `inconclusive`."""
    sentence: str


class FairnessScores(Model):
    """Fairness and predictive performance of a model."""

    parity_difference: float
    parity_interval: list[float]
    odds_difference: float | None
    """Equalized odds difference. Null if fewer than two groups have enough test rows."""
    odds_interval: list[float] | None
    auc: float
    accuracy: float


class FrequentValue(Model):
    """A frequent value, and the number of rows that contain it."""

    value: bool | int | float | str
    n_rows: int


class GroupBaseRates(Model):
    """A group in a protected column, with its outcome rates."""

    group: str
    n_real: int
    n_synthetic: int
    is_too_small: bool
    """Whether the group is not scored because it has fewer than 50 rows in one of the tables. Without a
    target, only its rows in the real table are counted.
    """
    rates: list[RateComparison] = []
    """Rates of the outcomes. An outcome is listed only if at least 5 real rows of the group have it and at
    least 5 do not.
    """


class GroupOdds(Model):
    """True and false positive rates of both models for one group."""

    group: str
    n_test: int
    is_too_small: bool
    """Whether the group is not scored because it has fewer than 50 test rows, or fewer than 20 test rows
    inside or outside the class.
    """
    true_positive_synthetic: float | None
    true_positive_real: float | None
    false_positive_synthetic: float | None
    false_positive_real: float | None


class GroupSelectionRates(Model):
    """Rates of positive predictions by both models for one group."""

    group: str
    n_test: int
    is_too_small: bool
    """Whether the group is not scored because it has fewer than 50 test rows."""
    synthetic: float | None
    """Share of the group's rows that are assigned to the class by the model trained on the evaluated rows."""
    synthetic_interval: list[float] | None
    real: float | None
    real_interval: list[float] | None


class ImputeResult(Model):
    """Result of an `impute` job."""

    kind: Literal["impute"]
    dataset_id: str
    """ID of the dataset that the job created."""


class IngestResult(Model):
    """Result of an `ingest` job."""

    kind: Literal["ingest"]
    dataset_id: str
    """ID of the dataset that the job created."""
    n_rows_skipped: int | None = None
    """Number of rows that were skipped because they could not be read."""
    warnings: list[str] | None = None
    """Warnings about the result."""


class Job(Model):
    """A job: one unit of asynchronous work."""

    id: str
    kind: str
    """Kind of the job. More kinds may be added."""
    state: str
    """State of the job. `succeeded`, `failed` and `cancelled` are final."""
    parameters: dict[str, JsonValue]
    """Resolved parameters, including values chosen by the service."""
    labels: dict[str, str]
    priority: int
    """Priority among the queued jobs of the project. Jobs with a higher priority run first."""
    progress: JobProgress | None = None
    """Progress of a running or succeeded job."""
    result: JobResult | None = None
    """Result of a succeeded job. The kind of the job determines its fields."""
    error: JobFailure | None = None
    """Reason why the job is `failed` or `cancelled`."""
    attempts: list[JobAttempt] | None = None
    """Attempts to run the job, oldest first, followed by the attempts to run its shards. Omitted from lists
    of jobs.
    """
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    cancel_requested_at: datetime | None = None
    erased_at: datetime | None = None
    """Time at which data that the job used or created was deleted. Since then, the parameters and the result
    of the job contain only IDs, and its error has no detail.
    """
    expires_at: datetime
    """Time at which the job fails if it is still queued."""


class JobAttempt(Model):
    """One attempt by a worker to run a job."""

    attempt: int
    shard: int | None = None
    """Number of the shard, if the job is a large sample that is split into shards."""
    worker: str
    started_at: datetime
    ended_at: datetime | None = None
    outcome: str | None = None
    """Outcome of the attempt. More outcomes may be added."""
    error_code: str | None = None
    peak_memory_bytes: int | None = None
    cpu_seconds: float | None = None


class JobEstimate(Model):
    """Estimated cost of a job. Treat the values as orders of magnitude. Memory tends to be overestimated."""

    cpu_seconds: float
    peak_memory_bytes: int
    size_bytes: int
    """Size of the files that the job stores, in bytes."""


class JobEvent(Model):
    """An event of a job, such as a change of its state."""

    id: str
    """ID of the event, which is its number within the job. To resume the stream after this event, send the
    ID as `Last-Event-ID`.
    """
    type: str
    """Type of the event. More types may be added."""
    attempt: int | None = None
    data: dict[str, JsonValue]
    created_at: datetime


class JobEventPage(Model):
    """A page of a job's events, oldest first."""

    has_more: bool
    """Whether more items follow this page."""
    next: PageCursor | None = None
    data: list[JobEvent]


class JobFailure(Model):
    """Reason why a job failed, or why the dataset that it should have created is not available."""

    code: str
    """Stable error code. The documentation lists all codes, and more may be added."""
    detail: str
    """Human-readable description of the error."""


class JobPage(Model):
    """A page of jobs, newest first."""

    has_more: bool
    """Whether more items follow this page."""
    next: PageCursor | None = None
    data: list[Job]


class JobProgress(Model):
    """Progress of a job."""

    phase: str
    """Current phase of the work. More phases may be added."""
    fraction: float
    """Fraction of the job that is done. It never decreases during an attempt."""
    rows_done: int | None = None
    """Number of rows processed so far."""
    rows_total: int | None = None
    """Total number of rows to process."""
    eta_seconds: float | None = None
    """Estimated remaining time in seconds. Absent until an estimate is possible."""


class KindRunnerUp(Model):
    """The second most likely kind of a column."""

    kind: str
    """Kind of the column. More kinds may be added."""
    confidence: float


class LinkabilityResult(Model):
    """Risk that synthetic rows help to link two files about the same people."""

    metric: Literal["linkability"]
    score: float
    interval: ConfidenceInterval | None = None
    n_rows: RowCounts
    n_subjects: SubjectCounts | None = None
    one: list[str]
    """Columns of the first file."""
    other: list[str]
    """Columns of the second file."""
    neighbours: list[LinkedRows]


class LinkedRows(Model):
    """Success rates of an attacker who uses a specific number of neighbors."""

    n_neighbours: int
    attack: float
    """Share of training rows that are linked."""
    control: float
    """Share of held-out rows that are linked."""
    risk: float
    """Risk: (attack - control) / (1 - control)."""
    interval: list[float]


class ManagedProject(Model):
    """A project in the installation, without its data."""

    id: str
    name: str
    running_jobs_max: int | None = None
    """Maximum number of the project's jobs that run at the same time. If absent or null, the limit of the
    installation applies.
    """
    created_at: datetime


class ManagedProjectPage(Model):
    """A page of projects, newest first."""

    has_more: bool
    """Whether more items follow this page."""
    next: PageCursor | None = None
    data: list[ManagedProject]


class MembershipDensityResult(Model):
    """AUC of an attacker who compares the density of synthetic rows with the density of reference rows."""

    metric: Literal["membership_density"]
    score: float
    interval: ConfidenceInterval | None = None
    n_rows: RowCounts
    n_subjects: SubjectCounts | None = None
    attackers: list[AttackerScore]
    roc: list[RocPoint]


class MembershipDistanceResult(Model):
    """AUC of an attacker who classifies rows close to a synthetic row as training rows."""

    metric: Literal["membership_distance"]
    score: float
    interval: ConfidenceInterval | None = None
    n_rows: RowCounts
    n_subjects: SubjectCounts | None = None
    found: float
    """True positive rate at a false positive rate of 1%."""
    found_rarely: float | None = None
    """True positive rate at a false positive rate of 0.1%. Null if there are fewer than 10,000 victim
    records.
    """
    roc: list[RocPoint]


class MembershipLowFprResult(Model):
    """True positive rate of the best attacker at a false positive rate of 1%."""

    metric: Literal["membership_low_fpr"]
    score: float
    interval: ConfidenceInterval | None = None
    n_rows: RowCounts
    n_subjects: SubjectCounts | None = None
    attacker: str
    """Name of the best attacker on the first half of the victim records."""
    attackers: list[AttackerScore]
    """Scores of all attackers on the first half of the victim records."""
    auc: float
    """AUC of the best attacker on the second half of the victim records."""


class MembershipOutliersResult(Model):
    """AUC of the best attacker on the victim records that are farthest from other real rows."""

    metric: Literal["membership_outliers"]
    score: float
    interval: ConfidenceInterval | None = None
    n_rows: RowCounts
    n_subjects: SubjectCounts | None = None
    attacker: str
    """Name of the attacker with the highest AUC on the victim records that are not outliers."""
    share: float
    """Share of the victim records that are outliers."""
    auc_of_others: float
    """AUC of the same attacker on the victim records that are not outliers."""


class MetricCatalogue(Model):
    """A list of all metrics."""

    data: list[MetricDescription]


class MetricDescription(Model):
    """A metric that a report can contain."""

    name: str
    title: str
    summary: str
    """Plain-language explanation of the score."""
    source: str | None = None
    """Name of the metric in SDMetrics, or the paper that defines it."""
    documentation: str | None = None
    """URL of the metric's documentation."""
    topic: str
    """Topic of the metric: `fidelity`, `usefulness`, `bias` or `privacy`."""
    direction: str
    """Direction of better scores: `higher`, `lower`, or `nearer` to `best`."""
    range: list[float | None]
    """Lowest and highest possible score. Null means that the score is unbounded."""
    best: float
    """Score of data that is indistinguishable from real data."""
    needs: list[str]
    """Evaluation inputs that the metric requires."""


class MetricScores(Model):
    """The score of a metric for the synthetic table and its baselines."""

    name: str
    title: str
    summary: str
    topic: str
    direction: str
    range: list[float]
    best: float
    synthetic: MetricResult
    synthetic_cut: MetricResult | None = None
    """Result for a random subset of the synthetic rows. The subset has as many rows as the table scored in
    `real` and is compared with the same real rows. The loss is computed from this result. Null if the
    sizes are equal or the policy does not check the loss.
    """
    independent: MetricResult | None = None
    """Result of the baseline that samples each column independently, without dependencies between columns."""
    leak: MetricResult | None = None
    """Result of a baseline that copies the training rows and adds noise. The copy is faithful but not
    private.
    """
    real: MetricResult | None = None
    """Result for real rows that are evaluated as if they were synthetic. If real rows were sampled several
    times, this is the result of the first sample.
    """
    floor: BaselineScore | None = None
    """Mean score of real rows that are evaluated as if they were synthetic, with its interval."""


class MissingPattern(Model):
    """A missing-value pattern: the set of columns whose values are missing from the same row."""

    columns: list[str]
    real: float
    """Share of the real rows that have the pattern. Only patterns of at least 5 real rows are listed."""
    synthetic: float
    """Share of the synthetic rows that have the pattern."""


class MissingValuesResult(Model):
    """Similarity of the missing-value patterns in the two tables, and scores of the individual columns."""

    metric: Literal["missing_values"]
    score: float
    interval: ConfidenceInterval | None = None
    n_rows: RowCounts
    n_subjects: SubjectCounts | None = None
    columns: list[ColumnMissingness]
    """Columns with missing values, least similar first."""
    columns_score: float
    """Mean score of the columns with missing values."""
    patterns: list[MissingPattern]
    """Patterns of the real table, most frequent first."""


class MutualInformationResult(Model):
    """Similarity of the mutual information of column pairs in the real and the synthetic table."""

    metric: Literal["mutual_information"]
    score: float
    interval: ConfidenceInterval | None = None
    n_rows: RowCounts
    n_subjects: SubjectCounts | None = None
    columns: list[str]
    """Names of the columns, in the order of the matrices."""
    real: list[list[float | None]]
    """Normalized mutual information of each pair in the real table, from 0 to 1: mutual information divided
    by the geometric mean of the entropies. Null on the diagonal.
    """
    synthetic: list[list[float | None]]
    """Normalized mutual information of each pair in the synthetic table."""


class NearCopiesResult(Model):
    """Share of training rows that have a near duplicate, minus the share of held-out rows that have one.

    The score is the largest difference over all values of `n_different`.
    """

    metric: Literal["near_copies"]
    score: float
    interval: ConfidenceInterval | None = None
    n_rows: RowCounts
    n_subjects: SubjectCounts | None = None
    copies: list[NearCopyCounts]


class NearCopyCounts(Model):
    """Shares of real rows with a near duplicate. Near duplicates differ in at most `n_different` columns."""

    n_different: int
    """Maximum number of columns that differ."""
    attack: float
    """Share of training rows that have a near duplicate among the synthetic rows."""
    control: float
    """Share of held-out rows that have a near duplicate among the synthetic rows."""
    excess: float
    """`attack` minus `control`."""
    interval: list[float]


class NearestRecordResult(Model):
    """Share of synthetic rows that are closer to a training row than to a held-out row."""

    metric: Literal["nearest_record"]
    score: float
    interval: ConfidenceInterval | None = None
    n_rows: RowCounts
    n_subjects: SubjectCounts | None = None
    standard_error: float
    """Standard error of the score. It is computed over the synthetic rows or, if a subject is declared, over
    the subjects that are nearest to them.
    """
    ties: float
    """Share of synthetic rows that are equally close to both tables. Each of them counts half."""
    ratio_to_training: float
    """Median ratio of the distances to the nearest and to the second-nearest training row (NNDR). A value
    far below `ratio_to_holdout` indicates copies of individual training rows.
    """
    ratio_to_holdout: float
    """Median ratio of the distances to the nearest and to the second-nearest held-out row."""


class NewApiKey(Model):
    """A new API key with its secret. No later response contains the secret."""

    id: str
    name: str | None = None
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None = None
    """Time at which the key expires."""
    revoked_at: datetime | None = None
    """Time at which the key was revoked."""
    key: str
    """The key itself. Store it now, because it cannot be retrieved later."""


class NewWebhook(Model):
    """A webhook with its new secret. No later response contains the secret."""

    id: str
    name: str | None = None
    url: WebhookUrl
    event_types: list[str] | None = None
    """Types of the events that are sent. Absent if all types are sent."""
    is_enabled: bool
    """Whether events are sent."""
    disabled_reason: str | None = None
    """Reason why the webhook is disabled: a request to the API (`request`), a response with status 410
    (`gone`), or failed attempts for 72 hours (`failing`).
    """
    disabled_at: datetime | None = None
    """Time at which the webhook was disabled."""
    failing_since: datetime | None = None
    """Time since which all attempts have failed."""
    previous_secret_expires_at: datetime | None = None
    """Time until which requests are also signed with the old secret."""
    created_at: datetime
    secret: str
    """Secret with which requests are signed. Store it now, because it cannot be retrieved later."""


class NotationResult(Model):
    """Share of synthetic values that have the notation and form of their column.

    The worst column determines the score.
    """

    metric: Literal["notation"]
    score: float
    interval: ConfidenceInterval | None = None
    n_rows: RowCounts
    n_subjects: SubjectCounts | None = None
    columns: list[ColumnNotation]
    """Scored columns, worst first."""


class OtherResult(Model):
    """Result of a job of another kind, such as `probe`. Its fields depend on the kind."""

    kind: str


class PairDifference(Model):
    """Differences between two paired columns in both tables, and the evidence for the pairing."""

    first: str
    """Name of the subtracted column."""
    second: str
    """Name of the column that `first` is subtracted from."""
    unit: str
    """Kind of values in both columns: `moment` (dates and timestamps), `time`, `duration` or `number`.
    Differences are in seconds, unless the unit is `number`.
    """
    score: float
    """KS complement of the differences. The score is 0 if no synthetic row contains both values."""
    width: float
    """Width of the central 90% range of the real differences, divided by the width expected if the columns
    were independent.
    """
    ordered_real: float
    """Share of real rows where `first` is at most `second`."""
    ordered_synthetic: float | None = None
    median_real: float
    """Median of the real differences, with three significant digits."""
    median_synthetic: float | None = None
    q99_real: float | None = None
    """The 99th percentile of the real differences, with three significant digits. Null if there are fewer
    than 500 real differences.
    """
    q99_synthetic: float | None = None


class PairedDifferencesResult(Model):
    """KS complement of the differences within each pair of columns. The worst pair determines the score."""

    metric: Literal["paired_differences"]
    score: float
    interval: ConfidenceInterval | None = None
    n_rows: RowCounts
    n_subjects: SubjectCounts | None = None
    pairs: list[PairDifference]
    """Pairs of columns, worst first."""


class Pipeline(Model):
    """Jobs that train a model, sample from it and evaluate the sample."""

    id: str
    state: str
    """State of the pipeline. `succeeded`, `failed` and `cancelled` are final."""
    labels: dict[str, str]
    """Labels of the first stage."""
    stages: list[Job]
    """Jobs of the pipeline, in order, without attempts."""
    created_at: datetime
    finished_at: datetime | None = None
    """Time at which the last job finished."""


class PipelinePage(Model):
    """A page of pipelines, newest first."""

    has_more: bool
    """Whether more items follow this page."""
    next: PageCursor | None = None
    data: list[Pipeline]


class PipelineStage(Model):
    """A stage of a pipeline that was validated but not created."""

    kind: str
    """Kind of the job."""
    parameters: dict[str, JsonValue]
    """Parameters of the job, which are resolved once its inputs exist."""


class Policy(Model):
    """A named set of thresholds. Metrics without a threshold do not affect the verdict."""

    name: str
    """Name of the policy."""
    version: str | None = None
    """Version of the policy."""
    description: str = ""
    """Purpose of the policy in one sentence."""
    thresholds: list[PolicyThreshold]
    """Thresholds that the scores of a report must meet."""


class PolicyCatalogue(Model):
    """A list of the predefined policies."""

    data: list[Policy]


class PolicyCheck(Model):
    """The result for one threshold of a policy, or for the check `holdout`, which tests the holdout split."""

    metric: str
    title: str
    of: str
    value: float | None
    interval: list[float] | None = None
    loss_interval: list[float] | None = None
    """Losses relative to the two ends of the prediction interval of real rows. The interval includes 0 if
    real rows could have the same score. Null if `of` is `score`.
    """
    warn: float | None
    fail: float | None
    outcome: str
    """Outcome of the check. `unscored` means that the metric has no score. `inconclusive` counts as `warn`.
    A check is inconclusive if the score's interval extends beyond a threshold but includes the score
    expected by chance, if the loss is beyond a threshold but `loss_interval` includes 0, or if the
    holdout and the training rows overlap.
    """
    sentence: str
    """Explanation of the outcome for readers without a background in statistics."""


class PolicyThreshold(Model):
    """Bounds on the score of one metric.

    The `direction` of the metric determines which scores are beyond a bound.
    """

    metric: str
    """Name of the metric, such as `membership_distance`."""
    of: str | None = None
    """Quantity that the bounds apply to: the `score`, or the `loss`, which is the amount by which the score
    is worse than the score of real rows.
    """
    warn: float | None = None
    """The check warns if the quantity is beyond this bound."""
    fail: float | None = None
    """The check fails if the quantity is beyond this bound."""
    required: bool = False
    """Whether the check warns if the score could not be computed."""


class PredictorScores(Model):
    """Scores of one model on the test rows."""

    score: float
    """AUC, or R2 if the target is numeric."""
    interval: list[float]
    accuracy: float | None = None
    log_loss: float | None = None
    brier: float | None = None
    """Mean squared error of the probabilities, summed over classes."""
    average_precision: float | None = None
    """Average precision for the rarest class with at least 5 test rows."""
    mean_absolute_error: float | None = None
    """Mean absolute error in the unit of the target."""
    root_mean_squared_error: float | None = None


class Problem(Model):
    """An error. `code` is meant for programs, and `detail` for people."""

    type: str
    """URL of the documentation of the error code."""
    title: str
    status: int
    detail: str
    """Description of the error: what happened, where, and how to correct it."""
    instance: str
    """Path of the request."""
    code: str
    """Stable error code. The documentation lists all codes, and more may be added."""
    request_id: str
    """ID of the request, also sent in the header `X-Request-ID`."""
    errors: list[ProblemItem] | None = None
    """Invalid parts of the request, if they are known. At most 20 are listed."""


class ProblemItem(Model):
    """One invalid part of a request."""

    pointer: str | None = None
    """JSON Pointer (RFC 6901) into the request body."""
    parameter: str | None = None
    """Name of the invalid query parameter or header."""
    code: str
    detail: str


class ProfileProtection(Model):
    """Protection of a profile: every value in it is supported by at least `k` rows or subjects."""

    unit: str
    """Unit that `k` counts: `subject` if the schema declares a subject, otherwise `row`."""
    k: int
    """Minimum number of rows or subjects that support each value."""


class Project(Model):
    """The project that the API key belongs to."""

    id: str
    name: str
    policy: Policy
    """Policy that determines the verdicts on the project's samples."""
    gate: str
    """Gate of the project. `on_fail` puts a sample into quarantine if its report fails the policy.
    `until_reviewed` also keeps each sample in quarantine until it has a report. `off` puts no sample into
    quarantine.
    """
    signing_key: SigningKey
    """Public key for verifying the signatures of evidence packs."""
    created_at: datetime


class ProjectUsage(Model):
    """The usage of a project by day, oldest first, without gaps."""

    data: list[UsageDay]
    stored_bytes: int
    """Size of the stored files, without unfinished uploads."""


class QuarantineRelease(Model):
    """Release of a sample from quarantine: the API key that was used and the reason."""

    reason: str
    api_key_id: str
    released_at: datetime


class QueriesResult(Model):
    """Mean error of the queries that have an answer."""

    metric: Literal["queries"]
    score: float
    interval: ConfidenceInterval | None = None
    n_rows: RowCounts
    n_subjects: SubjectCounts | None = None
    queries: list[QueryAnswers]


class QueryAnswers(Model):
    """Results of one query on the real and on the synthetic table."""

    name: str
    description: str
    """The query in words."""
    measure: str
    """Unit of the error: an absolute difference for shares, standard deviations for dates, times of day and
    timestamps, and a relative difference for other values.
    """
    error: float | None = None
    """Mean error over the groups."""
    groups: list[QueryGroupAnswer] = []
    """Groups of the query, largest first. At most 50 are listed."""
    n_groups_hidden: int = 0
    """Number of groups with too few real rows, which are neither shown nor scored."""
    n_groups_left_out: int = 0
    """Number of groups that are not among the 50 largest."""
    n_groups_invented: int = 0
    """Number of combinations of values that occur only in synthetic rows."""
    reason: str | None = None
    """Reason why the query has no answer."""


class QueryGroupAnswer(Model):
    """Answers for one group of a query."""

    group: list[str]
    """Values of the grouping columns."""
    n_real: int
    """Number of real rows that the answer is computed from: 0 or at least 5."""
    real: float
    synthetic: float | None
    """Answer from the synthetic table. Null if the group contains no synthetic rows."""
    synthetic_interval: list[float] | None = None
    """Confidence interval (95%) of the synthetic answer. The interval treats the synthetic rows as a random
    sample.
    """
    difference_interval: list[float] | None = None
    """Confidence interval (95%) of the difference between the synthetic answer and the real answer. The
    interval treats the rows of both tables as random samples.
    """
    error: float
    """Error in the unit of `measure`, capped at 1."""
    is_within: bool | None = None
    """Whether the interval of the synthetic answer contains the real answer."""


class RareClassResult(Model):
    """Average precision for the rarest class that has enough test rows."""

    metric: Literal["rare_class"]
    score: float
    interval: ConfidenceInterval | None = None
    n_rows: RowCounts
    n_subjects: SubjectCounts | None = None
    target: str
    label: str
    """Name of the class."""
    n_positive: int
    """Number of test rows of the class."""
    share: float
    """Share of the class among the test rows, which is the score of random guessing."""
    synthetic: RareClassScores
    real: RareClassScores | None = None


class RareClassScores(Model):
    """Scores of one model for the rarest class."""

    average_precision: float
    interval: list[float]
    lift: float
    """Average precision divided by the share of the class. The lift of random guessing is 1."""
    recall: list[float]
    """Recall values of the precision-recall curve."""
    precision: list[float]
    calibration_error: float
    """Mean absolute difference between `predicted` and `observed` over all bins, weighted by rows."""
    reliability: list[ReliabilityBin]
    """Bins that contain at least 5 rows of the class and at least 5 other rows."""


class RateComparison(Model):
    """One rate of a group in both tables."""

    label: str
    """Class of the target, or the name of the measure if the rate does not belong to a class."""
    real: float
    real_interval: list[float]
    synthetic: float
    synthetic_interval: list[float]
    change: float
    """Synthetic rate minus real rate."""
    change_interval: list[float]


class RebalancingResult(Model):
    """Largest decrease in the demographic parity difference when the evaluated rows are weighted."""

    metric: Literal["rebalancing"]
    score: float
    interval: ConfidenceInterval | None = None
    n_rows: RowCounts
    n_subjects: SubjectCounts | None = None
    target: str
    columns: list[ColumnRebalancing]
    not_judged: list[str]
    """Protected columns that are not scored: all columns after the third, and columns without two groups of
    at least 50 test rows.
    """


class ReliabilityBin(Model):
    """Mean predicted probability and observed frequency of the class in one tenth of the probability range.

    A bin contains the test rows with a predicted probability in that tenth.
    """

    n_test: int
    predicted: float
    """Mean predicted probability of the class."""
    observed: float
    """Share of the rows that are in the class."""


class ReportPage(Model):
    """A page of reports, newest first."""

    has_more: bool
    """Whether more items follow this page."""
    next: PageCursor | None = None
    data: list[ReportSummary]


class ReportSummary(Model):
    """Summary of a report. `GET /v1/reports/{report_id}` returns all scores."""

    id: str
    dataset_id: str
    """ID of the real dataset."""
    synthetic_dataset_id: str
    """ID of the synthetic dataset."""
    tables: list[ComparedTables]
    """Pairs of compared tables."""
    job_id: str
    verdict: VerdictSummary | None = None
    """Verdict under the requested policy."""
    summary: dict[str, JsonValue]
    """Scores of the most important metrics."""
    labels: dict[str, str]
    created_at: datetime


class RocCurve(Model):
    """ROC curves of both models at the same false positive rates."""

    label: str
    """Name of the positive class."""
    false_positive_rate: list[float]
    synthetic: list[float]
    """True positive rates of the model trained on the evaluated rows."""
    real: list[float] | None


class RocPoint(Model):
    """A point on the ROC curve of a membership attack."""

    false_alarms: float
    """False positive rate: share of holdout rows classified as members."""
    found: float
    """True positive rate: share of members classified as members."""


class RuleCompliance(Model):
    """A rule found in the real table, and the shares of rows that satisfy it."""

    kind: str
    """Kind of rule: functional dependency (`decides`), inequality (`order`), sum (`sum`), or joint
    missingness (`missing`).
    """
    columns: list[str]
    sentence: str
    """Rule in words."""
    kept_real: float
    """Share of real rows that satisfy the rule."""
    kept_synthetic: float
    """Share of synthetic rows that satisfy the rule."""


class RulesKeptResult(Model):
    """Share of synthetic rows that satisfy a rule found in the real table, averaged over rules."""

    metric: Literal["rules_kept"]
    score: float
    interval: ConfidenceInterval | None = None
    n_rows: RowCounts
    n_subjects: SubjectCounts | None = None
    rules: list[RuleCompliance]
    """Rules found in the real table, sorted by the share of rows that violate them."""
    unbroken: float
    """Share of synthetic rows that satisfy all rules."""
    unbroken_real: float
    """Share of real rows that satisfy all rules."""


class SampleGroup(Model):
    """The rows sampled for one condition, or for one value of a rebalanced column."""

    n_rows: int
    """Number of requested rows."""
    effective_sample_size: int
    """Number of independent rows that contain as much information as these rows. The number is small if the
    training data contained few similar rows.
    """


class SampleResult(Model):
    """Result of a `sample` job."""

    kind: Literal["sample"]
    dataset_id: str
    """ID of the dataset that the job created."""
    groups: list[SampleGroup] | None = None
    """Groups of a sample with conditions or a rebalanced column, in request order."""
    identifiers: SampledIdentifiers | None = None
    """Generated identifiers. Absent if no column has generated identifiers."""
    warnings: list[str] | None = None
    """Warnings about the result."""


class SampledIdentifiers(Model):
    """The generated identifiers of a sample, and the options that continue their sequence."""

    columns: list[str]
    """Columns that contain generated identifiers."""
    next_offset: int | None = None
    """Value of `offset` for a sample with the same seed that continues this sample. Samples with other seeds
    can repeat these identifiers. Null if the sample has conditions, because conditions limit the number
    of rows.
    """
    next_id_start: int | None = None
    """Value of `id_start` for a further sample that repeats none of these identifiers. That sample can have
    any seed but no `offset`. Null if the job has no `id_start`.
    """


class SdvMetadata(Model):
    """SDV metadata as JSON, in version SINGLE_TABLE_V1, MULTI_TABLE_V1 or V1."""

    METADATA_SPEC_VERSION: str


class SegmentScore(Model):
    """Scores of one group in a protected column."""

    group: str
    n_test: int
    n_synthetic: int
    """Number of the group's rows in the scored sample of the synthetic table."""
    is_too_small: bool
    """Whether the group is not scored. A group needs at least 50 test rows and either two classes with at
    least 10 test rows each or a numeric target that is not constant.
    """
    shape: float | None = None
    """Mean similarity of the real and synthetic column distributions in the group. 1 is best."""
    synthetic: float | None = None
    """AUC or R2 of the model trained on the evaluated rows."""
    synthetic_interval: list[float] | None = None
    real: float | None = None
    """AUC or R2 of the same model trained on real rows."""
    real_interval: list[float] | None = None
    accuracy_synthetic: float | None = None
    accuracy_real: float | None = None


class SegmentsResult(Model):
    """AUC or R2 of the model trained on the evaluated rows, in the group with the lowest score."""

    metric: Literal["segments"]
    score: float
    interval: ConfidenceInterval | None = None
    n_rows: RowCounts
    n_subjects: SubjectCounts | None = None
    target: str
    measure: str
    worst_column: str
    worst_group: str
    columns: list[ColumnSegments]


class SelectionParity(Model):
    """Differences between groups in the rate at which a model predicts the class."""

    difference: float
    """Largest difference between two scored groups in the share of rows that are predicted to be in the
    class.
    """
    interval: list[float]
    ratio: float | None
    """Smallest share of a group divided by the largest. A value below 0.8 indicates adverse impact."""


class SensitiveAttributeScore(Model):
    """Success rates of an attacker who guesses a row's value in this column from its other values."""

    column: str
    is_category: bool
    """Whether a guess must be exact to be correct. If false, a guessed number is correct if its rank differs
    from that of the true value by at most 5% of the number of ranks.
    """
    attack: float
    """Share of correct guesses for training rows."""
    control: float
    """Share of correct guesses for held-out rows."""
    excess: float
    """`attack` minus `control`."""
    interval: list[float]


class ServiceHealth(Model):
    """Result of the check that the process is alive."""

    status: str


class ServiceReadiness(Model):
    """Result of the check that the service can run jobs."""

    status: str
    """Overall result: `ready` or `not_ready`."""
    checks: dict[str, str]
    """Result of the check of each required service."""


class SigningKey(Model):
    """The public key for verifying the project's signatures."""

    algorithm: str
    key_id: str
    """ID of the key: the beginning of its SHA-256 in hexadecimal."""
    public_key: str
    """Public key: 32 bytes in Base64."""


class SinglingOutGuesses(Model):
    """Success rates of one kind of guess."""

    kind: str
    """Kind of guess: a unique value of one column, or a unique combination of values."""
    n: int
    attack: float
    """Share of guesses whose only matching real row is a training row."""
    control: float
    """Share of guesses whose only matching real row is a held-out row, multiplied by the number of training
    rows per held-out row.
    """
    risk: float
    """Risk: (attack - control) / (1 - control)."""
    interval: list[float]


class SinglingOutResult(Model):
    """Risk that values of a synthetic row single out a training row."""

    metric: Literal["singling_out"]
    score: float
    interval: ConfidenceInterval | None = None
    n_rows: RowCounts
    n_subjects: SubjectCounts | None = None
    guesses: list[SinglingOutGuesses]


class SmallSubgroup(Model):
    """A group with too few real rows to be scored."""

    column: str
    group: str


class SubgroupScore(Model):
    """Similarity between the real and synthetic rows of one group."""

    column: str
    group: str
    n_real: int
    n_synthetic: int
    score: float
    """Mean similarity, within the group, of the columns that do not define the group."""
    chance: float
    """Approximate score of the group if its synthetic rows were replaced with real rows."""
    worst: str
    """Column whose distributions differ most within the group."""


class SubgroupsResult(Model):
    """Similarity of the column distributions within groups. The overall score is the mean over groups."""

    metric: Literal["subgroups"]
    score: float
    interval: ConfidenceInterval | None = None
    n_rows: RowCounts
    n_subjects: SubjectCounts | None = None
    whole: float
    """Similarity of the columns over all rows."""
    n_groups: int
    groups: list[SubgroupScore]
    """Groups, furthest below `chance` first."""
    too_small: list[SmallSubgroup]
    """Groups of 5 to 49 real rows, which are not scored."""


class SynthesizerCapabilities(Model):
    """Capabilities that a synthesizer declares."""

    tables: str
    """Number of data tables that a model can learn: `one` or `many`."""
    learned_kinds: list[str]
    """Column kinds that are learned. Columns of other kinds are generated."""
    constraints: bool
    """Whether the models can sample under conditions and with rebalanced columns."""
    imputation: bool
    """Whether the models can impute missing values."""
    addressable_rows: bool
    """Whether row k is the same in every sample with the same seed. `offset` requires this capability."""
    reproducibility: str
    """Reproducibility with the same seed: identical bytes (`bytes`), identical rows on the same machine
    (`seed`), or no guarantee (`none`).
    """
    guarantee: str
    """Type of the privacy guarantee."""
    device: str
    """Device that the training runs on."""


class SynthesizerCatalogue(Model):
    """A list of all synthesizers."""

    data: list[SynthesizerDescription]


class SynthesizerDescription(Model):
    """A synthesizer, its parameters and its capabilities."""

    name: str
    summary: str
    parameters: dict[str, Any]
    """JSON Schema of the synthesizer's parameters."""
    capabilities: SynthesizerCapabilities


class TableColumn(Model):
    """A column of a table with its kind and type."""

    name: str
    kind: str
    """Kind of the column, which describes the meaning of its values. More kinds may be added."""
    arrow_type: str
    """Arrow type of the stored values."""
    nullable: bool
    evidence: str = ""
    """Explanation of the kind, with counts but without values of the column."""
    confidence: float | None = None
    """Confidence in the kind. Absent if the kind was not inferred from values."""
    runner_up: KindRunnerUp | None = None
    """Second most likely kind of the column."""
    domain: dict[str, JsonValue] | None = None
    """Allowed values of the column, if they were declared."""
    notation: dict[str, JsonValue] | None = None
    """Notation of the values in text formats, such as a date pattern or a currency."""


class TableSchema(Model):
    """The schema of a table: its columns in order, and the columns with a special role."""

    columns: list[TableColumn]
    locale: str | None = None
    """Language and country of generated names and texts."""
    subject: list[str] | None = None
    """Columns that identify the subject of a row, such as a person. If a subject is set, privacy protection
    counts subjects instead of rows.
    """
    primary_key: list[str] | None = None
    """Columns of the primary key."""
    order_by: list[str] | None = None
    """Columns that order the rows of a subject."""
    role: str | None = None
    """Role of the table: `data`, or `reference` for public lookup data."""
    text_style: dict[str, JsonValue] | None = None
    """Style of the CSV file that the table comes from: delimiter, quotation marks, line endings and
    encoding.
    """
    primary_key_candidates: list[ColumnCandidate] | None = None
    """Columns without missing or duplicate values, best candidate first."""
    subject_candidate: ColumnCandidate | None = None
    """Column that appears to identify the subject, with the evidence. If the evidence is clear, the column
    is also set as `subject`. To count rows instead of subjects, set `subject` to `[]`.
    """
    target_candidate: ColumnCandidate | None = None
    """Column that appears to be a prediction target. For information only."""
    foreign_key_candidates: list[ColumnReference] | None = None
    """Columns that appear to refer to tables of the dataset, most likely first."""


class TableSize(Model):
    """The sizes of a table and of its scored sample."""

    n_rows: int
    n_rows_used: int
    """Number of rows sampled for the scores. The `n_rows` of a metric's result can be smaller."""
    n_subjects: int | None = None
    """Number of subjects in the sampled rows. Null if no subject is declared."""


class TailsResult(Model):
    """Similarity of the mean, standard deviation and an extreme quantile, averaged over skewed columns."""

    metric: Literal["tails"]
    score: float
    interval: ConfidenceInterval | None = None
    n_rows: RowCounts
    n_subjects: SubjectCounts | None = None
    columns: list[ColumnTail]
    """Skewed columns, worst first."""


class TrainResult(Model):
    """Result of a `train` job."""

    kind: Literal["train"]
    model_id: str
    """ID of the model that the job created."""


class TrainSyntheticTestRealResult(Model):
    """AUC or R2 of a model that was trained only on the evaluated rows, measured on real test rows."""

    metric: Literal["train_synthetic_test_real"]
    score: float
    interval: ConfidenceInterval | None = None
    n_rows: RowCounts
    n_subjects: SubjectCounts | None = None
    target: str
    task: str
    measure: str
    """AUC (macro-averaged one-vs-rest for more than two classes), or R2."""
    model: str
    classes: int | None = None
    """Number of classes in the test rows. Rare categories are pooled into one class."""
    synthetic: PredictorScores
    """Scores of the model trained on the evaluated rows."""
    real: PredictorScores | None = None
    """Scores of the same model trained on real rows."""
    loss: float | None = None
    """Score of the model trained on real rows minus that of the model trained on the evaluated rows."""
    loss_interval: list[float] | None = None
    """Confidence interval (95%) of `loss`, computed from paired predictions for the test rows."""
    error_ratio: float | None = None
    """Root mean squared error divided by that of the model trained on real rows. Numeric targets only."""
    by_class: list[ClassScores]
    roc: RocCurve | None = None


class TrainedModel(Model):
    """A fitted synthesizer. Protect a model like its training data."""

    id: str
    name: str
    labels: dict[str, str]
    synthesizer: dict[str, JsonValue]
    dataset_id: str
    """ID of the dataset that the model was trained on."""
    tables: list[str]
    """Names of the tables that the model learned."""
    job_id: str
    """ID of the job that trained the model."""
    seed: int
    holdout_fraction: float
    """Fraction of the rows that were held out from training."""
    n_rows_trained: int
    size_bytes: int
    table_schemas: dict[str, TableSchema]
    """Schemas of the learned tables, by table name."""
    card: dict[str, JsonValue]
    """Model card of the synthesizer: sizes, settings and warnings."""
    created_at: datetime


class TrainedModelPage(Model):
    """A page of models, newest first."""

    has_more: bool
    """Whether more items follow this page."""
    next: PageCursor | None = None
    data: list[TrainedModel]


class TwoSampleLinearResult(Model):
    """AUC of a logistic regression that classifies rows as real or synthetic."""

    metric: Literal["two_sample_linear"]
    score: float
    interval: ConfidenceInterval | None = None
    n_rows: RowCounts
    n_subjects: SubjectCounts | None = None
    classifier: str
    giveaways: list[DistinguishingColumn]
    """Columns, most important for the classifier first. Empty for baselines."""
    rows: list[DistinguishingRow]
    """Rows that the classifier identifies as synthetic with the highest confidence. Empty for baselines."""
    curve: list[list[float]]
    """ROC curve: shares of real and of synthetic rows that are classified as synthetic."""


class TwoSampleResult(Model):
    """AUC of gradient-boosted trees that classify rows as real or synthetic."""

    metric: Literal["two_sample"]
    score: float
    interval: ConfidenceInterval | None = None
    n_rows: RowCounts
    n_subjects: SubjectCounts | None = None
    classifier: str
    giveaways: list[DistinguishingColumn]
    """Columns, most important for the classifier first. Empty for baselines."""
    rows: list[DistinguishingRow]
    """Rows that the classifier identifies as synthetic with the highest confidence. Empty for baselines."""
    curve: list[list[float]]
    """ROC curve: shares of real and of synthetic rows that are classified as synthetic."""


class UniqueCombination(Model):
    """A combination of columns whose values are unique in the real table."""

    columns: list[str]
    duplicated: float
    """Share of synthetic rows that repeat a combination of values, beyond what chance explains."""


class UnscoredResult(Model):
    """The reason why a metric has no score."""

    metric: Literal["unscored"]
    score: None = None
    reason: str
    """Reason as a verb phrase, such as `needs a holdout`."""
    is_fault: bool = False
    """Whether the metric failed with an error. If true, the verdict of a policy that checks the metric is at
    least `warn`.
    """


class Upload(Model):
    """An upload of one or more files in parts."""

    id: str
    state: str
    """State of the upload. `dataset_id` is set once the upload is completed."""
    name: str
    """Name of the dataset."""
    labels: dict[str, str]
    options: dict[str, Any]
    """Read options that differ from their defaults."""
    size_bytes: int
    """Total size of all files in bytes."""
    part_bytes: int
    """Size in bytes of each part except the last part of a file, which contains the remaining bytes."""
    n_parts: int
    """Total number of parts of all files. Parts are numbered from 1."""
    files: list[UploadFile]
    parts: list[UploadPart] | None = None
    """Parts that were received. Omitted from lists of uploads."""
    dataset_id: str | None = None
    """ID of the dataset that was created from the upload."""
    created_at: datetime
    expires_at: datetime
    """Time at which the upload is deleted if no further part is received."""


class UploadFile(Model):
    """A file in an upload and the numbers of its parts."""

    filename: str | None = None
    table_name: str
    """Name of the table."""
    format: str
    size_bytes: int
    sha256: str | None = None
    """SHA-256 that the client declared."""
    first_part: int
    """Number of the first part of the file."""
    n_parts: int
    """Number of parts of the file."""


class UploadPage(Model):
    """A page of uploads, newest first."""

    has_more: bool
    """Whether more items follow this page."""
    next: PageCursor | None = None
    data: list[Upload]


class UploadPart(Model):
    """A part that was received."""

    number: int
    size_bytes: int
    sha256: str
    """SHA-256 in lowercase hexadecimal."""


class UploadedDataset(Model):
    """An uploaded dataset and the job that reads it."""

    dataset: Dataset
    job: Job


class UsageDay(Model):
    """The usage of a project on one day."""

    date: str
    """Day in UTC."""
    n_jobs: int = 0
    """Number of jobs that ended. A retried job counts again."""
    cpu_seconds: float = 0.0
    """CPU time of jobs, without lost attempts."""
    rows_uploaded: int = 0
    """Number of rows read from uploads."""
    rows_sampled: int = 0
    """Number of rows of samples, imputations and complete live-row responses."""
    bytes_written: int = 0
    """Size of all stored files, including files that were deleted later."""


class ValidatedJob(Model):
    """The resolved parameters and the cost estimate of a job that was validated but not created."""

    parameters: dict[str, JsonValue]
    """Resolved parameters, including values chosen by the service."""
    estimate: JobEstimate
    """Estimated cost of the job."""
    warnings: list[str]
    """Warnings about the job. Empty if there are none."""


class ValidatedPipeline(Model):
    """The stages of a pipeline that was validated but not created."""

    stages: list[PipelineStage]


class ValueRule(Model):
    """A rule between values in the real table, and the shares of rows that satisfy it."""

    column: str
    """Column that the condition of the rule tests."""
    determined: list[str]
    """Column that the rule determines, or the two columns that it requires to be equal."""
    sentence: str
    """Rule in words. Each value in the rule occurs in at least 50 real rows."""
    kept_real: float
    """Share of real rows that satisfy the rule, among rows that meet its condition."""
    kept_synthetic: float | None
    """Share of synthetic rows that satisfy the rule, among rows that meet its condition. Null if no
    synthetic row meets the condition.
    """


class ValueRulesResult(Model):
    """Share of synthetic rows that satisfy the rules between two columns of the real table.

    The worst pair of columns determines the score.
    """

    metric: Literal["value_rules"]
    score: float
    interval: ConfidenceInterval | None = None
    n_rows: RowCounts
    n_subjects: SubjectCounts | None = None
    rules: list[ValueRule]
    """The 50 rules of the real table that are broken most often, or all rules if there are fewer."""
    n_rules: int
    """Number of rules found in the real table."""


class Verdict(Model):
    """The verdict of a policy on a synthetic table, with the outcome of each check."""

    outcome: str
    sentence: str
    policy: str
    policy_version: str
    checks: list[PolicyCheck]


class VerdictSummary(Model):
    """Summary of a report's verdict."""

    outcome: str
    sentence: str
    policy: str
    policy_version: str
    checks: list[FailedCheck]
    """Checks with the outcome `fail`, `warn` or `inconclusive`."""


class Webhook(Model):
    """A URL that receives the events of the project, without its secret."""

    id: str
    name: str | None = None
    url: WebhookUrl
    event_types: list[str] | None = None
    """Types of the events that are sent. Absent if all types are sent."""
    is_enabled: bool
    """Whether events are sent."""
    disabled_reason: str | None = None
    """Reason why the webhook is disabled: a request to the API (`request`), a response with status 410
    (`gone`), or failed attempts for 72 hours (`failing`).
    """
    disabled_at: datetime | None = None
    """Time at which the webhook was disabled."""
    failing_since: datetime | None = None
    """Time since which all attempts have failed."""
    previous_secret_expires_at: datetime | None = None
    """Time until which requests are also signed with the old secret."""
    created_at: datetime


class WebhookDelivery(Model):
    """The delivery of an event to a webhook."""

    id: str
    event_id: str
    event_type: str
    state: str
    """State of the delivery."""
    error_code: str | None = None
    """Reason for the last failure, or `webhook_disabled` if the webhook was disabled before another attempt."""
    n_attempts: int
    """Total number of attempts."""
    attempts: list[DeliveryAttempt]
    """The last 20 attempts, oldest first."""
    next_attempt_at: datetime | None = None
    """Time of the next attempt of a pending delivery."""
    created_at: datetime
    finished_at: datetime | None = None


class WebhookDeliveryPage(Model):
    """A page of deliveries, newest first."""

    has_more: bool
    """Whether more items follow this page."""
    next: PageCursor | None = None
    data: list[WebhookDelivery]


class WebhookPage(Model):
    """A page of webhooks, newest first."""

    has_more: bool
    """Whether more items follow this page."""
    next: PageCursor | None = None
    data: list[Webhook]


class WrittenStatistics(Model):
    """Statistics of a column, formatted in the column's notation, such as `31.12.2024` or `1.234,50 €`."""

    minimum: str | None = None
    maximum: str | None = None
    mean: str | None = None
    quantiles: list[str] | None = None
    """Quantiles, in the order of the profile's `quantiles`."""
    edges: list[str] | None = None
    """Edges of the histogram."""
    top_values: list[str] | None = None
    """Most frequent boolean values, written with the words of the notation."""


JobResult = Annotated[
    Annotated[IngestResult, Tag("ingest")]
    | Annotated[TrainResult, Tag("train")]
    | Annotated[SampleResult, Tag("sample")]
    | Annotated[ImputeResult, Tag("impute")]
    | Annotated[EvaluateResult, Tag("evaluate")]
    | Annotated[OtherResult, Tag("")],
    Discriminator(tag_of("kind", "ingest", "train", "sample", "impute", "evaluate")),
]

MetricResult = Annotated[
    Annotated[AlphaPrecisionResult, Tag("alpha_precision")]
    | Annotated[AttributeInferenceResult, Tag("attribute_inference")]
    | Annotated[AugmentationResult, Tag("augmentation")]
    | Annotated[BaseRatesResult, Tag("base_rates")]
    | Annotated[BetaRecallResult, Tag("beta_recall")]
    | Annotated[CanariesResult, Tag("canaries")]
    | Annotated[CodeLabelsResult, Tag("code_labels")]
    | Annotated[ColumnAdherenceResult, Tag("column_adherence")]
    | Annotated[ColumnCoverageResult, Tag("column_coverage")]
    | Annotated[ColumnPairsResult, Tag("column_pairs")]
    | Annotated[ColumnShapesResult, Tag("column_shapes")]
    | Annotated[ContingencyResult, Tag("contingency")]
    | Annotated[CorrelationsResult, Tag("correlations")]
    | Annotated[CoverageResult, Tag("coverage")]
    | Annotated[DemographicParityResult, Tag("demographic_parity")]
    | Annotated[DensityResult, Tag("density")]
    | Annotated[EntityStructureResult, Tag("entity_structure")]
    | Annotated[EqualisedOddsResult, Tag("equalised_odds")]
    | Annotated[ExactCopiesResult, Tag("exact_copies")]
    | Annotated[LinkabilityResult, Tag("linkability")]
    | Annotated[MembershipDensityResult, Tag("membership_density")]
    | Annotated[MembershipDistanceResult, Tag("membership_distance")]
    | Annotated[MembershipLowFprResult, Tag("membership_low_fpr")]
    | Annotated[MembershipOutliersResult, Tag("membership_outliers")]
    | Annotated[MissingValuesResult, Tag("missing_values")]
    | Annotated[MutualInformationResult, Tag("mutual_information")]
    | Annotated[NearCopiesResult, Tag("near_copies")]
    | Annotated[NearestRecordResult, Tag("nearest_record")]
    | Annotated[NotationResult, Tag("notation")]
    | Annotated[PairedDifferencesResult, Tag("paired_differences")]
    | Annotated[QueriesResult, Tag("queries")]
    | Annotated[RareClassResult, Tag("rare_class")]
    | Annotated[RebalancingResult, Tag("rebalancing")]
    | Annotated[RulesKeptResult, Tag("rules_kept")]
    | Annotated[SegmentsResult, Tag("segments")]
    | Annotated[SinglingOutResult, Tag("singling_out")]
    | Annotated[SubgroupsResult, Tag("subgroups")]
    | Annotated[TailsResult, Tag("tails")]
    | Annotated[TrainSyntheticTestRealResult, Tag("train_synthetic_test_real")]
    | Annotated[TwoSampleResult, Tag("two_sample")]
    | Annotated[TwoSampleLinearResult, Tag("two_sample_linear")]
    | Annotated[UnscoredResult, Tag("unscored")]
    | Annotated[ValueRulesResult, Tag("value_rules")]
    | Annotated[Model, Tag("")],
    Discriminator(
        tag_of(
            "metric",
            "alpha_precision",
            "attribute_inference",
            "augmentation",
            "base_rates",
            "beta_recall",
            "canaries",
            "code_labels",
            "column_adherence",
            "column_coverage",
            "column_pairs",
            "column_shapes",
            "contingency",
            "correlations",
            "coverage",
            "demographic_parity",
            "density",
            "entity_structure",
            "equalised_odds",
            "exact_copies",
            "linkability",
            "membership_density",
            "membership_distance",
            "membership_low_fpr",
            "membership_outliers",
            "missing_values",
            "mutual_information",
            "near_copies",
            "nearest_record",
            "notation",
            "paired_differences",
            "queries",
            "rare_class",
            "rebalancing",
            "rules_kept",
            "segments",
            "singling_out",
            "subgroups",
            "tails",
            "train_synthetic_test_real",
            "two_sample",
            "two_sample_linear",
            "unscored",
            "value_rules",
        )
    ),
]
