"""Routes for the health checks, which need no API key."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from app.bodies.health import ServiceHealth, ServiceReadiness
from app.dependencies import ResourcesDep
from app.stopping import Stopping
from understudy.services import health

router = APIRouter(tags=["health"])


@router.get("/healthz", summary="Check that the process is alive")
async def healthz() -> ServiceHealth:
    """Return 200 as soon as the process handles requests. This check does not contact any other service."""
    return ServiceHealth(status="ok")


@router.get(
    "/readyz",
    summary="Check that the service can run jobs",
    responses={503: {"model": ServiceReadiness, "description": "A required service is not responding."}},
)
def readyz(resources: ResourcesDep, request: Request, response: Response) -> ServiceReadiness:
    """Check that the database, the blob store and any broker respond, and that workers run jobs.

    A process that is about to stop is not ready, although it still handles requests for a short time.
    """
    stopping: Stopping = request.app.state.stopping
    checks = {"api": "is stopping"} if stopping.has_begun else health.checks(resources)
    is_ready = all(result == "ok" for result in checks.values())
    if not is_ready:
        response.status_code = 503
        response.headers["Retry-After"] = "5"
    return ServiceReadiness(status="ready" if is_ready else "not_ready", checks=checks)
