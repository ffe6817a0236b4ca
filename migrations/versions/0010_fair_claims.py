"""Claim the jobs of projects in turn, limit running jobs per project, and store the queues of workers."""

from alembic import op

revision = "0010"
down_revision = "0009"

COLUMNS = """
alter table projects add column running_jobs_max integer;
alter table projects add constraint projects_running_jobs_max_check check (running_jobs_max >= 0);
alter table workers add column queues text[] not null default '{default}';
alter table jobs add column memory_failures integer not null default 0;
"""

INDEXES = """
create index jobs_waiting_idx on jobs (queue, project_id, priority desc, created_at, id)
    where state = 'queued';
create index jobs_running_idx on jobs (project_id) where state = 'running';
create index jobs_failed_idx on jobs (finished_at) where state = 'failed';
create index job_attempts_project_id_token_idx on job_attempts (project_id, token);
-- The earlier statement also works without this index, which costs time with each insertion and each claim.
drop index jobs_ready_idx;
-- Claimed jobs leave dead rows at the front of the queue, so the table is vacuumed often.
alter table jobs set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
"""

# With the function, a claim takes one round trip to the database. The settings exclude every plan except
# index scans, so the speed does not depend on the statistics of the table, which are out of date after many
# insertions. `jit` is off because the high costs that the planner assigns to excluded plans would trigger it.
#
# Projects are ordered by the number of running jobs and then by the token of the latest claim, both
# ascending. At most 32 projects are compared, starting after the project with the last claim.
CLAIM = """
create function claim_job(
    worker text,
    code_version text,
    kinds text[],
    queues text[],
    version_min integer,
    version_max integer,
    lease interval,
    running_max integer
) returns setof jobs language plpgsql
set enable_seqscan = off
set enable_bitmapscan = off
set enable_sort = off
set jit = off
set plan_cache_mode = force_generic_plan
as $$
declare
    nobody constant uuid := '00000000-0000-0000-0000-000000000000';
    last_served uuid := coalesce(
        (select a.project_id from job_attempts a order by a.token desc limit 1), nobody
    );
    position_ uuid;
    next_ uuid;
    is_wrapped boolean;
    is_end boolean;
    is_busy boolean;
    batch uuid[];
    candidate record;
    job_id_ uuid;
    claimed jobs;
begin
    for attempt_ in 1..20 loop
        position_ := last_served;
        is_wrapped := false;
        is_end := false;
        is_busy := false;
        while not is_end loop
            batch := '{}';
            while not is_end and cardinality(batch) < 32 loop
                select following.project_id into next_
                from unnest(queues) as served(queue)
                cross join lateral (
                    select j.project_id from jobs j
                    where j.state = 'queued' and j.queue = served.queue and j.project_id > position_
                    order by j.project_id limit 1
                ) following
                order by following.project_id limit 1;
                if next_ is not null and not (is_wrapped and next_ > last_served) then
                    batch := batch || next_;
                    position_ := next_;
                elsif is_wrapped then
                    is_end := true;
                else
                    is_wrapped := true;
                    position_ := nobody;
                end if;
            end loop;
            for candidate in
                select listed.id, coalesce(p.running_jobs_max, running_max) as limit_, running.n
                from unnest(batch) as listed(id)
                join projects p on p.id = listed.id
                cross join lateral (
                    select count(*) as n from (
                        select from jobs j where j.project_id = listed.id and j.state = 'running'
                        limit greatest(coalesce(p.running_jobs_max, running_max), 64)
                    ) counted
                ) running
                cross join lateral (
                    select (
                        select a.token from job_attempts a where a.project_id = listed.id
                        order by a.token desc limit 1
                    ) as token
                ) latest
                order by running.n, latest.token nulls first
            loop
                if candidate.limit_ is not null then
                    continue when candidate.n >= candidate.limit_;
                    -- Only one session at a time compares the number of running jobs with the limit.
                    if not pg_try_advisory_xact_lock(20100, hashtext(candidate.id::text)) then
                        is_busy := true;
                        continue;
                    end if;
                    continue when candidate.limit_ <= (
                        select count(*) from jobs j where j.project_id = candidate.id and j.state = 'running'
                    );
                end if;
                select first.id into job_id_
                from unnest(queues) as served(queue)
                cross join lateral (
                    select j.id, j.priority, j.created_at from jobs j
                    where j.state = 'queued' and j.queue = served.queue and j.project_id = candidate.id
                        and j.run_after <= clock_timestamp() and j.expires_at > clock_timestamp()
                        and j.kind = any(kinds) and j.parameters_version between version_min and version_max
                    order by j.priority desc, j.created_at, j.id
                    limit 1 for update skip locked
                ) first
                order by first.priority desc, first.created_at, first.id limit 1;
                continue when job_id_ is null;
                update jobs j
                set state = 'running', attempt = j.attempt + 1, lease_token = nextval('fence'),
                    lease_owner = worker, lease_until = clock_timestamp() + lease,
                    started_at = clock_timestamp(), progress = null
                where j.id = job_id_ and j.state = 'queued'
                returning j.* into claimed;
                insert into job_attempts (job_id, attempt, project_id, token, worker, code_version)
                values (claimed.id, claimed.attempt, claimed.project_id, claimed.lease_token, worker,
                        claim_job.code_version);
                insert into job_events (project_id, job_id, type, round, attempt)
                values (claimed.project_id, claimed.id, 'started', claimed.round, claimed.attempt);
                return next claimed;
                return;
            end loop;
        end loop;
        exit when not is_busy;
        perform pg_sleep(0.005);
    end loop;
end $$;
"""


def upgrade() -> None:
    """Add the columns, the indexes of the queue, and the function that claims a job."""
    for statements in (COLUMNS, INDEXES, CLAIM):
        op.execute(statements)
