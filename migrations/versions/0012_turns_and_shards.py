"""Add the list of periodic tasks that one worker at a time performs, and the shards of jobs."""

from alembic import op

revision = "0012"
down_revision = "0011"

TURNS = """
create table turns (
    name text primary key,
    holder uuid,
    held_until timestamptz,
    position text not null default '',
    completed_at timestamptz,
    constraint turns_holder_check check ((holder is null) = (held_until is null))
);
"""

SHARDS = """
alter table jobs add column parent_id uuid references jobs on delete cascade;
alter table jobs add column shard integer;
alter table jobs add constraint jobs_shard_check check ((parent_id is null) = (shard is null));
create unique index jobs_parent_id_shard_idx on jobs (parent_id, shard);
"""


def upgrade() -> None:
    """Add the table and the columns."""
    op.execute(TURNS)
    op.execute(SHARDS)
