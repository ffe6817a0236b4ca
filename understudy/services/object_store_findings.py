"""Checks of an object store for `understudy doctor`."""

from __future__ import annotations

from collections.abc import Iterator

from understudy.resources import Resources
from understudy.services.findings import Finding
from understudy.services.maintenance import PARTIAL_KEPT
from understudy.storage.base import RemoteState, RemoteStore

SKEW_SECONDS_MAX = 5.0


def object_store_findings(resources: Resources) -> Iterator[Finding]:
    """Yield the findings about the blob store, unless it is a local folder or in memory."""
    store = resources.store
    if not isinstance(store, RemoteStore):
        return
    state = store.inspect()
    yield _credentials(state)
    yield from _clock(state)
    if state.problem is not None:
        remedy = (
            "Solve this problem first. `understudy doctor` then checks the other properties of the store."
        )
        yield Finding("storage", state.problem, is_fault=True, remedy=remedy)
        return
    yield Finding("storage", f"Objects can be written, read, listed and deleted in {state.place}.")
    yield _conditions(state)
    yield _versions(state)
    yield _partial_uploads(state)
    yield Finding("disk space", "The free space is unknown because object stores do not report it.")


def _credentials(state: RemoteState) -> Finding:
    if state.credentials is None:
        remedy = "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or assign a role to the machine."
        return Finding("credentials", "No credentials were found.", is_fault=True, remedy=remedy)
    return Finding("credentials", f"The source of the credentials is {state.credentials}.")


def _clock(state: RemoteState) -> Iterator[Finding]:
    if state.skew_seconds is None:
        return
    detail = (
        f"The clock of the object store differs from the clock of this machine by "
        f"{abs(state.skew_seconds):.0f} s."
    )
    if abs(state.skew_seconds) <= SKEW_SECONDS_MAX:
        yield Finding("clock", detail)
        return
    remedy = (
        "Synchronize the clock of this machine. Amazon S3 rejects requests if the clocks differ by more than "
        "15 minutes."
    )
    yield Finding("clock", detail, remedy=remedy)


def _conditions(state: RemoteState) -> Finding:
    if state.is_conditional:
        return Finding("storage", "The store rejects writes to existing keys.")
    remedy = "Use a store that enforces `If-None-Match: *`, so no blob can be overwritten."
    detail = (
        "The store does not reject writes to existing keys. Understudy checks before each write that the key "
        "is free."
    )
    return Finding("storage", detail, remedy=remedy)


def _versions(state: RemoteState) -> Finding:
    if state.keeps_versions is None:
        remedy = "Allow s3:GetBucketVersioning, or check in the console of the store that versioning is off."
        detail = "It is unknown whether the bucket keeps deleted versions."
        return Finding("deletion", detail, remedy=remedy)
    if state.keeps_versions:
        remedy = "Turn versioning off, or add a lifecycle rule that deletes noncurrent versions."
        return Finding("deletion", "The bucket keeps the bytes of deleted blobs.", remedy=remedy)
    return Finding("deletion", "The bucket keeps no deleted versions.")


def _partial_uploads(state: RemoteState) -> Finding:
    if state.n_partial is None:
        remedy = "Allow s3:ListBucketMultipartUploads and s3:AbortMultipartUpload."
        return Finding("unfinished uploads", "Unfinished multipart uploads cannot be listed.", remedy=remedy)
    hours = state.oldest_partial_seconds / 3600
    detail = f"Unfinished multipart uploads: {state.n_partial}. The oldest was started {hours:.0f} h ago."
    if state.oldest_partial_seconds > 2 * PARTIAL_KEPT.total_seconds():
        remedy = "Start a worker to abort old uploads, and allow s3:AbortMultipartUpload."
        return Finding("unfinished uploads", detail, remedy=remedy)
    return Finding(
        "unfinished uploads", detail if state.n_partial else "There are no unfinished multipart uploads."
    )
