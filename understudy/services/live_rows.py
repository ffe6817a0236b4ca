"""Live rows: rows that are sampled while the API sends them, without a job and without a stored dataset.

The rows come from a child of a sandbox, like the work of a job. The child writes to a pipe and waits while
the pipe is full, so a slow client slows it down, and memory does not grow with the number of rows. The
response is complete only if the child has ended successfully and the pipe is empty.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from understudy import ids
from understudy.db import artifacts, models, usage
from understudy.db.live_rows import Reading, may_continue
from understudy.errors import Conflict, TooLarge, Unavailable
from understudy.folder_removal import remove_folder
from understudy.job_kinds import gate, inputs
from understudy.job_kinds.sample import SAMPLE
from understudy.logs import get_logger
from understudy.parameters.base import Json
from understudy.parameters.live_rows import LIVE_PIPE, LiveFormat
from understudy.parameters.needs import DEFAULT_QUEUE, Needs
from understudy.parameters.sample import SampleParameters
from understudy.resources import Resources, ResourceSettings
from understudy.sandbox import Outcome, Run, SandboxLimits, SandboxRequest
from understudy.services.api_keys import Caller
from understudy.services.artifacts import local_copy
from understudy.services.job_requests import sandbox_limits
from understudy.services.live_sampler import NOT_SAMPLED, Sampler, error_of
from understudy.storage.space import translating_full_disk
from understudy.threads import count_cores

if TYPE_CHECKING:
    from understudy.db.orm import Artifact

# (outcome, whether all rows were read) -> None.
Record = Callable[[Outcome, bool], None]

LIVE = replace(SAMPLE, work="understudy.work.live_rows:work")
logger = get_logger(__name__)

PIPE_BYTES = 1 << 20
CHUNK_BYTES = 1 << 18
# Maximum time until a lost client or the end of the sampler is detected.
LOOK_SECONDS = 0.02
# Time within which a killed sampler must end.
KILLED_SECONDS = 5.0
# Time between two checks of whether a response may continue.
CHECK_SECONDS = 5.0


@dataclass(frozen=True)
class LiveRows:
    """A checked request for live rows, with everything that the sampler needs."""

    parameters: SampleParameters
    format: LiveFormat
    file: Artifact
    context: Json
    needs: Needs
    reading: Reading


def prepare(
    resources: Resources, caller: Caller, parameters: SampleParameters, live_format: LiveFormat
) -> LiveRows:
    """Check a request for live rows, and choose the seed if it is omitted.

    Raises
    ------
    NotFound
        If the project has no such model.
    TooLarge
        If the request exceeds the limit of rows.
    Conflict
        If the gate of the project does not allow rows of the model without a job, or the model needs a worker
        of a special queue.
    """
    assert parameters.n_rows is not None
    project_id = caller.project_id
    n_max = resources.limits.live_rows_max
    if parameters.n_rows > n_max:
        raise TooLarge(
            f"n is {parameters.n_rows:,}, but the limit (live_rows_max) is {n_max:,}. Send several requests "
            "with the same seed, each with the offset where the previous one ends, or create a job of kind "
            "`sample`.",
            code="too_many_rows",
            parameter="n",
        )
    with resources.sessions() as session:
        model = models.get(session, project_id, ids.from_text("model", parameters.model_id))
        gate.check_rows_without_job(session, model)
        needs = inputs.needs_of_model(session, project_id, parameters.model_id)
        check_queue(needs)
        return LiveRows(
            parameters.model_copy(
                update={"seed": inputs.new_seed() if parameters.seed is None else parameters.seed}
            ),
            live_format,
            artifacts.get(session, project_id, model.job_id, "model"),
            {"schema": model.dataset_schema, "roles": inputs.table_roles(model), "format": live_format},
            needs,
            Reading(project_id, model.id, caller.key_id),
        )


def check_queue(needs: Needs) -> None:
    """Raise `Conflict` if only the workers of a special queue can sample the rows."""
    if needs.queue != DEFAULT_QUEUE:
        raise Conflict(
            f"Only workers of the queue `{needs.queue}` can sample from this model, so it provides no live "
            "rows. Create a job of kind `sample`."
        )


def stream(resources: Resources, sampler: Sampler, rows: LiveRows, has_left: Event) -> LiveChunks:
    """Start a sampler, and return an iterator over the bytes of its rows. The caller must close it.

    Parameters
    ----------
    has_left : Event
        Event that is set when the client no longer waits for rows.

    Raises
    ------
    NotFound, UnderstudyError
        If the file of the model was deleted or lost.
    Unavailable
        If the sandbox does not accept the work, or the disk is full.
    """
    conditions = Conditions(resources, rows.reading, has_left)
    with ExitStack() as files:
        folder = files.enter_context(_folder(resources))
        (folder / "inputs").mkdir()
        path = files.enter_context(local_copy(resources, rows.file, folder / "inputs"))
        pipe = _make_pipe(folder / "work")
        files.callback(os.close, pipe)
        run = sampler.start(_request(resources, rows, folder / "work", path.absolute()))
        files.callback(_end, run)
        kept = files.pop_all()
    return LiveChunks(run, pipe, conditions, kept, partial(_record_usage, resources, rows))


class Conditions:
    """The conditions under which a response continues."""

    def __init__(self, resources: Resources, reading: Reading, has_left: Event) -> None:
        self.has_left = has_left
        self._resources = resources
        self._reading = reading
        self._ends_at = time.monotonic() + resources.settings.live_rows_seconds_max
        self._next_check_at = time.monotonic() + CHECK_SECONDS

    def check(self) -> None:
        """Check the time limit and, every few seconds, whether the caller may still read the rows.

        Raises
        ------
        TooLarge
            If the time limit has passed.
        Conflict
            If the model was deleted, the API key was revoked, or the gate no longer allows live rows.
        Unavailable
            If the database does not respond.
        """
        now = time.monotonic()
        if now > self._ends_at:
            raise TooLarge(
                "The rows could not be sent within the time limit (live_rows_seconds_max). Request fewer "
                "rows, or create a job of kind `sample`.",
                code="time_limit",
            )
        if now < self._next_check_at:
            return
        self._next_check_at = now + CHECK_SECONDS
        with self._resources.read_sessions() as session:
            if not may_continue(session, self._reading):
                raise Conflict(
                    "The rows may no longer be read because the model, the API key or the gate of the "
                    "project has changed. Send the request again to see the reason."
                )


class LiveChunks(Iterator[bytes]):
    """The bytes that a sampler writes. `close` ends the sampler and removes its folder."""

    def __init__(self, run: Run, pipe: int, conditions: Conditions, files: ExitStack, record: Record) -> None:
        self._run = run
        self._record = record
        self._is_complete = False
        self._pipe = pipe
        self._conditions = conditions
        self._files = files
        self._poll = select.poll()
        self._poll.register(pipe, select.POLLIN)

    def __next__(self) -> bytes:
        """Return the next bytes, or no bytes if the client has disconnected.

        Raises
        ------
        UnderstudyError
            If the sampler has failed, or the response may not continue. The rows sent so far are then
            incomplete.
        """
        while not self._conditions.has_left.is_set():
            self._conditions.check()
            has_bytes = self._poll.poll(LOOK_SECONDS * 1000)
            outcome = self._run.wait(0)
            if has_bytes or self._poll.poll(0):
                return os.read(self._pipe, CHUNK_BYTES)
            if outcome is not None:
                # The pipe was empty after the sampler had ended.
                self._is_complete = outcome.ok
                raise StopIteration if outcome.ok else error_of(outcome)
        return b""

    def close(self) -> None:
        """End the sampler, remove its folder, and record the usage."""
        self._files.close()
        if self._run.outcome is not None:
            self._record(self._run.outcome, self._is_complete)


def _record_usage(resources: Resources, rows: LiveRows, outcome: Outcome, is_complete: bool) -> None:
    """Record the CPU time of a sampler, and its rows if all of them were read."""
    n_rows = (rows.parameters.n_rows or 0) if is_complete else 0
    try:
        with resources.sessions.begin() as session:
            usage.add(
                session,
                rows.reading.project_id,
                cpu_seconds=outcome.cpu_seconds or 0.0,
                rows_sampled=n_rows,
            )
    except Unavailable as error:
        # The response has already been sent.
        logger.warning("usage_not_recorded", error_code=error.code)


def _request(resources: Resources, rows: LiveRows, folder: Path, model: Path) -> SandboxRequest:
    payload = LIVE.payload(
        rows.parameters.model_dump(mode="json"),
        {"model": str(model)},
        rows.context,
    )
    return SandboxRequest(payload, folder, _limits(resources.settings, rows.needs), inputs=(model,))


def _limits(settings: ResourceSettings, needs: Needs) -> SandboxLimits:
    limits = sandbox_limits(settings, needs)
    seconds = int(settings.live_rows_seconds_max * count_cores()) + 1
    return replace(
        limits,
        memory_bytes=min(limits.memory_bytes, settings.live_rows_memory_bytes_max),
        cpu_seconds=min(limits.cpu_seconds, seconds),
    )


@contextlib.contextmanager
def _folder(resources: Resources) -> Iterator[Path]:
    with translating_full_disk(NOT_SAMPLED):
        folder = Path(tempfile.mkdtemp(dir=resources.staging_folder, prefix="live-"))
        try:
            yield folder
        finally:
            remove_folder(folder)


def _make_pipe(folder: Path) -> int:
    """Create the work folder with its pipe, and return a descriptor for reading the pipe.

    The descriptor is also open for writing, so that a read does not return an end of file before the sampler
    opens the pipe.
    """
    folder.mkdir(mode=0o700)
    os.mkfifo(folder / LIVE_PIPE)
    # The sampler may run as another user. Only this user can enter the folder.
    (folder / LIVE_PIPE).chmod(0o666)
    pipe = os.open(folder / LIVE_PIPE, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    with contextlib.suppress(OSError):
        # A larger pipe needs fewer switches between the processes. The size can be changed only on Linux.
        fcntl.fcntl(pipe, getattr(fcntl, "F_SETPIPE_SZ", fcntl.F_GETFD), PIPE_BYTES)
    return pipe


def _end(run: Run) -> None:
    if run.wait(0) is None and run.pid is not None:
        run.kill()
        run.wait(KILLED_SECONDS)
    # The sandbox ends a run that starts after its connection was closed.
    run.close()
