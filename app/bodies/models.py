"""Bodies of models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Self

from pydantic import Field

from app.bodies.base import Body, Json, Page, Timestamp
from app.bodies.schemas import TableSchema
from understudy import ids

if TYPE_CHECKING:
    from understudy.db import orm


class TrainedModel(Body):
    """A fitted synthesizer. It has learnt from personal data wherever its dataset holds some."""

    id: Annotated[str, Field(examples=["mdl_01kaz7n3r7g5x9a3b1d6e8f0hj"])]
    name: Annotated[str, Field(examples=["flights, tree_chain"])]
    labels: dict[str, str]
    synthesizer: Annotated[Json, Field(examples=[{"name": "tree_chain", "preset": "fast"}])]
    dataset_id: Annotated[str, Field(description="What it was trained on.")]
    table: Annotated[
        str | None, Field(description="Of a dataset of several tables: the one that it was trained on.")
    ] = None
    job_id: Annotated[str, Field(description="The job that trained it.")]
    seed: Annotated[int, Field(examples=[7])]
    holdout_fraction: Annotated[float, Field(description="Rows set aside before anything was learnt.")]
    n_rows_trained: int
    size_bytes: int
    table_schema: TableSchema
    card: Annotated[
        Json, Field(description="What the synthesizer tells of itself: sizes, choices, warnings.")
    ]
    created_at: Timestamp

    @classmethod
    def of(cls, row: orm.Model) -> Self:
        """Return the body of a row."""
        return cls(
            id=ids.to_text("model", row.id),
            name=row.name,
            labels=row.labels,
            synthesizer=row.synthesizer,
            dataset_id=ids.to_text("dataset", row.dataset_id),
            table=row.table_name,
            job_id=ids.to_text("job", row.job_id),
            seed=row.seed,
            holdout_fraction=row.holdout_fraction,
            n_rows_trained=row.n_rows_trained,
            size_bytes=row.size_bytes,
            table_schema=TableSchema(**row.table_schema),
            card=row.card,
            created_at=row.created_at,
        )


class TrainedModelPage(Page):
    """A page of models, newest first."""

    data: list[TrainedModel]
