"""Requests of an upload in parts, and the selection of the parts to send."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypedDict

from understudy_client._generated import models
from understudy_client._generated.requests import CreateUpload, ReadOptions
from understudy_client.calls import Call, path_of
from understudy_client.formats import suffix_format
from understudy_client.sources import SourceFile

PART_BYTES = 4 << 20


class UploadArguments(TypedDict, total=False):
    """Optional arguments of an upload."""

    name: str
    """Name of the dataset."""
    format: str
    """Format of all files. By default, the suffix of each file name determines it."""
    labels: Mapping[str, str]
    """Labels of the dataset."""
    read_options: ReadOptions
    """Options for reading the files, such as `decimal` or `encoding`."""
    part_bytes: int
    """Preferred size of a part in bytes."""


@dataclass(frozen=True)
class UploadOptions:
    """Options of an upload, as in `UploadArguments`."""

    name: str | None = None
    format: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    read_options: ReadOptions | None = None
    part_bytes: int = PART_BYTES


def upload_body(files: Sequence[SourceFile], options: UploadOptions) -> CreateUpload:
    """Return the body of the request that declares the files."""
    body: CreateUpload = {
        "files": [
            {"filename": file.filename, "size_bytes": file.size_bytes, "sha256": file.sha256}
            for file in files
        ],
        "part_bytes": options.part_bytes,
        "labels": dict(options.labels),
    }
    if options.name is not None:
        body["name"] = options.name
    if options.format is not None:
        body["format"] = options.format
    if options.read_options is not None:
        body["options"] = options.read_options
    return body


def is_resumable(upload: models.Upload, files: Sequence[SourceFile], options: UploadOptions) -> bool:
    """Return whether an unfinished upload has the same files, name, formats, labels and read options.

    The service stores the read options in a canonical form, such as ``iso8859-1`` for ``latin1``. If
    `options` contains another form, the upload is not resumed.
    """
    declared = [(file.filename, file.size_bytes, file.sha256) for file in upload.files]
    return (
        upload.state == "open"
        and declared == [(file.filename, file.size_bytes, file.sha256) for file in files]
        and upload.name == (options.name or upload.files[0].table_name)
        and upload.options == dict(options.read_options or {})
        and all(file.format == _format_of(file, options) for file in upload.files)
        and upload.labels == dict(options.labels)
    )


def _format_of(file: models.UploadFile, options: UploadOptions) -> str:
    """Return the format of a new upload, or the format of `file` if only the service knows the suffix."""
    return options.format or suffix_format(file.filename or "") or file.format


def missing_parts(upload: models.Upload) -> Iterator[int]:
    """Yield the numbers of the parts that the service has not received."""
    received = {part.number for part in upload.parts or ()}
    return (number for number in range(1, upload.n_parts + 1) if number not in received)


def read_part(upload: models.Upload, files: Sequence[SourceFile], number: int) -> bytes:
    """Return the bytes of a part."""
    plan, file = next(
        (plan, file)
        for plan, file in zip(upload.files, files, strict=True)
        if number < plan.first_part + plan.n_parts
    )
    start = (number - plan.first_part) * upload.part_bytes
    return file.read(start, min(upload.part_bytes, file.size_bytes - start))


def part_call(upload_id: str, number: int, content: bytes) -> Call[models.UploadPart]:
    """Return the request that sends a part."""
    digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
    return Call(
        "PUT",
        f"/v1/uploads/{path_of(upload_id)}/parts/{number}",
        models.UploadPart,
        content=content,
        headers={
            "Content-Digest": f"sha-256=:{digest}:",
            "Content-Type": "application/octet-stream",
        },
    )
