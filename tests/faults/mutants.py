"""Check the fault tests with mutants: changes that break the protocol and must be detected.

    make mutants
    python -m tests.faults.mutants --seeds 1 2 3 --only "no token"

Each mutant is applied to a temporary copy of the tree, and the copy runs the soak with the faults at the
steps of the protocol (``--faults protocol``), once for each seed. A mutant must be caught within 90 s with
every seed. A harmless mutant, which only wastes work, must not be caught.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
CATCH_SECONDS_MAX = 90
# Duration of the faults in a soak, in minutes.
SOAK_MINUTES = 1.5


@dataclass(frozen=True)
class Change:
    """A replacement in a file. The pattern must match exactly `n` times."""

    path: str
    pattern: str
    replacement: str
    n: int = 1


@dataclass(frozen=True)
class Mutant:
    """A named set of changes to the product."""

    name: str
    changes: tuple[Change, ...]
    is_harmless: bool = False


LEASES = "understudy/db/leases.py"
JOB_RUNS = "understudy/services/job_runs.py"
ATTEMPTS = "understudy/services/attempts.py"
RESULTS = "understudy/services/results.py"
HEARTBEATS = "understudy/services/heartbeats.py"
NO_TOKEN = Change(LEASES, r"Job\.id == job_id, Job\.lease_token == token, ", "Job.id == job_id, ", n=2)
NO_SELF_FENCING = Change(
    HEARTBEATS,
    r"return self\._is_fenced or .*\n",
    "return False and lease_seconds > 0\n",
)
# A file is stored only after the transaction, which therefore refers to a file that does not exist yet.
LATE_BLOBS = (
    Change(RESULTS, r"    store\.put_file\(key, path\)\n", "    LATE.append((store, key, path))\n"),
    Change(
        RESULTS,
        r"logger = get_logger\(__name__\)\n",
        "logger = get_logger(__name__)\nLATE: list = []\n\n\n"
        "def store_late() -> None:\n    while LATE:\n        store, key, path = LATE.pop()\n"
        "        store.put_file(key, path)\n",
    ),
    Change(
        JOB_RUNS,
        r"    is_written = settle_result\(attempt, outcome, write\)\n",
        "    is_written = settle_result(attempt, outcome, write)\n"
        "    from understudy.services.results import store_late\n    store_late()\n",
    ),
)
IN_PLACE = (
    # All attempts of a job write to the same key, and a later file replaces an earlier one.
    Change(
        RESULTS,
        r"attempt\.project_id, attempt\.job_id, attempt\.token, role",
        "attempt.project_id, attempt.job_id, 1, role",
    ),
    Change(
        "understudy/storage/local.py",
        r"                os\.link\(source, target\)\n",
        "                target.unlink(missing_ok=True)\n                os.link(source, target)\n",
    ),
)
LATE_EVENT = (
    Change(LEASES, r"        job_events\.add\(session, job, \"succeeded\"\)\n", "        pass\n"),
    Change(
        ATTEMPTS,
        r"            logger\.info\(\"job_ended\" if",
        '            if step == "finish" and is_written:\n'
        "                from understudy.db import job_events\n"
        "                with attempt.resources.sessions.begin() as session:\n"
        "                    row = session.get(type(attempt.job), attempt.job.id)\n"
        '                    job_events.add(session, row, "succeeded")\n'
        '            logger.info("job_ended" if',
    ),
)
MUTANTS = (
    Mutant("no token", (NO_TOKEN,)),
    Mutant("no token, no self-fencing", (NO_TOKEN, NO_SELF_FENCING)),
    Mutant("row before blob", LATE_BLOBS),
    Mutant(
        "own commit not recognised",
        (Change(ATTEMPTS, r"return job_attempts\.outcome\(session, token\) == outcome", "return False"),),
    ),
    Mutant("blobs written in place", IN_PLACE),
    Mutant("event in a second transaction", LATE_EVENT),
    Mutant(
        "idempotency key not stored with the job",
        (Change("understudy/services/jobs.py", r"        row\.job_id = job\.id\n", "        pass\n"),),
    ),
    Mutant("no self-fencing", (NO_SELF_FENCING,), is_harmless=True),
)


class CannotApply(Exception):
    """The product has changed, so that a mutant no longer matches it."""


def apply(mutant: Mutant, tree: Path) -> None:
    """Apply the changes of a mutant to a copy of the tree."""
    for change in mutant.changes:
        path = tree / change.path
        changed, n = re.subn(change.pattern, change.replacement, path.read_text())
        if n != change.n:
            raise CannotApply(
                f"Mutant {mutant.name!r} matches {n} times in {change.path}, but must match {change.n} times."
                " Adapt the pattern in tests/faults/mutants.py."
            )
        path.write_text(changed)


def copy_tree(target: Path) -> None:
    """Copy the files of the product and of the tests."""
    for name in ("understudy", "app", "workers", "migrations", "tests"):
        shutil.copytree(ROOT / name, target / name)
    for name in ("pyproject.toml", "openapi.json"):
        shutil.copy2(ROOT / name, target / name)
    # The files of other users, such as the private Postgres, are below this folder.
    target.chmod(0o755)


def soak(tree: Path, seed: int, output: Path) -> tuple[bool, float, str]:
    """Run the soak in a tree. Return whether it found a violation, after how many seconds, and which one."""
    command = [sys.executable, "-P", "-m", "tests.faults.soak", "--minutes", str(SOAK_MINUTES)]
    command += ["--seed", str(seed), "--faults", "protocol", "--output", str(output)]
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    began = time.monotonic()
    started_at = began
    caught = ""
    process = subprocess.Popen(
        command, cwd=tree, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("started in"):
            started_at = time.monotonic()
        if line.startswith(("VIOLATION", "FOUND")):
            caught = line.removeprefix("VIOLATION").removeprefix("FOUND").strip()
            break
        if time.monotonic() - started_at > CATCH_SECONDS_MAX and started_at > began:
            break
    seconds = time.monotonic() - started_at
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    return bool(caught), seconds, caught


def run_mutant(mutant: Mutant, seeds: list[int]) -> bool:
    """Run a mutant with all seeds, print a row of the table for each, and return whether it passed."""
    is_passed = True
    with tempfile.TemporaryDirectory(prefix="understudy-mutant-") as name:
        tree = Path(name)
        copy_tree(tree)
        apply(mutant, tree)
        for seed in seeds:
            is_caught, seconds, reason = soak(tree, seed, tree / "soak.txt")
            is_right = is_caught != mutant.is_harmless and (
                mutant.is_harmless or seconds <= CATCH_SECONDS_MAX
            )
            is_passed &= is_right
            result = f"caught after {seconds:.0f} s" if is_caught else f"survived {seconds:.0f} s"
            verdict = "ok" if is_right else "WRONG"
            sys.stdout.write(f"| {mutant.name} | {seed} | {result} | {reason[:90]} | {verdict} |\n")
            sys.stdout.flush()
    return is_passed


def main() -> int:
    """Run the mutants and return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--only", nargs="+", help="names of the mutants to run")
    arguments = parser.parse_args()
    chosen = [mutant for mutant in MUTANTS if not arguments.only or mutant.name in arguments.only]
    sys.stdout.write("| mutant | seed | result | violation | |\n|---|---|---|---|---|\n")
    results = [run_mutant(mutant, arguments.seeds) for mutant in chosen]
    n_wrong = results.count(False)
    sys.stdout.write(f"{len(results)} mutants, {n_wrong} with a wrong result\n")
    return 1 if n_wrong else 0


if __name__ == "__main__":
    sys.exit(main())
