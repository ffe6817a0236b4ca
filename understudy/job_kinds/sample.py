"""Kind `sample`: draws rows from a model and stores them as a dataset."""

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

TABLE_FILE = "table.parquet"
NAME_LENGTH_MAX = 255
NAME_SUFFIX = " (synthetic)"


class SampleParameters(JobParameters):
    """Draw rows from a model."""

    kind: Literal["sample"]
    model_id: Annotated[str, Field(description="What to draw from.", examples=["mdl_01kaz7m2q5…"])]
    n_rows: Annotated[int, Field(ge=1, lt=2**62, examples=[100_000])]
    seed: Seed | None = None
    offset: Annotated[
        int,
        Field(ge=0, lt=2**62, description="Rows to pass over: row k of a seed is the same in every sample."),
    ] = 0
    name: Annotated[Name | None, Field(description="Of the dataset; made from the model's if left out.")] = (
        None
    )


def resolve(
    session: Session, project_id: UUID, parameters: SampleParameters, limits: Limits
) -> SampleParameters:
    """Check model and limit; choose seed and name if they were left open."""
    if parameters.n_rows > limits.sample_rows_max:
        raise TooLarge(
            f"n_rows is {parameters.n_rows:,}; the limit (sample_rows_max) is {limits.sample_rows_max:,}."
            " Draw several samples with one seed and different offsets.",
            code="too_many_rows",
            pointer="/n_rows",
        )
    model = models.get(session, project_id, ids.from_text("model", parameters.model_id))
    chosen = {
        "seed": references.new_seed() if parameters.seed is None else parameters.seed,
        "name": parameters.name or model.name[: NAME_LENGTH_MAX - len(NAME_SUFFIX)] + NAME_SUFFIX,
    }
    return parameters.model_copy(update=chosen)


def estimate(session: Session, project_id: UUID, parameters: SampleParameters) -> Estimate:
    """Judge by the number of rows and the size of the model."""
    model = models.get(session, project_id, ids.from_text("model", parameters.model_id))
    trained_on = datasets.get(session, project_id, model.dataset_id)
    return estimates.of_sample(model, trained_on, parameters.n_rows)


def plan(session: Session, job: Job, parameters: SampleParameters, limits: Limits) -> Plan:
    """Read the model's file."""
    model = models.get(session, job.project_id, ids.from_text("model", parameters.model_id))
    stored = references.stored_file(session, job.project_id, model.job_id, "model")
    return Plan(inputs={"model": stored}, context={"schema": model.table_schema})


def work(workspace: Workspace, parameters: SampleParameters) -> WorkResult:
    """Draw the rows and write them as they come, so that memory does not grow with their number."""
    # The engine is loaded where it is used: the API imports this module and must stay small.
    from understudy.synthesizers.files import load_model
    from understudy.tables.formats import FORMATS
    from understudy.tables.schema import Schema

    assert parameters.seed is not None
    workspace.progress("reading", 0.0)
    synthesizer, _ = load_model(workspace.inputs["model"])
    schema = Schema.model_validate(workspace.context["schema"]).to_arrow()
    n_rows = FORMATS["parquet"].write(
        workspace.folder / TABLE_FILE,
        synthesizer.sample(parameters.n_rows, seed=parameters.seed, offset=parameters.offset),
        schema,
        progress=workspace.progress,
        rows_total=parameters.n_rows,
    )
    return WorkResult(files={"table": TABLE_FILE}, facts={"n_rows": n_rows})


def publish(
    session: Session, job: Job, parameters: SampleParameters, files: Mapping[str, StoredFile], facts: Json
) -> Json:
    """Add the dataset."""
    assert parameters.name is not None
    # Locked, so that the model is not deleted under the dataset that is being added.
    model = models.lock(session, job.project_id, ids.from_text("model", parameters.model_id))
    dataset = datasets.add_sample(
        session,
        project_id=job.project_id,
        job_id=job.id,
        model_id=model.id,
        name=parameters.name,
        labels=job.labels,
        n_rows=facts["n_rows"],
        n_columns=len(references.column_names(model.table_schema)),
        size_bytes=files["table"].size_bytes,
        table_schema=model.table_schema,
    )
    return {"dataset_id": ids.to_text("dataset", dataset.id)}


SAMPLE = JobKind(
    name="sample",
    summary="Draw rows from a model and store them as a dataset.",
    parameters=SampleParameters,
    resolve=resolve,
    plan=plan,
    work=work,
    publish=publish,
    estimate=estimate,
)
