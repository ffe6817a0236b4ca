"""Count a split job as one running job, and let idle workers run its shards even at the project's limit."""

from alembic import op

revision = "0013"
down_revision = "0012"

# This function replaces the function from migration 0010. It has the same arguments and the same result, so
# workers of the previous version can call it.
#
# The limit counts a split job as one job and does not count its shards, because callers see only the job. The
# order of the projects depends on the slots that they use.
CLAIM = """
create or replace function claim_job(
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
    is_full boolean;
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
                    -- A split job and one of its shards use the same slot.
                    select count(*) - count(distinct counted.parent_id) as n from (
                        select j.parent_id from jobs j
                        where j.project_id = listed.id and j.state = 'running'
                        limit 64
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
                is_full := false;
                if candidate.limit_ is not null then
                    is_full := candidate.limit_ <= (
                        select count(*) from jobs j
                        where j.project_id = candidate.id and j.state = 'running' and j.parent_id is null
                    );
                    if not is_full then
                        -- Only one session at a time compares the number of running jobs with the limit.
                        if not pg_try_advisory_xact_lock(20100, hashtext(candidate.id::text)) then
                            is_busy := true;
                            continue;
                        end if;
                        is_full := candidate.limit_ <= (
                            select count(*) from jobs j
                            where j.project_id = candidate.id and j.state = 'running' and j.parent_id is null
                        );
                    end if;
                end if;
                if is_full then
                    select shard.id into job_id_
                    from jobs parent_
                    cross join lateral (
                        select j.id, j.priority, j.created_at from jobs j
                        where j.parent_id = parent_.id and j.state = 'queued' and j.queue = any(queues)
                            and j.run_after <= clock_timestamp() and j.expires_at > clock_timestamp()
                            and j.kind = any(kinds)
                            and j.parameters_version between version_min and version_max
                        order by j.shard
                        limit 1 for update skip locked
                    ) shard
                    where parent_.project_id = candidate.id and parent_.state = 'running'
                        and parent_.parent_id is null
                    order by shard.priority desc, shard.created_at, shard.id limit 1;
                else
                    select first.id into job_id_
                    from unnest(queues) as served(queue)
                    cross join lateral (
                        select j.id, j.priority, j.created_at from jobs j
                        where j.state = 'queued' and j.queue = served.queue and j.project_id = candidate.id
                            and j.run_after <= clock_timestamp() and j.expires_at > clock_timestamp()
                            and j.kind = any(kinds)
                            and j.parameters_version between version_min and version_max
                        order by j.priority desc, j.created_at, j.id
                        limit 1 for update skip locked
                    ) first
                    order by first.priority desc, first.created_at, first.id limit 1;
                end if;
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
    """Replace the function that claims a job."""
    op.execute(CLAIM)
