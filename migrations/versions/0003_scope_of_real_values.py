"""Add a separate scope for real values; existing keys that could read them receive it."""

from alembic import op

revision = "0003"
down_revision = "0002"

SCOPE = """
update api_keys set scopes = array_append(scopes, 'read_real')
where 'read' = any(scopes) and not 'read_real' = any(scopes);
"""


def upgrade() -> None:
    """Give existing keys the new scope."""
    op.execute(SCOPE)
