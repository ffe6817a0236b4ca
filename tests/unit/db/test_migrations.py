from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import NullPool, create_engine, text

from understudy.db.migrate import make_config, upgrade
from understudy.db.orm import Base
from understudy.db.session import parse_url

CATALOGUE = (
    "select table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable || ' '"
    " || coalesce(column_default, '') from information_schema.columns where table_schema = 'public'",
    "select conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) from pg_constraint"
    " where connamespace = 'public'::regnamespace",
    "select indexdef from pg_indexes where schemaname = 'public'",
    "select sequencename::text from pg_sequences",
)


def catalogue(url: str) -> set[str]:
    with create_engine(parse_url(url), poolclass=NullPool).connect() as connection:
        rows = {row for statement in CATALOGUE for row in connection.scalars(text(statement))}
    return {row for row in rows if "alembic_version" not in row}


def test_models_and_migrations_agree(database_url: str, empty_url: str) -> None:
    engine = create_engine(parse_url(empty_url), poolclass=NullPool)
    Base.metadata.create_all(engine)

    assert catalogue(database_url) == catalogue(empty_url)


def test_alembic_finds_no_difference_between_models_and_migrations(database_url: str) -> None:
    with create_engine(parse_url(database_url), poolclass=NullPool).connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_concurrent_upgrades_run_each_migration_once(empty_url: str) -> None:
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(upgrade, [empty_url] * 3))

    with create_engine(parse_url(empty_url), poolclass=NullPool).connect() as connection:
        assert connection.scalar(text("select count(*) from alembic_version")) == 1


BEFORE_ERASURE = """
insert into projects (id, name) values (gen_random_uuid(), 'p');
insert into jobs (id, project_id, kind, parameters, parameters_version, state, expires_at, finished_at)
    select gen_random_uuid(), id, kind, parameters::jsonb, 2, 'cancelled', now(), now()
    from projects, (values
        ('train', '{"dataset_id": "ds_01m8q4sm2qf70rk0w90at33zt1", "name": "canary"}'),
        ('probe', '{"seconds": 1}')
    ) as given (kind, parameters);
insert into idempotency_keys (project_id, key, request_sha256, status, body)
    select id, 'k', '', 202, '{"id": "job_01m8q4sm2qf70rk0w90at33zt1", "name": "not an ID"}' from projects;
"""


def test_jobs_whose_data_was_deleted_earlier_are_erased(empty_url: str) -> None:
    engine = create_engine(parse_url(empty_url), poolclass=NullPool)
    with engine.begin() as connection:
        config = make_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0008")
        connection.execute(text(BEFORE_ERASURE.replace(":", r"\:")))

    upgrade(empty_url)

    with engine.connect() as connection:
        jobs = connection.execute(text("select kind, parameters, erased_at is not null from jobs order by 1"))
        assert [tuple(job) for job in jobs] == [
            ("probe", {"seconds": 1}, False),
            ("train", {"dataset_id": "ds_01m8q4sm2qf70rk0w90at33zt1"}, True),
        ]
        mentions = connection.scalars(text("select mentions from idempotency_keys")).one()
        assert mentions == ["job_01m8q4sm2qf70rk0w90at33zt1"]
