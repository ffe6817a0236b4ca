"""An upload is completed in one transaction: nobody has to hold it meanwhile."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Drop the mark of uploads that were put together within a request."""
    op.execute("alter table uploads drop column completing_until")
