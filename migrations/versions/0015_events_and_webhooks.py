"""Add the events of projects, written by triggers, and webhooks with their deliveries."""

from alembic import op

revision = "0015"
down_revision = "0014"

# No event refers to the row that it is about, because events remain when the row is deleted.
TABLES = """
create table events (
    id uuid primary key,
    project_id uuid not null references projects on delete cascade,
    type text not null,
    subject_id uuid not null,
    job_id uuid,
    dataset_id uuid,
    kind text,
    error_code text,
    created_at timestamptz not null
);
create index events_project_id_id_idx on events (project_id, id);
create index events_job_id_id_idx on events (job_id, id) where job_id is not null;
create index events_dataset_id_id_idx on events (dataset_id, id) where dataset_id is not null;
create index events_created_at_idx on events (created_at);

create table webhooks (
    id uuid primary key,
    project_id uuid not null references projects on delete cascade,
    name text not null default '',
    url text not null,
    event_types text[],
    is_enabled boolean not null default true,
    disabled_reason text,
    disabled_at timestamptz,
    secret text not null,
    previous_secret text,
    previous_secret_expires_at timestamptz,
    failing_since timestamptz,
    served_at timestamptz,
    created_at timestamptz not null default clock_timestamp(),
    constraint webhooks_disabled_check
        check (is_enabled = (disabled_reason is null) and is_enabled = (disabled_at is null)),
    constraint webhooks_previous_secret_check
        check ((previous_secret is null) = (previous_secret_expires_at is null))
);
create index webhooks_project_id_id_idx on webhooks (project_id, id);

create table webhook_deliveries (
    id uuid primary key,
    project_id uuid not null references projects on delete cascade,
    webhook_id uuid not null references webhooks on delete cascade,
    event_id uuid not null references events on delete cascade,
    state text not null default 'pending',
    next_attempt_at timestamptz,
    lease_token uuid,
    lease_until timestamptz,
    n_failures integer not null default 0,
    n_attempts integer not null default 0,
    attempts jsonb not null default '[]',
    error_code text,
    created_at timestamptz not null default clock_timestamp(),
    finished_at timestamptz,
    constraint webhook_deliveries_state_check check (state in ('pending', 'succeeded', 'failed')),
    constraint webhook_deliveries_lease_check check ((lease_token is null) = (lease_until is null)),
    constraint webhook_deliveries_end_check check ((state = 'pending') = (finished_at is null)),
    constraint webhook_deliveries_next_check check ((state = 'pending') = (next_attempt_at is not null))
);
create index webhook_deliveries_webhook_id_id_idx on webhook_deliveries (webhook_id, id);
create index webhook_deliveries_event_id_idx on webhook_deliveries (event_id);
create index webhook_deliveries_due_idx on webhook_deliveries (webhook_id, next_attempt_at, id)
    where state = 'pending';
create index webhook_deliveries_leased_idx on webhook_deliveries (webhook_id, lease_until)
    where lease_token is not null;
"""

# A UUIDv7 (RFC 9562) whose first 60 bits are the time in steps of 244 ns (section 6.2, method 3), so that the
# order of IDs is the order of times.
EVENT_ID = """
create function event_id(moment timestamptz) returns uuid language sql volatile as $$
    select (
        lpad(to_hex(us / 1000), 12, '0') || '7' || lpad(to_hex(us % 1000 * 4096 / 1000), 3, '0')
        || substr(replace(gen_random_uuid()::text, '-', ''), 17)
    )::uuid
    from (select (extract(epoch from moment) * 1000000)::bigint as us) as given
$$;
"""

