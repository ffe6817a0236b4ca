"""Add imputed datasets, which contain real rows and are deleted with the dataset that they complete."""

from alembic import op

revision = "0002"
down_revision = "0001"

IMPUTATIONS = """
alter table datasets
    add column source_dataset_id uuid references datasets,
    drop constraint datasets_origin_check,
    add constraint datasets_origin_check check (origin in ('upload', 'sample', 'imputation'));
create index datasets_source_dataset_id_idx on datasets (source_dataset_id);
"""


def upgrade() -> None:
    """Add the origin `imputation` and a reference to the imputed dataset."""
    op.execute(IMPUTATIONS)
