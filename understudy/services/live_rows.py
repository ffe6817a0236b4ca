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
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING
from uuid import UUID

from understudy import ids
from understudy.db import artifacts, models
from understudy.errors import InvalidInput, NotFound, TooLarge, Unavailable, UnderstudyError
from understudy.folder_removal import remove_folder
from understudy.job_kinds import gate, inputs
from understudy.job_kinds.sample import SAMPLE
from understudy.logs import get_logger
from understudy.parameters.base import Json
from understudy.parameters.live_rows import LIVE_PIPE, LiveFormat
from understudy.parameters.needs import Needs
from understudy.parameters.sample import SampleParameters
from understudy.resources import Resources, ResourceSettings
from understudy.sandbox import Outcome, Run, Sandbox, SandboxLimits, SandboxRequest
from understudy.services.artifacts import local_copy
from understudy.services.job_requests import RUN_WORK, sandbox_limits
from understudy.storage.space import translating_full_disk
from understudy.synthesizers import SYNTHESIZERS
from understudy.threads import count_cores

if TYPE_CHECKING:
    from understudy.db.orm import Artifact

LIVE = replace(SAMPLE, work="understudy.work.live_rows:work")
# Synthesizers import these modules when they load a model or sample. Their import would take 0.3 s of CPU
# time in each child.
LATE_IMPORTS = (
    "understudy.synthesizers.entities.files",
    "understudy.synthesizers.json_cells.cells",
    "understudy.synthesizers.json_cells.columns",
    "understudy.synthesizers.json_cells.writing",
    "understudy.synthesizers.number_texts.columns",
    "understudy.synthesizers.tree_chain.files",
    "understudy.synthesizers.tree_chain.row_sampling",
    "understudy.synthesizers.tree_chain.sequence_sampling",
    "understudy.transformers.generated.composition",
    "understudy.transformers.generated.loading",
)
PRELOAD = (
    "understudy.work.live_rows",
    *(module for entry in SYNTHESIZERS.values() for module in entry.preload),
    *LATE_IMPORTS,
    "understudy.kernels.compilation:compile_kernels",
)
# Samplers run beside the API, so they may use less memory than jobs.
MEMORY_BYTES_MAX = 4 << 30
PIPE_BYTES = 1 << 20
CHUNK_BYTES = 1 << 18
# Maximum time until a client that has left and the end of the sampler are noticed.
LOOK_SECONDS = 0.02
# Time within which a killed sampler must end.
KILLED_SECONDS = 5.0
NOT_SAMPLED = "The disk is full, so no rows were sampled. Free some disk space and repeat the request."
ENDED = "The sampler ended unexpectedly. Send the request again after the time in Retry-After."
# The classes of errors that are not caused by the request. All others are.
CLASSES = {"not_found": NotFound, "unavailable": Unavailable, "artifact_corrupt": UnderstudyError}

logger = get_logger(__name__)


@dataclass(frozen=True)
class LiveRows:
    """Rows that a caller may read, and everything that the sampler needs for them."""

    parameters: SampleParameters
    format: LiveFormat
    file: Artifact
    context: Json
    needs: Needs


def prepare(
    resources: Resources, project_id: UUID, parameters: SampleParameters, live_format: LiveFormat
) -> LiveRows:
    """Check a request for live rows, and choose the seed if it is omitted.

    Raises
    ------
    NotFound
        If the project has no such model.
    TooLarge
        If the request exceeds the limit of rows.
    Conflict
        If the gate of the project does not allow rows of the model without a job.
    """
    assert parameters.n_rows is not None
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
        return LiveRows(
            parameters.model_copy(
                update={"seed": inputs.new_seed() if parameters.seed is None else parameters.seed}
            ),
            live_format,
            artifacts.get(session, project_id, model.job_id, "model"),
            {"schema": model.dataset_schema, "roles": inputs.table_roles(model), "format": live_format},
            inputs.needs_of_model(session, project_id, parameters.model_id),
        )


