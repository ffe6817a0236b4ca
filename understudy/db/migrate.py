"""Migration of a database to the current schema."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from sqlalchemy import NullPool, create_engine, text

from understudy.db.log_privacy import keep_values_out_of_log
from understudy.db.orm import Base
from understudy.db.session import connect_arguments, parse_url, translate_errors
from understudy.repository import find_repository

# Key of the advisory lock that concurrent migrations share. The number is arbitrary.
LOCK = 0x756E646572737479
# The lock timeout is long because one process waits here for another's migration or for a running statement.
LIMITS = {"lock_timeout": "300s", "timezone": "UTC"}
# Time in seconds to wait for a connection. The database server may have been started a moment ago.
CONNECT_SECONDS_MAX = 30


def upgrade(database_url: str) -> None:
    """Apply all missing migrations in one transaction.

    A concurrent call waits and then applies no migration.
    """
    arguments = {**connect_arguments(LIMITS), "connect_timeout": CONNECT_SECONDS_MAX}
    engine = create_engine(parse_url(database_url), poolclass=NullPool, connect_args=arguments)
    translate_errors(engine)
    with engine.begin() as connection:
        connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": LOCK})
        config = make_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        keep_values_out_of_log(connection)


def make_config() -> Config:
    """Return Alembic's configuration. The scripts are in the repository, not in the package."""
    config = Config()
    # Alembic interpolates percent signs in its options.
    folder = str(find_repository() / "migrations").replace("%", "%%")
    config.set_main_option("script_location", folder)
    config.attributes["metadata"] = Base.metadata
    return config
