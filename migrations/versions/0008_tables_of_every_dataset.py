"""Store every dataset's tables as rows, findings apart from schemas, and dataset schemas in models.

The stored schemas are converted only with code in this file, because a migration must produce the same rows
however later versions change the classes.
"""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

Json = dict[str, Any]

ADD = """
alter table datasets
    add column locale text not null default 'en',
    add column relationships jsonb not null default '[]',
    add column relationship_candidates jsonb not null default '[]';
alter table dataset_tables add column findings jsonb;
alter table models add column dataset_schema jsonb, add column findings jsonb, add column tables text[];
alter table reports add column tables jsonb;
"""

DROP = """
alter table datasets
    drop column format,
    drop column n_tables,
    drop column n_rows,
    drop column n_columns,
    drop column size_bytes,
    drop column table_schema;
alter table models
    drop column table_name,
    drop column table_schema,
    alter column dataset_schema set not null,
    alter column findings set not null,
    alter column tables set not null;
alter table reports alter column tables set not null;
"""

# Earlier product versions stored the files of a single table under roles without a position, such as `table`.
# Now every role includes a position, such as `table_1`.
ARTIFACTS = "update artifacts set role = role || '_1' where role in ('table', 'upload', 'rejects')"

# Workers of the earlier version do not claim jobs with parameters of version 2. The trigger is disabled
# because it rejects changes to jobs that have ended.
JOBS = """
alter table jobs disable trigger jobs_check_transition;
update jobs set parameters_version = 2;
update jobs set parameters = parameters - 'format' || jsonb_build_object(
    'tables', jsonb_build_array(jsonb_build_object('name', t.name, 'format', parameters->>'format'))
)
from datasets join dataset_tables t on t.dataset_id = datasets.id
where kind = 'ingest' and parameters ? 'format' and datasets.job_id = jobs.id;
alter table jobs enable trigger jobs_check_transition;
"""


def upgrade() -> None:
    """Move the facts about tables to their rows, and convert the schemas of models and reports."""
    op.execute(ADD)
    connection = op.get_bind()
    _name_only_tables(connection)
    _convert_table_schemas(connection)
    _convert_models(connection)
    _name_compared_tables(connection)
    for statement in (ARTIFACTS, JOBS, DROP):
        op.execute(statement)


def _name_only_tables(connection: sa.Connection) -> None:
    """Add a row to `dataset_tables` for each dataset with one table.

    An uploaded table gets the name of its dataset, because the file name was not stored. The table in a
    sample gets the name of the model's table. The table in an imputation gets the name of the imputed table.
    """
    # The order is chronological, so each dataset comes after the dataset that it was created from.
    statement = """
        select d.id, d.name, d.model_id, d.source_dataset_id, j.parameters->>'table' as table_name
        from datasets d join jobs j on j.id = d.job_id where d.n_tables = 1 order by d.id
    """
    models = {
        row.id: row for row in connection.execute(sa.text("select id, dataset_id, table_name from models"))
    }
    names: dict[Any, str] = {}
    for row in connection.execute(sa.text(statement)).all():
        name = row.name
        if row.source_dataset_id is not None:
            name = row.table_name or names[row.source_dataset_id]
        elif row.model_id is not None:
            model = models[row.model_id]
            name = model.table_name or names[model.dataset_id]
        names[row.id] = name
    insert = """
        insert into dataset_tables
            (dataset_id, position, project_id, name, format, n_rows, n_columns, size_bytes, table_schema)
        select id, 1, project_id, :name, format, n_rows, n_columns, size_bytes, table_schema
        from datasets where id = :id
    """
    if names:
        rows = [{"id": dataset_id, "name": name} for dataset_id, name in names.items()]
        connection.execute(sa.text(insert), rows)


