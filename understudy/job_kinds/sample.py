"""Job kind `sample`, which samples rows from a model and stores them as a dataset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy.orm import Session

from understudy import ids
from understudy.db import dataset_tables, datasets, models
from understudy.db.datasets import MadeDataset
from understudy.errors import InvalidInput, TooLarge
from understudy.job_kinds import cost_model, gate, inputs
from understudy.job_kinds.base import Estimate, JobContext, JobKind, Limits, Phase, Plan, StoredFile
from understudy.parameters.base import JobParameters, Json
from understudy.parameters.needs import Needs
from understudy.parameters.sample import SampleParameters, SampleStage
from understudy.parameters.sample_shard import SampleShardParameters
from understudy.synthesizers.groups import count_rows

if TYPE_CHECKING:
    from understudy.db.orm import Model

NAME_SUFFIX = " (synthetic)"


def resolve(
    session: Session, project_id: UUID, parameters: SampleParameters, limits: Limits
) -> SampleParameters:
    """Check the model, constraints and limit. Choose the number of rows, the seed and the name if omitted."""
    n_rows = check_rows(parameters, limits)
    model = models.get(session, project_id, ids.from_text("model", parameters.model_id))
    if parameters.constraints is not None:
        inputs.check_supports_constraints(model)
        _check_columns(parameters, model)
    chosen = {
        "n_rows": n_rows,
        "seed": inputs.new_seed() if parameters.seed is None else parameters.seed,
        "name": parameters.name or inputs.name_with_suffix(model.name, NAME_SUFFIX),
    }
    return parameters.model_copy(update=chosen)


def check_rows(parameters: SampleStage, limits: Limits) -> int:
    """Return the number of rows of a sample, after checking it.

    Raises
    ------
    InvalidInput
        If the number is missing or exceeds the rows of the conditions.
    TooLarge
        If it exceeds the limit.
    """
    n_rows = count_rows(parameters.constraints, parameters.n_rows, parameters.offset)
    if n_rows > limits.sample_rows_max:
        raise TooLarge(
            f"n_rows is {n_rows:,}, but the limit (sample_rows_max) is {limits.sample_rows_max:,}."
            " Split the rows into several samples with the same seed, and start each sample at the offset"
            " where the previous one ends.",
            code="too_many_rows",
            pointer="/conditions" if parameters.n_rows is None else "/n_rows",
        )
    return n_rows


def _check_columns(parameters: SampleParameters, model: Model) -> None:
    inner = [column["name"] for column in model.card.get("inner_columns", [])]
    known = {*inputs.column_names(model), *inner}
    named = [
        (name, f"/conditions/{number}/where/{name.replace('~', '~0').replace('/', '~1')}")
        for number, condition in enumerate(parameters.conditions)
        for name in condition.where
    ]
    if parameters.rebalance is not None:
        named.append((parameters.rebalance.column, "/rebalance/column"))
    for name, pointer in named:
        if name not in known:
            raise InvalidInput(
                f"Model {parameters.model_id} has no column {name!r}. Use the name of one of its columns.",
                code="unknown_column",
                pointer=pointer,
            )


def estimate(session: Session, project_id: UUID, parameters: SampleParameters) -> Estimate:
    """Return the estimated cost from the number of rows and the size of the model."""
    assert parameters.n_rows is not None
    model = models.get(session, project_id, ids.from_text("model", parameters.model_id))
    dataset = datasets.get(session, project_id, model.dataset_id)
    trained_on = dataset_tables.choose(session, dataset, *model.tables)
    is_constrained = parameters.constraints is not None
    return cost_model.estimate_sample(model, trained_on, parameters.n_rows, is_constrained=is_constrained)


def needs(session: Session, project_id: UUID, parameters: SampleParameters) -> Needs:
    """Return the requirements of the model's synthesizer."""
    return inputs.needs_of_model(session, project_id, parameters.model_id)


def plan(session: Session, job: JobContext, parameters: SampleParameters, limits: Limits) -> Plan:
    """Return the model's file as input."""
    model = models.get(session, job.project_id, ids.from_text("model", parameters.model_id))
    stored = inputs.stored_file(session, job.project_id, model.job_id, "model")
    context = {"schema": model.dataset_schema, "roles": inputs.table_roles(model)}
    return Plan(inputs={"model": stored}, context=context)


def split(parameters: SampleParameters, n_rows: int) -> list[JobParameters]:
    """Return the shards of a sample. Row k is the same regardless of how the sample is split."""
    assert parameters.n_rows is not None
    total = parameters.n_rows
    return [
        SampleShardParameters(
            kind="sample_shard",
            model_id=parameters.model_id,
            sample=parameters,
            start=start,
            n_rows=min(n_rows, total - start),
        )
        for start in range(0, total, n_rows)
    ]


def publish(
    session: Session,
    job: JobContext,
    parameters: SampleParameters,
    files: Mapping[str, StoredFile],
    facts: Json,
) -> Json:
    """Add the synthetic dataset."""
    assert parameters.name is not None
    # The lock prevents the deletion of the model while the dataset is added.
    model = models.lock(session, job.project_id, ids.from_text("model", parameters.model_id))
    new = MadeDataset(parameters.name, model.id, model.dataset_schema, model.findings)
    dataset = datasets.add_made(session, job, new)
    inputs.add_made_tables(session, dataset, model, files, facts["n_rows"])
    gate.hold_unreviewed(session, dataset)
    optional: Json = {name: facts[name] for name in ("groups", "identifiers", "warnings") if name in facts}
    return {"dataset_id": ids.to_text("dataset", dataset.id), **optional}


# The weights are the usual shares of the phases in the duration.
PHASES = (Phase("reading", 3), Phase("sampling", 97, is_steady=True))

SAMPLE = JobKind(
    name="sample",
    summary="Sample rows from a model and store them as a dataset.",
    parameters=SampleParameters,
    resolve=resolve,
    plan=plan,
    work="understudy.work.sample:work",
    publish=publish,
    split=split,
    needs=needs,
    estimate=estimate,
    phases=lambda _: PHASES,
)
