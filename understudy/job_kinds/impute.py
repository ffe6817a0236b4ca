"""Job kind `impute`, which fills the missing values of a dataset with values sampled from a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy.orm import Session

from understudy import ids
from understudy.db import datasets, models
from understudy.db.dataset_tables import Table
from understudy.db.datasets import MadeDataset
from understudy.errors import TooLarge
from understudy.job_kinds import cost_model, inputs
from understudy.job_kinds.base import Estimate, JobContext, JobKind, Limits, Phase, Plan, StoredFile
from understudy.parameters.base import Json
from understudy.parameters.impute import ImputeParameters
from understudy.parameters.needs import Needs

if TYPE_CHECKING:
    from understudy.db.orm import Dataset, Model

NAME_SUFFIX = " (completed)"


def resolve(
    session: Session, project_id: UUID, parameters: ImputeParameters, limits: Limits
) -> ImputeParameters:
    """Check the model, the columns of the dataset and the limit, and choose the seed and the name."""
    model, table = _model_and_table(session, project_id, parameters)
    inputs.check_supports_constraints(model)
    inputs.check_same_columns(table, model)
    n_rows = table.n_rows * parameters.n_draws
    if n_rows > limits.sample_rows_max:
        raise TooLarge(
            f"{parameters.n_draws} draws of {table.n_rows:,} rows result in {n_rows:,} rows, but the limit "
            f"(sample_rows_max) is {limits.sample_rows_max:,}. Create several jobs with fewer draws and "
            f"different seeds.",
            code="too_many_rows",
            pointer="/n_draws",
        )
    chosen = {
        "seed": inputs.new_seed() if parameters.seed is None else parameters.seed,
        "name": parameters.name
        or inputs.name_with_suffix(parameters.table or table.dataset.name, NAME_SUFFIX),
    }
    return parameters.model_copy(update=chosen)


def _model_and_table(session: Session, project_id: UUID, parameters: ImputeParameters) -> tuple[Model, Table]:
    model = models.get(session, project_id, ids.from_text("model", parameters.model_id))
    table = inputs.open_table(session, project_id, parameters.dataset_id, parameters.table, "learn")
    return model, table


def estimate(session: Session, project_id: UUID, parameters: ImputeParameters) -> Estimate:
    """Return the estimated cost from the sizes of the table and the model, and the number of draws."""
    model, table = _model_and_table(session, project_id, parameters)
    return cost_model.estimate_impute(model, table, parameters.n_draws)


def needs(session: Session, project_id: UUID, parameters: ImputeParameters) -> Needs:
    """Return the requirements of the model's synthesizer."""
    return inputs.needs_of_model(session, project_id, parameters.model_id)


def plan(session: Session, job: JobContext, parameters: ImputeParameters, limits: Limits) -> Plan:
    """Return the files of the model and the table as inputs."""
    model, table = _model_and_table(session, job.project_id, parameters)
    stored_files = {
        "model": inputs.stored_file(session, job.project_id, model.job_id, "model"),
        **inputs.table_files(session, table, "table"),
    }
    context = {
        "schema": model.dataset_schema,
        "roles": inputs.table_roles(model),
        "n_rows": table.n_rows * parameters.n_draws,
    }
    return Plan(inputs=stored_files, context=context)


def publish(
    session: Session,
    job: JobContext,
    parameters: ImputeParameters,
    files: Mapping[str, StoredFile],
    facts: Json,
) -> Json:
    """Add the imputed dataset."""
    assert parameters.name is not None
    model, source = _lock_both(session, job.project_id, parameters)
    new = MadeDataset(parameters.name, model.id, model.dataset_schema, model.findings, source.id)
    dataset = datasets.add_made(session, job, new)
    inputs.add_made_tables(session, dataset, model, files, facts["n_rows"])
    return {"dataset_id": ids.to_text("dataset", dataset.id)}


def _lock_both(session: Session, project_id: UUID, parameters: ImputeParameters) -> tuple[Model, Dataset]:
    """Lock the model and the source dataset against deletion while the imputed dataset is added.

    The older resource is locked first, as in a deletion, which locks descendants after their ancestors. This
    order prevents deadlocks. IDs are in chronological order.
    """
    model_id = ids.from_text("model", parameters.model_id)
    dataset_id = ids.from_text("dataset", parameters.dataset_id)
    if model_id < dataset_id:
        model = models.lock(session, project_id, model_id)
        return model, datasets.lock(session, project_id, dataset_id)
    dataset = datasets.lock(session, project_id, dataset_id)
    return models.lock(session, project_id, model_id), dataset


# The weights are the usual shares of the phases in the duration.
PHASES = (Phase("reading", 3), Phase("writing", 97, is_steady=True))

IMPUTE = JobKind(
    name="impute",
    summary="Fill the missing values of a dataset with values sampled from a model.",
    parameters=ImputeParameters,
    resolve=resolve,
    plan=plan,
    work="understudy.work.impute:work",
    publish=publish,
    needs=needs,
    estimate=estimate,
    phases=lambda _: PHASES,
)
