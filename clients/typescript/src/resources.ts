import { download, type Download } from "./downloads.js";
import { lines } from "./events.js";
import type { Jobs, WaitOptions } from "./jobs.js";
import { path } from "./paths.js";
import { listAll, type ListOptions } from "./pages.js";
import type { Transport } from "./transport.js";
import type {
  ApiKey,
  CreateApiKey,
  CreatePipeline,
  Metric,
  Model,
  ModelFilters,
  NewApiKey,
  Pipeline,
  PipelineFilters,
  Project,
  ProjectUsage,
  Report,
  ReportFilters,
  ReportSummary,
  RowsQuery,
  Synthesizer,
  UpdateLabels,
  UpdateModel,
  UpdateProject,
  UsagePeriod,
  ValidatedPipeline,
} from "./types.js";

const ROWS_MEDIA_TYPES = {
  jsonl: "application/x-ndjson",
  csv: "text/csv",
  arrow: "application/vnd.apache.arrow.stream",
};

interface Conditional {
  /** The `ETag` of the resource when it was read. If it has changed since, the request fails with 412. */
  ifMatch?: string;
}

const conditions = ({ ifMatch }: Conditional) => ({ headers: { "If-Match": ifMatch } });

/** Fitted models. */
export class Models {
  constructor(private readonly transport: Transport) {}

  get(id: string): Promise<Model> {
    return this.transport.json("GET", path`/v1/models/${id}`);
  }

  /** Download the model file, which the Python function `understudy.load` reads. Requires the scope `read_real`. */
  download(id: string, options: { signal?: AbortSignal } = {}): Promise<Download> {
    return download(this.transport, path`/v1/models/${id}/file`, { accept: "application/octet-stream", ...options });
  }

  /** Sample rows without a job, as a stream of bytes. The same seed gives the same rows. */
  downloadRows(
    id: string,
    { format = "jsonl", signal, ...query }: RowsQuery & { signal?: AbortSignal } = {},
  ): Promise<Download> {
    const accept = ROWS_MEDIA_TYPES[format];
    return download(this.transport, path`/v1/models/${id}/rows`, { query: { ...query, format }, accept, signal });
  }

  /** Sample rows without a job, and yield them as objects while the service samples them. */
  async *rows(
    id: string,
    options: Omit<RowsQuery, "format"> & { signal?: AbortSignal } = {},
  ): AsyncGenerator<Record<string, unknown>, void> {
    const { stream } = await this.downloadRows(id, { ...options, format: "jsonl" });
    for await (const line of lines(stream)) yield JSON.parse(line) as Record<string, unknown>;
  }

  list(filters: ModelFilters = {}, options: ListOptions = {}): AsyncGenerator<Model, void> {
    return listAll(this.transport, "/v1/models", filters, options);
  }

  update(id: string, change: UpdateModel, options: Conditional = {}): Promise<Model> {
    return this.transport.json("PATCH", path`/v1/models/${id}`, { json: change, ...conditions(options) });
  }

  delete(id: string, options: Conditional = {}): Promise<void> {
    return this.transport.delete(path`/v1/models/${id}`, conditions(options));
  }
}

/** Pipelines, which train a model, sample from it and evaluate the sample. */
export class Pipelines {
  constructor(
    private readonly transport: Transport,
    private readonly jobs: Jobs,
  ) {}

  /** Create the jobs. Each job waits for its inputs. */
  create(pipeline: CreatePipeline, options: { idempotencyKey?: string } = {}): Promise<Pipeline> {
    const { idempotencyKey } = options;
    return this.transport.json("POST", "/v1/pipelines", { json: pipeline, idempotencyKey });
  }

  /** Validate a pipeline without creating jobs. */
  validate(pipeline: CreatePipeline): Promise<ValidatedPipeline> {
    return this.transport.json("POST", "/v1/pipelines/validate", { json: pipeline });
  }

  get(id: string): Promise<Pipeline> {
    return this.transport.json("GET", path`/v1/pipelines/${id}`);
  }

  /** Iterate over pipelines, newest first. */
  list(filters: PipelineFilters = {}, options: ListOptions = {}): AsyncGenerator<Pipeline, void> {
    return listAll(this.transport, "/v1/pipelines", filters, options);
  }

  /** Change the labels of a pipeline and of its jobs. */
  update(id: string, change: UpdateLabels, options: Conditional = {}): Promise<Pipeline> {
    return this.transport.json("PATCH", path`/v1/pipelines/${id}`, { json: change, ...conditions(options) });
  }

