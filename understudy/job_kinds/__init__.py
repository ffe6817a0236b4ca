"""The kinds of job: one a file, listed here, in the two unions, and nowhere else."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from understudy.errors import InvalidInput, NotFound
from understudy.job_kinds.base import Job, JobKind, JobParameters, Json, Limits, Plan, StoredFile, Workspace
from understudy.job_kinds.evaluate import EVALUATE, EvaluateParameters
from understudy.job_kinds.impute import IMPUTE, ImputeParameters
from understudy.job_kinds.ingest import INGEST, IngestParameters
from understudy.job_kinds.probe import PROBE, ProbeParameters
from understudy.job_kinds.sample import SAMPLE, SampleParameters
from understudy.job_kinds.train import TRAIN, TrainParameters
from understudy.progress import Progress

__all__ = [
    "KINDS",
    "AnyParameters",
    "Job",
    "JobKind",
    "JobParameters",
    "Limits",
    "Plan",
    "RequestedParameters",
    "StoredFile",
    "parse_parameters",
    "run_work",
]

# Any: each kind has parameters of its own type, and is only ever given those.
KINDS: dict[str, JobKind[Any]] = {
    kind.name: kind for kind in (INGEST, TRAIN, SAMPLE, IMPUTE, EVALUATE, PROBE)
}

# What POST /v1/jobs takes: an `ingest` comes with an upload.
RequestedParameters = Annotated[
    TrainParameters | SampleParameters | ImputeParameters | EvaluateParameters | ProbeParameters,
    Field(discriminator="kind"),
]
AnyParameters = Annotated[
    IngestParameters
    | TrainParameters
    | SampleParameters
    | ImputeParameters
    | EvaluateParameters
    | ProbeParameters,
    Field(discriminator="kind"),
]


def parse_parameters(parameters: Json) -> JobParameters:
    """Return the parameters that JSON stands for.

    Raises
    ------
    InvalidInput
        With the code `unknown_kind` or `invalid_parameters`; the detail names the field, never its value.
    """
    kind = parameters.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise InvalidInput(
            f"The kind of a job is one of {', '.join(KINDS)}.", code="unknown_kind", pointer="/kind"
        )
    model: TypeAdapter[JobParameters] = TypeAdapter(KINDS[kind].parameters)
    try:
        return model.validate_python(parameters)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        pointer = "".join(f"/{part}" for part in first["loc"])
        fault = first["msg"].removeprefix("Value error, ")
        raise InvalidInput(
            f"{pointer or 'The parameters'}: {fault}.", code="invalid_parameters", pointer=pointer
        ) from None


def run_work(payload: Json, folder: Path, progress: Progress) -> Json:
    """Do a job's work; runs in the sandbox.

    Parameters
    ----------
    payload : dict
        `kind`, `parameters`, `inputs` (role: path) and `context`, as the kind's plan said.
    folder : Path
        Where the work writes.

    Returns
    -------
    result : dict
        `files` (role: name in the folder) and `facts`.
    """
    kind = KINDS[payload["kind"]]
    inputs = {role: Path(path) for role, path in payload["inputs"].items()}
    for role, path in inputs.items():
        if not path.is_file():
            raise NotFound(f"The stored file {role!r} that the job reads is not there any more.")
    parameters = kind.parameters.model_validate(payload["parameters"])
    result = kind.work(Workspace(inputs, folder, payload["context"], progress), parameters)
    return {"files": dict(result.files), "facts": result.facts}
