"""Kind `train`: fits a synthesizer to a dataset, less its holdout, and stores it as a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from understudy import ids
from understudy.db import dataset_tables, datasets, models
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
from understudy.synthesizers import AnySynthesizer, TreeChainParameters

if TYPE_CHECKING:
    import pyarrow as pa
    from sqlalchemy.orm import Session

MODEL_FILE = "model.zip"
CANARIES_FILE = "canaries.parquet"


class CanaryParameters(BaseModel):
    """Made-up rows to plant among those that are learnt from, so that a report can look for them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    n_canaries: Annotated[int, Field(ge=10, le=10_000, examples=[50])]
    n_repeats: Annotated[
        int, Field(ge=1, le=100, description="How often each is planted: what is repeated is learnt sooner.")
    ] = 1


class TrainParameters(JobParameters):
    """Fit a synthesizer to a dataset."""

    kind: Literal["train"]
    dataset_id: Annotated[str, Field(description="What to learn from.", examples=["ds_01kaz7m2q5…"])]
    table: references.TableName = None
    synthesizer: Annotated[AnySynthesizer, Field(description="The algorithm and its settings.")] = (
        TreeChainParameters(name="tree_chain")
    )
    seed: Seed | None = None
    holdout_fraction: Annotated[
        float, Field(ge=0, le=0.5, description="Share of the rows set aside, to measure privacy against.")
    ] = 0.2
    canaries: Annotated[
        CanaryParameters | None,
        Field(
            description="Made-up rows to learn as well: `evaluate` then tells how well an attacker finds"
            " those that were planted among those that were not. They cost a little fidelity."
        ),
    ] = None
    name: Annotated[Name | None, Field(description="Of the model; the dataset's if left out.")] = None


def resolve(
    session: Session, project_id: UUID, parameters: TrainParameters, limits: Limits
) -> TrainParameters:
    """Check that the dataset is ready and its table known; choose seed and name if they were left open."""
    table = references.ready_table(session, project_id, parameters.dataset_id, parameters.table)
    chosen = {
        "seed": references.new_seed() if parameters.seed is None else parameters.seed,
        "name": parameters.name or table.name or table.dataset.name,
    }
    return parameters.model_copy(update=chosen)


def estimate(session: Session, project_id: UUID, parameters: TrainParameters) -> Estimate:
    """Judge by the size of the table."""
    table = references.ready_table(session, project_id, parameters.dataset_id, parameters.table)
    return estimates.of_train(table, parameters.synthesizer)


def plan(session: Session, job: Job, parameters: TrainParameters, limits: Limits) -> Plan:
    """Read the dataset's table."""
    table = references.ready_table(session, job.project_id, parameters.dataset_id, parameters.table)
    stored = references.table_file(session, table)
    return Plan(inputs={"table": stored}, context={"schema": table.table_schema})


def work(workspace: Workspace, parameters: TrainParameters) -> WorkResult:
    """Set the holdout aside, fit the rest, save the model."""
    # The engine is loaded where it is used: the API imports this module and must stay small.
    import pyarrow as pa
    import pyarrow.parquet as pq

    from understudy.evaluation.holdout import split_holdout
    from understudy.synthesizers import make_synthesizer
    from understudy.synthesizers.files import save_model
    from understudy.tables.inference import examine
    from understudy.tables.names import DEFAULT_NAME
    from understudy.tables.schema import DatasetSchema
    from understudy.tables.stored_schemas import read_stored
    from understudy.tables.validation import conform

    assert parameters.seed is not None
    stored, findings = read_stored(workspace.context["schema"])
    workspace.progress("reading", 0.0)
    # Parquet has no room for some types, such as seconds: the schema knows what they were.
    table = conform(pq.read_table(workspace.inputs["table"]), stored.tables[DEFAULT_NAME])
    # Columns that nobody has examined are examined now: a fit trusts its schema.
    schema = examine(table, stored.tables[DEFAULT_NAME], findings.table(DEFAULT_NAME)).schema
    is_holdout = split_holdout(table.num_rows, parameters.holdout_fraction, parameters.seed)
    training = table.filter(pa.array(~is_holdout))
    # Freed before the fit, which needs the room.
    del table
    files = {"model": MODEL_FILE}
    if parameters.canaries is not None:
        training = _planted(workspace, training, schema, parameters)
        files["canaries"] = CANARIES_FILE
    synthesizer = make_synthesizer(parameters.synthesizer, seed=parameters.seed)
    synthesizer.fit(training, schema, locale=stored.locale, progress=workspace.progress)
    workspace.progress("writing", 0.0)
    split = {"seed": parameters.seed, "holdout_fraction": parameters.holdout_fraction}
    whole = DatasetSchema(tables={DEFAULT_NAME: schema}, locale=stored.locale)
    save_model(synthesizer, workspace.folder / MODEL_FILE, schema=whole, extra=split)
    card = synthesizer.card()
    if parameters.canaries is not None:
        card["canaries"] = parameters.canaries.model_dump()
    return WorkResult(files=files, facts={"n_rows_trained": training.num_rows, "card": card})


# Any: a TableSchema, whose module the API does not import.
def _planted(workspace: Workspace, training: pa.Table, schema: Any, parameters: TrainParameters) -> pa.Table:
    """Return the rows with canaries among them, and write down which these are."""
    import pyarrow.parquet as pq

    from understudy.evaluation.canaries import make_canaries, plant

    assert parameters.canaries is not None
    assert parameters.seed is not None
    canaries = make_canaries(training, schema, n=parameters.canaries.n_canaries, seed=parameters.seed)
    pq.write_table(canaries, workspace.folder / CANARIES_FILE)
    return plant(training, canaries, repeats=parameters.canaries.n_repeats)


def publish(
    session: Session, job: Job, parameters: TrainParameters, files: Mapping[str, StoredFile], facts: Json
) -> Json:
    """Add the model."""
    assert parameters.seed is not None
    assert parameters.name is not None
    # Locked, so that the dataset is not deleted under the model that is being added.
    dataset = datasets.lock(session, job.project_id, ids.from_text("dataset", parameters.dataset_id))
    table = dataset_tables.choose(session, dataset, parameters.table)
    model = models.add(
        session,
        project_id=job.project_id,
        job_id=job.id,
        dataset_id=dataset.id,
        table_name=table.name,
        name=parameters.name,
        labels=job.labels,
        synthesizer=parameters.synthesizer.model_dump(mode="json"),
        seed=parameters.seed,
        holdout_fraction=parameters.holdout_fraction,
        n_rows_trained=facts["n_rows_trained"],
        size_bytes=files["model"].size_bytes,
        table_schema=table.table_schema,
        card=facts["card"],
    )
    return {"model_id": ids.to_text("model", model.id)}


TRAIN = JobKind(
    name="train",
    summary="Fit a synthesizer to a dataset and store it as a model.",
    parameters=TrainParameters,
    resolve=resolve,
    plan=plan,
    work=work,
    publish=publish,
    estimate=estimate,
)
