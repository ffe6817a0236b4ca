"""Upload files in parts and resume after a broken connection: parts that have arrived are not sent again."""

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
# In a row, without any progress: some four minutes.
TRIES_MAX = 12
PAGE_LIMIT = 200
# How an `ingest` may end without a fault of the files.
NOT_THE_FILES = frozenset(
    {
        *("out_of_memory", "time_limit", "file_size_limit", "worker_crashed", "cancelled", "expired"),
        *("internal_error", "unavailable", "storage_full", "not_found", "incomplete_upload"),
    }
)


def _longest(n_failures: int) -> float:
    return min(PAUSE_SECONDS * float(2**n_failures), PAUSE_SECONDS_MAX)


@dataclass(frozen=True)
class Pauses:
    """How long to wait between tries: twice as long each time, less a random part.

    Parameters
    ----------
    sleep : callable
        Waits some seconds.
    on_first : callable
        Is told after the first failure for at most how many seconds tries are repeated.
    """

    sleep: Callable[[float], None] = time.sleep
    tries_max: int = TRIES_MAX
    rng: random.Random = field(default_factory=random.Random)
    on_first: Callable[[float], None] = lambda _: None

    def before(self, n_failures: int) -> None:
        """Wait before the next try after so many that failed."""
        if n_failures == 1:
            self.on_first(sum(map(_longest, range(1, self.tries_max))))
        self.sleep(_longest(n_failures) * self.rng.uniform(0.5, 1))


class Sender:
    """Sends files as one upload and waits until they are read.

    Parameters
    ----------
    name, format : str, optional
        Of the dataset; of all files.
    part_bytes : int, optional
        A wish.
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
        self.wishes = {"name": name, "format": format, "part_bytes": part_bytes}
        self.pauses = pauses or Pauses()

    def send(self, files: Sequence[Path], progress: Progress) -> Json:
        """Return the dataset when it is ready.

        An upload of the same files that was broken off earlier, by this command or another, is gone on with.

        Raises
        ------
        UnderstudyError
            As the API says, or if the files cannot be read as tables.
        Unavailable
            If the API does not answer for minutes.
        """
        told = [_describe(path, progress) for path in files]
        upload = self._open(told)
        done = self._complete(upload, files, progress)
        self._wait(done["job"]["id"], progress)
        return self._insist(lambda: self.client.get(f"/v1/datasets/{done['dataset']['id']}"))

    def _complete(self, upload: Json, files: Sequence[Path], progress: Progress) -> Json:
        """Send what is missing and complete the upload; once more, if the store has lost a part."""
        self.send_parts(upload, files, progress)
        path = f"/v1/uploads/{upload['id']}/complete"
        try:
            return self._insist(lambda: self.client.ask("POST", path))
        except Conflict as error:
            if error.code != "incomplete_upload":
                raise
        self.send_parts(upload, files, progress)
        return self._insist(lambda: self.client.ask("POST", path))

    def _wait(self, job_id: str, progress: Progress) -> None:
        try:
            self._insist(lambda: self.client.wait(job_id, progress))
        except UnderstudyError as error:
            if type(error) is not UnderstudyError or error.code in NOT_THE_FILES:
                raise
            raise InvalidInput(error.detail, code=error.code) from error

    def _open(self, told: list[Json]) -> Json:
        """Return the upload of these files that is open already, or a new one."""
        earlier: list[Json] = self._insist(lambda: self.client.get(f"/v1/uploads?limit={PAGE_LIMIT}"))["data"]
        for upload in earlier:
            if self._is_ours(upload, told):
                return upload
        body = {"files": told, **{key: wish for key, wish in self.wishes.items() if wish is not None}}
        # One key for all tries: an answer that got lost leaves no second upload.
        headers = {"Idempotency-Key": f"upload-{random.SystemRandom().getrandbits(128):032x}"}
        return self._insist(lambda: self.client.ask("POST", "/v1/uploads", json=body, headers=headers))

    def _is_ours(self, upload: Json, told: list[Json]) -> bool:
        is_same = [
            {key: file.get(key) for key in ("filename", "size_bytes", "sha256")} for file in upload["files"]
        ] == told
        name, format_ = self.wishes["name"], self.wishes["format"]
        return (
            upload["state"] == "open"
            and is_same
            and (name is None or upload["name"] == name)
            and (format_ is None or all(file["format"] == format_ for file in upload["files"]))
        )

    def send_parts(self, upload: Json, files: Sequence[Path], progress: Progress) -> None:
        """Send what is missing of an upload, until nothing is."""
        n_failures = 0
        while missing := self._missing(upload):
            try:
                for n_left, number in zip(reversed(range(len(missing))), missing, strict=True):
                    self._send_part(upload, files, number)
                    n_failures = 0
                    progress("sending", 1 - n_left / upload["n_parts"])
            except UnderstudyError as error:
                n_failures += 1
                # A part that was damaged on its way is sent again.
                may_pass = _may_pass(error) or error.code == "digest_mismatch"
                if not may_pass or n_failures == self.pauses.tries_max:
                    raise
                self.pauses.before(n_failures)

    def _missing(self, upload: Json) -> list[int]:
        now = self._insist(lambda: self.client.get(f"/v1/uploads/{upload['id']}"))
        there = {part["number"] for part in now.get("parts", [])}
        return [number for number in range(1, upload["n_parts"] + 1) if number not in there]

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
        self.client.ask("PUT", path, content=_read(files[place], start, length), headers=headers)

    def _insist(self, call: Callable[[], T]) -> T:
        """Return what a call does that may be repeated, again and again while the API does not answer."""
        for n_failures in range(1, self.pauses.tries_max):
            try:
                return call()
            except UnderstudyError as error:
                if not _may_pass(error):
                    raise
            self.pauses.before(n_failures)
        return call()


def _may_pass(error: UnderstudyError) -> bool:
    if isinstance(error, Conflict):
        return error.code == "idempotency_in_progress"
    # A full disk is Unavailable too, and may be emptied.
    return isinstance(error, Unavailable | TooManyRequests) and error.code != "too_many_uploads"


def _describe(path: Path, progress: Progress) -> Json:
    size_bytes = path.stat().st_size
    if size_bytes == 0:
        raise InvalidInput(f"{path} holds no bytes.", code="empty_file")
    digest = hashlib.sha256()
    n_bytes = 0
    for piece in _read(path, 0, size_bytes):
        digest.update(piece)
        n_bytes += len(piece)
        progress("checking", n_bytes / size_bytes)
    return {"filename": path.name, "size_bytes": size_bytes, "sha256": digest.hexdigest()}


def _read(path: Path, start: int, length: int) -> Iterator[bytes]:
    """Yield bytes of a file, which must be as long as it was."""
    with path.open("rb") as file:
        file.seek(start)
        while length:
            piece = file.read(min(length, CHUNK_BYTES))
            if not piece:
                raise InvalidInput(f"{path} became shorter while it was sent.", code="incomplete_body")
            length -= len(piece)
            yield piece
