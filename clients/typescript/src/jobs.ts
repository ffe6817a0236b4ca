import { JobFailedError } from "./errors.js";
import { jobEvents, type EventOptions, type ServerEvent } from "./events.js";
import { path } from "./paths.js";
import { listAll, type ListOptions } from "./pages.js";
import { secondsUntil, sleep, type Transport } from "./transport.js";
import type {
  Job,
  JobFilters,
  JobKind,
  JobProgress,
  JobRequest,
  RequestOf,
  SucceededJob,
  UpdateLabels,
  ValidatedJob,
} from "./types.js";

export interface WaitOptions {
  /** The time after which `TimeoutError` is thrown. The job continues. Default: no limit. */
  timeoutSeconds?: number;
  /** Called when the progress of the job has changed. */
  onProgress?: (progress: JobProgress, job: Job) => void;
  signal?: AbortSignal;
}

/** A job with a method that waits for it to end. */
export type RunningJob<Kind extends string = string> = Job & {
  /** Wait until the job has succeeded and return it. Throw `JobFailedError` if it fails or is cancelled. */
  wait(options?: WaitOptions): Promise<SucceededJob<Kind>>;
};

const TERMINAL_STATES = new Set(["succeeded", "failed", "cancelled"]);
const POLL_SECONDS = 30;
// The time between two reports of progress.
const PROGRESS_SECONDS = 2;
const PAUSE_SECONDS = 0.2;

export class Jobs {
  constructor(private readonly transport: Transport) {}

  /** Create a job. `kind` determines the other fields. */
  async create<Kind extends JobKind>(
    request: RequestOf<Kind>,
    options: { signal?: AbortSignal; idempotencyKey?: string } = {},
  ): Promise<RunningJob<Kind>> {
    return this.withWait(await this.transport.json<Job>("POST", "/v1/jobs", { json: request, ...options }));
  }

  /** Create a job, wait until it has succeeded and return it. */
  async run<Kind extends JobKind>(
    request: RequestOf<Kind>,
    options: WaitOptions = {},
  ): Promise<SucceededJob<Kind>> {
    const job = await this.create<Kind>(request, options.signal ? { signal: options.signal } : {});
    return job.wait(options);
  }

  /** Return the resolved parameters of a job and an estimate of its cost, without creating it. */
  validate(request: JobRequest, options: { signal?: AbortSignal } = {}): Promise<ValidatedJob> {
    return this.transport.json("POST", "/v1/jobs/validate", { json: request, ...options });
  }

  async get(id: string, options: { signal?: AbortSignal } = {}): Promise<RunningJob> {
    return this.withWait(await this.transport.json<Job>("GET", path`/v1/jobs/${id}`, options));
  }

  list(filters: JobFilters = {}, options: ListOptions = {}): AsyncGenerator<Job, void> {
    return listAll(this.transport, "/v1/jobs", filters, options);
  }

  update(id: string, change: UpdateLabels, options: { ifMatch?: string } = {}): Promise<Job> {
    const headers = { "If-Match": options.ifMatch };
    return this.transport.json("PATCH", path`/v1/jobs/${id}`, { json: change, headers });
  }

  cancel(id: string): Promise<Job> {
    return this.transport.json("POST", path`/v1/jobs/${id}/cancel`);
  }

  async retry(id: string): Promise<RunningJob> {
    return this.withWait(await this.transport.json<Job>("POST", path`/v1/jobs/${id}/retry`));
  }

  delete(id: string, options: { ifMatch?: string } = {}): Promise<void> {
    return this.transport.delete(path`/v1/jobs/${id}`, { headers: { "If-Match": options.ifMatch } });
  }

  /** Yield the events of a job until it has finished. After a lost connection, the stream continues without a gap. */
  events(id: string, options: EventOptions = {}): AsyncGenerator<ServerEvent, void> {
    return jobEvents(this.transport, id, options);
  }

  /** Wait until a job has succeeded and return it. Throw `JobFailedError` if it fails or is cancelled. */
  async wait<Kind extends string = string>(
    id: string,
    { timeoutSeconds = Infinity, onProgress, signal }: WaitOptions = {},
  ): Promise<SucceededJob<Kind>> {
    const deadline = Date.now() + timeoutSeconds * 1000;
    let shown = "";
    for (;;) {
      const start = Date.now();
      const job = await this.#poll(id, deadline, onProgress ? PROGRESS_SECONDS : POLL_SECONDS, signal);
      const text = JSON.stringify(job.progress);
      if (job.progress && text !== shown) onProgress?.(job.progress, job);
      shown = text;
      if (job.state === "succeeded") return job as SucceededJob<Kind>;
      if (TERMINAL_STATES.has(job.state)) throw new JobFailedError(job);
      // A server that is stopping responds at once.
      await sleep(Math.max(0, PAUSE_SECONDS - (Date.now() - start) / 1000), signal);
    }
  }

  /** Return the job when it has finished or the given time has passed. Throw `TimeoutError` at the deadline. */
  async #poll(id: string, deadline: number, waitSeconds: number, signal: AbortSignal | undefined): Promise<Job> {
    const left = secondsUntil(deadline, `Job ${id}`);
    const seconds = Math.max(1, Math.ceil(Math.min(left, waitSeconds)));
    const request = { headers: { Prefer: `wait=${seconds}` }, timeoutSeconds: seconds + POLL_SECONDS };
    if (!Number.isFinite(left)) return this.transport.json("GET", path`/v1/jobs/${id}`, { ...request, signal });
    const limit = AbortSignal.timeout(left * 1000);
    const limited = signal ? AbortSignal.any([limit, signal]) : limit;
    try {
      return await this.transport.json("GET", path`/v1/jobs/${id}`, { ...request, signal: limited });
    } catch (error) {
      signal?.throwIfAborted();
      if (limit.aborted) secondsUntil(0, `Job ${id}`);
      throw error;
    }
  }

  /** Add the method `wait` to a job. The method is not enumerable, so the job is still plain JSON. */
  withWait<Kind extends string>(job: Job): RunningJob<Kind> {
    const wait = (options: WaitOptions = {}) => this.wait<Kind>(job.id, options);
    return Object.defineProperty(job, "wait", { value: wait }) as RunningJob<Kind>;
  }
}
