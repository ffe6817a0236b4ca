"""State of a download that continues after a lost connection."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from understudy_client.calls import Call
from understudy_client.errors import ContentChanged

SHA256_ETAG = re.compile(r'"([0-9a-f]{64})"')


class Download:
    """A download of one file, which can take several requests.

    After a lost connection, the rest of a stored Parquet file is requested with `Range`. A file that the
    service converts is sent again from its start, and the bytes that have already arrived are skipped. Files
    with equal strong ETags have equal bytes.
    """

    def __init__(self, call: Call[Any]) -> None:
        self._call = call
        self._etag: str | None = None
        self._n_bytes = 0
        self._n_to_skip = 0
        self._digest = hashlib.sha256()

    def next_call(self) -> Call[Any]:
        """Return the request for the bytes that are missing."""
        headers: dict[str, str | None] = {"Accept-Encoding": "identity"}
        if self._n_bytes and self._etag:
            headers |= {"Range": f"bytes={self._n_bytes}-", "If-Range": self._etag}
        return self._call.with_headers(**headers)

    def begin(self, status: int, headers: Mapping[str, str]) -> None:
        """Process the headers of a response.

        Raises
        ------
        ContentChanged
            If the file has changed since its first bytes arrived.
        """
        etag = headers.get("ETag")
        if self._n_bytes and (etag is None or etag != self._etag):
            raise ContentChanged(f"{self._call.path} changed during the download. Download it again.")
        self._etag = etag
        self._n_to_skip = 0 if status == 206 else self._n_bytes

    def take(self, chunk: bytes) -> bytes:
        """Return the new bytes of a chunk."""
        n_skipped = min(self._n_to_skip, len(chunk))
        self._n_to_skip -= n_skipped
        new = chunk[n_skipped:]
        self._n_bytes += len(new)
        self._digest.update(new)
        return new

    def finish(self) -> None:
        """Check the SHA-256 of the file, which is the ETag of a stored file.

        Raises
        ------
        ContentChanged
            If the received bytes do not match the checksum of the file.
        """
        match = SHA256_ETAG.fullmatch(self._etag or "")
        if match is not None and match[1] != self._digest.hexdigest():
            raise ContentChanged(
                f"The bytes of {self._call.path} do not match their checksum. Download it again."
            )


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a file that gets its name only when it is complete."""
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial")
    try:
        with partial.open("xb") as output:
            yield output
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
