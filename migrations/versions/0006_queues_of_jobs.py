"""Add the queue to each job."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Put existing jobs into the default queue."""
    op.execute("alter table jobs add column queue text not null default 'default'")
