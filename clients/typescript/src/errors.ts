import type { Job, Problem } from "./types.js";

/** The base class of all errors that this client throws. */
export class UnderstudyError extends Error {
  override readonly name: string = "UnderstudyError";
}

/** The service did not respond, or the connection was lost. */
export class ConnectionError extends UnderstudyError {
  override readonly name = "ConnectionError";
}

/** The given time passed before the operation finished. The job, if there is one, continues. */
export class TimeoutError extends UnderstudyError {
  override readonly name = "TimeoutError";
}

/** A file or a message does not match its digest or signature. */
export class IntegrityError extends UnderstudyError {
  override readonly name = "IntegrityError";
}

/** The service rejected a request. `code` is stable and intended for programs. `message` is intended for people. */
export class ApiError extends UnderstudyError {
  override readonly name: string = "ApiError";

  constructor(
    readonly problem: Problem,
    /** The time in seconds after which the service asks to repeat the request. */
    readonly retryAfterSeconds?: number,
  ) {
    super(problem.detail);
  }

  /** The error code, such as `not_found`. The reference of error codes lists all codes. */
  get code(): string {
    return this.problem.code;
  }

  get status(): number {
    return this.problem.status;
  }

  get requestId(): string {
    return this.problem.request_id;
  }
}

/** 401: the API key is missing, unknown, revoked or expired. */
export class AuthenticationError extends ApiError {
  override readonly name = "AuthenticationError";
}

/** 403: the API key lacks a scope. */
export class ForbiddenError extends ApiError {
  override readonly name = "ForbiddenError";
}

/** 404: the project has no such resource. */
export class NotFoundError extends ApiError {
  override readonly name = "NotFoundError";
}

/** 409: the state of a resource does not permit the request. */
export class ConflictError extends ApiError {
  override readonly name = "ConflictError";
}

/** 412: the resource has changed since it was read. */
export class PreconditionFailedError extends ApiError {
  override readonly name = "PreconditionFailedError";
}

/** 400, 413, 415 or 422: the request is invalid. `problem.errors` lists its invalid parts. */
export class InvalidRequestError extends ApiError {
  override readonly name = "InvalidRequestError";
}

/** 429: a limit of the project is exceeded. */
export class RateLimitedError extends ApiError {
  override readonly name = "RateLimitedError";
}

/** 500 or above: the service has failed or is unavailable. */
export class ServerError extends ApiError {
  override readonly name = "ServerError";
}

/** A job has failed or was cancelled. `code` is the code of its error. */
export class JobFailedError extends UnderstudyError {
  override readonly name = "JobFailedError";

  constructor(readonly job: Job) {
    super(job.error?.detail ?? `Job ${job.id} is ${job.state}.`);
  }

  get code(): string {
    return this.job.error?.code ?? this.job.state;
  }
}

const CLASSES: Record<number, typeof ApiError> = {
  400: InvalidRequestError,
  401: AuthenticationError,
  403: ForbiddenError,
  404: NotFoundError,
  409: ConflictError,
  412: PreconditionFailedError,
  413: InvalidRequestError,
  415: InvalidRequestError,
  422: InvalidRequestError,
  429: RateLimitedError,
};

/** Return the error for a response with an error status. */
export async function errorOf(response: Response): Promise<ApiError> {
  const problem = (await readProblem(response)) ?? {
    type: "about:blank",
    title: response.statusText || "The response is not a problem document",
    status: response.status,
    detail: `The server responded with status ${response.status} and without problem details. Check \`baseUrl\` and any proxy in between.`,
    instance: new URL(response.url).pathname,
    code: "unexpected_response",
    request_id: response.headers.get("x-request-id") ?? "",
  };
  const ErrorClass = CLASSES[response.status] ?? (response.status >= 500 ? ServerError : ApiError);
  return new ErrorClass(problem, retryAfterSeconds(response.headers));
}

async function readProblem(response: Response): Promise<Problem | undefined> {
  const body: unknown = await response.json().catch(() => undefined);
  const isProblem = typeof body === "object" && body !== null && "code" in body && "detail" in body;
  return isProblem ? (body as Problem) : undefined;
}

function retryAfterSeconds(headers: Headers): number | undefined {
  const text = headers.get("retry-after");
  if (text === null) return undefined;
  const seconds = Number(text);
  if (Number.isFinite(seconds)) return Math.max(0, seconds);
  const milliseconds = Date.parse(text) - Date.now();
  return Number.isNaN(milliseconds) ? undefined : Math.max(0, milliseconds / 1000);
}
