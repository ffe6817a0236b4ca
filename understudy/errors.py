"""Every error raised on purpose, by meaning; the HTTP status of each is decided in `app/error_handlers.py`.

    UnderstudyError
     ├─ InvalidInput (ValueError)      the caller sent something that cannot be used
     │   └─ TooLarge                   … because a limit, named in the detail, is passed
     ├─ Unauthenticated                no key, or not one of ours
     ├─ Forbidden                      the key's scopes do not allow it
     ├─ NotFound (LookupError)         no such thing in the caller's project
     ├─ Conflict                       not in the present state of things
     │   └─ PreconditionFailed         … because If-Match names an older version
     ├─ TooManyRequests                a quota is used up for now; `retry_after_seconds` says how long
     └─ Unavailable                    a part we need does not answer; the same call may succeed later
         └─ StorageFull                … because there is no space left

`code` is stable and documented in `docs/reference/errors.md`. `detail` names the thing, the place and the
remedy, and never a value of the caller's data. `pointer` is a JSON pointer (RFC 6901) into the request, if
there is one.
"""

from __future__ import annotations

# The stable codes, each with the sentence that `docs/reference/errors.md` and problem+json's `title` show.
CODES: dict[str, str] = {
    "invalid_input": "The request cannot be used as it is",
    "invalid_parameters": "A parameter is unknown, missing or out of range",
    "invalid_pack": "The file is no evidence pack, or it was altered",
    "invalid_signature": "The signature does not fit, or is not that of the expected key",
    "invalid_key": "The key is not one of Ed25519",
    "quarantined": "The sample is in quarantine",
    "not_quarantined": "The dataset is not in quarantine",
    "unknown_policy": "There is no policy of that name",
    "invalid_cursor": "The page cursor is not one of ours",
    "unknown_format": "The file format is not supported",
    "unreadable_file": "The file cannot be read in the stated format",
    "empty_file": "The file holds no bytes",
    "no_rows": "The table has a header but no rows",
    "no_columns": "The table has no columns",
    "invalid_header": "Column names are empty or not unique",
    "ragged_rows": "Rows differ in their number of fields",
    "unclosed_quote": "A quoted field is not closed",
    "too_many_bad_rows": "More rows cannot be read than may be skipped",
    "wrong_encoding": "The text is not valid in its encoding",
    "duplicate_table": "Two files would be tables of one name",
    "unknown_table": "The dataset has no table of that name",
    "table_required": "The dataset has several tables, and none is named",
    "digest_mismatch": "What arrived does not have the digest that was told",
    "malformed_body": "The body does not hold together",
    "incomplete_body": "The body ended before all of it had arrived",
    "part_size_mismatch": "A part is shorter or longer than it has to be",
    "unsupported_column": "A column has a type that cannot be synthesized",
    "does_not_fit": "The job would need more memory than a job may have",
    "unsupported_schema": "The schema declares what the synthesizer does not support",
    "schema_mismatch": "A table does not fit the schema that it is to have",
    "unknown_column": "A column that was named does not exist",
    "unknown_synthesizer": "There is no synthesizer of that name",
    "unknown_kind": "There is no job kind of that name",
    "invalid_model_file": "The file is not a model written by Understudy",
    "too_large": "A limit is passed",
    "body_too_large": "The body is larger than the operation takes",
    "upload_too_large": "The upload is larger than the limit",
    "too_many_uploads": "Too many uploads are unfinished",
    "too_many_files": "More files than one dataset can have tables",
    "too_many_rows": "More rows than the limit",
    "too_many_columns": "More columns than the limit",
    "unauthenticated": "The API key is missing or not valid",
    "forbidden": "The API key's scopes do not allow this",
    "not_found": "There is no such thing in this project",
    "conflict": "The request does not fit the present state",
    "impossible_condition": "No row can fulfil a condition",
    "unsupported_by_synthesizer": "The synthesizer supports neither constraints nor imputation",
    "not_ready": "A dataset or model is not ready",
    "in_use": "Something else still needs it",
    "already_finished": "The job has ended already",
    "incomplete_upload": "Parts of the upload are missing",
    "not_retryable": "Only a failed or cancelled job can be retried",
    "precondition_failed": "The resource changed since it was read",
    "idempotency_mismatch": "The idempotency key was used with another request",
    "idempotency_in_progress": "A request with this idempotency key is still running",
    "too_many_requests": "A quota is used up for now",
    "too_many_jobs": "Too many jobs are waiting",
    "unavailable": "A part of the service does not answer",
    "storage_full": "There is no space left to store data",
    "artifact_corrupt": "A stored file does not match its checksum",
    "configuration": "A setting is missing or wrong",
    "out_of_memory": "The work needed more memory than its limit",
    "time_limit": "The work took longer than its limit",
    "file_size_limit": "The work wrote a larger file than its limit",
    "worker_crashed": "The worker died each time that the job was tried",
    "cancelled": "The job was cancelled",
    "expired": "The job waited longer than its time to live",
    "internal_error": "Something unexpected happened on our side",
    "method_not_allowed": "The resource does not know this method",
    "range_not_satisfiable": "The range lies outside the file",
    "not_acceptable": "None of the formats in Accept can be given",
    "unsupported_media_type": "The body's media type is not supported",
}


class UnderstudyError(Exception):
    """Base of every error raised on purpose."""

    default_code = "internal_error"

    def __init__(self, detail: str, *, code: str | None = None, pointer: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or self.default_code
        self.pointer = pointer
        assert self.code in CODES, self.code


class InvalidInput(UnderstudyError, ValueError):
    """What was sent cannot be used; the detail says where and what would do."""

    default_code = "invalid_input"


class TooLarge(InvalidInput):
    """A limit is passed; the detail names the limit and its value."""

    default_code = "too_large"


class Unauthenticated(UnderstudyError):
    """No key was given, or it is not valid."""

    default_code = "unauthenticated"


class Forbidden(UnderstudyError):
    """The key is valid but its scopes do not allow this."""

    default_code = "forbidden"


class NotFound(UnderstudyError, LookupError):
    """No such thing in the caller's project."""

    default_code = "not_found"


class Conflict(UnderstudyError):
    """The request does not fit the present state; it may later."""

    default_code = "conflict"


class PreconditionFailed(Conflict):
    """If-Match names a version that is no longer the present one."""

    default_code = "precondition_failed"


class TooManyRequests(UnderstudyError):
    """A quota is used up for now."""

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
    """A part that is needed does not answer; the only error that is worth repeating unchanged."""

    default_code = "unavailable"


class StorageFull(Unavailable):
    """There is no space left for the bytes."""

    default_code = "storage_full"
