"""Read objects in ranges, so that an interrupted request can be repeated and no connection stays open."""

from __future__ import annotations

import io
import random
import time
from typing import Any

from botocore.exceptions import ClientError

from understudy.storage.s3.errors import BROKEN, translated

WINDOW_BYTES_MIN = 256 << 10
WINDOW_BYTES_MAX = 8 << 20
# Number of times that a range is requested if the connection breaks while its bytes arrive. The client itself
# repeats a request that gets no response.
ATTEMPTS_MAX = 5
PAUSE_SECONDS = 0.2


class ObjectReader:
    """A reader for byte ranges in one version of an object.

    Parameters
    ----------
    client : botocore client
        Client, which several threads may share.
    place : dict
        `Bucket` and `Key` of the object.
    head : dict
        Response to a HEAD request.
    key : str
        Key of the blob, for errors.
    """

    def __init__(self, client: Any, place: dict[str, str], head: dict[str, Any], key: str) -> None:
        # `Any`: botocore creates the class of a client at run time.
        self._client = client
        self._place = place
        self._etag: str = head["ETag"]
        self._key = key
        self.size: int = head["ContentLength"]
        self.content_version = (place["Bucket"], place["Key"], self._etag, self.size)

    def read(self, start: int, end: int) -> bytes:
        """Return the bytes from `start` to `end`, which must be inside the object."""
        for attempt in range(1, ATTEMPTS_MAX + 1):
            try:
                data = self._request(start, end)
            except BROKEN:
                if attempt == ATTEMPTS_MAX:
                    with translated(self._key):
                        raise
            else:
                if len(data) == end - start:
                    return data
            time.sleep(PAUSE_SECONDS * 2**attempt * random.random())  # noqa: S311 - not for secrets
        with translated(self._key):
            raise ConnectionError("A response was too short.")

    def _request(self, start: int, end: int) -> bytes:
        try:
            response = self._client.get_object(
                **self._place, Range=f"bytes={start}-{end - 1}", IfMatch=self._etag
            )
        except ClientError:
            with translated(self._key):
                raise
        data: bytes = response["Body"].read()
        return data


class ObjectFile(io.RawIOBase):
    """A file that contains an object or a range of an object."""

    def __init__(self, reader: ObjectReader, start: int = 0, end: int | None = None) -> None:
        self._reader = reader
        self._start = min(start, reader.size)
        self._end = reader.size if end is None else max(min(end, reader.size), self._start)
        self._position = self._start
        self._window = b""
        self._window_start = self._start
        self._window_bytes = WINDOW_BYTES_MIN

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a position, counted from the start of the range."""
        base = {io.SEEK_SET: self._start, io.SEEK_CUR: self._position, io.SEEK_END: self._end}[whence]
        self._position = max(base + offset, self._start)
        return self.tell()

    def tell(self) -> int:
        """Return the position, counted from the start of the range."""
        return self._position - self._start

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Read bytes into a buffer. At the end of the range, return 0."""
        if self._position >= self._end:
            return 0
        offset = self._position - self._window_start
        if not 0 <= offset < len(self._window):
            self._fill()
            offset = 0
        data = self._window[offset : offset + len(buffer)]
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)

    def _fill(self) -> None:
        """Request the bytes from the position. Sequential reading requests larger ranges each time."""
        is_sequential = self._position == self._window_start + len(self._window) and self._window
        if is_sequential:
            self._window_bytes = min(2 * self._window_bytes, WINDOW_BYTES_MAX)
        else:
            self._window_bytes = WINDOW_BYTES_MIN
        end = min(self._position + self._window_bytes, self._end)
        self._window = self._reader.read(self._position, end)
        self._window_start = self._position


class BufferedObject(io.BufferedReader):
    """An object that is read through a buffer. Equal versions have equal contents."""

    def __init__(self, reader: ObjectReader, start: int = 0, end: int | None = None) -> None:
        super().__init__(ObjectFile(reader, start, end), 64 << 10)
        self.content_version = reader.content_version
