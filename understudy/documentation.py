"""Addresses of documentation pages."""

from __future__ import annotations

DOCS_URL = "https://understudy.readthedocs.io/en/latest"


def docs_link(page: str, anchor: str = "") -> str:
    """Return the URL of a page, or of a heading on that page.

    Parameters
    ----------
    page : str
        Path of the page below `docs/` without its suffix, such as `reference/metrics`.
    anchor : str
        Identifier of a heading on the page. If empty, the URL refers to the whole page.
    """
    address = f"{DOCS_URL}/{page}.html"
    return f"{address}#{anchor}" if anchor else address


def error_link(code: str) -> str:
    """Return the URL of an error code's page. It is the `type` of a problem with this code."""
    return docs_link(f"reference/errors/{code}")
