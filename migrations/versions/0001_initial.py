"""Create the first tables, and a trigger that prevents changes to jobs that have ended."""

from alembic import op

revision = "0001"
down_revision = None

TENANTS = """
create table projects (
    id uuid primary key,
    name text not null,
    created_at timestamptz not null default clock_timestamp()
);

create table api_keys (
    id uuid primary key,
    project_id uuid not null references projects on delete cascade,
    name text not null,
    digest bytea not null unique,
    scopes text[] not null,
    created_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz,
    revoked_at timestamptz
);
create index api_keys_project_id_idx on api_keys (project_id);

create table workers (
    name text primary key,
    code_version text not null,
    concurrency integer not null,
    draining boolean not null default false,
    started_at timestamptz not null default clock_timestamp(),
    seen_at timestamptz not null default clock_timestamp()
);
"""

JOBS = """
create sequence fence;

create table jobs (
    id uuid primary key,
    project_id uuid not null references projects on delete cascade,
    kind text not null,
    parameters jsonb not null,
    parameters_version integer not null,
    labels jsonb not null default '{}',
    state text not null default 'queued',
    priority integer not null default 0,
    run_after timestamptz not null default clock_timestamp(),
    expires_at timestamptz not null,
    round integer not null default 1,
    attempt integer not null default 0,
    crashes integer not null default 0,
    transient_failures integer not null default 0,
    internal_errors integer not null default 0,
    lease_token bigint,
    lease_owner text,
    lease_until timestamptz,
    cancel_requested_at timestamptz,
    progress jsonb,
    result jsonb,
    error_code text,
    error_detail text,
    created_at timestamptz not null default clock_timestamp(),
    started_at timestamptz,
    finished_at timestamptz,
    constraint jobs_state_check
        check (state in ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
    constraint jobs_lease_check
        check ((state = 'running') = (lease_token is not null and lease_until is not null)),
    constraint jobs_end_check
        check ((state in ('succeeded', 'failed', 'cancelled')) = (finished_at is not null))
);
create index jobs_ready_idx on jobs (priority desc, created_at, id) where state = 'queued';
create index jobs_leased_idx on jobs (lease_until) where state = 'running';
create index jobs_project_id_id_idx on jobs (project_id, id);

create table job_attempts (
    job_id uuid not null references jobs on delete cascade,
    attempt integer not null,
    project_id uuid not null references projects on delete cascade,
    token bigint not null unique,
    worker text not null,
    code_version text not null,
    started_at timestamptz not null default clock_timestamp(),
    ended_at timestamptz,
    outcome text,
    error_code text,
    exit_signal integer,
    peak_memory_bytes bigint,
    cpu_seconds double precision,
    primary key (job_id, attempt),
    constraint job_attempts_outcome_check
        check (outcome in ('succeeded', 'failed', 'lost', 'crashed', 'out_of_memory', 'time_limit',
                           'released', 'cancelled')),
    constraint job_attempts_end_check check ((outcome is null) = (ended_at is null))
);

create table job_events (
    id bigint generated always as identity primary key,
    project_id uuid not null references projects on delete cascade,
    job_id uuid not null references jobs on delete cascade,
    type text not null,
    round integer not null,
    attempt integer not null,
    data jsonb not null default '{}',
    created_at timestamptz not null default clock_timestamp()
);
create index job_events_job_id_id_idx on job_events (job_id, id);
create unique index job_events_terminal_idx on job_events (job_id, round)
    where type in ('succeeded', 'failed', 'cancelled');

create table artifacts (
    id uuid primary key,
    project_id uuid not null references projects on delete cascade,
    job_id uuid not null references jobs on delete cascade,
    role text not null,
    token bigint not null,
    storage_key text not null unique,
    sha256 bytea not null,
    size_bytes bigint not null,
    created_at timestamptz not null default clock_timestamp(),
    unique (job_id, role)
);
create index artifacts_project_id_idx on artifacts (project_id);

create table idempotency_keys (
    project_id uuid not null references projects on delete cascade,
    key text not null,
    request_sha256 bytea not null,
    job_id uuid references jobs on delete cascade,
    status integer,
    headers jsonb,
    body jsonb,
    created_at timestamptz not null default clock_timestamp(),
    primary key (project_id, key)
);
create index idempotency_keys_created_at_idx on idempotency_keys (created_at);
"""

RESULTS = """
create table datasets (
    id uuid primary key,
    project_id uuid not null references projects on delete cascade,
    job_id uuid not null references jobs,
    model_id uuid,
    origin text not null,
    state text not null,
    name text not null,
    labels jsonb not null default '{}',
    format text not null,
    n_rows bigint,
    n_columns integer,
    size_bytes bigint,
    table_schema jsonb,
    error_code text,
    error_detail text,
    version integer not null default 1,
    created_at timestamptz not null default clock_timestamp(),
    updated_at timestamptz not null default clock_timestamp(),
    constraint datasets_origin_check check (origin in ('upload', 'sample')),
    constraint datasets_state_check check (state in ('pending', 'ready', 'failed'))
);
create index datasets_project_id_id_idx on datasets (project_id, id);
create index datasets_job_id_idx on datasets (job_id);
create index datasets_model_id_idx on datasets (model_id);

create table models (
    id uuid primary key,
    project_id uuid not null references projects on delete cascade,
    job_id uuid not null unique references jobs,
    dataset_id uuid not null references datasets,
    name text not null,
    labels jsonb not null default '{}',
    synthesizer jsonb not null,
    seed bigint not null,
    holdout_fraction double precision not null,
    n_rows_trained bigint not null,
    size_bytes bigint not null,
    table_schema jsonb not null,
    card jsonb not null,
    created_at timestamptz not null default clock_timestamp()
);
create index models_project_id_id_idx on models (project_id, id);
create index models_dataset_id_idx on models (dataset_id);
alter table datasets add foreign key (model_id) references models;

create table reports (
    id uuid primary key,
    project_id uuid not null references projects on delete cascade,
    job_id uuid not null unique references jobs,
    dataset_id uuid not null references datasets,
    synthetic_dataset_id uuid not null references datasets,
    summary jsonb not null,
    created_at timestamptz not null default clock_timestamp()
);
create index reports_project_id_id_idx on reports (project_id, id);
create index reports_dataset_id_idx on reports (dataset_id);
create index reports_synthetic_dataset_id_idx on reports (synthetic_dataset_id);
"""

# Defense in depth: the conditional UPDATEs in `understudy.db` never attempt these changes.
STATE_MACHINE = """
create function jobs_check_transition() returns trigger language plpgsql as $$
begin
    if old.state in ('succeeded', 'failed', 'cancelled') then
        -- The operator's retry begins a new round; nothing else touches a job that has ended.
        if not (old.state <> 'succeeded' and new.state = 'queued' and new.round = old.round + 1) then
            raise exception 'job % has ended and stays %', old.id, old.state using errcode = '23514';
        end if;
    elsif new.round <> old.round
        or (old.state = 'queued' and new.state = 'succeeded')
        or (old.state = 'running' and new.state = 'running' and new.lease_token <> old.lease_token) then
        raise exception 'job % cannot go from % to %', old.id, old.state, new.state using errcode = '23514';
    end if;
    return new;
end $$;

create trigger jobs_check_transition before update on jobs
    for each row when (old is distinct from new) execute function jobs_check_transition();
"""


def upgrade() -> None:
    """Create all tables and the trigger."""
    for statements in (TENANTS, JOBS, RESULTS, STATE_MACHINE):
        op.execute(statements)
