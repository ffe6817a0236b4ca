"""Add project policies, sample quarantine and release, and report verdicts."""

from alembic import op

revision = "0005"
down_revision = "0004"

STATEMENTS = """
alter table projects add column policy jsonb;
alter table projects add column gate text not null default 'on_fail';
alter table projects add constraint projects_gate_check check (gate in ('off', 'on_fail', 'until_reviewed'));

alter table reports add column verdict jsonb;

alter table datasets add column quarantine jsonb;
alter table datasets add column quarantined_at timestamptz;
alter table datasets add column release_reason text;
alter table datasets add column released_by uuid;
alter table datasets add column released_at timestamptz;
alter table datasets add constraint datasets_quarantine_check
    check ((quarantine is null) = (quarantined_at is null));
alter table datasets add constraint datasets_release_check
    check (num_nulls(release_reason, released_by, released_at) in (0, 3));
"""


def upgrade() -> None:
    """Add the columns, which are null for existing rows."""
    op.execute(STATEMENTS)
