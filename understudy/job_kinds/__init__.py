"""The kinds of job, as the database side knows them: one a file and one a line in `KINDS`."""

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
from understudy.job_kinds.train import TRAIN
from understudy.parameters.base import JobParameters, Json

__all__ = ["KINDS", "RequestedParameters", "parse_parameters"]

# Any: each kind has parameters of its own type, and is only ever given those.
KINDS: dict[str, JobKind[Any]] = {
    kind.name: kind for kind in (INGEST, TRAIN, SAMPLE, IMPUTE, EVALUATE, PROBE)
}

# What POST /v1/jobs takes: kinds that can be estimated. An `ingest` comes with an upload.
if TYPE_CHECKING:
    RequestedParameters = JobParameters
else:
    RequestedParameters = Annotated[
        reduce(or_, (kind.parameters for kind in KINDS.values() if kind.estimate is not None)),
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
    try:
        parsed: JobParameters = KINDS[kind].parameters.model_validate(parameters)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        pointer = "".join(f"/{part}" for part in first["loc"])
        fault = first["msg"].removeprefix("Value error, ")
        raise InvalidInput(
            f"{pointer or 'The parameters'}: {fault}.", code="invalid_parameters", pointer=pointer
        ) from None
    return parsed
