"""Add the usage of projects by day, recorded by triggers."""

from alembic import op

revision = "0017"
down_revision = "0016"

COLUMNS = """
    n_jobs bigint not null default 0,
    cpu_seconds double precision not null default 0,
    rows_uploaded bigint not null default 0,
    rows_sampled bigint not null default 0,
    bytes_written bigint not null default 0
"""

# Each transaction only adds records, so that no two transactions of a project wait for each other. A worker
# regularly moves the records into the days.
TABLES = f"""
create table usage_records (
    id bigint generated always as identity primary key,
    project_id uuid not null references projects on delete cascade,
    day date not null,
    {COLUMNS}
);
create index usage_records_project_id_day_idx on usage_records (project_id, day);
create table usage_days (
    project_id uuid not null references projects on delete cascade,
    day date not null,
    {COLUMNS},
    primary key (project_id, day)
);
"""

TRIGGERS = """
create function usage_day(moment timestamptz) returns date language sql immutable as $$
    select (moment at time zone 'UTC')::date
$$;

create function jobs_record_usage() returns trigger language plpgsql as $$
begin
    insert into usage_records (project_id, day, n_jobs)
    values (new.project_id, usage_day(clock_timestamp()), 1);
    return null;
end $$;
-- Callers see no shards.
create trigger jobs_ended after update of state on jobs for each row
    when (
        new.state in ('succeeded', 'failed', 'cancelled') and new.state <> old.state and new.parent_id is null
    )
    execute function jobs_record_usage();

create function job_attempts_record_usage() returns trigger language plpgsql as $$
begin
    insert into usage_records (project_id, day, cpu_seconds)
    values (new.project_id, usage_day(clock_timestamp()), new.cpu_seconds);
    return null;
end $$;
create trigger job_attempts_ended after update of cpu_seconds on job_attempts for each row
    when (old.cpu_seconds is null and new.cpu_seconds is not null)
    execute function job_attempts_record_usage();

create function dataset_tables_record_usage() returns trigger language plpgsql as $$
begin
    insert into usage_records (project_id, day, rows_uploaded, rows_sampled)
    select new.project_id, usage_day(clock_timestamp()),
        case when d.origin = 'upload' then new.n_rows else 0 end,
        case when d.origin = 'upload' then 0 else new.n_rows end
    from datasets d where d.id = new.dataset_id;
    return null;
end $$;
create trigger dataset_tables_filled after insert on dataset_tables
    for each row when (new.n_rows is not null) execute function dataset_tables_record_usage();
create trigger dataset_tables_read after update of n_rows on dataset_tables
    for each row when (old.n_rows is null and new.n_rows is not null)
    execute function dataset_tables_record_usage();

create function artifacts_record_usage() returns trigger language plpgsql as $$
begin
    insert into usage_records (project_id, day, bytes_written)
    values (new.project_id, usage_day(clock_timestamp()), new.size_bytes);
    return null;
end $$;
create trigger artifacts_written after insert on artifacts
    for each row execute function artifacts_record_usage();
"""


def upgrade() -> None:
    """Add tables and triggers that earlier product versions ignore."""
    # Most transactions begin with a job. They end before the triggers lock the other tables, so that no
    # transaction and this one wait for each other. The next migration needs this mode of the lock.
    op.execute("lock table jobs in access exclusive mode")
    for statements in (TABLES, TRIGGERS):
        op.execute(statements)
