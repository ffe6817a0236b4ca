"""Client for the HTTP API, which sends requests, waits for jobs, and uploads and downloads files."""

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
# Maximum time that the API delays its response while a job is running (`Prefer: wait`).
POLL_SECONDS = 1
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
    """An HTTP client for the service.

    Every method raises `UnderstudyError` with the code and the detail of the API's problem, or `Unavailable`
    if the API does not respond.

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
        """Upload a table as a stream and return the dataset and the job that ingests it."""
        size = file.stat().st_size

        def chunks() -> Iterator[bytes]:
            with file.open("rb") as source:
                while chunk := source.read(CHUNK_BYTES):
                    yield chunk
                    progress("sending", source.tell() / size)

        headers = {"Content-Type": media_type, "Content-Length": str(size)}
        return self.request("POST", "/v1/datasets", params={"name": name}, content=chunks(), headers=headers)

    def run(self, parameters: Json, progress: Progress) -> Json:
        """Submit a job and return it when it has succeeded."""
        return self.wait(self.request("POST", "/v1/jobs", json=parameters)["id"], progress)

    def wait(self, job_id: str, progress: Progress) -> Json:
        """Wait until a job succeeds, and return it. Raise the job's error if it fails or is cancelled."""
        while True:
            job = self.get(f"/v1/jobs/{job_id}", headers={"Prefer": f"wait={POLL_SECONDS}"})
            if job["state"] == "succeeded":
                return job
            if job["state"] in ("failed", "cancelled"):
                problem = job.get("error") or {}
                raise _error(UnderstudyError, problem, f"The job {job_id} was {job['state']}.")
            latest = job.get("progress") or {"phase": job["state"], "fraction": 0.0}
            progress(
                latest["phase"],
                latest["fraction"],
                rows_done=latest.get("rows_done"),
                rows_total=latest.get("rows_total"),
            )

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Json:
        """Return a resource."""
        return self.request("GET", path, headers=headers)

    def download(self, path: str, file: Path, *, accept: str = "*/*") -> None:
        """Download a file as a stream. The file gets its name only when it is complete."""
        partial = file.with_name(f".{file.name}.partial")
        with (
            _reachable(),
            # The service may redirect to its object store. The API key is not sent there.
            self._http.stream("GET", path, headers={"Accept": accept}, follow_redirects=True) as response,
            partial.open("wb") as output,
        ):
            if response.is_error:
                response.read()
                raise _problem(response)
            for chunk in response.iter_bytes(CHUNK_BYTES):
                output.write(chunk)
        partial.replace(file)

    def request(self, method: str, path: str, **options: Any) -> Json:  # `Any` is an argument of httpx2.
        """Send a request and return the JSON body of the response."""
        with _reachable():
            response = self._http.request(method, path, **options)
        if response.is_error:
            raise _problem(response)
        body: Json = response.json()
        return body


@contextmanager
def _reachable() -> Iterator[None]:
    try:
        yield
    except httpx2.TransportError as error:
        raise Unavailable(
            f"The API does not respond ({type(error).__name__}). "
            "Check the address, and check that the service is running."
        ) from error


def _problem(response: httpx2.Response) -> UnderstudyError:
    is_problem = response.headers.get("Content-Type", "").startswith("application/problem+json")
    problem: Json = response.json() if is_problem else {}
    class_ = CLASS_OF_STATUS.get(response.status_code, UnderstudyError)
    return _error(class_, problem, f"The API responded with HTTP status {response.status_code}.")


def _error(class_: type[UnderstudyError], problem: Json, fallback: str) -> UnderstudyError:
    code = problem.get("code")
    return class_(problem.get("detail") or fallback, code=code if code in CODES else None)
