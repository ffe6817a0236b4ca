"""Commands for operators: dead-letters, requeue, limit-project, check-blobs."""

from __future__ import annotations

from dataclasses import asdict
from pkgutil import resolve_name
from typing import Annotated, Any

import typer

from understudy import ids
from understudy.cli.keys import DataDir, open_service
from understudy.cli.terminal import output, write_json
from understudy.errors import InvalidInput


def service(name: str) -> Any:  # `Any` is a function.
    """Return a use case of the services, given as ``module:function``.

    The services need packages that the base install lacks, so they are imported only when a command runs.
    `open_service` reports missing packages.
    """
    return resolve_name(f"understudy.services.{name}")


def dead_letters(
    project: Annotated[str | None, typer.Option(help="Name of a project. Default: all projects.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Maximum number of jobs.")] = 100,
    data_dir: DataDir = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")] = False,
) -> None:
    """List the jobs that failed because of a crash, a bug, insufficient memory or an unavailable service."""
    with open_service(data_dir) as resources:
        letters = service("dead_letters:list_dead_letters")(resources, project=project, limit=limit)
    rows = [asdict(letter) for letter in letters]
    for row in rows:
        row["job_id"] = ids.to_text("job", row["job_id"])
        row["failed_at"] = row["failed_at"].isoformat("T", "seconds")
    if as_json:
        write_json({"jobs": rows})
        return
    for row in rows:
        line = "{job_id}  {failed_at}  {kind}  {error_code}  attempts: {n_attempts}  project: {project}"
        output().print(line.format(**row), soft_wrap=True, markup=False)
    if not rows:
        output().print(
            "No job failed because of a crash, a bug, insufficient memory or an unavailable service.",
            markup=False,
        )


def requeue(
    job_ids: Annotated[list[str], typer.Argument(help="IDs of failed or cancelled jobs (job_…).")],
    data_dir: DataDir = None,
) -> None:
    """Queue failed or cancelled jobs again, with the same IDs and parameters."""
    keys = [ids.from_text("job", job_id) for job_id in job_ids]
    with open_service(data_dir) as resources:
        for job_id, key in zip(job_ids, keys, strict=True):
            service("dead_letters:requeue_job")(resources, key)
            output().print(f"Queued {job_id}.", soft_wrap=True, markup=False)


def limit_project(
    name: Annotated[str, typer.Argument(help="Name of the project.")],
    running_jobs: Annotated[
        int | None,
        typer.Option(min=0, help="Maximum number of running jobs. With 0, no job of the project is started."),
    ] = None,
    remove: Annotated[
        bool, typer.Option("--remove", help="Use UNDERSTUDY_RUNNING_JOBS_MAX again for the project.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Limit the number of running jobs of a project. Running jobs are not interrupted."""
    if (running_jobs is None) is not remove:
        raise InvalidInput(
            "Exactly one of --running-jobs N and --remove is required. Specify one of them.",
            code="invalid_parameters",
        )
    with open_service(data_dir) as resources:
        owner = service("projects:find_project")(resources, name)
        service("projects:limit_running_jobs")(resources, owner.id, running_jobs)
    limit = "no limit of its own" if running_jobs is None else f"at most {running_jobs} running jobs"
    output().print(f"Project {name!r} has {limit}.", soft_wrap=True, markup=False)


def check_blobs(
    data_dir: DataDir = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")] = False,
) -> int:
    """Check that the blob of every stored file exists and has the expected size."""
    with open_service(data_dir) as resources:
        check = service("blob_checks:check_all_blobs")(resources)
    if as_json:
        damaged = [{"job_id": job_id, "role": role} for job_id, role in check.damaged]
        write_json({"n_checked": check.n_checked, "damaged": damaged})
    else:
        for job_id, role in check.damaged:
            output().print(f"Missing or incomplete: {role} of {job_id}", soft_wrap=True, markup=False)
        output().print(f"{check.n_checked} files checked, {len(check.damaged)} damaged.", markup=False)
    return 1 if check.damaged else 0
