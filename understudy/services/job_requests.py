"""Creation of the request to run an attempt in the sandbox: payload, inputs and limits."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from understudy.parameters.needs import Needs
from understudy.resources import Resources, ResourceSettings
from understudy.sandbox import SandboxLimits, SandboxRequest
from understudy.services.job_records import facts_of, kind_of, limits_of, needs_of, parameters_of

if TYPE_CHECKING:
    from understudy.db.orm import Job

# The function that the sandbox calls for every run.
RUN_WORK = "understudy.work.run:run_work"


def make_request(resources: Resources, job: Job, folder: Path, copies: ExitStack) -> SandboxRequest:
    """Create the folders of an attempt and return the request for its work.

    The work reads local copies of blobs, so the sandbox needs no access to the store. `copies` removes them.
    """
    kind = kind_of(job)
    with resources.sessions() as session:
        parameters = parameters_of(job)
        plan = kind.plan(session, facts_of(job), parameters, limits_of(resources.limits))
        needs = needs_of(session, job.project_id, parameters)
    inputs_folder = folder / "inputs"
    work_folder = folder / "work"
    inputs_folder.mkdir(mode=0o700)
    work_folder.mkdir(mode=0o700)
    paths = {
        role: copies.enter_context(resources.store.local_copy(file.storage_key, inputs_folder))
        for role, file in plan.inputs.items()
    }
    # The work that joins the parts of an upload compares their digests while it copies them.
    checked_by_work = {role for file in plan.context.get("parts", {}).values() for role in file["roles"]}
    return SandboxRequest(
        payload=kind.payload(
            job.parameters,
            {role: str(path.absolute()) for role, path in paths.items()},
            plan.context,
            {role: file.sha256.hex() for role, file in plan.inputs.items() if role not in checked_by_work},
        ),
        folder=work_folder,
        inputs=tuple(path.absolute() for path in paths.values()),
        limits=sandbox_limits(resources.settings, needs),
    )


def sandbox_limits(settings: ResourceSettings, needs: Needs) -> SandboxLimits:
    """Return the lower of two limits: the installation's and the job's."""
    memory, cpu = settings.job_memory_bytes_max, settings.job_cpu_seconds_max
    return SandboxLimits(
        memory_bytes=memory if needs.memory_bytes_max is None else min(memory, needs.memory_bytes_max),
        cpu_seconds=cpu if needs.cpu_seconds_max is None else min(cpu, needs.cpu_seconds_max),
        file_bytes=settings.job_file_bytes_max,
        folder_bytes=settings.job_folder_bytes_max,
    )
