"""Inspect the state of an object store for `understudy doctor`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from understudy.errors import UnderstudyError
from understudy.storage.base import RemoteState
from understudy.storage.s3.errors import translated

PROBE_NAME = ".doctor"
PROBE_BODY = b"understudy"

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Place:
    """A bucket, a key prefix, and the client for the store."""

    # `Any` because botocore has no type annotations.
    client: Any
    bucket: str
    prefix: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix} at {self.client.meta.endpoint_url}"


def inspect(place: Place, credentials: Any, is_conditional: Callable[[], bool]) -> RemoteState:
    """Write, read and delete an object, and return the state of the store.

    Parameters
    ----------
    credentials : botocore.credentials.Credentials or None
        Credentials of the client. Only their source is used.
    is_conditional : callable () -> bool
        Function that tests whether the store rejects writes to existing keys.
    """
    state = RemoteState(str(place), None if credentials is None else str(credentials.method))
    state = replace(state, skew_seconds=_skew_seconds(place))
    try:
        with translated():
            _probe(place)
            state = replace(state, is_conditional=is_conditional())
    except UnderstudyError as error:
        return replace(state, problem=error.detail)
    n_partial, oldest_seconds = _allowed(lambda: _partial_uploads(place)) or (None, 0.0)
    return replace(
        state,
        keeps_versions=_allowed(lambda: _keeps_versions(place)),
        n_partial=n_partial,
        oldest_partial_seconds=oldest_seconds,
    )


def _probe(place: Place) -> None:
    """Write, read, list and delete an object. Each step needs a different permission."""
    key = {"Bucket": place.bucket, "Key": place.prefix + PROBE_NAME}
    place.client.put_object(**key, Body=PROBE_BODY)
    place.client.get_object(**key)["Body"].read()
    place.client.list_objects_v2(Bucket=place.bucket, Prefix=place.prefix, MaxKeys=1)
    place.client.delete_object(**key)


def _skew_seconds(place: Place) -> float | None:
    """Return the time of the store minus the time of this machine, or None if the store does not respond."""
    before = datetime.now(UTC)
    try:
        response = place.client.head_bucket(Bucket=place.bucket)
    except ClientError as error:
        # Error responses also contain the time.
        response = error.response
    except BotoCoreError:
        return None
    after = datetime.now(UTC)
    text = response.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
    with suppress(TypeError, ValueError):
        return (parsedate_to_datetime(text) - (before + (after - before) / 2)).total_seconds()
    return None


def _allowed(read: Callable[[], Answer]) -> Answer | None:
    """Return the result of `read`, or None if the credentials or the store do not allow the operation."""
    try:
        return read()
    except (ClientError, BotoCoreError):
        return None


def _keeps_versions(place: Place) -> bool:
    return bool(place.client.get_bucket_versioning(Bucket=place.bucket).get("Status") == "Enabled")


def _partial_uploads(place: Place) -> tuple[int, float]:
    """Return the number of unfinished multipart uploads, and the age of the oldest upload in seconds."""
    pages = place.client.get_paginator("list_multipart_uploads").paginate(
        Bucket=place.bucket, Prefix=place.prefix
    )
    times = [upload["Initiated"] for page in pages for upload in page.get("Uploads", [])]
    now = datetime.now(UTC)
    return len(times), max(((now - time).total_seconds() for time in times), default=0.0)
