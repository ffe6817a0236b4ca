"""Routes for the API reference. They need no API key."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from app.reference_pages import llms_text, reference_page

router = APIRouter(tags=["health"], include_in_schema=False)

# The page contains its own styles and no scripts.
CONTENT_SECURITY_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"


@router.get("/docs", response_class=Response)
def get_reference(request: Request) -> Response:
    """Return the API reference as an HTML page."""
    headers = {"Content-Security-Policy": CONTENT_SECURITY_POLICY}
    return Response(reference_page(request.app.openapi()), headers=headers, media_type="text/html")


@router.get("/llms.txt", response_class=Response)
def get_llms_text(request: Request) -> Response:
    """Return an overview of the API for language models."""
    return Response(llms_text(request.app.openapi()), media_type="text/plain")
