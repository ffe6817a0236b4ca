"""A real API process, and a client that repeats its requests as the documentation recommends."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx2

from tests.faults.workers import until

Json = dict[str, Any]

# Status codes after which a client repeats its request.
REPEATED = {429, 503, 507}
REQUEST_SECONDS_MAX = 15.0
# On a busy machine, each start of a killed API can take more than a minute. This time is enough for several
# starts.
PATIENCE_SECONDS = 600.0
PAUSE_SECONDS = 0.1


def free_port() -> int:
    """Return a port that is currently free on the loopback address."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


class ApiProcess:
    """A uvicorn process, which can be killed, frozen and started again on the same port."""

    def __init__(self, environment: Mapping[str, str], log: Path) -> None:
        self.port = free_port()
        self._environment = {**os.environ, **environment}
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process ID of the current process."""
        assert self._process is not None
        return self._process.pid

    def launch(self) -> None:
        """Start the process, but do not wait until it responds."""
        command = [sys.executable, "-P", "-m", "uvicorn", "app.main:create_app", "--factory"]
        command += ["--host", "127.0.0.1", "--port", str(self.port), "--no-access-log"]
        command += ["--http", "app.protocol:TimedProtocol", "--timeout-graceful-shutdown", "2"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C in the terminal must not reach the process. The same applies to workers.
                start_new_session=True,
            )

    def start(self) -> None:
        """Start the process and wait until it responds."""
        self.launch()
        until(lambda: self.is_live() or not self.is_running(), "the API responds")
        assert self.is_running(), self._log.read_text()[-2000:]

    def is_running(self) -> bool:
        """Return whether the process is running."""
        return self._process is not None and self._process.poll() is None

    def is_live(self) -> bool:
        """Return whether the process responds to requests."""
        try:
            return httpx2.get(f"http://127.0.0.1:{self.port}/healthz", timeout=2).status_code == 200
        except httpx2.TransportError:
            return False

    def kill(self) -> None:
        """Kill the process."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self) -> int:
        """Tell the process to stop, and return its exit status."""
        assert self._process is not None
        self._process.terminate()
        until(lambda: not self.is_running(), "the API ends")
        return self._process.wait()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)


class Refused(Exception):
    """A response with a status of 4xx, other than 429."""

    def __init__(self, status: int, body: Json) -> None:
        super().__init__(f"{status} {body.get('code')}")
        self.status = status
        self.code = body.get("code")


class Client:
    """A client that repeats each request with the same idempotency key until it gets a response.

    `violations` lists the responses that must not occur, whatever the fault. `last_error` describes why the
    last request without a response failed.
    """

    def __init__(self, url: str, key: str) -> None:
        self.statuses: Counter[int] = Counter()
        self.violations: list[str] = []
        self.last_error = ""
        # The clock that measures the time limits.
        self.now: Callable[[], float] = time.monotonic
        # A request that has no response after this time is a violation.
        self.patience = PATIENCE_SECONDS
        self._http = httpx2.Client(
            base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=REQUEST_SECONDS_MAX
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    # The options are arguments of httpx2, so their type is `Any`.
    def once(self, method: str, path: str, **options: Any) -> httpx2.Response | None:
        """Send a request and return the response, or None if the connection fails or times out."""
        try:
            response = self._http.request(method, path, **options)
        except httpx2.HTTPError as error:
            self.last_error = f"{type(error).__name__} {error}"
            return None
        self._check(method, path, response)
        return response

    def send(
        self,
        method: str,
        path: str,
        *,
        key: str | None = None,
        **options: Any,
    ) -> Json:
        """Send a request until it gets a response, and return the JSON body.

        Raises
        ------
        Refused
            If the response has a status of 4xx.
        """
        headers = dict(options.pop("headers", {}))
        if method == "POST":
            headers["Idempotency-Key"] = key or secrets.token_hex(16)
        began = self.now()
        while self.now() - began < self.patience:
            response = self.once(method, path, headers=headers, **options)
            if response is not None and not self._is_repeated(response):
                body: Json = response.json() if response.content else {}
                if response.is_success:
                    return body
                raise Refused(response.status_code, body)
            time.sleep(PAUSE_SECONDS)
        raise TimeoutError(f"{method} {path} received no response within {self.patience:.0f} s")

    def submit(self, kind: str, *, key: str | None = None, **parameters: Any) -> str:
        """Submit a job and return its ID."""
        job_id: str = self.send("POST", "/v1/jobs", key=key, json={"kind": kind, **parameters})["id"]
        return job_id

    def upload(self, data: bytes, *, key: str | None = None, name: str = "t") -> tuple[str, str]:
        """Upload a CSV file and return the IDs of the dataset and of the job."""
        headers = {"Content-Type": "text/csv"}
        body = self.send("POST", f"/v1/datasets?name={name}", key=key, content=data, headers=headers)
        return body["dataset"]["id"], body["job"]["id"]

    def job(self, job_id: str) -> Json:
        """Return a job."""
        return self.send("GET", f"/v1/jobs/{job_id}")

    def finish(self, *job_ids: str) -> list[Json]:
        """Wait until jobs have ended, and return them."""
        is_ended = {"succeeded", "failed", "cancelled"}
        until(lambda: all(self.job(job_id)["state"] in is_ended for job_id in job_ids), "jobs end")
        return [self.job(job_id) for job_id in job_ids]

    def _is_repeated(self, response: httpx2.Response) -> bool:
        if response.status_code == 409:
            return bool(response.json().get("code") == "idempotency_in_progress")
        return response.status_code in REPEATED or response.status_code >= 500

    def _check(self, method: str, path: str, response: httpx2.Response) -> None:
        """Record a response that is not 2xx, 4xx, 503 with Retry-After, or 507."""
        status = response.status_code
        self.statuses[status] += 1
        is_allowed = status < 500 or status == 507 or (status == 503 and "Retry-After" in response.headers)
        if not is_allowed:
            self.violations.append(f"{method} {path}: {status} {response.text[:200]}")
