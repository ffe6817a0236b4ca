"""Prometheus metrics for HTTP requests, labeled with the route's path template."""

from __future__ import annotations

from prometheus_client import Histogram
from starlette.types import Scope

METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)

# The registry is not the default one, because a process may create several applications.
REQUEST_SECONDS = Histogram(
    "understudy_http_request_seconds",
    "Duration of HTTP requests, from the headers to the end of the response.",
    ("method", "route", "status"),
    buckets=BUCKETS,
    registry=None,
)


def observe_request(scope: Scope, status: int, seconds: float) -> str:
    """Record a request, and return the path template of its route.

    Unknown methods and paths share a label because callers choose them.
    """
    method = scope["method"] if scope["method"] in METHODS else "other"
    route: str = getattr(scope.get("route"), "path", "none")
    REQUEST_SECONDS.labels(method, route, str(status)).observe(seconds)
    return route
