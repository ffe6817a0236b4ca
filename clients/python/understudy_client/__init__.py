"""Python client of Understudy: upload tables, train models, sample synthetic rows and download reports."""

from understudy_client._async.client import AsyncClient
from understudy_client._async.jobs import AsyncJob
from understudy_client._generated import models, requests
from understudy_client._generated.codes import ErrorCode
from understudy_client._sync.client import Client
from understudy_client._sync.jobs import Job
from understudy_client.errors import (
    ApiError,
    Conflict,
    ConnectionFailed,
    ContentChanged,
    Forbidden,
    InvalidRequest,
    InvalidWebhook,
    JobFailed,
    JobTimeout,
    NotFound,
    PreconditionFailed,
    ServiceError,
    StorageFull,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
    UnderstudyClientError,
    UnexpectedResponse,
)
from understudy_client.event_stream import Event
from understudy_client.parts import UploadArguments
from understudy_client.retries import Retries
from understudy_client.webhooks import verify_webhook

__all__ = [
    "ApiError",
    "AsyncClient",
    "AsyncJob",
    "Client",
    "Conflict",
    "ConnectionFailed",
    "ContentChanged",
    "ErrorCode",
    "Event",
    "Forbidden",
    "InvalidRequest",
    "InvalidWebhook",
    "Job",
    "JobFailed",
    "JobTimeout",
    "NotFound",
    "PreconditionFailed",
    "Retries",
    "ServiceError",
    "StorageFull",
    "TooManyRequests",
    "Unauthenticated",
    "Unavailable",
    "UnderstudyClientError",
    "UnexpectedResponse",
    "UploadArguments",
    "models",
    "requests",
    "verify_webhook",
]
