"""Add labels to reports."""

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Add a column that earlier versions ignore."""
    op.execute("alter table reports add column labels jsonb not null default '{}'")
