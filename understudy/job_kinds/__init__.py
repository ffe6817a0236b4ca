"""The part of each job kind that uses the database. Each kind has one module and one line in `KINDS`."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, ValidationError

from understudy.errors import InvalidInput
from understudy.job_kinds.base import JobKind
from understudy.job_kinds.evaluate import EVALUATE
from understudy.job_kinds.impute import IMPUTE
from understudy.job_kinds.ingest import INGEST
from understudy.job_kinds.probe import PROBE
from understudy.job_kinds.sample import SAMPLE
from understudy.job_kinds.sample_shard import SAMPLE_SHARD
from understudy.job_kinds.train import TRAIN
from understudy.parameters.base import JobParameters, Json

__all__ = ["KINDS", "RequestedParameters", "parse_parameters"]

# `Any` is needed because each kind accepts only parameters of its own class.
KINDS: dict[str, JobKind[Any]] = {
    kind.name: kind for kind in (INGEST, TRAIN, SAMPLE, SAMPLE_SHARD, IMPUTE, EVALUATE, PROBE)
}

# The kinds that POST /v1/jobs accepts are those with an estimate. An upload creates the `ingest` job.
if TYPE_CHECKING:
    RequestedParameters = JobParameters
else:
    RequestedParameters = Annotated[
        reduce(or_, (kind.parameters for kind in KINDS.values() if kind.estimate is not None)),
        Field(discriminator="kind"),
    ]


def parse_parameters(parameters: Json) -> JobParameters:
    """Return job parameters from JSON.

    Raises
    ------
    InvalidInput
        With the code `unknown_kind` or `invalid_parameters`. The detail contains the field but not its value.
    """
    kind = parameters.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise InvalidInput(
            f"The kind of the job is missing or unknown. Use one of {', '.join(KINDS)}.",
            code="unknown_kind",
            pointer="/kind",
        )
    try:
        parsed: JobParameters = KINDS[kind].parameters.model_validate(parameters)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        pointer = "".join(f"/{part}" for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        raise InvalidInput(
            f"{pointer or 'The parameters'}: {message}.", code="invalid_parameters", pointer=pointer
        ) from None
    return parsed
