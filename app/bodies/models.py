"""Bodies of models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

from app.bodies.base import Body, Json, Page, Timestamp
from app.bodies.labels import LabelChanges
from app.bodies.schemas import TableSchema
from understudy import ids
from understudy.parameters.base import Name
from understudy.tables.findings import Findings
from understudy.tables.schema import DatasetSchema

if TYPE_CHECKING:
    from understudy.db import orm


class TrainedModel(Body):
    """A fitted synthesizer. Protect a model like its training data."""

    id: Annotated[str, Field(examples=["mdl_01kaz7n3r7g5x9a3b1d6e8f0hj"])]
    name: Annotated[str, Field(examples=["flights, tree_chain"])]
    labels: dict[str, str]
    synthesizer: Annotated[Json, Field(examples=[{"name": "tree_chain", "preset": "fast"}])]
    dataset_id: Annotated[str, Field(description="ID of the dataset that the model was trained on.")]
    tables: Annotated[
        list[str], Field(description="Names of the tables that the model learned.", examples=[["flights"]])
    ]
    job_id: Annotated[str, Field(description="ID of the job that trained the model.")]
    seed: Annotated[int, Field(examples=[7])]
    holdout_fraction: Annotated[
        float, Field(description="Fraction of the rows that were held out from training.")
    ]
    n_rows_trained: int
    size_bytes: int
    table_schemas: Annotated[
        dict[str, TableSchema], Field(description="Schemas of the learned tables, by table name.")
    ]
    card: Annotated[Json, Field(description="Model card of the synthesizer: sizes, settings and warnings.")]
    created_at: Timestamp

    @classmethod
    def of(cls, row: orm.Model) -> Self:
        """Return the response body for a database row."""
        return cls(
            id=ids.to_text("model", row.id),
            name=row.name,
            labels=row.labels,
            synthesizer=row.synthesizer,
            dataset_id=ids.to_text("dataset", row.dataset_id),
            tables=row.tables,
            job_id=ids.to_text("job", row.job_id),
            seed=row.seed,
            holdout_fraction=row.holdout_fraction,
            n_rows_trained=row.n_rows_trained,
            size_bytes=row.size_bytes,
            table_schemas=_table_schemas(row),
            card=row.card,
            created_at=row.created_at,
        )


def _table_schemas(row: orm.Model) -> dict[str, TableSchema]:
    schema = DatasetSchema.model_validate(row.dataset_schema)
    findings = Findings.model_validate(row.findings)
    return {table: TableSchema.of(schema, findings, table) for table in schema.tables}


class TrainedModelPage(Page):
    """A page of models, newest first."""

    data: list[TrainedModel]


class UpdateModel(BaseModel):
    """Changes to a model. Omitted fields keep their values."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"name": "flights 2013", "labels": {"team": "ops"}}]}
    )

    # None means that the name is omitted. A request cannot contain null, because a model must have a name.
    name: Annotated[Name, Field(description="New name of the model.")] = None  # type: ignore[assignment]
    labels: LabelChanges = {}
