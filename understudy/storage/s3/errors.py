"""Translate object store errors into Understudy errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from urllib3.exceptions import HTTPError

from understudy.errors import StorageFull, Unavailable
from understudy.storage.base import missing

ABSENT = {"404", "NoSuchKey", "NotFound"}
FULL = {"507", "InsufficientStorage", "QuotaExceeded", "XMinioStorageFull"}
# Codes for requests that are refused until somebody changes the configuration.
REFUSED = {
    "301": "the bucket is in another region",
    "400": "the request is refused",
    "403": "access is denied",
    "AccessDenied": "access is denied",
    "AuthorizationHeaderMalformed": "the region is wrong",
    "ExpiredToken": "the credentials have expired",
    "InvalidAccessKeyId": "the access key is unknown",
    "InvalidBucketName": "the name of the bucket is invalid",
    "NoSuchBucket": "the bucket does not exist",
    "PermanentRedirect": "the bucket is in another region",
    "RequestTimeTooSkewed": "the clock of this machine is wrong",
    "SignatureDoesNotMatch": "the secret access key is wrong",
}
# The responses of a store to a conditional request: the key exists, or another request for it is running.
PRECONDITION_FAILED = 412
CONFLICT = 409
NOT_IMPLEMENTED = 501
# Connection errors, including errors while a response body is read.
BROKEN = (BotoCoreError, HTTPClientError, HTTPError, ConnectionError, TimeoutError)


def code_of(error: ClientError) -> str:
    """Return the error code of a response, such as ``NoSuchKey``."""
    response: dict[str, Any] = error.response
    return str(response.get("Error", {}).get("Code", ""))


def status_of(error: ClientError) -> int:
    """Return the HTTP status of a response."""
    response: dict[str, Any] = error.response
    return int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


@contextmanager
def translated(key: str | None = None) -> Iterator[None]:
    """Translate the errors of requests to `NotFound`, `StorageFull` or `Unavailable`.

    Parameters
    ----------
    key : str, optional
        Key of the blob that the block reads, for the error if the blob does not exist.
    """
    try:
        yield
    except ClientError as error:
        code = code_of(error)
        if key is not None and code in ABSENT:
            raise missing(key) from error
        if code in FULL:
            raise StorageFull("The blob store is full. Free some space in it and try again.") from error
        raise _unusable(code) from error
    except BROKEN as error:
        raise _unusable(type(error).__name__) from error


def _unusable(reason: str) -> Unavailable:
    if reason in REFUSED:
        return Unavailable(
            f"The blob store refuses requests: {REFUSED[reason]} ({reason}). Check UNDERSTUDY_STORAGE_URL, "
            "the UNDERSTUDY_S3 settings and the credentials."
        )
    return Unavailable(
        f"The blob store does not respond, or asks for fewer requests ({reason}). Repeat the call in a few "
        "seconds."
    )
