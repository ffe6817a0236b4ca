"""Blobs as objects in a bucket.

Credentials come from the environment or from the role of the machine, as in all tools for Amazon S3. The
sandbox inherits none of them.
"""

from __future__ import annotations

import os
import re
import secrets
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO, cast

import botocore.loaders
import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from understudy.errors import InvalidInput, UnderstudyError
from understudy.logs import get_logger
from understudy.storage.base import RemoteState, StoreAddress, StoreOptions, check_key
from understudy.storage.s3.errors import NOT_IMPLEMENTED, PRECONDITION_FAILED, status_of, translated
from understudy.storage.s3.inspection import Place, inspect
from understudy.storage.s3.reading import BufferedObject, ObjectReader
from understudy.storage.s3.writing import ObjectWriter

DEFAULT_REGION = "us-east-1"
CONNECT_SECONDS = 3
READ_SECONDS = 15
# Number of times that a request is sent before its call fails, because the store does not respond or limits
# the rate.
ATTEMPTS_MAX = 5
# Timeout of a check in seconds. It is short because health requests wait for the check.
CHECK_SECONDS = 2
# Time during which a successful check is not repeated. Workers check the store before each job.
CHECKED_SECONDS = 10.0
CHECK_NAME = ".writable"
PREFIX_LENGTH_MAX = 256
COPY_BYTES = 8 << 20
COPY_THREADS = 4

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")

# All stores share this loader because it caches the S3 service model, which is large.
_LOADER = botocore.loaders.create_loader()

logger = get_logger(__name__)


class S3Store:
    """A store in a bucket, which any number of machines may share.

    The constructor sends no request.

    Raises
    ------
    UnderstudyError
        With the code `configuration`, if the address or a setting is invalid.
    """

    def __init__(self, address: StoreAddress) -> None:
        prefix = address.path.strip("/")
        if not _BUCKET.fullmatch(address.host) or len(prefix) > PREFIX_LENGTH_MAX:
            raise UnderstudyError(
                "UNDERSTUDY_STORAGE_URL is not the URL of a bucket. Write it as s3://bucket/prefix, with a "
                f"prefix of at most {PREFIX_LENGTH_MAX} characters.",
                code="configuration",
            )
        self._bucket = address.host
        self._prefix = f"{prefix}/" if prefix else ""
        # A process that forks opens its store after the fork, so no connection is shared.
        session = botocore.session.get_session()
        session.register_component("data_loader", _LOADER)
        self._client = _make_client(session, address.options, READ_SECONDS, ATTEMPTS_MAX)
        self._check_client = _make_client(session, address.options, CHECK_SECONDS, 1)
        self._session = session
        self._lock = threading.Lock()
        self._checked_at: float | None = None
        self._is_conditional: bool | None = None

    def put_file(self, key: str, path: Path) -> None:
        """Move a file into the store under the key."""
        place = self._place(key)
        with translated():
            ObjectWriter(self._client, place, self._enforces_conditions()).write(path)
        path.unlink()

    def open(self, key: str) -> BinaryIO:
        """Open a blob for reading."""
        return cast(BinaryIO, BufferedObject(self._reader(key)))

    def open_range(self, key: str, start: int, end: int) -> BinaryIO:
        """Open a range of a blob for reading."""
        return cast(BinaryIO, BufferedObject(self._reader(key), start, end))

    def size(self, key: str) -> int:
        """Return the size of a blob in bytes."""
        return self._reader(key).size

    @contextmanager
    def local_copy(self, key: str, scratch: Path) -> Iterator[Path]:
        """Copy the blob to a file in `scratch` and yield its path."""
        reader = self._reader(key)
        # A job can read the same blob twice, for example if a dataset is compared with itself.
        path = scratch / f"{secrets.token_hex(8)}-{key.replace('/', '-')}"
        try:
            _copy(reader, path)
            yield path
        finally:
            path.unlink(missing_ok=True)

    def delete(self, key: str) -> None:
        """Delete a blob."""
        with translated():
            self._client.delete_object(**self._place(key))

    def delete_partial(self, prefix: str, age: timedelta) -> None:
        """Abort the multipart uploads under the prefix that are older than `age`."""
        started_before = datetime.now(UTC) - age
        with translated():
            pages = self._client.get_paginator("list_multipart_uploads").paginate(
                Bucket=self._bucket, Prefix=self._prefix + prefix
            )
            for page in pages:
                for upload in page.get("Uploads", []):
                    if upload["Initiated"] <= started_before:
                        self._abort(upload["Key"], upload["UploadId"])

    def keys(self, prefix: str, *, after: str = "") -> Iterator[str]:
        """Yield the keys that begin with the prefix, in ascending order. Each page has up to 1,000 keys."""
        options: dict[str, str] = {"Bucket": self._bucket, "Prefix": self._prefix + prefix}
        start = self._prefix + after if after else ""
        while True:
            with translated():
                page = self._client.list_objects_v2(**options, **({"StartAfter": start} if start else {}))
            names = [entry["Key"] for entry in page.get("Contents", [])]
            for name in names:
                key = name.removeprefix(self._prefix)
                if _is_key(key):
                    yield key
            if not page.get("IsTruncated") or not names:
                return
            start = names[-1]

    def check_writable(self) -> None:
        """Write a small object. A successful check is valid for some seconds."""
        with self._lock:
            now = time.monotonic()
            if self._checked_at is not None and now < self._checked_at + CHECKED_SECONDS:
                return
            with translated():
                self._put_check(self._check_client)
            self._checked_at = now

    def inspect(self) -> RemoteState:
        """Write, read and delete an object, and return the state of the store."""
        place = Place(self._client, self._bucket, self._prefix)
        return inspect(place, self._session.get_credentials(), self._enforces_conditions)

    def presigned_url(self, key: str, *, filename: str, seconds: int) -> str:
        """Return a presigned URL, from which a blob can be downloaded without credentials."""
        with translated():
            url: str = self._client.generate_presigned_url(
                "get_object",
                Params={
                    **self._place(key),
                    "ResponseContentDisposition": f'attachment; filename="{filename}"',
                },
                ExpiresIn=seconds,
            )
        return url

    def _place(self, key: str) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": self._prefix + check_key(key)}

    def _reader(self, key: str) -> ObjectReader:
        place = self._place(key)
        with translated(key):
            head = self._client.head_object(**place)
        return ObjectReader(self._client, place, head, key)

    def _abort(self, name: str, upload_id: str) -> None:
        try:
            self._client.abort_multipart_upload(Bucket=self._bucket, Key=name, UploadId=upload_id)
        except ClientError as error:
            # The upload has been completed or aborted in the meantime.
            if status_of(error) != 404:
                raise

    def _put_check(self, client: Any, **condition: str) -> None:
        client.put_object(Bucket=self._bucket, Key=self._prefix + CHECK_NAME, Body=b"understudy", **condition)

    def _enforces_conditions(self) -> bool:
        """Return whether the store rejects a conditional request for an existing object.

        The first call determines the answer. A store that does not enforce the condition would overwrite
        blobs silently.
        """
        with self._lock:
            if self._is_conditional is None:
                self._put_check(self._client)
                self._is_conditional = self._rejects_existing()
                if not self._is_conditional:
                    logger.warning("store_without_conditional_writes")
                self._warn_about_versions()
            return self._is_conditional

    def _rejects_existing(self) -> bool:
        try:
            self._put_check(self._client, IfNoneMatch="*")
        except ClientError as error:
            if status_of(error) == PRECONDITION_FAILED:
                return True
            if status_of(error) == NOT_IMPLEMENTED:
                return False
            raise
        return False

    def _warn_about_versions(self) -> None:
        """Log a warning if the bucket keeps the bytes of deleted blobs."""
        try:
            versioning = self._client.get_bucket_versioning(Bucket=self._bucket)
        except (ClientError, BotoCoreError):
            # The credentials may lack the permission, which the store does not need otherwise.
            return
        if versioning.get("Status") == "Enabled":
            logger.warning("store_keeps_deleted_versions")