# The transaction gets its ID before the time of the event is read: `understudy.db.events` lists only events
# that are older than every running transaction with an ID.
#
# The lock prevents the deletion of a webhook from violating the foreign key, which would roll back the
# transaction of a job. A webhook that is being deleted is skipped, so that no job waits for its deletion.
RECORD = """
create function record_event(
    project_id_ uuid,
    type_ text,
    subject_id_ uuid,
    job_id_ uuid default null,
    dataset_id_ uuid default null,
    kind_ text default null,
    error_code_ text default null,
    webhook_id_ uuid default null
) returns uuid language plpgsql as $$
declare
    id_ uuid;
    moment_ timestamptz;
begin
    perform pg_current_xact_id();
    moment_ := clock_timestamp();
    id_ := event_id(moment_);
    insert into events (id, project_id, type, subject_id, job_id, dataset_id, kind, error_code, created_at)
    values (id_, project_id_, type_, subject_id_, job_id_, dataset_id_, kind_, error_code_, moment_);
    insert into webhook_deliveries (id, project_id, webhook_id, event_id, next_attempt_at, created_at)
    select event_id(clock_timestamp()), project_id_, receiving.id, id_, moment_, moment_
    from (
        select w.id from webhooks w
        where w.project_id = project_id_ and w.is_enabled
            and case when webhook_id_ is null
                then w.event_types is null or type_ = any(w.event_types)
                else w.id = webhook_id_
            end
        for key share skip locked
    ) receiving;
    return id_;
end $$;
"""

TRIGGERS = """
create function jobs_record_event() returns trigger language plpgsql as $$
begin
    -- Callers see no shards.
    if new.parent_id is null then
        perform record_event(
            new.project_id, 'job.' || new.state, new.id, new.id, null, new.kind,
            case when new.state = 'failed' then new.error_code end
        );
    end if;
    return null;
end $$;
create trigger jobs_inserted after insert on jobs
    for each row execute function jobs_record_event();
create trigger jobs_changed after update of state on jobs
    for each row when (new.state is distinct from old.state) execute function jobs_record_event();

create function datasets_record_event() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' then
        perform record_event(old.project_id, 'dataset.deleted', old.id, old.job_id, old.id);
        return null;
    end if;
    if new.state <> 'pending' and (tg_op = 'INSERT' or new.state <> old.state) then
        perform record_event(
            new.project_id, 'dataset.' || new.state, new.id, new.job_id, new.id, null,
            case when new.state = 'failed' then new.error_code end
        );
    end if;
    if tg_op = 'UPDATE' and (new.quarantine is null) <> (old.quarantine is null) then
        perform record_event(
            new.project_id,
            case when new.quarantine is null then 'dataset.released' else 'dataset.quarantined' end,
            new.id, new.job_id, new.id
        );
    end if;
    return null;
end $$;
create trigger datasets_inserted_or_deleted after insert or delete on datasets
    for each row execute function datasets_record_event();
create trigger datasets_changed after update of state, quarantine on datasets
    for each row execute function datasets_record_event();

-- For `models` and `reports`. The argument is the first part of the type.
create function results_record_event() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        perform record_event(new.project_id, tg_argv[0] || '.created', new.id, new.job_id, new.dataset_id);
    else
        perform record_event(old.project_id, tg_argv[0] || '.deleted', old.id, old.job_id, old.dataset_id);
    end if;
    return null;
end $$;
create trigger models_inserted_or_deleted after insert or delete on models
    for each row execute function results_record_event('model');
create trigger reports_inserted_or_deleted after insert or delete on reports
    for each row execute function results_record_event('report');

create function api_keys_record_event() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        perform record_event(new.project_id, 'api_key.created', new.id);
    elsif new.revoked_at is not null and old.revoked_at is null then
        perform record_event(new.project_id, 'api_key.revoked', new.id);
    end if;
    return null;
end $$;
create trigger api_keys_inserted after insert on api_keys
    for each row execute function api_keys_record_event();
create trigger api_keys_changed after update of revoked_at on api_keys
    for each row execute function api_keys_record_event();

create function projects_record_event() returns trigger language plpgsql as $$
begin
    -- A deleted project has no name.
    if tg_op = 'INSERT' or new.name <> '' then
        perform record_event(
            new.id, case tg_op when 'INSERT' then 'project.created' else 'project.updated' end, new.id
        );
    end if;
    return null;
end $$;
create trigger projects_inserted after insert on projects
    for each row execute function projects_record_event();
create trigger projects_changed after update on projects
    for each row when (new is distinct from old) execute function projects_record_event();
"""


def upgrade() -> None:
    """Add tables that earlier product versions ignore, and triggers that also record their changes."""
    for statements in (TABLES, EVENT_ID, RECORD, TRIGGERS):
        op.execute(statements)
