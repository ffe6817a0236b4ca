"""Bodies of the health checks."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from app.bodies.base import Body


class ServiceHealth(Body):
    """Result of the check that the process is alive."""

    status: Annotated[str, Field(examples=["ok"])]


class ServiceReadiness(Body):
    """Result of the check that the service can run jobs."""

    status: Annotated[str, Field(description="Overall result: `ready` or `not_ready`.", examples=["ready"])]
    checks: Annotated[
        dict[str, str],
        Field(
            description="Result of the check of each required service.",
            examples=[{"database": "ok", "broker": "ok", "storage": "ok", "workers": "ok"}],
        ),
    ]
