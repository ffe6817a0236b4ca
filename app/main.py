"""Makes the HTTP application: ``uvicorn app.main:create_app --factory``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio.to_thread
from fastapi import FastAPI
from starlette.middleware import Middleware

from app.error_handlers import add_error_handlers
from app.middleware import Authentication, BodyLimit, RequestContext
from app.openapi import describe
from app.routes import catalogues, datasets, health, job_events, jobs, models, reports
from understudy.resources import Resources, open_resources
from understudy.settings import Settings

UPLOADS = frozenset({"/v1/datasets"})


def create_app(resources: Resources | None = None) -> FastAPI:
    """Return the application.

    Parameters
    ----------
    resources : Resources, optional
        What it works on; stays open when the application ends. If there is none, it is opened from the
        environment's settings when the application starts, and closed at its end.
    """
    settings = Settings() if resources is None else None

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if settings is None:
            yield
            return
        # As many threads as the pool has connections for, so that no request waits for one within a thread.
        anyio.to_thread.current_default_thread_limiter().total_tokens = settings.threads
        app.state.resources = open_resources(settings)
        yield
        app.state.resources.close()

    app = FastAPI(
        lifespan=lifespan,
        middleware=[
            Middleware(RequestContext),
            Middleware(BodyLimit, uploads=UPLOADS),
            Middleware(Authentication),
        ],
        # Their pages load scripts from other hosts; the document itself is at /openapi.json.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.resources = resources
    for module in (datasets, jobs, job_events, models, reports, catalogues, health):
        app.include_router(module.router)
    add_error_handlers(app)
    describe(app)
    return app
