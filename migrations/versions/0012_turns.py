"""Add the list of periodic tasks that one worker at a time performs."""

from alembic import op

revision = "0012"
down_revision = "0009"

TURNS = """
create table turns (
    name text primary key,
    holder uuid,
    held_until timestamptz,
    position text not null default '',
    completed_at timestamptz,
    constraint turns_holder_check check ((holder is null) = (held_until is null))
);
"""


def upgrade() -> None:
    """Add the table."""
    op.execute(TURNS)
