/** Client of the Understudy API for Node and browsers. */
import { Datasets } from "./datasets.js";
import { Jobs } from "./jobs.js";
import { ApiKeys, Models, OwnProject, Pipelines, Reports, listMetrics, listSynthesizers } from "./resources.js";
import { Transport, type ClientOptions } from "./transport.js";
import type { Metric, Synthesizer } from "./types.js";

export class Understudy {
  readonly datasets: Datasets;
  readonly jobs: Jobs;
  readonly pipelines: Pipelines;
  readonly models: Models;
  readonly reports: Reports;
  readonly apiKeys: ApiKeys;
  readonly project: OwnProject;
  /** Sends requests for operations that have no method in this client, with the same retries. */
  readonly transport: Transport;

  constructor(options: ClientOptions) {
    this.transport = new Transport(options);
    this.jobs = new Jobs(this.transport);
    this.datasets = new Datasets(this.transport, this.jobs);
    this.pipelines = new Pipelines(this.transport, this.jobs);
    this.models = new Models(this.transport);
    this.reports = new Reports(this.transport);
    this.apiKeys = new ApiKeys(this.transport);
    this.project = new OwnProject(this.transport);
  }

  listSynthesizers(): Promise<Synthesizer[]> {
    return listSynthesizers(this.transport);
  }

  listMetrics(): Promise<Metric[]> {
    return listMetrics(this.transport);
  }
}

export type { DownloadOptions } from "./datasets.js";
export type { Download } from "./downloads.js";
export * from "./errors.js";
export type { EventOptions, ServerEvent } from "./events.js";
export type { RunningJob, WaitOptions } from "./jobs.js";
export type { ListOptions } from "./pages.js";
export type { ClientOptions, RequestOptions } from "./transport.js";
export type * from "./types.js";
export type { UploadOptions, UploadSource } from "./uploads.js";
export { verifyWebhook, type WebhookOptions } from "./webhooks.js";
