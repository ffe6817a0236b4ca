"""Erase the data of jobs and stored responses when the resources that they mention are deleted."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

COLUMNS = """
alter table jobs add column erased_at timestamptz;
alter table idempotency_keys add column mentions text[] not null default '{}';
create table erasures (
    prefix text primary key,
    project_id uuid not null references projects on delete cascade,
    job_id uuid references jobs on delete cascade,
    created_at timestamptz not null default clock_timestamp()
);
"""

MENTIONS = """
update idempotency_keys set mentions = array(
    select distinct match[1]
    from regexp_matches(body::text, '"((ds|mdl|rpt|upl|job)_[0-9a-z]{26})"', 'g') as match
) where body is not null;
"""

# The trigger also removes data that a worker of any version writes after the erasure.
TRIGGER = """
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

create function jobs_references(document jsonb) returns jsonb language sql immutable as $$
    select case when document is not null then coalesce(jsonb_object_agg(key, value), '{}') end
    from jsonb_each(document)
    where key in ('dataset_id', 'synthetic_dataset_id', 'holdout_dataset_id', 'model_id', 'report_id')
$$;
"""

REFERENCES = ("dataset_id", "synthetic_dataset_id", "model_id")
ENDED = "select id, parameters from jobs where state in ('succeeded', 'failed', 'cancelled')"
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def upgrade() -> None:
    """Add the columns and the list of erasures, and erase the jobs whose data was deleted earlier."""
    for statements in (COLUMNS, MENTIONS, TRIGGER):
        op.execute(statements)
    connection = op.get_bind()
    existing = {
        _text_id(prefix, row.id.int)
        for prefix, table in (("ds", "datasets"), ("mdl", "models"))
        for row in connection.execute(sa.text(f"select id from {table}"))  # noqa: S608 - our own names
    }
    erased = [
        {"id": row.id}
        for row in connection.execute(sa.text(ENDED))
        if not {row.parameters[name] for name in REFERENCES if row.parameters.get(name)} <= existing
    ]
    if erased:
        connection.execute(sa.text("update jobs set erased_at = clock_timestamp() where id = :id"), erased)


def _text_id(prefix: str, value: int) -> str:
    return prefix + "_" + "".join(ALPHABET[value >> shift & 31] for shift in range(125, -1, -5))
