"""All errors that Understudy raises on purpose, classified by meaning.

    UnderstudyError
     ├─ InvalidInput (ValueError)      the caller sent something that cannot be used
     │   └─ TooLarge                   the input exceeds a limit; the detail names the limit
     ├─ Unauthenticated                the API key is missing or invalid
     ├─ Forbidden                      the API key lacks the required scope
     ├─ NotFound (LookupError)         the caller's project does not contain the resource
     ├─ Conflict                       the current state of the resource does not allow the request
     │   └─ PreconditionFailed         If-Match names an outdated version
     ├─ TooManyRequests                a quota is exhausted; `retry_after_seconds` is the time to wait
     └─ Unavailable                    a required service does not respond; the same call may succeed later
         └─ StorageFull                no storage space is left

`app/error_handlers.py` maps these classes to HTTP statuses. `code` is stable and documented in
`docs/reference/errors.md`. `detail` states what happened, where, and how to fix it, and never contains a
value from the caller's data. `pointer` is a JSON Pointer (RFC 6901) into the request body, if the error has a
location in the body. `parameter` is the name of an invalid query parameter or header.
"""

from __future__ import annotations

# The stable error codes and their titles: the `title` of problem+json and the text in
# `docs/reference/errors.md`.
CODES: dict[str, str] = {
    "invalid_input": "The request is invalid",
    "invalid_parameters": "A parameter is unknown, missing or out of range",
    "invalid_pack": "The file is not an evidence pack, or it was altered",
    "invalid_signature": "The signature is invalid or was not made with the expected key",
    "invalid_key": "The key is not an Ed25519 key",
    "quarantined": "The sample is in quarantine",
    "not_quarantined": "The dataset is not in quarantine",
    "unknown_policy": "The policy does not exist",
    "invalid_cursor": "The page cursor is invalid",
    "unknown_format": "The file format is not supported",
    "unreadable_file": "The file cannot be read in the stated format",
    "empty_file": "The file is empty",
    "no_rows": "The table has a header but no rows",
    "no_columns": "The table has no columns",
    "invalid_header": "Column names are empty or not unique",
    "ragged_rows": "Rows have different numbers of fields",
    "unclosed_quote": "A quoted field is not closed",
    "too_many_bad_rows": "More rows are unreadable than may be skipped",
    "wrong_encoding": "The text is not valid in its encoding",
    "duplicate_table": "Two files would become tables with the same name",
    "unknown_table": "The dataset has no table with this name",
    "table_required": "The dataset has several tables, but the request names none of them",
    "digest_mismatch": "The received data does not match the stated digest",
    "malformed_body": "The request body is malformed",
    "incomplete_body": "The request body is incomplete",
    "request_timeout": "The request did not arrive in time",
    "headers_too_large": "The request headers are larger than the limit",
    "part_size_mismatch": "The part is shorter or longer than required",
    "unsupported_column": "A column has a type that cannot be synthesized",
    "does_not_fit": "The job would need more memory than a job may use",
    "unsupported_schema": "The synthesizer does not support the declared schema",
    "schema_mismatch": "A table does not match the expected schema",
    "unknown_column": "A named column does not exist",
    "unknown_synthesizer": "The synthesizer does not exist",
    "unknown_kind": "The job kind does not exist",
    "invalid_model_file": "The file is not a model written by Understudy",
    "too_large": "A limit is exceeded",
    "body_too_large": "The request body is larger than this operation accepts",
    "upload_too_large": "The upload is larger than the limit",
    "too_many_uploads": "Too many uploads are unfinished",
    "too_many_files": "The upload has more files than a dataset can have tables",
    "too_many_rows": "The number of rows exceeds the limit",
    "too_many_columns": "The number of columns exceeds the limit",
    "unauthenticated": "The API key is missing or invalid",
    "forbidden": "The API key does not have the required scope",
    "not_found": "The resource does not exist in this project",
    "conflict": "The request conflicts with the current state of the resource",
    "impossible_condition": "No row can satisfy a condition",
    "unsupported_by_synthesizer": "The synthesizer does not support constraints or imputation",
    "not_ready": "A dataset or model is not ready",
    "in_use": "The resource is still in use",
    "already_finished": "The job has already finished",
    "incomplete_upload": "Parts of the upload are missing",
    "not_retryable": "Only a failed or cancelled job can be retried",
    "precondition_failed": "The resource has changed since it was read",
    "idempotency_mismatch": "The idempotency key was used with a different request",
    "idempotency_in_progress": "A request with this idempotency key is still running",
    "too_many_requests": "A quota is temporarily exhausted",
    "too_many_jobs": "Too many jobs are waiting",
    "unavailable": "A required service is not responding",
    "storage_full": "No storage space is left",
    "artifact_corrupt": "A stored file is missing or does not match its checksum",
    "configuration": "A setting is missing or invalid",
    "out_of_memory": "The memory limit was exceeded",
    "time_limit": "The time limit was exceeded",
    "file_size_limit": "A file of the job is larger than the limit",
    "worker_crashed": "The worker crashed during every attempt",
    "cancelled": "The job was cancelled",
    "expired": "The job waited longer than its time to live",
    "internal_error": "An unexpected error occurred",
    "method_not_allowed": "The resource does not support this method",
    "range_not_satisfiable": "The requested range is outside the file",
    "not_acceptable": "None of the media types in Accept is available",
    "unsupported_media_type": "The media type of the request body is not supported",
}


class UnderstudyError(Exception):
    """Base class of all errors that Understudy raises on purpose."""

    default_code = "internal_error"

    def __init__(
        self,
        detail: str,
        *,
        code: str | None = None,
        pointer: str | None = None,
        parameter: str | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or self.default_code
        self.pointer = pointer
        self.parameter = parameter
        assert self.code in CODES, self.code


class InvalidInput(UnderstudyError, ValueError):
    """Error for input that cannot be used. The detail contains the location and the valid alternatives."""

    default_code = "invalid_input"


class TooLarge(InvalidInput):
    """Error for input that exceeds a limit. The detail contains the name and the value of the limit."""

    default_code = "too_large"


class Unauthenticated(UnderstudyError):
    """Error for a request with a missing or invalid API key."""

    default_code = "unauthenticated"


class Forbidden(UnderstudyError):
    """Error for a request with a valid API key that lacks the required scope."""

    default_code = "forbidden"


class NotFound(UnderstudyError, LookupError):
    """Error for a resource that the caller's project does not contain."""

    default_code = "not_found"


class Conflict(UnderstudyError):
    """Error for a request that the current state of a resource does not allow. A retry may succeed later.

    `retry_after_seconds` is the time after which the request can succeed, if this time is known.
    """

    default_code = "conflict"
    retry_after_seconds: int | None = None


class PreconditionFailed(Conflict):
    """Error for a request with an outdated version in the `If-Match` header."""

    default_code = "precondition_failed"


class TooManyRequests(UnderstudyError):
    """Error for a request that exceeds a quota but may succeed later."""

    default_code = "too_many_requests"

    def __init__(
        self,
        detail: str,
        *,
        code: str | None = None,
        pointer: str | None = None,
        retry_after_seconds: int = 5,
    ) -> None:
        super().__init__(detail, code=code, pointer=pointer)
        self.retry_after_seconds = retry_after_seconds


class Unavailable(UnderstudyError):
    """Error for a required service that does not respond.

    The same request may succeed if it is repeated.
    """

    default_code = "unavailable"


class StorageFull(Unavailable):
    """Error for data that cannot be stored because no storage space is left."""

    default_code = "storage_full"
