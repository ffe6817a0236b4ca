"""The class of workers that a job waits for."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Let the jobs that are there wait for the workers that are there."""
    op.execute("alter table jobs add column queue text not null default 'default'")
