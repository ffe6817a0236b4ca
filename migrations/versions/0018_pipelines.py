"""Add the ID of the pipeline that a job belongs to."""

from alembic import op

revision = "0018"
down_revision = "0017"

STATEMENTS = (
    "alter table jobs add column pipeline_id uuid",
    "create index jobs_project_id_pipeline_id_idx on jobs (project_id, pipeline_id)"
    " where pipeline_id is not null",
)


def upgrade() -> None:
    """Add a column that earlier product versions ignore."""
    for statement in STATEMENTS:
        op.execute(statement)
