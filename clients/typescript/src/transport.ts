import { ApiError, ConnectionError, TimeoutError, UnderstudyError, errorOf } from "./errors.js";

export interface ClientOptions {
  /** The URL of the service, such as `http://127.0.0.1:8000`. */
  baseUrl: string;
  /** An API key (`sk_…`). Keep it on a server: every visitor of a web page can read the keys in it. */
  apiKey: string;
  /** The time in seconds that a single try may take until its response begins. Default: 60. */
  timeoutSeconds?: number;
  /** The time in seconds after which a failed request is no longer repeated. Default: 120. */
  retrySeconds?: number;
  /** A replacement for the global `fetch`. */
  fetch?: typeof fetch;
}

export interface RequestOptions {
  query?: object | undefined;
  headers?: Record<string, string | undefined> | undefined;
  json?: unknown;
  body?: BodyInit | undefined;
  signal?: AbortSignal | undefined;
  timeoutSeconds?: number | undefined;
  /** Whether the request can be repeated. A stream, for example, can be sent only once. Default: true. */
  isRepeatable?: boolean;
  /** The idempotency key of a POST. If omitted, a new key is used for all tries. */
  idempotencyKey?: string | undefined;
}

const PAUSE_SECONDS = 0.25;
const PAUSE_SECONDS_MAX = 20;
const TRANSIENT_STATUSES = new Set([429, 502, 503, 504]);

/** Sends requests, and repeats those whose failure may be temporary. */
export class Transport {
  readonly #options: Required<ClientOptions>;

  constructor(options: ClientOptions) {
    const apiKey = options.apiKey.trim();
    if (!/^[!-~]+$/.test(apiKey)) {
      throw new UnderstudyError("The API key is empty or contains an invalid character. Check `apiKey`.");
    }
    if (!/^https?:\/\//.test(options.baseUrl)) {
      throw new UnderstudyError("The address does not begin with http:// or https://. Correct `baseUrl`.");
    }
    this.#options = {
      timeoutSeconds: 60,
      retrySeconds: 120,
      fetch: (...request) => fetch(...request),
      ...options,
      apiKey,
      baseUrl: options.baseUrl.replace(/\/+$/, ""),
    };
  }

  /** Send a request and return the JSON body of its response. */
  async json<T>(method: string, path: string, options: RequestOptions = {}): Promise<T> {
    return this.#repeat(method, path, options, async (response) => (await readJson(response)) as T);
  }

  /** Send a request and return its response, whose body has not been read. */
  async response(method: string, path: string, options: RequestOptions = {}): Promise<Response> {
    return this.#repeat(method, path, options, (response) => Promise.resolve(response));
  }

  /** Delete a resource. If an earlier try may have deleted it, a 404 response counts as success. */
  async delete(path: string, options: RequestOptions = {}): Promise<void> {
    let isOutcomeUnknown = false;
    const onUnknown = () => (isOutcomeUnknown = true);
    try {
      await this.#repeat("DELETE", path, options, () => Promise.resolve(), onUnknown);
    } catch (error) {
      if (!(isOutcomeUnknown && error instanceof ApiError && error.status === 404)) throw error;
    }
  }

  async #repeat<T>(
    method: string,
    path: string,
    options: RequestOptions,
    read: (response: Response) => Promise<T>,
    onUnknown: () => void = () => undefined,
  ): Promise<T> {
    const request = this.#request(method, path, options);
    // If the change was made, a repetition with the old ETag would fail.
    const isConditional = method === "PATCH" && options.headers?.["If-Match"] !== undefined;
    let deadline = Infinity;
    for (let nFailures = 1; ; nFailures += 1) {
      try {
        return await this.#try(request, options, read);
      } catch (error) {
        // The time counts from the first failure, because a try that uploads a file may take minutes.
        if (nFailures === 1) deadline = Date.now() + this.#options.retrySeconds * 1000;
        const pauseSeconds = pauseBefore(error, nFailures);
        const isTooLate = Date.now() + (pauseSeconds ?? 0) * 1000 > deadline;
        if (pauseSeconds === undefined || isTooLate || options.isRepeatable === false) throw error;
        if (hasUnknownOutcome(error)) {
          if (isConditional) throw error;
          onUnknown();
        }
        await sleep(pauseSeconds, options.signal);
      }
    }
  }

  #request(method: string, path: string, options: RequestOptions): { url: string; init: RequestInit } {
    const headers = new Headers({ Accept: "application/json" });
    headers.set("Authorization", `Bearer ${this.#options.apiKey}`);
    if (method === "POST") headers.set("Idempotency-Key", options.idempotencyKey ?? crypto.randomUUID());
    if (options.json !== undefined) {
      headers.set("Content-Type", method === "PATCH" ? "application/merge-patch+json" : "application/json");
    }
    for (const [name, value] of Object.entries(options.headers ?? {})) {
      if (value !== undefined) headers.set(name, value);
    }
    const body = options.json === undefined ? options.body : JSON.stringify(options.json);
    const init: RequestInit & { duplex?: "half" } = { method, headers };
    if (body !== undefined) init.body = body;
    if (body instanceof ReadableStream) init.duplex = "half";
    return { url: `${this.#options.baseUrl}${path}${queryOf(options.query)}`, init };
  }

  async #try<T>(
    request: { url: string; init: RequestInit },
    options: RequestOptions,
    read: (response: Response) => Promise<T>,
  ): Promise<T> {
    options.signal?.throwIfAborted();
    // A response that is streamed may take longer: `response` returns before its body is read.
    const limit = new AbortController();
    const seconds = options.timeoutSeconds ?? this.#options.timeoutSeconds;
    const timer = setTimeout(() => limit.abort(), seconds * 1000);
    const signal = options.signal ? AbortSignal.any([limit.signal, options.signal]) : limit.signal;
    try {
      const response = await this.#options.fetch(request.url, { ...request.init, signal });
      if (!response.ok) throw await errorOf(response);
      return await read(response);
    } catch (error) {
      options.signal?.throwIfAborted();
      if (error instanceof UnderstudyError) throw error;
      const text = limit.signal.aborted ? `no response within ${seconds} seconds` : reasonOf(error);
      throw new ConnectionError(`The request to ${new URL(request.url).origin} failed: ${text}.`, { cause: error });
    } finally {
      clearTimeout(timer);
    }
  }
}

