"""Upload of files in parts. After a broken connection, only the missing parts are sent."""

from __future__ import annotations

import base64
import hashlib
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from understudy.client.api import CHUNK_BYTES, Client
from understudy.errors import Conflict, InvalidInput, TooManyRequests, Unavailable, UnderstudyError
from understudy.progress import Progress

Json = dict[str, Any]
T = TypeVar("T")

PAUSE_SECONDS = 0.5
PAUSE_SECONDS_MAX = 30.0
# Maximum number of consecutive failed attempts, which together take about four minutes.
TRIES_MAX = 12
PAGE_LIMIT = 200
# Error codes of an `ingest` job for errors that the files do not cause.
NOT_THE_FILES = frozenset(
    {
        *("out_of_memory", "time_limit", "file_size_limit", "worker_crashed", "cancelled", "expired"),
        *("internal_error", "unavailable", "storage_full", "not_found", "incomplete_upload"),
    }
)


def _pause_seconds_max(n_failures: int) -> float:
    return min(PAUSE_SECONDS * float(2**n_failures), PAUSE_SECONDS_MAX)


@dataclass(frozen=True)
class Pauses:
    """Pauses between attempts: exponential backoff with random jitter.

    Parameters
    ----------
    sleep : callable
        Function that waits for the given number of seconds.
    on_first : callable
        Function that is called after the first failure with the maximum time of all retries, in seconds.
    """

    sleep: Callable[[float], None] = time.sleep
    tries_max: int = TRIES_MAX
    rng: random.Random = field(default_factory=random.Random)
    on_first: Callable[[float], None] = lambda _: None

    def before(self, n_failures: int) -> None:
        """Wait before the next attempt. The wait grows with the number of consecutive failed attempts."""
        if n_failures == 1:
            self.on_first(sum(map(_pause_seconds_max, range(1, self.tries_max))))
        self.sleep(_pause_seconds_max(n_failures) * self.rng.uniform(0.5, 1))


