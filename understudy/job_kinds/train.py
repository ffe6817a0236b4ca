"""Job kind `train`, which fits a synthesizer to the training rows of a dataset and stores a model."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy.orm import Session

from understudy import ids
from understudy.db import datasets, models
from understudy.db.dataset_tables import Table
from understudy.db.models import NewModel
from understudy.job_kinds import cost_model, inputs
from understudy.job_kinds.base import Estimate, JobContext, JobKind, Limits, Phase, Plan, StoredFile
from understudy.parameters.base import Json
from understudy.parameters.needs import Needs
from understudy.parameters.train import TrainParameters
from understudy.synthesizers import synthesizer_entry


def resolve(
    session: Session, project_id: UUID, parameters: TrainParameters, limits: Limits
) -> TrainParameters:
    """Check that the dataset is ready and has the table. Choose the seed and the name if they are omitted."""
    table = _open_table(session, project_id, parameters)
    chosen = {
        "seed": inputs.new_seed() if parameters.seed is None else parameters.seed,
        "name": parameters.name or parameters.table or table.dataset.name,
    }
    return parameters.model_copy(update=chosen)


def _open_table(session: Session, project_id: UUID, parameters: TrainParameters) -> Table:
    return inputs.open_table(session, project_id, parameters.dataset_id, parameters.table, "learn")


def estimate(session: Session, project_id: UUID, parameters: TrainParameters) -> Estimate:
    """Return the estimated cost from the size of the table."""
    table = _open_table(session, project_id, parameters)
    return cost_model.estimate_train(table, parameters.synthesizer)


def needs(session: Session, project_id: UUID, parameters: TrainParameters) -> Needs:
    """Return the requirements of the synthesizer."""
    return synthesizer_entry(parameters.synthesizer.name).needs


def plan(session: Session, job: JobContext, parameters: TrainParameters, limits: Limits) -> Plan:
    """Return the dataset's table as input."""
    table = _open_table(session, job.project_id, parameters)
    context = {"schema": table.dataset_schema, "findings": table.dataset_findings}
    return Plan(inputs=inputs.table_files(session, table, "table"), context=context)


def publish(
    session: Session,
    job: JobContext,
    parameters: TrainParameters,
    files: Mapping[str, StoredFile],
    facts: Json,
) -> Json:
    """Add the trained model."""
    assert parameters.seed is not None
    assert parameters.name is not None
    # The lock prevents the deletion of the dataset while the model is added.
    dataset = datasets.lock(session, job.project_id, ids.from_text("dataset", parameters.dataset_id))
    new = NewModel(
        dataset_id=dataset.id,
        name=parameters.name,
        synthesizer=parameters.synthesizer.model_dump(mode="json"),
        seed=parameters.seed,
        holdout_fraction=parameters.holdout_fraction,
        n_rows_trained=facts["n_rows_trained"],
        size_bytes=files["model"].size_bytes,
        # This is the schema that was learned. The schema of the dataset may have changed in the meantime.
        dataset_schema=facts["schema"],
        findings=facts["findings"],
        tables=list(facts["schema"]["tables"]),
        card=facts["card"],
    )
    model = models.add(session, job, new)
    return {"model_id": ids.to_text("model", model.id)}


def phases(parameters: TrainParameters) -> tuple[Phase, ...]:
    """Return the phases: reading, the phases of the fit, and writing. The fit takes 97% of the time."""
    of_fit = synthesizer_entry(parameters.synthesizer.name).phases(parameters.synthesizer)
    unit = sum(phase.weight for phase in of_fit) / 97
    fit = [Phase(phase.name, phase.weight / unit) for phase in of_fit]
    return (Phase("reading", 2), *fit, Phase("writing", 1))


TRAIN = JobKind(
    name="train",
    summary="Fit a synthesizer to a dataset and store it as a model.",
    parameters=TrainParameters,
    resolve=resolve,
    plan=plan,
    work="understudy.work.train:work",
    publish=publish,
    needs=needs,
    estimate=estimate,
    phases=phases,
)
