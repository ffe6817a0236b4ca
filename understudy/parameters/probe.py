"""Parameters of `probe` jobs."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from understudy.parameters.base import JobParameters


class ProbeParameters(JobParameters):
    """Parameters of a job that only waits. Use such a job to test an installation."""

    kind: Literal["probe"]
    seconds: Annotated[float, Field(ge=0, le=600, description="Time to wait in seconds.")] = 0.0
