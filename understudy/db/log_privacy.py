"""Settings that keep data values out of the PostgreSQL log.

Error messages, their details, statements and parameters may contain values, so the log is limited to events
of the server itself.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

SETTINGS = {
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_statement": "none",
    "log_duration": "off",
    "log_min_duration_statement": "-1",
    "log_min_duration_sample": "-1",
    "log_transaction_sample_rate": "0",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_lock_waits": "off",
    "log_temp_files": "-1",
    "debug_print_parse": "off",
    "debug_print_rewritten": "off",
    "debug_print_plan": "off",
}
_IS_SUPERUSER = text("select rolsuper from pg_roles where rolname = current_user")
_SET = text(
    "select format('alter role %I in database %I set %I = %L', "
    "current_user, current_database(), cast(:name as text), cast(:value as text))"
)


def keep_values_out_of_log(connection: Connection) -> None:
    """Apply the settings to later sessions of this role in this database, if the role is a superuser.

    They take precedence over the server configuration and over other settings for the role. Other roles may
    not change most of these settings, so the server configuration applies to their sessions.
    """
    if not connection.scalar(_IS_SUPERUSER):
        return
    for name, value in SETTINGS.items():
        statement = connection.scalar(_SET, {"name": name, "value": value})
        assert statement is not None
        connection.execute(text(statement.replace(":", r"\:")))
