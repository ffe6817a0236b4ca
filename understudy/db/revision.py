"""The revision of the database schema, compared with the revision that this version of the code needs.

Migrations only expand the schema, so code also works with a newer schema (docs/how-to/deployment.md#upgrade).
Revisions are numbers with four digits, and a later revision has a larger number.
"""

from __future__ import annotations

from functools import cache

from sqlalchemy import text
from sqlalchemy.orm import Session

from understudy.errors import UnderstudyError
from understudy.repository import find_repository

NONE = "0000"


@cache
def required_revision() -> str:
    """Return the newest revision in the repository."""
    scripts = (find_repository() / "migrations" / "versions").glob("[0-9][0-9][0-9][0-9]_*.py")
    return max(script.name[:4] for script in scripts)


def current_revision(session: Session) -> str:
    """Return the revision of the database, or `NONE` if it was never migrated."""
    if session.scalar(text("select to_regclass('alembic_version')")) is None:
        return NONE
    revision: str | None = session.scalar(text("select version_num from alembic_version"))
    return revision or NONE


def check_revision(session: Session) -> None:
    """Check that the database has at least the required revision.

    Raises
    ------
    UnderstudyError
        With the code `configuration`, if the schema is older.
    """
    revision = current_revision(session)
    if revision < required_revision():
        raise UnderstudyError(
            f"The database schema has revision {revision}, but this version needs {required_revision()}. "
            "Run `understudy migrate`.",
            code="configuration",
        )