  /** Wait until all jobs have succeeded, and return the pipeline. Throw `JobFailedError` if a job fails. */
  async wait(id: string, options: WaitOptions = {}): Promise<Pipeline> {
    const { timeoutSeconds, ...others } = options;
    const deadline = timeoutSeconds === undefined ? undefined : Date.now() + timeoutSeconds * 1000;
    for (const stage of (await this.get(id)).stages) {
      const remaining = deadline === undefined ? {} : { timeoutSeconds: Math.max(deadline - Date.now(), 0) / 1000 };
      await this.jobs.wait(stage.id, { ...others, ...remaining });
    }
    return this.get(id);
  }

  /** Cancel the queued jobs of a pipeline, and request that a running job stop. */
  cancel(id: string): Promise<Pipeline> {
    return this.transport.json("POST", path`/v1/pipelines/${id}/cancel`);
  }
}

/** Reports on synthetic datasets. */
export class Reports {
  constructor(private readonly transport: Transport) {}

  get(id: string): Promise<Report> {
    return this.transport.json("GET", path`/v1/reports/${id}`);
  }

  list(filters: ReportFilters = {}, options: ListOptions = {}): AsyncGenerator<ReportSummary, void> {
    return listAll(this.transport, "/v1/reports", filters, options);
  }

  update(id: string, change: UpdateLabels, options: Conditional = {}): Promise<Report> {
    return this.transport.json("PATCH", path`/v1/reports/${id}`, { json: change, ...conditions(options) });
  }

  delete(id: string, options: Conditional = {}): Promise<void> {
    return this.transport.delete(path`/v1/reports/${id}`, conditions(options));
  }

  /** Download the report as an HTML page. */
  downloadHtml(id: string, options: { signal?: AbortSignal } = {}): Promise<Download> {
    return download(this.transport, path`/v1/reports/${id}/html`, { accept: "text/html", ...options });
  }

  /** Download the signed evidence pack, a ZIP file. */
  downloadEvidence(id: string, options: { signal?: AbortSignal } = {}): Promise<Download> {
    return download(this.transport, path`/v1/reports/${id}/evidence`, { accept: "application/zip", ...options });
  }
}

/** The API keys of the project. All operations require the scope `admin`. */
export class ApiKeys {
  constructor(private readonly transport: Transport) {}

  /** Create a key. Only this response contains the key itself, in `key`. */
  create(key: CreateApiKey): Promise<NewApiKey> {
    return this.transport.json("POST", "/v1/api-keys", { json: key });
  }

  get(id: string): Promise<ApiKey> {
    return this.transport.json("GET", path`/v1/api-keys/${id}`);
  }

  list(options: ListOptions = {}): AsyncGenerator<ApiKey, void> {
    return listAll(this.transport, "/v1/api-keys", {}, options);
  }

  /** Create a replacement for a key. The old key expires after `graceSeconds`, by default after an hour. */
  rotate(id: string, options: { graceSeconds?: number } = {}): Promise<NewApiKey> {
    const json = { grace_seconds: options.graceSeconds };
    return this.transport.json("POST", path`/v1/api-keys/${id}/rotate`, { json });
  }

  revoke(id: string, options: Conditional = {}): Promise<void> {
    return this.transport.delete(path`/v1/api-keys/${id}`, conditions(options));
  }
}

/** The project of the API key. */
export class OwnProject {
  constructor(private readonly transport: Transport) {}

  get(): Promise<Project> {
    return this.transport.json("GET", "/v1/project");
  }

  update(change: UpdateProject, options: Conditional = {}): Promise<Project> {
    return this.transport.json("PATCH", "/v1/project", { json: change, ...conditions(options) });
  }

  /** Return the usage by day, for the last 30 days by default. */
  usage(period: UsagePeriod = {}): Promise<ProjectUsage> {
    return this.transport.json("GET", "/v1/usage", { query: period });
  }

  /** Delete all data of the project and revoke its keys. Pass the project's name to confirm the deletion. */
  delete(name: string, options: Conditional = {}): Promise<void> {
    return this.transport.delete("/v1/project", { query: { name }, ...conditions(options) });
  }
}

export function listSynthesizers(transport: Transport): Promise<Synthesizer[]> {
  return transport.json<{ data: Synthesizer[] }>("GET", "/v1/synthesizers").then(({ data }) => data);
}

export function listMetrics(transport: Transport): Promise<Metric[]> {
  return transport.json<{ data: Metric[] }>("GET", "/v1/metrics").then(({ data }) => data);
}
