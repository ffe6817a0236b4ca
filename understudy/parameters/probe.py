"""Parameters of kind `probe`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from understudy.parameters.base import JobParameters


class ProbeParameters(JobParameters):
    """Do nothing, for some time."""

    kind: Literal["probe"]
    seconds: Annotated[float, Field(ge=0, le=600, description="How long to do nothing.")] = 0.0
