"""Errors of the client.

UnderstudyClientError
 ├─ ApiError                    the service refused a request; `code` is the reason
 │   ├─ InvalidRequest          400, 405, 406, 413, 415, 416, 422
 │   ├─ Unauthenticated         401
 │   ├─ Forbidden               403
 │   ├─ NotFound (LookupError)  404
 │   ├─ Conflict                409
 │   │   └─ PreconditionFailed  412
 │   ├─ TooManyRequests         429
 │   └─ ServiceError            500 and above
 │       ├─ Unavailable         502, 503, 504
 │       └─ StorageFull         507
 ├─ ConnectionFailed (ConnectionError)  the service does not respond
 ├─ UnexpectedResponse          a response is not the expected JSON
 ├─ JobFailed                   a job failed or was cancelled
 ├─ JobTimeout (TimeoutError)   a job has not ended in time
 ├─ ContentChanged              a file changed while it was downloaded
 └─ InvalidWebhook (ValueError) a webhook message does not come from the service
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pydantic import ValidationError

from understudy_client._generated.models import Problem, ProblemItem

if TYPE_CHECKING:
    from understudy_client._generated.models import Job

PROBLEM_TYPE = "application/problem+json"


class UnderstudyClientError(Exception):
    """Base class of all errors of the client."""


class ApiError(UnderstudyClientError):
    """Error for a request that the service refused.

    Parameters
    ----------
    problem : Problem
        The error as the service describes it.
    retry_after_seconds : float, optional
        Time after which a repeated request can succeed.
    """

    def __init__(self, problem: Problem, retry_after_seconds: float | None = None) -> None:
        super().__init__(f"{problem.detail} ({problem.code}, request {problem.request_id or 'without ID'})")
        self.problem = problem
        self.retry_after_seconds = retry_after_seconds

    @property
    def code(self) -> str:
        """Stable code of the error, usually a member of `ErrorCode`."""
        return self.problem.code

    @property
    def status(self) -> int:
        """HTTP status."""
        return self.problem.status

    @property
    def title(self) -> str:
        """Meaning of the code."""
        return self.problem.title

    @property
    def detail(self) -> str:
        """Description of what happened, where, and how to correct it."""
        return self.problem.detail

    @property
    def type(self) -> str:
        """URL of the documentation of the code."""
        return self.problem.type

    @property
    def instance(self) -> str:
        """Path of the request."""
        return self.problem.instance

    @property
    def request_id(self) -> str:
        """ID of the request, which also appears in the logs of the service."""
        return self.problem.request_id

    @property
    def errors(self) -> list[ProblemItem]:
        """Invalid parts of the request."""
        return self.problem.errors or []


class InvalidRequest(ApiError, ValueError):
    """Error for a request that is invalid."""


class Unauthenticated(ApiError):
    """Error for a request without a valid API key."""


class Forbidden(ApiError):
    """Error for an API key without the required scope."""


class NotFound(ApiError, LookupError):
    """Error for a resource that the project does not contain."""


class Conflict(ApiError):
    """Error for a request that the state of a resource does not allow."""


class PreconditionFailed(Conflict):
    """Error for a change of a resource that has changed since it was read."""


class TooManyRequests(ApiError):
    """Error for a request that exceeds a quota."""


class ServiceError(ApiError):
    """Error in the service itself, not in the request (5xx)."""


class Unavailable(ServiceError):
    """Error for a service that is not available at the moment."""


class StorageFull(ServiceError):
    """Error for a service that has no storage space left."""


class ConnectionFailed(UnderstudyClientError, ConnectionError):
    """Error for a service that does not respond."""


class UnexpectedResponse(UnderstudyClientError):
    """Error for a successful response that is not the expected JSON, such as the page of a proxy."""


class JobFailed(UnderstudyClientError):
    """Error for a job that failed or was cancelled.

    Parameters
    ----------
    job : Job
        The job.
    """

    def __init__(self, job: Job) -> None:
        self.job = job
        reason = f": {job.error.detail} ({job.error.code})" if job.error else "."
        super().__init__(f"The job {job.id} of kind {job.kind} {_ending(job.state)}{reason}")

    @property
    def code(self) -> str:
        """Stable code of the job's error, or the state of the job if it has no error."""
        return self.job.error.code if self.job.error else self.job.state


class JobTimeout(UnderstudyClientError, TimeoutError):
    """Error for a job that has not ended in time. The job continues.

    Parameters
    ----------
    job : Job
        The job.
    """

    def __init__(self, job: Job) -> None:
        self.job = job
        super().__init__(
            f"The job {job.id} of kind {job.kind} is still {job.state}. Wait for it again, or cancel it."
        )


class ContentChanged(UnderstudyClientError):
    """Error for a file that changed while it was being downloaded."""


class InvalidWebhook(UnderstudyClientError, ValueError):
    """Error for a webhook message that does not come from the service, or is too old."""


CLASS_OF_STATUS: Mapping[int, type[ApiError]] = {
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    412: PreconditionFailed,
    429: TooManyRequests,
    502: Unavailable,
    503: Unavailable,
    504: Unavailable,
    507: StorageFull,
}


def api_error(status: int, headers: Mapping[str, str], content: bytes) -> ApiError:
    """Return the error for the response to a request that failed."""
    class_ = CLASS_OF_STATUS.get(status, ServiceError if status >= 500 else InvalidRequest)
    return class_(_problem(status, headers, content), retry_after_seconds(headers))


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """Return the number of seconds in `Retry-After`, or None if the header is missing or contains a date."""
    try:
        return max(float(headers["Retry-After"]), 0.0)
    except (KeyError, ValueError):
        return None


def _problem(status: int, headers: Mapping[str, str], content: bytes) -> Problem:
    """Return the problem details in a response, or general ones if a gateway sent another body."""
    if headers.get("Content-Type", "").startswith(PROBLEM_TYPE):
        try:
            return Problem.model_validate(json.loads(content))
        except (ValidationError, ValueError):
            pass
    return Problem(
        type="about:blank",
        title="The response does not contain the problem details of the service",
        status=status,
        detail=f"The service responded with HTTP status {status}. Check the URL and any proxy in between.",
        instance="",
        code="unknown",
        request_id=headers.get("X-Request-ID", ""),
    )


def _ending(state: str) -> str:
    return "was cancelled" if state == "cancelled" else "failed"
