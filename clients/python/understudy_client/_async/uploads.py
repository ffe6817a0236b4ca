"""Uploads of the asynchronous client."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Mapping, Sequence
from contextlib import ExitStack

from understudy_client._async.backend import in_thread, readable_source
from understudy_client._async.transport import AsyncTransport
from understudy_client._generated import models, operations
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


class AsyncUploads:
    """An uploader that sends files in parts.

    Parameters
    ----------
    on_fraction : callable, optional
        Function that is called with the fraction of the parts that have arrived.
    """

    def __init__(
        self, transport: AsyncTransport, options: UploadOptions, on_fraction: Callable[[float], object]
    ) -> None:
        self._transport = transport
        self._options = options
        self._on_fraction = on_fraction

    async def send(
        self, source: Source | AsyncIterable[bytes] | Mapping[str, Source], filename: str | None
    ) -> models.UploadedDataset:
        """Send files and return the dataset and the job that reads it.

        If this process or an earlier one left an unfinished upload of the same files, that upload continues.
        """
        with ExitStack() as temporary:
            known = await readable_source(source, temporary)
            files = await in_thread(lambda: open_sources(known, filename, temporary))
            return await self._send(files)

    async def _send(self, files: Sequence[SourceFile]) -> models.UploadedDataset:
        upload = await self._opened(files)
        await self._send_parts(upload, files)
        try:
            return await self._transport.send(operations.complete_upload(upload.id))
        except Conflict as error:
            if error.code != "incomplete_upload":
                raise
        # The service no longer has all parts, so the missing ones are sent again.
        current = await self._transport.send(operations.get_upload(upload.id))
        await self._send_parts(current, files)
        return await self._transport.send(operations.complete_upload(upload.id))

    async def _opened(self, files: Sequence[SourceFile]) -> models.Upload:
        """Return the unfinished upload of these files, or start a new one."""
        if sum(file.size_bytes for file in files) > self._options.part_bytes:
            async for upload in self._transport.items(operations.list_uploads(limit=200)):
                if is_resumable(upload, files, self._options):
                    return await self._transport.send(operations.get_upload(upload.id))
        return await self._transport.send(operations.create_upload(upload_body(files, self._options)))

    async def _send_parts(self, upload: models.Upload, files: Sequence[SourceFile]) -> None:
        missing = list(missing_parts(upload))
        for n_left, number in zip(reversed(range(len(missing))), missing, strict=True):
            await self._send_part(upload, files, number)
            self._on_fraction(1 - n_left / upload.n_parts)

    async def _send_part(self, upload: models.Upload, files: Sequence[SourceFile], number: int) -> None:
        content = await in_thread(lambda: read_part(upload, files, number))
        for n_damaged in range(1, DAMAGED_MAX + 1):
            try:
                await self._transport.send(part_call(upload.id, number, content))
                return
            except InvalidRequest as error:
                if error.code != "digest_mismatch" or n_damaged == DAMAGED_MAX:
                    raise
