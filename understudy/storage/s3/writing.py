"""Store files as objects, in one request or in parts. An existing object is never overwritten."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import random
import secrets
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from understudy.errors import Conflict
from understudy.storage.s3.errors import CONFLICT, PRECONDITION_FAILED, status_of

# Larger files are sent in parts. Each thread holds one part in memory.
PART_BYTES = 16 << 20
N_PARTS_MAX = 9_000
N_THREADS = 4
# The store rejects one of two concurrent requests for a key with 409, and the client must repeat it.
ATTEMPTS_MAX = 5
PAUSE_SECONDS = 0.2


@dataclass(frozen=True)
class ObjectWriter:
    """A writer that stores files as one object.

    Parameters
    ----------
    client : botocore client
        Client, which several threads may share.
    place : dict
        `Bucket` and `Key` of the object.
    is_conditional : bool
        Whether the store enforces ``If-None-Match: *``. Otherwise, the writer only checks beforehand that the
        object does not exist, which is sufficient because no two attempts write the same key.
    """

    client: Any  # botocore creates the class of a client at run time.
    place: dict[str, str]
    is_conditional: bool

    def write(self, path: Path) -> None:
        """Store a file.

        Raises
        ------
        Conflict
            If the object exists.
        ClientError, BotoCoreError
            If the store refuses the file or does not respond.
        """
        if not self.is_conditional and self._head() is not None:
            raise self._exists()
        writer = secrets.token_hex(8)
        for attempt in range(1, ATTEMPTS_MAX + 1):
            try:
                self._send(path, writer)
                return
            except ClientError as error:
                if self._is_own(error, writer):
                    return
                is_racing = status_of(error) == CONFLICT
                if status_of(error) == PRECONDITION_FAILED or (is_racing and self._head() is not None):
                    raise self._exists() from error
                if not is_racing or attempt == ATTEMPTS_MAX:
                    raise
            time.sleep(PAUSE_SECONDS * 2**attempt * random.random())  # noqa: S311 - not for secrets

    def _send(self, path: Path, writer: str) -> None:
        size = path.stat().st_size
        if size <= PART_BYTES:
            data = path.read_bytes()
            self.client.put_object(
                **self.place,
                Body=data,
                ChecksumSHA256=_checksum(data),
                Metadata={"writer": writer},
                **self._condition(),
            )
            return
        with self._multipart(writer) as upload_id:
            part_bytes = max(PART_BYTES, -(-size // N_PARTS_MAX))
            sender = _PartSender(self.client, self.place, upload_id, path, part_bytes)
            with ThreadPoolExecutor(N_THREADS, thread_name_prefix="store-part") as pool:
                parts = list(pool.map(sender.send, range(1, -(-size // part_bytes) + 1)))
            self.client.complete_multipart_upload(
                **self.place, UploadId=upload_id, MultipartUpload={"Parts": parts}, **self._condition()
            )

    @contextlib.contextmanager
    def _multipart(self, writer: str) -> Iterator[str]:
        """Start an upload in parts, and abort it after an error, so that no part remains in the store."""
        upload_id: str = self.client.create_multipart_upload(
            **self.place, ChecksumAlgorithm="SHA256", Metadata={"writer": writer}
        )["UploadId"]
        try:
            yield upload_id
        except BaseException:
            # `delete_partial` later aborts an upload that cannot be aborted now.
            with contextlib.suppress(ClientError, BotoCoreError):
                self.client.abort_multipart_upload(**self.place, UploadId=upload_id)
            raise

    def _condition(self) -> dict[str, str]:
        return {"IfNoneMatch": "*"} if self.is_conditional else {}

    def _is_own(self, error: ClientError, writer: str) -> bool:
        """Return whether an earlier request of this writer succeeded although its response was lost."""
        # After a lost response, the upload ID of a completed upload is unknown to the store (404).
        if status_of(error) not in (PRECONDITION_FAILED, CONFLICT, 404):
            return False
        head = self._head()
        return head is not None and head.get("Metadata", {}).get("writer") == writer

    def _head(self) -> dict[str, Any] | None:
        try:
            head: dict[str, Any] = self.client.head_object(**self.place)
        except ClientError as error:
            if status_of(error) == 404:
                return None
            raise
        return head

    def _exists(self) -> Conflict:
        return Conflict(
            f"The blob {self.place['Key']!r} already exists, and blobs are never overwritten. "
            "Use another key."
        )


@dataclass(frozen=True)
class _PartSender:
    """An uploader for the parts of one file."""

    client: Any
    place: dict[str, str]
    upload_id: str
    path: Path
    part_bytes: int

    def send(self, number: int) -> dict[str, Any]:
        """Send a part and return its entry for the completion request. Part numbers start at 1."""
        with self.path.open("rb") as file:
            file.seek((number - 1) * self.part_bytes)
            data = file.read(self.part_bytes)
        checksum = _checksum(data)
        response = self.client.upload_part(
            **self.place, UploadId=self.upload_id, PartNumber=number, Body=data, ChecksumSHA256=checksum
        )
        return {"PartNumber": number, "ETag": response["ETag"], "ChecksumSHA256": checksum}


def _checksum(data: bytes) -> str:
    """Return the SHA-256 that the store uses to verify the uploaded data."""
    return base64.b64encode(hashlib.sha256(data).digest()).decode()
