"""Uploads in parts: any process may take any part, in any order; what has arrived survives a broken line.

A part is a blob and a row, as an artifact is. `complete_upload` puts the files together in the staging
folder, one piece in memory at a time, and goes on as an upload that came at once.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from understudy import ids
from understudy.db import datasets, jobs, uploads
from understudy.db.uploads import NewUpload, StoredPart
from understudy.errors import Conflict, InvalidInput, NotFound, TooLarge, TooManyRequests, UnderstudyError
from understudy.logs import get_logger
from understudy.parameters.read_options import FormatName, ReadOptions
from understudy.resources import Resources
from understudy.services.blob_keys import make_part_key
from understudy.services.datasets import ArrivedDataset, ArrivedFile, NewDataset, upload_dataset
from understudy.services.results import discard
from understudy.storage.space import telling_full_disk

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from understudy.db.orm import Dataset, Job, Upload, UploadPart

Json = dict[str, Any]

logger = get_logger(__name__)

N_PARTS_MAX = 10_000
# Part sizes are multiples of it.
PART_UNIT_BYTES = 64 << 10
# A completed upload is known for so long, as idempotency keys are.
COMPLETED_KEPT = timedelta(hours=72)
# Who puts an upload together says so again with every part; one that died is waited for so long.
HOLD_SECONDS = 60.0
PIECE_BYTES = 1 << 20
MISSING_LISTED_MAX = 20


@dataclass(frozen=True)
class ComingFile:
    """A file that is to arrive in parts.

    Parameters
    ----------
    sha256 : bytes, optional
        Of the whole file; checked when it has arrived.
    """

    table_name: str
    format: FormatName
    size_bytes: int
    sha256: bytes | None = None
    filename: str | None = None


@dataclass(frozen=True)
class OpenUpload:
    """An upload and which of its parts have arrived."""

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
    """Begin an upload; its parts are as large as it says, which is what was wished for if that will do.

    Raises
    ------
    TooLarge
        If the files are larger than `upload_bytes_max` together.
    TooManyRequests
        If the project has as many unfinished uploads as it may.
    """
    size_bytes = sum(file.size_bytes for file in files)
    if size_bytes > resources.limits.upload_bytes_max:
        raise TooLarge(
            f"The files are {size_bytes} bytes together, more than upload_bytes_max,"
            f" {resources.limits.upload_bytes_max}. Send Parquet instead of CSV, or fewer rows, or have the"
            " limit raised (UNDERSTUDY_UPLOAD_BYTES_MAX).",
            code="upload_too_large",
        )
    chosen = choose_part_bytes(
        part_bytes or resources.settings.upload_part_bytes, size_bytes, n_files=len(files)
    )
    plan = _plan(files, chosen)
    with resources.sessions.begin() as session:
        _check_open(resources, session, project_id)
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


def choose_part_bytes(wish: int, size_bytes: int, *, n_files: int) -> int:
    """Return the part size next above a wish, of those under which there are not too many parts."""
    # Each file may end in a part of its own.
    least = max(wish, -(-size_bytes // (N_PARTS_MAX - n_files)))
    return -(-least // PART_UNIT_BYTES) * PART_UNIT_BYTES


def get_upload(resources: Resources, project_id: UUID, upload_id: UUID) -> OpenUpload:
    """Return an upload and its parts, or raise `NotFound`."""
    with resources.sessions() as session:
        upload = uploads.get(session, project_id, upload_id)
        return OpenUpload(upload, uploads.parts(session, project_id, [upload_id]))


def expect_part(resources: Resources, project_id: UUID, upload_id: UUID, number: int) -> int:
    """Return how many bytes a part must have.

    Raises
    ------
    NotFound
        If there is no such upload, or no part of that number.
    Conflict
        If no part can be taken any more, or just now.
    """
    with resources.sessions() as session:
        upload = uploads.get(session, project_id, upload_id)
        _check_changeable(session, upload)
    for file in upload.files:
        place = number - file["first_part"]
        if 0 <= place < file["n_parts"]:
            return int(min(upload.part_bytes, file["size_bytes"] - place * upload.part_bytes))
    raise NotFound(f"The upload has parts 1 to {upload.n_parts}.")


def store_part(
    resources: Resources, project_id: UUID, upload_id: UUID, number: int, source: Path, sha256: bytes
) -> StoredPart:
    """Take a part that has arrived, and is as long as it has to be, into the store; raises as `expect_part`.

    The same part again changes nothing; another one takes its place.
    """
    key = make_part_key(project_id, upload_id, number)
    part = StoredPart(number, key, sha256, source.stat().st_size)
    with resources.sessions() as session:
        earlier = uploads.find_part(session, project_id, upload_id, number)
    if earlier is not None and earlier.sha256 == sha256:
        return part
    resources.store.put_file(key, source)
    try:
        with resources.sessions.begin() as session:
            upload = uploads.lock(session, project_id, upload_id)
            _check_changeable(session, upload)
            replaced = uploads.put_part(session, upload, part, kept=_kept(resources))
    except (NotFound, Conflict):
        discard(resources.store, [key])
        raise
    if replaced is not None:
        discard(resources.store, [replaced])
    return part


def complete_upload(resources: Resources, project_id: UUID, upload_id: UUID) -> tuple[Dataset, Job]:
    """Put the files together, and add the dataset and the job that will read them; again, the same answer.

    Raises
    ------
    Conflict
        If parts are missing, or somebody else is at it just now.
    InvalidInput
        If a file has not the digest that it was to have.
    """
    opened = _begin_completion(resources, project_id, upload_id)
    if opened.upload.dataset_id is not None:
        return _completed(resources, project_id, opened.upload.dataset_id)
    staged: list[Path] = []
    try:
        files = _assemble(resources, opened, staged)
        return _publish(resources, opened.upload, files)
    except BaseException:
        with suppress(UnderstudyError), resources.sessions.begin() as session:
            uploads.let_go(session, upload_id)
        raise
    finally:
        for path in staged:
            path.unlink(missing_ok=True)


def delete_upload(resources: Resources, project_id: UUID, upload_id: UUID) -> None:
    """Give an upload up and delete its parts; a dataset that it has become stays."""
    with resources.sessions.begin() as session:
        upload = uploads.lock(session, project_id, upload_id)
        if uploads.is_completing(session, upload):
            raise _in_progress()
        keys = uploads.delete(session, upload)
    discard(resources.store, keys)


def _plan(files: Sequence[ComingFile], part_bytes: int) -> list[Json]:
    """Return what is kept of the files: each begins with a part of its own."""
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


def _check_open(resources: Resources, session: Session, project_id: UUID) -> None:
    n_max = resources.limits.open_uploads_max
    if uploads.count_open(session, project_id) >= n_max:
        raise TooManyRequests(
            f"{n_max} uploads of this project are unfinished, the most that may be (open_uploads_max)."
            " Complete or delete some: GET /v1/uploads lists them.",
            code="too_many_uploads",
            retry_after_seconds=60,
        )


def _check_changeable(session: Session, upload: Upload) -> None:
    if upload.dataset_id is not None:
        raise Conflict("The upload is complete; it takes no more parts.")
    if uploads.is_completing(session, upload):
        raise _in_progress()


def _in_progress() -> Conflict:
    return Conflict(
        "The upload is being put together just now; repeat the call in a moment.", code="upload_in_progress"
    )


def _begin_completion(resources: Resources, project_id: UUID, upload_id: UUID) -> OpenUpload:
    with resources.sessions.begin() as session:
        upload = uploads.lock(session, project_id, upload_id)
        parts = uploads.parts(session, project_id, [upload_id])
        if upload.dataset_id is not None:
            return OpenUpload(upload, parts)
        _check_changeable(session, upload)
        _check_all_there(upload, parts)
        uploads.hold(session, upload_id, seconds=HOLD_SECONDS)
    return OpenUpload(upload, parts)


def _check_all_there(upload: Upload, parts: Sequence[UploadPart]) -> None:
    missing = sorted(set(range(1, upload.n_parts + 1)) - {part.number for part in parts})
    if missing:
        listed = ", ".join(map(str, missing[:MISSING_LISTED_MAX]))
        more = ", …" if len(missing) > MISSING_LISTED_MAX else ""
        raise Conflict(
            f"{len(missing)} of {upload.n_parts} parts are missing: {listed}{more}. Send them, then repeat"
            " this.",
            code="incomplete_upload",
        )


def _completed(resources: Resources, project_id: UUID, dataset_id: UUID) -> tuple[Dataset, Job]:
    with resources.sessions() as session:
        dataset = datasets.get(session, project_id, dataset_id)
        return dataset, jobs.get(session, project_id, dataset.job_id)


def _assemble(resources: Resources, opened: OpenUpload, staged: list[Path]) -> list[ArrivedFile]:
    """Write each file from its parts to the staging folder; what is there by now stands in `staged`."""
    hold = Hold(resources, opened.upload.id)
    parts = iter(opened.parts)
    files = []
    for number, plan in enumerate(opened.upload.files, 1):
        path = resources.staging_folder / f"upload-{ids.new_id().hex}"
        staged.append(path)
        sha256 = _join(resources, islice(parts, plan["n_parts"]), path, hold)
        if plan["sha256"] not in (None, sha256.hex()):
            raise InvalidInput(
                f"File {number} of {len(opened.upload.files)} has another SHA-256 than was told when the"
                " upload began: it changed meanwhile. Begin another upload, or send the right parts.",
                code="digest_mismatch",
            )
        files.append(ArrivedFile(plan["table_name"], plan["format"], path, sha256, plan["size_bytes"]))
    return files


class Hold:
    """Says now and then that an upload is still being put together."""

    def __init__(self, resources: Resources, upload_id: UUID) -> None:
        self.resources = resources
        self.upload_id = upload_id
        self.renewed_at = time.monotonic()

    def renew(self) -> None:
        """Say so, unless it was said lately."""
        if time.monotonic() - self.renewed_at < HOLD_SECONDS / 6:
            return
        self.renewed_at = time.monotonic()
        with self.resources.sessions.begin() as session:
            uploads.hold(session, self.upload_id, seconds=HOLD_SECONDS)


def _join(resources: Resources, parts: Iterable[UploadPart], path: Path, hold: Hold) -> bytes:
    """Write parts one after the other into a file, a piece at a time; return the SHA-256 of all."""
    whole = hashlib.sha256()
    with telling_full_disk(), path.open("wb") as target:
        for part in parts:
            own = hashlib.sha256()
            for piece in _pieces(resources, part):
                hold.renew()
                own.update(piece)
                whole.update(piece)
                target.write(piece)
            if own.digest() != part.sha256:
                raise _damaged(resources, part)
    return whole.digest()


def _pieces(resources: Resources, part: UploadPart) -> Iterator[bytes]:
    try:
        source = resources.store.open(part.storage_key)
    except NotFound as error:
        raise _damaged(resources, part) from error
    with source:
        while piece := source.read(PIECE_BYTES):
            yield piece


def _damaged(resources: Resources, part: UploadPart) -> Conflict:
    """Forget a part that the store has not kept as it was; return what to tell."""
    with resources.sessions.begin() as session:
        uploads.drop_part(session, part.upload_id, part.number)
    discard(resources.store, [part.storage_key])
    logger.error("part_corrupt", upload_id=ids.to_text("upload", part.upload_id), number=part.number)
    return Conflict(
        f"Part {part.number} was damaged in the store. Send it again, then repeat this.",
        code="incomplete_upload",
    )


def _publish(resources: Resources, upload: Upload, files: Sequence[ArrivedFile]) -> tuple[Dataset, Job]:
    served: list[str] = []

    def close(session: Session, dataset: Dataset) -> None:
        row = uploads.lock(session, upload.project_id, upload.id)
        if row.dataset_id is not None:
            raise _in_progress()
        served[:] = uploads.complete(session, row, dataset.id, kept=COMPLETED_KEPT)

    options = ReadOptions.model_validate(upload.options)
    arrived = ArrivedDataset(upload.name, upload.labels, options, files)
    answer = upload_dataset(resources, upload.project_id, arrived, also=close)
    discard(resources.store, served)
    return answer


def _kept(resources: Resources) -> timedelta:
    return timedelta(seconds=resources.settings.upload_ttl_seconds)
