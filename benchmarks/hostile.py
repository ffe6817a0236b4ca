"""Every hostile file of the tests, sent to a running service: ``python -m benchmarks.hostile``.

Each must end in its code, at once or in its `ingest` job. Shown are those that do not, the wall time of the
set, and the most memory that the API's process took meanwhile.
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
    """Send all and print."""
    base = Path(tempfile.mkdtemp(prefix="us-", dir="/var/tmp"))
    base.chmod(0o755)
    try:
        with running_stack(base / "data") as stack, Peak(api_process(stack)) as peak:
            began = time.monotonic()
            wrong = [told for broken in BROKEN_FILES if (told := _send(stack.client, broken))]
            seconds = time.monotonic() - began
        n_right = len(BROKEN_FILES) - len(wrong)
        print("\n".join(wrong))
        print(f"{n_right} of {len(BROKEN_FILES)} as expected in {seconds:.0f} s")
        print(f"API at most {peak.rss / MEGABYTE:.0f} MB")
    finally:
        shutil.rmtree(base, ignore_errors=True)


def _send(client: httpx2.Client, broken: BrokenFile) -> str | None:
    """Return what is not as expected."""
    answer = client.post(
        "/v1/datasets",
        params={"name": "x", "format": broken.format_name},
        content=broken.make(),
        headers={"Content-Type": "application/octet-stream"},
    )
    code = answer.json().get("code")
    if answer.status_code == 202:
        job = f"/v1/jobs/{answer.json()['job']['id']}"
        while (state := client.get(job, headers={"Prefer": "wait=60"}).json())["state"] in _UNFINISHED:
            pass
        code = state.get("error", {}).get("code")
    if code == broken.code:
        return None
    return f"{broken.format_name}: {broken.name}: {code} and not {broken.code}"


_UNFINISHED = ("queued", "running")


if __name__ == "__main__":
    main()
