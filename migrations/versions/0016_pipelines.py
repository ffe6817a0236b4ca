"""Add the ID that the result of a job will have, so that other jobs can wait for this result."""

from alembic import op

revision = "0016"
down_revision = "0015"

STATEMENTS = (
    "alter table jobs add column planned_id uuid",
    "create unique index jobs_planned_id_idx on jobs (planned_id) where planned_id is not null",
)


def upgrade() -> None:
    """Add a column that earlier product versions ignore."""
    for statement in STATEMENTS:
        op.execute(statement)
