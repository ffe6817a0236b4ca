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

from tests.faults.pace import QuietClock

ROOT = Path(__file__).parents[2]
# Time limit in seconds, measured by `QuietClock`, because a soak takes longer for the same work on a busy
# machine.
CATCH_SECONDS_MAX = 90
# Duration of the faults in a soak, in minutes. It exceeds the time limit on any machine.
SOAK_MINUTES = 60
# Maximum time in seconds until a terminated soak ends.
STOP_SECONDS = 60
LOOK_SECONDS = 0.2


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
        "own commit not recognized",
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


class SoakFailed(Exception):
    """A soak ended early without a violation, for example because a server did not start."""


class CannotApply(Exception):
    """The product has changed, so a mutant no longer matches it."""


def apply(mutant: Mutant, tree: Path) -> None:
    """Apply a mutant's changes to a copy of the tree."""
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
    """Copy the product files and the test files."""
    for name in ("understudy", "app", "workers", "migrations", "tests"):
        shutil.copytree(ROOT / name, target / name)
    for name in ("pyproject.toml", "openapi.json"):
        shutil.copy2(ROOT / name, target / name)
    # The files of other users, such as the private Postgres, are below this folder.
    target.chmod(0o755)


@dataclass(frozen=True)
class SoakResult:
    """The result of a soak: any violation, and the duration by the wall clock and by `QuietClock`."""

    violation: str
    seconds: float
    quiet_seconds: float

    def __str__(self) -> str:
        result = "caught after" if self.violation else "survived"
        return f"{result} {self.seconds:.0f} s ({self.quiet_seconds:.0f} s adjusted for the load)"


def soak(tree: Path, seed: int, clock: QuietClock) -> SoakResult:
    """Run the soak in a tree until it finds a violation or reaches the time limit."""
    command = [sys.executable, "-P", "-m", "tests.faults.soak", "--minutes", str(SOAK_MINUTES)]
    command += ["--seed", str(seed), "--faults", "protocol"]
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    log = tree / "soak.txt"
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=tree, env=environment, stdout=output, stderr=output)
    try:
        return _watch(process, log, clock)
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _watch(process: subprocess.Popen[bytes], log: Path, clock: QuietClock) -> SoakResult:
    while "started in" not in log.read_text():
        _check_running(process, log)
        time.sleep(LOOK_SECONDS)
    began, quiet_began = time.monotonic(), clock.seconds()
    while True:
        found = re.search(r"^FOUND (.*)$", log.read_text(), re.MULTILINE)
        quiet_seconds = clock.seconds() - quiet_began
        if found or quiet_seconds >= CATCH_SECONDS_MAX:
            return SoakResult(found[1] if found else "", time.monotonic() - began, quiet_seconds)
        _check_running(process, log)
        time.sleep(LOOK_SECONDS)


def _check_running(process: subprocess.Popen[bytes], log: Path) -> None:
    if process.poll() is not None and "FOUND" not in log.read_text():
        raise SoakFailed(
            f"The soak ended without a result. Fix the error in its output: {log.read_text()[-2000:]}"
        )


def run_mutant(mutant: Mutant, seeds: list[int], clock: QuietClock) -> bool:
    """Run a mutant with all seeds, print a row of the table for each, and return whether it passed."""
    is_passed = True
    with tempfile.TemporaryDirectory(prefix="understudy-mutant-") as name:
        tree = Path(name)
        copy_tree(tree)
        apply(mutant, tree)
        for seed in seeds:
            result = soak(tree, seed, clock)
            is_right = bool(result.violation) != mutant.is_harmless
            is_passed &= is_right
            row = (mutant.name, seed, f"{os.getloadavg()[0]:.0f}", result, result.violation[:90])
            sys.stdout.write(f"| {' | '.join(map(str, row))} | {'ok' if is_right else 'WRONG'} |\n")
            if not is_right:
                sys.stdout.write((tree / "soak.txt").read_text())
            sys.stdout.flush()
    return is_passed


def main() -> int:
    """Run the mutants and return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--only", nargs="+", help="names of the mutants to run")
    arguments = parser.parse_args()
    chosen = [mutant for mutant in MUTANTS if not arguments.only or mutant.name in arguments.only]
    # The exit runs the cleanup that terminates the soak.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    sys.stdout.write("| mutant | seed | load | result | violation | |\n|---|---|---|---|---|---|\n")
    clock = QuietClock()
    results = [run_mutant(mutant, arguments.seeds, clock) for mutant in chosen]
    n_wrong = results.count(False)
    sys.stdout.write(f"{len(results)} mutants, {n_wrong} with a wrong result\n")
    return 1 if n_wrong else 0


if __name__ == "__main__":
    sys.exit(main())
