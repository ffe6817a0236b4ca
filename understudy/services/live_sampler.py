"""The sandbox in which an API process samples live rows, and the errors of its runs."""

from __future__ import annotations

import signal
import threading
from functools import cached_property

from understudy.errors import (
    Conflict,
    InvalidInput,
    NotFound,
    StorageFull,
    TooLarge,
    Unavailable,
    UnderstudyError,
)
from understudy.logs import get_logger
from understudy.resources import ResourceSettings
from understudy.sandbox import Outcome, Run, Sandbox, SandboxRequest
from understudy.sandbox.walls import Walls, find_walls
from understudy.services.job_requests import RUN_WORK
from understudy.storage.space import NO_SPACE
from understudy.synthesizers import SYNTHESIZERS
from understudy.threads import count_cores

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
NOT_SAMPLED = "The disk is full, so no rows were sampled. Free some disk space and repeat the request."
ENDED = "The sampler ended unexpectedly. Send the request again after the time in Retry-After."
NO_MEMORY = (
    "The server had no memory left for the sampler. Send the request again after the time in Retry-After, or "
    "create a job of kind `sample`."
)
NOT_STARTED = "The server could not start a sampler. Send the request again after the time in Retry-After."
# Texts for errors of the sandbox, whose own texts mention jobs. All other errors of the work keep their text.
SANDBOX_ERRORS = {
    "unavailable": (Unavailable, NOT_STARTED),
    "storage_full": (StorageFull, NOT_SAMPLED),
    "out_of_memory": (
        TooLarge,
        "The sampler needed more memory than its limit (live_rows_memory_bytes_max). Create a job of kind "
        "`sample`, which has a limit of its own.",
    ),
    "time_limit": (
        TooLarge,
        "The sampler took more CPU time than its limit. Request fewer rows, or create a job of kind "
        "`sample`.",
    ),
    "file_size_limit": (
        TooLarge,
        "The temporary files of the sampler exceeded their limit. Create a job of kind `sample`.",
    ),
}
# Error classes that the request does not cause. It causes all other errors.
CLASSES = {"not_found": NotFound, "artifact_corrupt": UnderstudyError}

logger = get_logger(__name__)


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
        self._is_closed = False
        self._lock = threading.Lock()

    @cached_property
    def walls(self) -> Walls:
        """The walls of the sandbox."""
        return find_walls()

    def report_walls(self) -> int:
        """Log each missing wall, and return the number of missing walls."""
        missing = self.walls.missing()
        for sentence in missing:
            logger.warning("sandbox_wall_missing", detail=sentence)
        return len(missing)

    def check_walls(self, settings: ResourceSettings) -> None:
        """Check that the kernel offers every wall of the sandbox if the setting `sandbox` is `strict`.

        Raises
        ------
        Conflict
            If a wall is missing.
        """
        if settings.sandbox == "strict" and self.walls.missing():
            raise Conflict(
                "This server provides no live rows, because its kernel lacks a mechanism of the sandbox that "
                "UNDERSTUDY_SANDBOX=strict requires. Create a job of kind `sample`."
            )

    def start(self, request: SandboxRequest) -> Run:
        """Hand a run to the sandbox.

        Raises
        ------
        Unavailable
            If the sandbox does not accept it, or the disk is full.
        """
        with self._lock:
            if self._is_closed:
                raise Unavailable(NOT_STARTED)
            if self._sandbox is None:
                self._sandbox = Sandbox(RUN_WORK, PRELOAD, threads=max(1, count_cores() // 2))
        try:
            return self._sandbox.start(request)
        except Unavailable as error:
            if isinstance(error.__cause__, OSError) and error.__cause__.errno in NO_SPACE:
                raise StorageFull(NOT_SAMPLED) from error
            raise Unavailable(NOT_STARTED) from error

    def close(self) -> None:
        """Stop all samplers, unless the sandbox belongs to the caller. No other sampler can start."""
        with self._lock:
            self._is_closed = True
        if self._is_own and self._sandbox is not None:
            self._sandbox.close()


def error_of(outcome: Outcome) -> UnderstudyError:
    """Return the error for a sampler that has failed."""
    code, detail = outcome.error_code, outcome.error_detail or ENDED
    if code is None:
        logger.warning("sampler_crashed", exit_signal=outcome.exit_signal, has_started=outcome.has_started)
        return Unavailable(ENDED if outcome.has_started else NOT_STARTED)
    if code == "internal_error":
        logger.error("sampler_failed", detail=detail)
        return UnderstudyError("The rows could not be sampled. Ask your administrator to check the logs.")
    if code == "out_of_memory" and outcome.exit_signal == signal.SIGKILL:
        # The kernel ended the sampler because the container or control group had no memory left.
        return Unavailable(NO_MEMORY, code=code)
    if code in SANDBOX_ERRORS:
        error_class, sentence = SANDBOX_ERRORS[code]
        return error_class(sentence, code=code)
    return CLASSES.get(code, InvalidInput)(detail, code=code)
