"""A client of the HTTP API: ask, wait for jobs, upload and download files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import httpx2

from understudy.errors import (
    CODES,
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    StorageFull,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
    UnderstudyError,
)
from understudy.progress import Progress

Json = dict[str, Any]

CHUNK_BYTES = 1 << 20
# The answer to one look at a job is held back for so long, unless the job ends.
LOOK_SECONDS = 1
TIMEOUT_SECONDS = 120
CONNECT_TIMEOUT_SECONDS = 10

CLASS_OF_STATUS: Mapping[int, type[UnderstudyError]] = {
    400: InvalidInput,
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    413: InvalidInput,
    415: InvalidInput,
    422: InvalidInput,
    429: TooManyRequests,
    502: Unavailable,
    503: Unavailable,
    504: Unavailable,
    507: StorageFull,
}


class Client:
    """An HTTP client of one service.

    Every method raises `UnderstudyError` with the code and the detail of the API's problem, or `Unavailable`
    if the API does not answer.

    Parameters
    ----------
    url : str
        Address of the service, such as ``http://127.0.0.1:8000``.
    key : str
        API key.
    """

    def __init__(self, url: str, key: str) -> None:
        headers = {"Authorization": f"Bearer {key}"}
        timeout = httpx2.Timeout(TIMEOUT_SECONDS, connect=CONNECT_TIMEOUT_SECONDS)
        self._http = httpx2.Client(base_url=url, headers=headers, timeout=timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def upload(self, file: Path, *, name: str, media_type: str, progress: Progress) -> Json:
        """Stream a table up and return the dataset and the job that reads it."""
        size = file.stat().st_size

        def chunks() -> Iterator[bytes]:
            with file.open("rb") as source:
                while chunk := source.read(CHUNK_BYTES):
                    yield chunk
                    progress("sending", source.tell() / size)

        headers = {"Content-Type": media_type, "Content-Length": str(size)}
        return self.ask("POST", "/v1/datasets", params={"name": name}, content=chunks(), headers=headers)

    def run(self, parameters: Json, progress: Progress) -> Json:
        """Ask for a job and return it when it has succeeded."""
        return self.wait(self.ask("POST", "/v1/jobs", json=parameters)["id"], progress)

    def wait(self, job_id: str, progress: Progress) -> Json:
        """Return a job when it has succeeded; raises the job's error if it has not."""
        while True:
            job = self.get(f"/v1/jobs/{job_id}", headers={"Prefer": f"wait={LOOK_SECONDS}"})
            if job["state"] == "succeeded":
                return job
            if job["state"] in ("failed", "cancelled"):
                problem = job.get("error") or {}
                raise _error(UnderstudyError, problem, f"The job {job_id} was {job['state']}.")
            told = job.get("progress") or {"phase": job["state"], "fraction": 0.0}
            progress(
                told["phase"],
                told["fraction"],
                rows_done=told.get("rows_done"),
                rows_total=told.get("rows_total"),
            )

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Json:
        """Return what the API says of a resource."""
        return self.ask("GET", path, headers=headers)

    def download(self, path: str, file: Path, *, accept: str = "*/*") -> None:
        """Stream a file down; it appears under its name when it is complete."""
        partial = file.with_name(f".{file.name}.partial")
        with (
            _reachable(),
            self._http.stream("GET", path, headers={"Accept": accept}) as answer,
            partial.open("wb") as output,
        ):
            if answer.is_error:
                answer.read()
                raise _problem(answer)
            for chunk in answer.iter_bytes(CHUNK_BYTES):
                output.write(chunk)
        partial.replace(file)

    def ask(self, method: str, path: str, **request: Any) -> Json:  # Any: httpx2's own arguments
        """Return what the API answers to a request."""
        with _reachable():
            answer = self._http.request(method, path, **request)
        if answer.is_error:
            raise _problem(answer)
        body: Json = answer.json()
        return body


@contextmanager
def _reachable() -> Iterator[None]:
    try:
        yield
    except httpx2.TransportError as error:
        raise Unavailable(f"The API does not answer ({type(error).__name__}).") from error


def _problem(answer: httpx2.Response) -> UnderstudyError:
    is_problem = answer.headers.get("Content-Type", "").startswith("application/problem+json")
    problem: Json = answer.json() if is_problem else {}
    class_ = CLASS_OF_STATUS.get(answer.status_code, UnderstudyError)
    return _error(class_, problem, f"The API answered {answer.status_code}.")


def _error(class_: type[UnderstudyError], problem: Json, fallback: str) -> UnderstudyError:
    code = problem.get("code")
    return class_(problem.get("detail") or fallback, code=code if code in CODES else None)
