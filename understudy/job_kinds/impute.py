"""Kind `impute`: completes a dataset with what a model draws for its missing values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal
from uuid import UUID

from pydantic import Field

from understudy import ids
from understudy.db import datasets, models
from understudy.errors import TooLarge
from understudy.job_kinds import estimates, references
from understudy.job_kinds.base import (
    Estimate,
    Job,
    JobKind,
    JobParameters,
    Json,
    Limits,
    Name,
    Plan,
    Seed,
    StoredFile,
    WorkResult,
    Workspace,
)

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from understudy.db.dataset_tables import Table
    from understudy.db.orm import Dataset, Model

TABLE_FILE = "table.parquet"
N_DRAWS_MAX = 20
NAME_SUFFIX = " (completed)"


class ImputeParameters(JobParameters):
    """Complete a dataset: draw its missing values, and leave all others as they are."""

    kind: Literal["impute"]
    model_id: Annotated[str, Field(description="What to draw from.", examples=["mdl_01kaz7m2q5…"])]
    dataset_id: Annotated[
        str, Field(description="What to complete: a table of the columns that the model knows.")
    ]
    table: references.TableName = None
    n_draws: Annotated[
        int,
        Field(
            ge=1,
            le=N_DRAWS_MAX,
            description="How often: of n rows, row i of draw d (both from 0) is row d * n + i of the result.",
        ),
    ] = 1
    seed: Seed | None = None
    name: Annotated[Name | None, Field(description="Of the result; made from the dataset's if left out.")] = (
        None
    )


def resolve(
    session: Session, project_id: UUID, parameters: ImputeParameters, limits: Limits
) -> ImputeParameters:
    """Check that the model imputes, that the dataset fits it, and the limit; choose seed and name."""
    model, table = _model_and_table(session, project_id, parameters)
    references.check_controllable(model)
    references.check_same_columns(table, model)
    n_rows = table.n_rows * parameters.n_draws
    if n_rows > limits.sample_rows_max:
        raise TooLarge(
            f"{parameters.n_draws} draws of {table.n_rows:,} rows are {n_rows:,}; the limit"
            f" (sample_rows_max) is {limits.sample_rows_max:,}. Ask for several jobs of fewer draws,"
            " each with a seed of its own.",
            code="too_many_rows",
            pointer="/n_draws",
        )
    chosen = {
        "seed": references.new_seed() if parameters.seed is None else parameters.seed,
        "name": parameters.name or references.name_with_suffix(table.name or table.dataset.name, NAME_SUFFIX),
    }
    return parameters.model_copy(update=chosen)


def _model_and_table(session: Session, project_id: UUID, parameters: ImputeParameters) -> tuple[Model, Table]:
    model = models.get(session, project_id, ids.from_text("model", parameters.model_id))
    return model, references.ready_table(session, project_id, parameters.dataset_id, parameters.table)


def estimate(session: Session, project_id: UUID, parameters: ImputeParameters) -> Estimate:
    """Judge by the size of the table, the number of draws and the size of the model."""
    model, table = _model_and_table(session, project_id, parameters)
    return estimates.of_impute(model, table, parameters.n_draws)


def plan(session: Session, job: Job, parameters: ImputeParameters, limits: Limits) -> Plan:
    """Read the model's file and the dataset's table."""
    model, table = _model_and_table(session, job.project_id, parameters)
    inputs = {
        "model": references.stored_file(session, job.project_id, model.job_id, "model"),
        "table": references.table_file(session, table),
    }
    context = {"schema": model.table_schema, "n_rows": table.n_rows * parameters.n_draws}
    return Plan(inputs=inputs, context=context)


def work(workspace: Workspace, parameters: ImputeParameters) -> WorkResult:
    """Draw what is missing and write the rows as they come: only the given table is held in memory."""
    # The engine is loaded where it is used: the API imports this module and must stay small.
    import pyarrow.parquet as pq

    from understudy.synthesizers.files import load_model
    from understudy.tables.formats import FORMATS
    from understudy.tables.stored_schemas import read_stored
    from understudy.tables.validation import conform

    assert parameters.seed is not None
    workspace.progress("reading", 0.0)
    synthesizer, _ = load_model(workspace.inputs["model"])
    (schema,) = read_stored(workspace.context["schema"])[0].tables.values()
    table = conform(pq.read_table(workspace.inputs["table"]), schema)
    n_rows = FORMATS["parquet"].write(
        workspace.folder / TABLE_FILE,
        synthesizer.impute(table, seed=parameters.seed, n_draws=parameters.n_draws),
        schema.to_arrow(),
        progress=workspace.progress,
        rows_total=workspace.context["n_rows"],
    )
    return WorkResult(files={"table": TABLE_FILE}, facts={"n_rows": n_rows})


def publish(
    session: Session, job: Job, parameters: ImputeParameters, files: Mapping[str, StoredFile], facts: Json
) -> Json:
    """Add the dataset."""
    assert parameters.name is not None
    model, source = _lock_both(session, job.project_id, parameters)
    dataset = datasets.add_made(
        session,
        project_id=job.project_id,
        job_id=job.id,
        model_id=model.id,
        source_dataset_id=source.id,
        name=parameters.name,
        labels=job.labels,
        n_rows=facts["n_rows"],
        n_columns=len(references.column_names(model.table_schema)),
        size_bytes=files["table"].size_bytes,
        table_schema=model.table_schema,
    )
    return {"dataset_id": ids.to_text("dataset", dataset.id)}


def _lock_both(session: Session, project_id: UUID, parameters: ImputeParameters) -> tuple[Model, Dataset]:
    """Lock model and dataset, so that neither is deleted under the dataset that is being added.

    The older one first, as a deletion does: it locks what was derived behind what it came from. So neither
    waits for the other. Ids are in the order of time.
    """
    model_id = ids.from_text("model", parameters.model_id)
    dataset_id = ids.from_text("dataset", parameters.dataset_id)
    if model_id < dataset_id:
        model = models.lock(session, project_id, model_id)
        return model, datasets.lock(session, project_id, dataset_id)
    dataset = datasets.lock(session, project_id, dataset_id)
    return models.lock(session, project_id, model_id), dataset


IMPUTE = JobKind(
    name="impute",
    summary="Complete a dataset with what a model draws for its missing values.",
    parameters=ImputeParameters,
    resolve=resolve,
    plan=plan,
    work=work,
    publish=publish,
    estimate=estimate,
)
