"""Remove the lock of uploads that are being completed, because completion is now one transaction."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Drop the column that marked uploads as being completed."""
    op.execute("alter table uploads drop column completing_until")
