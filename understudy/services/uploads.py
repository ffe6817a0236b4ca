"""Use cases of uploads in parts.

Any process can receive any part, in any order. Received parts are kept after a lost connection. A part is a
blob and a row, like an artifact. `complete_upload` turns the rows into artifacts of the job that reads the
files. That job joins the parts in its folder. A crash leaves either an open upload or a dataset.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from understudy import ids
from understudy.db import datasets, erasures, idempotency, jobs, uploads
from understudy.db.session import transaction_failpoint
from understudy.db.uploads import NewUpload, StoredPart
from understudy.errors import Conflict, InvalidInput, NotFound, TooLarge, TooManyRequests
from understudy.failpoints import failpoint
from understudy.logs import get_logger
from understudy.parameters.ingest import FileParts, IngestTable
from understudy.parameters.read_options import FormatName, ReadOptions
from understudy.resources import Resources
from understudy.services.blob_keys import make_part_key, upload_prefix
from understudy.services.checks import Check, accept
from understudy.services.datasets import NewDataset, NewIngest, add_ingest
from understudy.services.jobs import check_quota
from understudy.services.results import discard

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from understudy.db.orm import Dataset, Job, Upload, UploadPart

Json = dict[str, Any]

logger = get_logger(__name__)

N_PARTS_MAX = 10_000
# All part sizes are multiples of this size.
PART_UNIT_BYTES = 64 << 10
# Time to keep the row of a completed upload. Idempotency keys are kept for the same time.
COMPLETED_KEPT = timedelta(hours=72)
MISSING_LISTED_MAX = 20


@dataclass(frozen=True)
class ComingFile:
    """A file to receive in parts.

    Parameters
    ----------
    sha256 : bytes, optional
        The SHA-256 of the file, which is checked after all parts have been received.
    """

    table_name: str
    format: FormatName
    size_bytes: int
    sha256: bytes | None = None
    filename: str | None = None


@dataclass(frozen=True)
class PartPlace:
    """The location of a part: its upload, project and number."""

    project_id: UUID
    upload_id: UUID
    number: int


@dataclass(frozen=True)
class OpenUpload:
    """An upload and its received parts."""

    upload: Upload
    parts: Sequence[UploadPart]


def create_upload(
    resources: Resources,
    project_id: UUID,
    new: NewDataset,
    files: Sequence[ComingFile],
    *,
    part_bytes: int | None = None,
) -> OpenUpload:
    """Start an upload, if possible with the preferred part size.

    Raises
    ------
    TooLarge
        If the files are larger than `upload_bytes_max` in total.
    TooManyRequests
        If the project has reached its limit of unfinished uploads.
    """
    size_bytes = sum(file.size_bytes for file in files)
    if size_bytes > resources.limits.upload_bytes_max:
        raise TooLarge(
            f"The files have {size_bytes} bytes in total, but upload_bytes_max is"
            f" {resources.limits.upload_bytes_max}. Send Parquet instead of CSV, send fewer rows, or ask your"
            " administrator to raise UNDERSTUDY_UPLOAD_BYTES_MAX.",
            code="upload_too_large",
        )
    chosen = choose_part_bytes(
        part_bytes or resources.settings.upload_part_bytes, size_bytes, n_files=len(files)
    )
    plan = _plan(files, chosen)
    with resources.sessions.begin() as session:
        _check_may_open(resources, session, project_id)
        row = NewUpload(
            name=new.name,
            labels=new.labels,
            options=new.options.model_dump(mode="json", exclude_defaults=True),
            files=plan,
            size_bytes=size_bytes,
            part_bytes=chosen,
            n_parts=sum(file["n_parts"] for file in plan),
            kept=_kept(resources),
        )
        upload = uploads.add(session, project_id, row)
    return OpenUpload(upload, [])


def choose_part_bytes(preferred: int, size_bytes: int, *, n_files: int) -> int:
    """Return the smallest part size that is at least `preferred` and does not result in too many parts."""
    # Each file can end with a part that is not full.
    minimum = max(preferred, -(-size_bytes // (N_PARTS_MAX - n_files)))
    return -(-minimum // PART_UNIT_BYTES) * PART_UNIT_BYTES


def get_upload(resources: Resources, project_id: UUID, upload_id: UUID) -> OpenUpload:
    """Return an upload and its parts, or raise `NotFound`."""
    with resources.sessions() as session:
        upload = uploads.get(session, project_id, upload_id)
        return OpenUpload(upload, uploads.parts(session, project_id, [upload_id]))


def expect_part(resources: Resources, place: PartPlace) -> int:
    """Return the required size of a part in bytes.

    Raises
    ------
    NotFound
        If the upload does not exist or has no part with this number.
    Conflict
        If the upload is complete.
    """
    with resources.sessions() as session:
        upload = uploads.get(session, place.project_id, place.upload_id)
    _check_open(upload)
    for file in upload.files:
        index = place.number - file["first_part"]
        if 0 <= index < file["n_parts"]:
            return int(min(upload.part_bytes, file["size_bytes"] - index * upload.part_bytes))
    raise NotFound(
        f"The upload has no part {place.number}. Its parts are numbered from 1 to {upload.n_parts}."
    )


def store_part(resources: Resources, place: PartPlace, source: Path, sha256: bytes) -> StoredPart:
    """Move a received part of the required size to the store. Raise the same errors as `expect_part`.

    Storing the same part again changes nothing. A different part with the same number replaces it.
    """
    key = make_part_key(place.project_id, place.upload_id, place.number)
    part = StoredPart(place.number, key, sha256, source.stat().st_size)
    with resources.sessions() as session:
        earlier = uploads.find_part(session, place.project_id, place.upload_id, place.number)
    if earlier is not None and earlier.sha256 == sha256:
        return part
    resources.store.put_file(key, source)
    try:
        with resources.sessions.begin() as session:
            upload = uploads.lock(session, place.project_id, place.upload_id)
            _check_open(upload)
            replaced = uploads.put_part(session, upload, part, kept=_kept(resources))
            transaction_failpoint(session, "part.before_commit")
        failpoint("part.after_commit")
    except (NotFound, Conflict):
        discard(resources.store, [key])
        raise
    if replaced is not None:
        discard(resources.store, [replaced])
    return part


def complete_upload(resources: Resources, project_id: UUID, upload_id: UUID) -> tuple[Dataset, Job]:
    """Add the dataset and the job that will join and read the parts. A repeated call returns the same rows.

    Raises
    ------
    Conflict
        If parts are missing.
    InvalidInput
        If a file with a single part does not have the declared digest. The job checks files with several
        parts.
    TooManyRequests
        If the project has reached its limit of queued jobs.
    """
    parts = get_upload(resources, project_id, upload_id).parts
    lost = next((part for part in parts if not _is_stored(resources, part)), None)
    with resources.sessions.begin() as session:
        upload = uploads.lock(session, project_id, upload_id)
        if upload.dataset_id is not None:
            dataset = datasets.get(session, project_id, upload.dataset_id)
            return dataset, jobs.get(session, project_id, dataset.job_id)
        if lost is None:
            response = _start_ingest(resources, session, upload)
            transaction_failpoint(session, "complete.before_commit")
        else:
            uploads.drop_part(session, lost)
    if lost is not None:
        raise _lost(resources, lost)
    failpoint("complete.after_commit")
    resources.queue.ring()
    return response


def _start_ingest(resources: Resources, session: Session, upload: Upload) -> tuple[Dataset, Job]:
    _check_complete(OpenUpload(upload, uploads.parts(session, upload.project_id, [upload.id])))
    check_quota(resources, session, upload.project_id)
    dataset, job = add_ingest(resources, session, _ingest_of(upload))
    uploads.complete(session, upload, dataset, kept=COMPLETED_KEPT)
    return dataset, job


def delete_upload(
    resources: Resources, project_id: UUID, upload_id: UUID, *, check: Check[Upload] = accept
) -> None:
    """Delete an upload and its parts. A dataset that was created from it is kept.

    Parameters
    ----------
    check : callable (session, row) -> None
        Function that raises an error if the locked row must not be deleted.
    """
    with resources.sessions.begin() as session:
        upload = uploads.lock(session, project_id, upload_id)
        check(session, upload)
        if upload.dataset_id is None:
            erasures.add(session, project_id, {upload_prefix(project_id, upload_id): None})
        keys = uploads.delete(session, upload)
        idempotency.erase(session, project_id, [], [ids.to_text("upload", upload_id)])
    discard(resources.store, keys)


def _plan(files: Sequence[ComingFile], part_bytes: int) -> list[Json]:
    """Return the stored descriptions of the files. Each file starts with a new part."""
    plan: list[Json] = []
    first_part = 1
    for file in files:
        n_parts = -(-file.size_bytes // part_bytes)
        kept = {
            "filename": file.filename,
            "table_name": file.table_name,
            "format": file.format,
            "size_bytes": file.size_bytes,
            "sha256": None if file.sha256 is None else file.sha256.hex(),
            "first_part": first_part,
            "n_parts": n_parts,
        }
        plan.append(kept)
        first_part += n_parts
    return plan


def _check_may_open(resources: Resources, session: Session, project_id: UUID) -> None:
    n_max = resources.limits.open_uploads_max
    if uploads.count_open(session, project_id) >= n_max:
        raise TooManyRequests(
            f"This project has {n_max} unfinished uploads, which is the limit (open_uploads_max). Complete"
            " or delete some of them; GET /v1/uploads lists them.",
            code="too_many_uploads",
            retry_after_seconds=60,
        )


def _check_open(upload: Upload) -> None:
    if upload.dataset_id is not None:
        raise Conflict(
            "The upload is complete, so it accepts no more parts. Start a new upload to send other files."
        )


def _check_complete(opened: OpenUpload) -> None:
    upload = opened.upload
    sha256s = {part.number: part.sha256.hex() for part in opened.parts}
    missing = sorted(set(range(1, upload.n_parts + 1)) - sha256s.keys())
    if missing:
        listed = ", ".join(map(str, missing[:MISSING_LISTED_MAX]))
        more = ", …" if len(missing) > MISSING_LISTED_MAX else ""
        raise Conflict(
            f"{len(missing)} of {upload.n_parts} parts are missing: {listed}{more}. Send them, then complete"
            " the upload again.",
            code="incomplete_upload",
        )
    for number, file in enumerate(upload.files, 1):
        if file["n_parts"] == 1 and file["sha256"] not in (None, sha256s[file["first_part"]]):
            raise InvalidInput(
                f"The SHA-256 of file {number} of {len(upload.files)} differs from the one declared when the"
                " upload started, so the file has changed. Start a new upload, or send the correct part.",
                code="digest_mismatch",
            )


def _is_stored(resources: Resources, part: UploadPart) -> bool:
    with suppress(NotFound):
        return resources.store.size(part.storage_key) == part.size_bytes
    return False


def _lost(resources: Resources, part: UploadPart) -> Conflict:
    """Return the error for a part that the store has lost. The part's row is already deleted."""
    discard(resources.store, [part.storage_key])
    logger.error("part_lost", upload_id=ids.to_text("upload", part.upload_id), number=part.number)
    return Conflict(
        f"Part {part.number} was damaged in the store. Send it again, then complete the upload again.",
        code="incomplete_upload",
    )


def _ingest_of(upload: Upload) -> NewIngest:
    """Return the dataset and job to create from a complete upload."""
    return NewIngest(
        upload.project_id,
        ids.new_id(),
        NewDataset(upload.name, upload.labels, ReadOptions.model_validate(upload.options)),
        [IngestTable(name=file["table_name"], format=file["format"]) for file in upload.files],
        tuple(
            FileParts(first=file["first_part"], n=file["n_parts"], sha256=file["sha256"])
            for file in upload.files
        ),
    )


def _kept(resources: Resources) -> timedelta:
    return timedelta(seconds=resources.settings.upload_ttl_seconds)
