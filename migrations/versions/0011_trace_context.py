"""Store the trace context of the request that created a job, so that the job's spans belong to its trace."""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add a column that earlier product versions ignore."""
    op.execute("alter table jobs add column trace_context text")
