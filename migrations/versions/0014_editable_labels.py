"""Add labels to reports, and allow changes to the labels of jobs that have ended."""

from alembic import op

revision = "0014"
down_revision = "0013"

LABELS = "alter table reports add column labels jsonb not null default '{}'"

STATE_MACHINE = """
create or replace function jobs_check_transition() returns trigger language plpgsql as $$
begin
    if old.erased_at is not null and new.erased_at is distinct from old.erased_at then
        raise exception 'job % stays erased', old.id using errcode = '23514';
    end if;
    if new.erased_at is not null then
        new.parameters = jobs_references(new.parameters);
        new.result = jobs_references(new.result);
        new.labels = '{}';
        new.progress = null;
        new.error_detail = null;
    end if;
    if old.state in ('succeeded', 'failed', 'cancelled') then
        -- The labels of a job can be changed at any time.
        if to_jsonb(new) - 'labels' = to_jsonb(old) - 'labels' then
            return new;
        end if;
        if new.state = old.state and new.round = old.round
            and new.erased_at is not null and old.erased_at is null then
            return new;
        end if;
        -- The operator's retry begins a new round; nothing else touches a job that has ended.
        if not (
            old.state <> 'succeeded' and new.state = 'queued' and new.round = old.round + 1
            and new.erased_at is null
        ) then
            raise exception 'job % has ended and stays %', old.id, old.state using errcode = '23514';
        end if;
    elsif new.round <> old.round
        or (old.state = 'queued' and new.state = 'succeeded')
        or (old.state = 'running' and new.state = 'running' and new.lease_token <> old.lease_token) then
        raise exception 'job % cannot go from % to %', old.id, old.state, new.state using errcode = '23514';
    end if;
    return new;
end $$;
"""


def upgrade() -> None:
    """Add a column that earlier product versions ignore, and replace the trigger function."""
    op.execute(LABELS)
    op.execute(STATE_MACHINE)