class Sampler:
    """The sandbox of an API process. Its warm parent starts with the first request for live rows.

    Parameters
    ----------
    sandbox : Sandbox, optional
        A sandbox that the caller closes. If omitted, the sampler opens its own.
    """

    def __init__(self, sandbox: Sandbox | None = None) -> None:
        self._sandbox = sandbox
        self._is_own = sandbox is None
        self._lock = threading.Lock()

    def start(self, request: SandboxRequest, settings: ResourceSettings) -> Run:
        """Hand a run to the sandbox.

        Raises
        ------
        Unavailable
            If the sandbox does not accept it, or the kernel lacks a mechanism that the settings require.
        """
        with self._lock:
            if self._sandbox is None:
                self._sandbox = Sandbox(RUN_WORK, PRELOAD, threads=max(1, count_cores() // 2))
                for sentence in self._sandbox.walls.missing():
                    logger.warning("sandbox_wall_missing", detail=sentence)
        if settings.sandbox == "strict" and self._sandbox.walls.missing():
            raise Unavailable(
                "This server cannot sample live rows, because its kernel lacks a mechanism that the setting "
                "`sandbox` requires. Create a job of kind `sample`."
            )
        return self._sandbox.start(request)

    def close(self) -> None:
        """Stop all samplers, unless the sandbox belongs to the caller."""
        if self._is_own and self._sandbox is not None:
            self._sandbox.close()


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
    ends_at = time.monotonic() + resources.settings.live_rows_seconds_max
    with ExitStack() as files:
        folder = files.enter_context(_folder(resources))
        (folder / "inputs").mkdir()
        path = files.enter_context(local_copy(resources, rows.file, folder / "inputs"))
        pipe = _make_pipe(folder / "work")
        files.callback(os.close, pipe)
        run = sampler.start(_request(resources, rows, folder / "work", path.absolute()), resources.settings)
        files.callback(_end, run)
        kept = files.pop_all()
    return LiveChunks(run, pipe, ends_at, has_left, kept)


class LiveChunks(Iterator[bytes]):
    """The bytes that a sampler writes. `close` ends the sampler and removes its folder."""

    def __init__(self, run: Run, pipe: int, ends_at: float, has_left: Event, files: ExitStack) -> None:
        self._run = run
        self._pipe = pipe
        self._ends_at = ends_at
        self._has_left = has_left
        self._files = files
        self._poll = select.poll()
        self._poll.register(pipe, select.POLLIN)

    def __next__(self) -> bytes:
        """Return the next bytes, or no bytes if the client has left.

        Raises
        ------
        UnderstudyError
            If the sampler has failed or took too long. The bytes so far are then incomplete.
        """
        while not self._has_left.is_set():
            if time.monotonic() > self._ends_at:
                raise TooLarge(
                    "The rows could not be sent within the time limit (live_rows_seconds_max). Request fewer "
                    "rows, or create a job of kind `sample`.",
                    code="time_limit",
                )
            has_bytes = self._poll.poll(LOOK_SECONDS * 1000)
            outcome = self._run.wait(0)
            if has_bytes or self._poll.poll(0):
                return os.read(self._pipe, CHUNK_BYTES)
            if outcome is not None:
                # The pipe was empty after the sampler had ended.
                raise StopIteration if outcome.ok else error_of(outcome)
        return b""

    def close(self) -> None:
        """End the sampler and remove its folder."""
        self._files.close()


def error_of(outcome: Outcome) -> UnderstudyError:
    """Return the error for a sampler that has failed."""
    code, detail = outcome.error_code, outcome.error_detail or ENDED
    if code is None:
        logger.warning("sampler_crashed", exit_signal=outcome.exit_signal, has_started=outcome.has_started)
        return Unavailable(ENDED)
    if code == "internal_error":
        logger.error("sampler_failed", detail=detail)
        return UnderstudyError("The rows could not be sampled. Ask your administrator to check the logs.")
    return CLASSES.get(code, InvalidInput)(detail, code=code)


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
        memory_bytes=min(limits.memory_bytes, MEMORY_BYTES_MAX),
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
    """Create the folder of the work with its pipe, and return a descriptor for reading the pipe.

    The descriptor is also open for writing, so that it has no end of file before the sampler opens the pipe.
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
    if run.wait(0) is None:
        run.kill()
        run.wait(KILLED_SECONDS)
    run.close()
