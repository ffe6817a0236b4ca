/** Names for the schemas of the API. `generated/schema.ts` is generated from `openapi.json`. */
import type { components, operations } from "./generated/schema.js";

type Schemas = components["schemas"];
type Query<Name extends keyof operations> = Omit<
  NonNullable<operations[Name]["parameters"]["query"]>,
  "after" | "limit"
>;

export type ApiKey = Schemas["ApiKey"];
export type CreateApiKey = Schemas["CreateApiKey"];
export type CreatePipeline = Schemas["CreatePipeline"];
export type Dataset = Schemas["Dataset"];
export type DatasetFilters = Query<"list_datasets">;
export type DatasetProfile = Schemas["DatasetProfile"];
export type DatasetRelease = Schemas["ReleaseDataset"];
export type Job = Schemas["Job"];
export type JobEvent = Schemas["JobEvent"];
export type JobFailure = Schemas["JobFailure"];
export type JobFilters = Query<"list_jobs">;
export type JobProgress = Schemas["JobProgress"];
export type JobKind = JobRequest["kind"];
export type JobRequest = Schemas["JobRequest"];
export type JobResult = Schemas["JobResult"];
export type ManagedProject = Schemas["ManagedProject"];
export type Metric = Schemas["MetricDescription"];
export type Model = Schemas["TrainedModel"];
export type ModelFilters = Query<"list_models">;
export type NewApiKey = Schemas["NewApiKey"];
export type Pipeline = Schemas["Pipeline"];
export type PipelineFilters = Query<"list_pipelines">;
export type Problem = Schemas["Problem"];
export type Project = Schemas["Project"];
export type ProjectUsage = Schemas["ProjectUsage"];
export type ReadOptions = Partial<Schemas["ReadOptions"]>;
export type Report = Schemas["EvaluationReport"];
export type ReportFilters = Query<"list_reports">;
export type ReportSummary = Schemas["ReportSummary"];
export type RowsQuery = Query<"sample_rows">;
export type SchemaChange = Schemas["SchemaChange"];
export type Synthesizer = Schemas["SynthesizerDescription"];
export type TableSchema = Schemas["TableSchema"];
export type UpdateDataset = Schemas["UpdateDataset"];
export type UpdateLabels = Schemas["UpdateLabels"];
export type UpdateModel = Schemas["UpdateModel"];
export type UpdateProject = Schemas["UpdateProject"];
export type Upload = Schemas["Upload"];
export type UploadedDataset = Schemas["UploadedDataset"];
export type UsagePeriod = NonNullable<operations["get_usage"]["parameters"]["query"]>;
export type ValidatedJob = Schemas["ValidatedJob"];
export type ValidatedPipeline = Schemas["ValidatedPipeline"];

interface Results {
  ingest: Schemas["IngestResult"];
  train: Schemas["TrainResult"];
  sample: Schemas["SampleResult"];
  impute: Schemas["ImputeResult"];
  evaluate: Schemas["EvaluateResult"];
}

/** A succeeded job. Its kind determines the type of its result. */
export type SucceededJob<Kind extends string = string> = Omit<Job, "result"> & {
  result: Kind extends keyof Results ? Results[Kind] : JobResult;
};

/** The request for a job of one kind. */
export type RequestOf<Kind extends JobKind> = Extract<JobRequest, { kind: Kind }> & { kind: Kind };

/** A format for downloading a table. */
export type DownloadFormat = "parquet" | "csv" | "jsonl" | "arrow" | "xlsx";
