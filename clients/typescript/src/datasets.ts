import { download, type Download } from "./downloads.js";
import { lines } from "./events.js";
import type { Jobs, RunningJob } from "./jobs.js";
import { path } from "./paths.js";
import { listAll, type ListOptions } from "./pages.js";
import type { Transport } from "./transport.js";
import type {
  Dataset,
  DatasetFilters,
  DatasetProfile,
  DownloadFormat,
  SchemaChange,
  TableSchema,
  UpdateDataset,
} from "./types.js";
import { upload, type UploadOptions, type UploadSource } from "./uploads.js";

export interface DownloadOptions {
  /** The format. Default: `parquet`, the only format whose downloads can be resumed. */
  format?: DownloadFormat;
  /** The name of the table. Required if the dataset has several tables. */
  table?: string;
  signal?: AbortSignal;
}

const MEDIA_TYPES: Record<DownloadFormat, string> = {
  parquet: "application/vnd.apache.parquet",
  csv: "text/csv",
  jsonl: "application/x-ndjson",
  arrow: "application/vnd.apache.arrow.file",
  xlsx: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
};

export class Datasets {
  constructor(
    private readonly transport: Transport,
    private readonly jobs: Jobs,
  ) {}

  /**
   * Upload a table. Large files are sent in parts, and after a lost connection only the missing parts are sent.
   * The returned job reads the file; other jobs can be created at once, because they wait for it.
   */
  async upload(source: UploadSource, options: UploadOptions = {}): Promise<{ dataset: Dataset; job: RunningJob<"ingest"> }> {
    const { dataset, job } = await upload(this.transport, source, options);
    return { dataset, job: this.jobs.withWait(job) };
  }

  get(id: string, options: { signal?: AbortSignal } = {}): Promise<Dataset> {
    return this.transport.json("GET", path`/v1/datasets/${id}`, options);
  }

  list(filters: DatasetFilters = {}, options: ListOptions = {}): AsyncGenerator<Dataset, void> {
    return listAll(this.transport, "/v1/datasets", filters, options);
  }

  /** Change the name or the labels. With `ifMatch`, fail if the dataset has changed since it was read. */
  update(id: string, change: UpdateDataset, options: { ifMatch?: string } = {}): Promise<Dataset> {
    return this.transport.json("PATCH", path`/v1/datasets/${id}`, {
      json: change,
      headers: { "If-Match": options.ifMatch },
    });
  }

  /** Delete a dataset. `cascade` also deletes the models, samples and reports that were derived from it. */
  delete(id: string, options: { cascade?: boolean; ifMatch?: string } = {}): Promise<void> {
    const { cascade, ifMatch } = options;
    return this.transport.delete(path`/v1/datasets/${id}`, { query: { cascade }, headers: { "If-Match": ifMatch } });
  }

  getSchema(id: string, options: { table?: string } = {}): Promise<TableSchema> {
    return this.transport.json("GET", path`/v1/datasets/${id}/schema`, { query: options });
  }

  /** Correct the inferred schema with a merge patch, such as `{ columns: { zip: { kind: "category" } } }`. */
  updateSchema(
    id: string,
    change: SchemaChange,
    options: { table?: string; validateOnly?: boolean; ifMatch?: string } = {},
  ): Promise<TableSchema> {
    const { table, validateOnly, ifMatch } = options;
    return this.transport.json("PATCH", path`/v1/datasets/${id}/schema`, {
      json: change,
      query: { table, validate_only: validateOnly },
      headers: { "If-Match": ifMatch },
    });
  }

  /** Return statistics of the columns. `exact` requires the scope `read_real`. */
  getProfile(id: string, options: { table?: string; exact?: boolean } = {}): Promise<DatasetProfile> {
    return this.transport.json("GET", path`/v1/datasets/${id}/profile`, { query: options });
  }

  /** Release a sample from quarantine. The reason is stored. Requires the scope `admin`. */
  release(id: string, reason: string): Promise<Dataset> {
    return this.transport.json("POST", path`/v1/datasets/${id}/release`, { json: { reason } });
  }

  /** Download a table as a stream of bytes. */
  download(id: string, { format = "parquet", table, signal }: DownloadOptions = {}): Promise<Download> {
    return download(this.transport, path`/v1/datasets/${id}/content`, {
      query: { format, table },
      accept: MEDIA_TYPES[format],
      signal,
    });
  }

  /** Download the list of rows that could not be read and were skipped. */
  downloadRejects(
    id: string,
    { format = "parquet", table, signal }: { format?: "parquet" | "csv"; table?: string; signal?: AbortSignal } = {},
  ): Promise<Download> {
    const accept = MEDIA_TYPES[format];
    return download(this.transport, path`/v1/datasets/${id}/rejects`, { query: { format, table }, accept, signal });
  }

  /** Yield the rows of a table as objects, while the table is being downloaded. */
  async *rows(
    id: string,
    options: { table?: string; signal?: AbortSignal } = {},
  ): AsyncGenerator<Record<string, unknown>, void> {
    const { stream } = await this.download(id, { ...options, format: "jsonl" });
    for await (const line of lines(stream)) yield JSON.parse(line) as Record<string, unknown>;
  }
}
