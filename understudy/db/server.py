"""Facts about the database server."""

from __future__ import annotations

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from understudy.db.orm import CLOCK


def version(session: Session) -> str:
    """Return the version of the server."""
    return str(session.scalar(text("show server_version")))


def clock_seconds(session: Session) -> float:
    """Return the server's clock as seconds since 1970."""
    return float(session.scalar(select(func.extract("epoch", CLOCK))) or 0.0)