class Sender:
    """A sender of files, which uploads the files as one dataset and waits until the dataset is ingested.

    Parameters
    ----------
    name : str, optional
        Name of the dataset.
    format : str, optional
        Format of all files.
    part_bytes : int, optional
        Preferred size of a part. The service may choose another size.
    """

    def __init__(
        self,
        client: Client,
        *,
        name: str | None = None,
        format: str | None = None,  # noqa: A002 - the glossary's word
        part_bytes: int | None = None,
        pauses: Pauses | None = None,
    ) -> None:
        self.client = client
        self.options = {"name": name, "format": format, "part_bytes": part_bytes}
        self.pauses = pauses or Pauses()

    def send(self, files: Sequence[Path], progress: Progress) -> Json:
        """Send the files and return the dataset when it is ready.

        An unfinished upload of the same files, by this process or an earlier one, is resumed.

        Raises
        ------
        UnderstudyError
            If the API refuses a request, or the files cannot be read as tables.
        Unavailable
            If the API does not respond for several minutes.
        """
        descriptions = [_describe(path, progress) for path in files]
        upload = self._open(descriptions)
        completed = self._complete(upload, files, progress)
        self._wait(completed["job"]["id"], progress)
        return self._retry(lambda: self.client.get(f"/v1/datasets/{completed['dataset']['id']}"))

    def _complete(self, upload: Json, files: Sequence[Path], progress: Progress) -> Json:
        """Send the missing parts and complete the upload. Repeat both steps if the store has lost a part."""
        self.send_parts(upload, files, progress)
        path = f"/v1/uploads/{upload['id']}/complete"
        try:
            return self._retry(lambda: self.client.request("POST", path))
        except Conflict as error:
            if error.code != "incomplete_upload":
                raise
        self.send_parts(upload, files, progress)
        return self._retry(lambda: self.client.request("POST", path))

    def _wait(self, job_id: str, progress: Progress) -> None:
        try:
            self._retry(lambda: self.client.wait(job_id, progress))
        except UnderstudyError as error:
            if type(error) is not UnderstudyError or error.code in NOT_THE_FILES:
                raise
            raise InvalidInput(error.detail, code=error.code) from error

    def _open(self, descriptions: list[Json]) -> Json:
        """Return the open upload of these files, or create an upload."""
        earlier: list[Json] = self._retry(lambda: self.client.get(f"/v1/uploads?limit={PAGE_LIMIT}"))["data"]
        for upload in earlier:
            if self._is_same(upload, descriptions):
                return upload
        options = {key: option for key, option in self.options.items() if option is not None}
        body = {"files": descriptions, **options}
        # All attempts use the same key, so a lost response does not cause a second upload.
        headers = {"Idempotency-Key": f"upload-{random.SystemRandom().getrandbits(128):032x}"}
        return self._retry(lambda: self.client.request("POST", "/v1/uploads", json=body, headers=headers))

    def _is_same(self, upload: Json, descriptions: list[Json]) -> bool:
        has_same_files = [
            {key: file.get(key) for key in ("filename", "size_bytes", "sha256")} for file in upload["files"]
        ] == descriptions
        name, format_ = self.options["name"], self.options["format"]
        return (
            upload["state"] == "open"
            and has_same_files
            and (name is None or upload["name"] == name)
            and (format_ is None or all(file["format"] == format_ for file in upload["files"]))
        )

    def send_parts(self, upload: Json, files: Sequence[Path], progress: Progress) -> None:
        """Send the missing parts of an upload until none is missing."""
        n_failures = 0
        while missing := self._missing(upload):
            try:
                for n_left, number in zip(reversed(range(len(missing))), missing, strict=True):
                    self._send_part(upload, files, number)
                    n_failures = 0
                    progress("sending", 1 - n_left / upload["n_parts"])
            except UnderstudyError as error:
                n_failures += 1
                # A part that was corrupted in transit is sent again.
                is_transient = _is_transient(error) or error.code == "digest_mismatch"
                if not is_transient or n_failures == self.pauses.tries_max:
                    raise
                self.pauses.before(n_failures)

    def _missing(self, upload: Json) -> list[int]:
        current = self._retry(lambda: self.client.get(f"/v1/uploads/{upload['id']}"))
        received = {part["number"] for part in current.get("parts", [])}
        return [number for number in range(1, upload["n_parts"] + 1) if number not in received]

    def _send_part(self, upload: Json, files: Sequence[Path], number: int) -> None:
        place, plan = next(
            (place, file)
            for place, file in enumerate(upload["files"])
            if number < file["first_part"] + file["n_parts"]
        )
        start = (number - plan["first_part"]) * upload["part_bytes"]
        length = min(upload["part_bytes"], plan["size_bytes"] - start)
        digest = hashlib.sha256()
        for piece in _read(files[place], start, length):
            digest.update(piece)
        headers = {
            "Content-Digest": f"sha-256=:{base64.b64encode(digest.digest()).decode()}:",
            "Content-Type": "application/octet-stream",
            "Content-Length": str(length),
        }
        path = f"/v1/uploads/{upload['id']}/parts/{number}"
        self.client.request("PUT", path, content=_read(files[place], start, length), headers=headers)

    def _retry(self, call: Callable[[], T]) -> T:
        """Return the result of an idempotent call, and repeat the call while the API does not respond."""
        for n_failures in range(1, self.pauses.tries_max):
            try:
                return call()
            except UnderstudyError as error:
                if not _is_transient(error):
                    raise
            self.pauses.before(n_failures)
        return call()


def _is_transient(error: UnderstudyError) -> bool:
    if isinstance(error, Conflict):
        return error.code == "idempotency_in_progress"
    # A full disk also raises Unavailable, and space may become free.
    return isinstance(error, Unavailable | TooManyRequests) and error.code != "too_many_uploads"


def _describe(path: Path, progress: Progress) -> Json:
    size_bytes = path.stat().st_size
    if size_bytes == 0:
        raise InvalidInput(f"{path} is empty. Upload a file with rows.", code="empty_file")
    digest = hashlib.sha256()
    n_bytes = 0
    for piece in _read(path, 0, size_bytes):
        digest.update(piece)
        n_bytes += len(piece)
        progress("checking", n_bytes / size_bytes)
    return {"filename": path.name, "size_bytes": size_bytes, "sha256": digest.hexdigest()}


def _read(path: Path, start: int, length: int) -> Iterator[bytes]:
    """Yield a range of a file in chunks. Raise `InvalidInput` if the file has become too short."""
    with path.open("rb") as file:
        file.seek(start)
        while length:
            piece = file.read(min(length, CHUNK_BYTES))
            if not piece:
                raise InvalidInput(
                    f"{path} became shorter during the upload. Upload it again once it no longer changes.",
                    code="incomplete_body",
                )
            length -= len(piece)
            yield piece