async function readJson(response: Response): Promise<unknown> {
  const text = await response.text();
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new UnderstudyError(`The response of ${new URL(response.url).origin} is not JSON. Check \`baseUrl\`.`);
  }
}

/** Return whether the service may have carried out the request. */
function hasUnknownOutcome(error: unknown): boolean {
  return error instanceof ConnectionError || (error instanceof ApiError && [502, 504].includes(error.status));
}

function queryOf(query: object | undefined): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    for (const item of Array.isArray(value) ? value : [value]) {
      if (item !== undefined && item !== null) parameters.append(name, String(item));
    }
  }
  const text = parameters.toString();
  return text && `?${text}`;
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && cause.message ? cause.message : String((error as Error).message);
}

/** Return the pause in seconds before a failed request is repeated, or undefined if it should not be repeated. */
export function pauseBefore(error: unknown, nFailures: number): number | undefined {
  const isTransient =
    error instanceof ConnectionError ||
    (error instanceof ApiError &&
      (TRANSIENT_STATUSES.has(error.status) || error.code === "idempotency_in_progress"));
  if (!isTransient || (error instanceof ApiError && error.code === "too_many_uploads")) return undefined;
  const backoff = Math.min(PAUSE_SECONDS * 2 ** nFailures, PAUSE_SECONDS_MAX) * (0.5 + Math.random() / 2);
  const asked = error instanceof ApiError ? (error.retryAfterSeconds ?? 0) : 0;
  return Math.max(asked, backoff);
}

/** Wait for the given time, or until the signal is aborted. */
export function sleep(seconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, seconds * 1000);
    if (signal?.aborted) stop();
    else signal?.addEventListener("abort", stop, { once: true });
  });
}

/** Return the number of seconds until a deadline. Throw `TimeoutError` if the deadline has passed. */
export function secondsUntil(deadline: number, what: string): number {
  const seconds = (deadline - Date.now()) / 1000;
  if (seconds <= 0) throw new TimeoutError(`${what} did not finish in time.`);
  return seconds;
}
