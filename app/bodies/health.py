"""Bodies of the health checks."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from app.bodies.base import Body


class ServiceHealth(Body):
    """Whether the process lives."""

    status: Annotated[str, Field(examples=["ok"])]


class ServiceReadiness(Body):
    """Whether everything that jobs need answers."""

    status: Annotated[str, Field(description="`ready` or `not_ready`.", examples=["ready"])]
    checks: Annotated[
        dict[str, str],
        Field(examples=[{"database": "ok", "broker": "ok", "storage": "ok", "workers": "ok"}]),
    ]
