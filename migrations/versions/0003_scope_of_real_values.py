"""A scope of its own for real values; keys that could read them before can go on."""

from alembic import op

revision = "0003"
down_revision = "0002"

SCOPE = """
update api_keys set scopes = array_append(scopes, 'read_real')
where 'read' = any(scopes) and not 'read_real' = any(scopes);
"""


def upgrade() -> None:
    """Let keys see what they saw."""
    op.execute(SCOPE)
