# Generated from understudy_client/_async/uploads.py by `make clients`. Do not edit.
"""Uploads of the synchronous client."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack

from understudy_client._generated import models, operations
from understudy_client._sync.backend import in_thread, readable_source
from understudy_client._sync.transport import Transport
from understudy_client.errors import Conflict, InvalidRequest
from understudy_client.parts import (
    UploadOptions,
    is_resumable,
    missing_parts,
    part_call,
    read_part,
    upload_body,
)
from understudy_client.sources import Source, SourceFile, open_sources

# Maximum number of times that a part is sent again because it was damaged in transit.
DAMAGED_MAX = 3


class Uploads:
    """An uploader that sends files in parts.

    Parameters
    ----------
    on_fraction : callable, optional
        Function that is called with the fraction of the parts that have arrived.
    """

    def __init__(
        self, transport: Transport, options: UploadOptions, on_fraction: Callable[[float], object]
    ) -> None:
        self._transport = transport
        self._options = options
        self._on_fraction = on_fraction

    def send(
        self, source: Source | Iterable[bytes] | Mapping[str, Source], filename: str | None
    ) -> models.UploadedDataset:
        """Send files and return the dataset and the job that reads it.

        If this process or an earlier one left an unfinished upload of the same files, that upload continues.
        """
        with ExitStack() as temporary:
            known = readable_source(source, temporary)
            files = in_thread(lambda: open_sources(known, filename, temporary))
            return self._send(files)

    def _send(self, files: Sequence[SourceFile]) -> models.UploadedDataset:
        upload = self._opened(files)
        self._send_parts(upload, files)
        try:
            return self._transport.send(operations.complete_upload(upload.id))
        except Conflict as error:
            if error.code != "incomplete_upload":
                raise
        # The service no longer has all parts, so the missing ones are sent again.
        current = self._transport.send(operations.get_upload(upload.id))
        self._send_parts(current, files)
        return self._transport.send(operations.complete_upload(upload.id))

    def _opened(self, files: Sequence[SourceFile]) -> models.Upload:
        """Return the unfinished upload of these files, or start a new one."""
        if sum(file.size_bytes for file in files) > self._options.part_bytes:
            for upload in self._transport.items(operations.list_uploads(limit=200)):
                if is_resumable(upload, files, self._options):
                    return self._transport.send(operations.get_upload(upload.id))
        return self._transport.send(operations.create_upload(upload_body(files, self._options)))

    def _send_parts(self, upload: models.Upload, files: Sequence[SourceFile]) -> None:
        missing = list(missing_parts(upload))
        for n_left, number in zip(reversed(range(len(missing))), missing, strict=True):
            self._send_part(upload, files, number)
            self._on_fraction(1 - n_left / upload.n_parts)

    def _send_part(self, upload: models.Upload, files: Sequence[SourceFile], number: int) -> None:
        content = in_thread(lambda: read_part(upload, files, number))
        for n_damaged in range(1, DAMAGED_MAX + 1):
            try:
                self._transport.send(part_call(upload.id, number, content))
                return
            except InvalidRequest as error:
                if error.code != "digest_mismatch" or n_damaged == DAMAGED_MAX:
                    raise