def _is_key(text: str) -> bool:
    try:
        check_key(text)
    except InvalidInput:
        # Another program wrote the object, or `check_writable` did.
        return False
    return True


def _copy(reader: ObjectReader, path: Path) -> None:
    """Write an object to a file, with several requests at a time."""
    with path.open("xb") as file:
        descriptor = file.fileno()

        def copy(start: int) -> None:
            data = reader.read(start, min(start + COPY_BYTES, reader.size))
            os.pwrite(descriptor, data, start)

        with ThreadPoolExecutor(COPY_THREADS, thread_name_prefix="store-copy") as pool:
            for _ in pool.map(copy, range(0, reader.size, COPY_BYTES)):
                pass


def _make_client(session: Any, options: StoreOptions, read_seconds: int, attempts_max: int) -> Any:
    # `Any`: botocore is untyped, and creates the class of a client at run time.
    style = "path" if options.is_path_style else "auto"
    try:
        return session.create_client(
            "s3",
            endpoint_url=options.endpoint_url,
            region_name=options.region or os.environ.get("AWS_REGION") or DEFAULT_REGION,
            config=Config(
                signature_version="s3v4",
                s3={"addressing_style": style},
                connect_timeout=CONNECT_SECONDS,
                read_timeout=read_seconds,
                retries={"mode": "standard", "total_max_attempts": attempts_max},
                max_pool_connections=32,
                tcp_keepalive=True,
                # Other stores reject checksums that they do not implement. Write requests send a SHA-256
                # checksum of their own.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )
    except (BotoCoreError, ValueError) as error:
        raise UnderstudyError(
            f"The client of the object store cannot be created ({type(error).__name__}). Check the "
            "UNDERSTUDY_S3 settings and the AWS variables.",
            code="configuration",
        ) from error
