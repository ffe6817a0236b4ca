"""Support datasets with several tables, and uploads in parts."""

from alembic import op

revision = "0004"
down_revision = "0003"

TABLES = """
alter table datasets add column n_tables integer not null default 1;
alter table models add column table_name text;

create table dataset_tables (
    dataset_id uuid not null references datasets on delete cascade,
    position integer not null,
    project_id uuid not null references projects on delete cascade,
    name text not null,
    format text not null,
    n_rows bigint,
    n_columns integer,
    size_bytes bigint,
    table_schema jsonb,
    primary key (dataset_id, position),
    unique (dataset_id, name)
);
"""

UPLOADS = """
create table uploads (
    id uuid primary key,
    project_id uuid not null references projects on delete cascade,
    dataset_id uuid references datasets on delete cascade,
    name text not null,
    labels jsonb not null default '{}',
    options jsonb not null default '{}',
    files jsonb not null,
    size_bytes bigint not null,
    part_bytes bigint not null,
    n_parts integer not null,
    completing_until timestamptz,
    created_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz not null
);
create index uploads_project_id_id_idx on uploads (project_id, id);
create index uploads_dataset_id_idx on uploads (dataset_id);
create index uploads_expires_at_idx on uploads (expires_at);

create table upload_parts (
    upload_id uuid not null references uploads on delete cascade,
    number integer not null,
    project_id uuid not null references projects on delete cascade,
    storage_key text not null unique,
    sha256 bytea not null,
    size_bytes bigint not null,
    primary key (upload_id, number)
);
"""


def upgrade() -> None:
    """Create the tables; existing datasets become datasets with one table."""
    for statements in (TABLES, UPLOADS):
        op.execute(statements)