def _convert_table_schemas(connection: sa.Connection) -> None:
    """Split the stored schemas, and give each dataset the locale and relationship candidates of its tables.

    If the tables of a dataset have several locales, the first one that is not the default is used.
    """
    statement = """
        select dataset_id, position, name, table_schema from dataset_tables
        where table_schema is not null order by dataset_id, position
    """
    locales: dict[Any, str] = {}
    candidates: dict[Any, list[Json]] = {}
    rows = []
    for row in connection.execute(sa.text(statement)).all():
        schema, findings = split_schema(row.table_schema)
        rows.append(
            {
                "dataset_id": row.dataset_id,
                "position": row.position,
                "schema": json.dumps(schema),
                "findings": json.dumps(findings),
            }
        )
        locale = row.table_schema.get("locale", "en")
        if locales.get(row.dataset_id, "en") == "en":
            locales[row.dataset_id] = locale
        candidates.setdefault(row.dataset_id, []).extend(relationship_candidates(row.name, row.table_schema))
    update_tables = """
        update dataset_tables set table_schema = cast(:schema as jsonb), findings = cast(:findings as jsonb)
        where dataset_id = :dataset_id and position = :position
    """
    update_datasets = """
        update datasets set locale = :locale, relationship_candidates = cast(:candidates as jsonb)
        where id = :id
    """
    if rows:
        connection.execute(sa.text(update_tables), rows)
        facts = [
            {"id": dataset_id, "locale": locale, "candidates": json.dumps(candidates[dataset_id])}
            for dataset_id, locale in locales.items()
        ]
        connection.execute(sa.text(update_datasets), facts)


def _convert_models(connection: sa.Connection) -> None:
    """Give each model a dataset schema with the table that it was fitted to."""
    statement = """
        select m.id, m.table_schema, coalesce(m.table_name, t.name) as name
        from models m left join dataset_tables t
            on t.dataset_id = m.dataset_id and t.position = 1 and m.table_name is null
    """
    rows = []
    for row in connection.execute(sa.text(statement)).all():
        schema, table_findings = split_schema(row.table_schema)
        locale = row.table_schema.get("locale", "en")
        whole = {"tables": {row.name: schema}, "relationships": [], "locale": locale}
        candidates = relationship_candidates(row.name, row.table_schema)
        findings = {"tables": {row.name: table_findings}, "relationships": candidates}
        rows.append(
            {
                "id": row.id,
                "schema": json.dumps(whole),
                "findings": json.dumps(findings),
                "tables": [row.name],
            }
        )
    update = """
        update models set dataset_schema = cast(:schema as jsonb), findings = cast(:findings as jsonb),
        tables = :tables where id = :id
    """
    if rows:
        connection.execute(sa.text(update), rows)


def _name_compared_tables(connection: sa.Connection) -> None:
    """Store in each report the names of the real and the synthetic table that it compares."""
    named = """(
        select name from dataset_tables t where t.dataset_id = {}
        order by t.name is not distinct from j.parameters->>'table' desc, t.position limit 1
    )"""
    real, synthetic = named.format("r.dataset_id"), named.format("r.synthetic_dataset_id")
    pair = f"jsonb_build_object('real', {real}, 'synthetic', {synthetic})"
    op.execute(
        f"update reports r set tables = jsonb_build_array({pair}) from jobs j where j.id = r.job_id"  # noqa: S608
    )


def split_schema(stored: Json) -> tuple[Json, Json]:
    """Return the schema of a table and its findings from the old format, which contained both."""
    columns = [
        {name: column[name] for name in ("name", "kind", "arrow_type", "nullable")}
        for column in stored["columns"]
    ]
    subject = stored.get("subject")
    schema = {
        "columns": [column | {"domain": None} for column in columns],
        "primary_key": [],
        "subject": [] if subject is None else [subject],
        "order_by": [],
        "role": "data",
    }
    findings = {
        # A column without a confidence was never examined.
        "columns": {
            column["name"]: {
                "confidence": column["confidence"],
                "evidence": column.get("evidence", ""),
                "runner_up": column.get("runner_up"),
            }
            for column in stored["columns"]
            if column.get("confidence") is not None
        },
        "primary_keys": [_candidate(candidate) for candidate in stored.get("primary_key_candidates", ())],
        "subject": _candidate(stored.get("subject_candidate")),
        "target": _candidate(stored.get("target_candidate")),
    }
    return schema, findings


def relationship_candidates(table: str, stored: Json) -> list[Json]:
    """Return the relationship candidates of a table from its stored schema."""
    return [
        {
            "child": table,
            "child_columns": [candidate["column"]],
            "parent": candidate["parent_table"],
            "parent_columns": [candidate["parent_column"]],
            "confidence": candidate["confidence"],
            "evidence": candidate["evidence"],
        }
        for candidate in stored.get("foreign_key_candidates", ())
    ]


def _candidate(candidate: Json | None) -> Json | None:
    if candidate is None:
        return None
    return {
        "columns": [candidate["column"]],
        "confidence": candidate["confidence"],
        "evidence": candidate["evidence"],
    }
