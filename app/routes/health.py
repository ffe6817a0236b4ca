"""Whether the process lives, and whether everything that jobs need answers; no key is asked for."""

from __future__ import annotations

from fastapi import APIRouter, Response

from app.bodies.health import ServiceHealth, ServiceReadiness
from app.dependencies import ResourcesDep
from understudy.services import health

router = APIRouter(tags=["health"])


@router.get("/healthz", summary="Whether the process lives")
async def healthz() -> ServiceHealth:
    """Answer as soon as the process can answer anything; touches nothing else."""
    return ServiceHealth(status="ok")


@router.get(
    "/readyz",
    summary="Whether jobs can be taken and run",
    responses={503: {"model": ServiceReadiness, "description": "Something that is needed does not answer."}},
)
def readyz(resources: ResourcesDep, response: Response) -> ServiceReadiness:
    """Ask the database, the broker and the store for a sign of life, and look for a live worker."""
    checks = health.checks(resources)
    is_ready = all(found == "ok" for found in checks.values())
    if not is_ready:
        response.status_code = 503
        response.headers["Retry-After"] = "5"
    return ServiceReadiness(status="ready" if is_ready else "not_ready", checks=checks)
