"""The factory of the HTTP application, which ``python -m app`` serves."""

from __future__ import annotations

import asyncio
import gc
import logging
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import anyio.to_thread
from fastapi import Depends, FastAPI
from starlette.middleware import Middleware

from app.compression import Compression
from app.document import (
    CONTACT,
    DESCRIPTION,
    SERVERS,
    SUMMARY,
    TAGS,
    TITLE,
    customise_document,
    operation_id,
)
from app.download_turns import DownloadTurns
from app.downloads import DownloadSlots
from app.error_handlers import add_error_handlers
from app.etags import ETags
from app.head_requests import HeadRequests
from app.http_metrics import REQUEST_SECONDS
from app.input_guard import InputGuard
from app.left_keys import LeftKeys
from app.middleware import Authentication, BodyLimit, RequestContext
from app.rate_limits import RateLimits
from app.routes import (
    api_keys,
    catalogues,
    contents,
    datasets,
    events,
    health,
    job_events,
    jobs,
    live_rows,
    models,
    pipelines,
    profiles,
    project,
    projects,
    reference,
    rejects,
    releases,
    reports,
    schemas,
    uploads,
    usage,
    webhooks,
)
from app.stopping import Stopping
from app.strictness import check_request
from app.waiting import Waiting
from understudy.logs import configure_logs
from understudy.pandas_import import without_pandas
from understudy.resources import CODE_VERSION, Resources, open_resources
from understudy.sandbox import Sandbox
from understudy.services.live_sampler import Sampler
from understudy.services.metrics import ServiceCollector, serve_metrics
from understudy.settings import Settings
from understudy.tracing import close_traces, configure_traces

UPLOADS = re.compile(r"POST /v1/datasets|PUT /v1/uploads/[^/]+/parts/[^/]+")
DOWNLOADS = re.compile(
    r"(GET|HEAD) /v1/(datasets/[^/]+/(content|rejects)|models/[^/]+/(rows|file)|reports/[^/]+(/evidence)?)"
)
READERS_MAX = 2


def create_app(resources: Resources | None = None, sandbox: Sandbox | None = None) -> FastAPI:
    """Return the HTTP application.

    Parameters
    ----------
    resources : Resources, optional
        Open resources, which the application does not close. If omitted, the application opens resources from
        the settings in the environment when it starts, and closes them when it stops.
    sandbox : Sandbox, optional
        Sandbox for live rows, which the application does not close. If omitted, the application opens one for
        the first request.
    """
    settings = Settings() if resources is None else None
    if settings is not None:
        _configure_logs(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if settings is None:
            yield
            app.state.sampler.close()
            return
        # One thread per database connection, so that no thread waits for a connection.
        anyio.to_thread.current_default_thread_limiter().total_tokens = settings.threads
        configure_traces(settings.otlp_endpoint, "understudy-api")
        app.state.resources = open_resources(settings)
        n_walls_missing = app.state.sampler.report_walls()
        if settings.api_metrics_port is not None:
            collectors = (ServiceCollector(app.state.resources, n_walls_missing), REQUEST_SECONDS)
            serve_metrics(collectors, settings.metrics_host, settings.api_metrics_port)
        # The current objects exist until the process ends. Without the freeze, full collections would scan
        # them and delay requests.
        gc.collect()
        gc.freeze()
        with without_pandas():
            yield
        app.state.sampler.close()
        app.state.resources.close()
        close_traces()

    app = _bare_app(lifespan)
    app.state.resources = resources
    # The semaphore limits how many requests run the most frequent read at the same time. More concurrent
    # reads would only compete for the interpreter lock.
    app.state.readers = asyncio.Semaphore(READERS_MAX)
    app.state.download_slots = DownloadSlots()
    app.state.sampler = Sampler(sandbox)
    app.state.stopping = Stopping()
    app.state.waiting = Waiting()
    app.state.left_keys = LeftKeys()
    return app


def create_document() -> dict[str, Any]:
    """Return the OpenAPI document, without settings or resources."""
    return _bare_app(None).openapi()


def _configure_logs(settings: Settings) -> None:
    """Configure the log format of the process, including uvicorn's log lines."""
    configure_logs(settings.log_level, settings.log_format)
    for name in ("uvicorn", "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [], True


def _bare_app(lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]] | None) -> FastAPI:
    app = FastAPI(
        title=TITLE,
        summary=SUMMARY,
        description=DESCRIPTION,
        version=CODE_VERSION,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        openapi_tags=TAGS,
        contact=CONTACT,
        servers=SERVERS,
        generate_unique_id_function=operation_id,
        lifespan=lifespan,
        middleware=[
            Middleware(RequestContext),
            Middleware(HeadRequests),
            Middleware(Compression),
            Middleware(BodyLimit, uploads=UPLOADS),
            Middleware(DownloadTurns, downloads=DOWNLOADS),
            Middleware(Authentication),
            Middleware(RateLimits),
            Middleware(InputGuard, uploads=UPLOADS),
            Middleware(ETags),
        ],
        # FastAPI's pages load scripts from other hosts. `app.routes.reference` serves a local page instead.
        docs_url=None,
        # FastAPI's own spans contain the query, which callers choose. The spans from `RequestContext` do not.
        telemetry={"tracing": False, "metrics": False, "logs": False},
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.api_routes = []
    for module in (
        *(datasets, contents, releases, schemas, profiles, rejects, uploads, jobs, job_events),
        *(models, live_rows, reports, project, api_keys, projects, events, webhooks, catalogues, health),
        *(pipelines, reference, usage),
    ):
        app.include_router(module.router, dependencies=[Depends(check_request)])
        app.state.api_routes += module.router.routes
    add_error_handlers(app)
    customise_document(app)
    return app
