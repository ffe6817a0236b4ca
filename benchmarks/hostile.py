"""Send every hostile file of the tests to a running service: ``python -m benchmarks.hostile``.

Each file must cause the expected error code, either in the response or in its `ingest` job. The output lists
the files with any other outcome, the total wall time, and the peak memory of the API process.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path

import httpx2

from benchmarks.downloads import Peak, api_process
from benchmarks.stack import MEGABYTE, running_stack
from tests.hostile import BROKEN_FILES, BrokenFile


def main() -> None:
    """Send all files and print the results."""
    base = Path(tempfile.mkdtemp(prefix="us-", dir="/var/tmp"))
    base.chmod(0o755)
    try:
        with running_stack(base / "data") as stack, Peak(api_process(stack)) as peak:
            began = time.monotonic()
            failures = [failure for broken in BROKEN_FILES if (failure := _send(stack.client, broken))]
            seconds = time.monotonic() - began
        n_passed = len(BROKEN_FILES) - len(failures)
        print("\n".join(failures))
        print(f"{n_passed} of {len(BROKEN_FILES)} as expected in {seconds:.0f} s")
        print(f"peak memory of the API: {peak.rss / MEGABYTE:.0f} MB")
    finally:
        shutil.rmtree(base, ignore_errors=True)


def _send(client: httpx2.Client, broken: BrokenFile) -> str | None:
    """Send a file and return a description of an unexpected result, or None."""
    response = client.post(
        "/v1/datasets",
        params={"name": "x", "format": broken.format_name},
        content=broken.make(),
        headers={"Content-Type": "application/octet-stream"},
    )
    code = response.json().get("code")
    if response.status_code == 202:
        job = f"/v1/jobs/{response.json()['job']['id']}"
        while (state := client.get(job, headers={"Prefer": "wait=60"}).json())["state"] in _UNFINISHED:
            pass
        code = state.get("error", {}).get("code")
    if code == broken.code:
        return None
    return f"{broken.format_name}: {broken.name}: code {code}, expected {broken.code}"


_UNFINISHED = ("queued", "running")


if __name__ == "__main__":
    main()
