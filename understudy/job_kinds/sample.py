"""Kind `sample`: draws rows from a model, controlled or not, and stores them as a dataset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator
from pydantic_core import PydanticCustomError

from understudy import ids
from understudy.db import dataset_tables, datasets, models
from understudy.errors import InvalidInput, TooLarge
from understudy.job_kinds import estimates, gate, references
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
from understudy.synthesizers.control import N_GROUPS_MAX, Condition, Control, Rebalance
from understudy.synthesizers.groups import count_rows, describe_groups, describe_weak_groups

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from understudy.db.orm import Model
    from understudy.synthesizers.base import Synthesizer

TABLE_FILE = "table.parquet"
NAME_SUFFIX = " (synthetic)"


class SampleParameters(JobParameters):
    """Draw rows from a model: any, groups that fulfil conditions, or with other shares of a column."""

    kind: Literal["sample"]
    model_id: Annotated[str, Field(description="What to draw from.", examples=["mdl_01kaz7m2q5…"])]
    n_rows: Annotated[
        int | None,
        Field(
            ge=1,
            lt=2**62,
            examples=[100_000],
            description="May be left out beside conditions, which say how many rows they have.",
        ),
    ] = None
    seed: Seed | None = None
    offset: Annotated[
        int,
        Field(ge=0, lt=2**62, description="Rows to pass over: row k of a seed is the same in every sample."),
    ] = 0
    conditions: Annotated[
        tuple[Condition, ...],
        Field(max_length=N_GROUPS_MAX, description="Groups of rows in which columns are fixed, in order."),
    ] = ()
    rebalance: Annotated[Rebalance | None, Field(description="Other shares of the values of a column.")] = (
        None
    )
    name: Annotated[Name | None, Field(description="Of the dataset; made from the model's if left out.")] = (
        None
    )

    @model_validator(mode="after")
    def _is_controlled_one_way(self) -> Self:
        if self.conditions and self.rebalance is not None:
            raise PydanticCustomError("invalid_parameters", "Give either conditions or rebalance, not both")
        return self

    @model_serializer(mode="wrap")
    def _without_what_is_not_asked(self, serialize: SerializerFunctionWrapHandler) -> Json:
        dumped: Json = serialize(self)
        plain = {name: value for name, value in dumped.items() if name not in Control.model_fields}
        control = self.control
        return plain if control is None else plain | control.model_dump(mode="json", exclude_defaults=True)

    @property
    def control(self) -> Control | None:
        """What is asked of the rows, if anything is."""
        if not self.conditions and self.rebalance is None:
            return None
        return Control(conditions=self.conditions, rebalance=self.rebalance)


def resolve(
    session: Session, project_id: UUID, parameters: SampleParameters, limits: Limits
) -> SampleParameters:
    """Check model, control and limit; choose number of rows, seed and name if they were left open."""
    n_rows = count_rows(parameters.control, parameters.n_rows, parameters.offset)
    _check_limit(parameters, n_rows, limits)
    model = models.get(session, project_id, ids.from_text("model", parameters.model_id))
    if parameters.control is not None:
        references.check_controllable(model)
        _check_columns(parameters, model)
    chosen = {
        "n_rows": n_rows,
        "seed": references.new_seed() if parameters.seed is None else parameters.seed,
        "name": parameters.name or references.name_with_suffix(model.name, NAME_SUFFIX),
    }
    return parameters.model_copy(update=chosen)


def _check_limit(parameters: SampleParameters, n_rows: int, limits: Limits) -> None:
    if n_rows > limits.sample_rows_max:
        raise TooLarge(
            f"n_rows is {n_rows:,}; the limit (sample_rows_max) is {limits.sample_rows_max:,}."
            " Draw several samples with one seed and different offsets.",
            code="too_many_rows",
            pointer="/conditions" if parameters.n_rows is None else "/n_rows",
        )


def _check_columns(parameters: SampleParameters, model: Model) -> None:
    known = set(references.column_names(model.table_schema))
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
                f"Model {parameters.model_id} has no column {name!r}; name one of its columns.",
                code="unknown_column",
                pointer=pointer,
            )


def estimate(session: Session, project_id: UUID, parameters: SampleParameters) -> Estimate:
    """Judge by the number of rows and the size of the model."""
    assert parameters.n_rows is not None
    model = models.get(session, project_id, ids.from_text("model", parameters.model_id))
    dataset = datasets.get(session, project_id, model.dataset_id)
    trained_on = dataset_tables.choose(session, dataset, model.table_name)
    is_controlled = parameters.control is not None
    return estimates.of_sample(model, trained_on, parameters.n_rows, is_controlled=is_controlled)


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
    from understudy.tables.stored_schemas import read_stored

    assert parameters.seed is not None
    assert parameters.n_rows is not None
    workspace.progress("reading", 0.0)
    synthesizer, _ = load_model(workspace.inputs["model"])
    (stored,) = read_stored(workspace.context["schema"])[0].tables.values()
    schema = stored.to_arrow()
    rows = synthesizer.sample(
        parameters.n_rows, seed=parameters.seed, offset=parameters.offset, control=parameters.control
    )
    n_rows = FORMATS["parquet"].write(
        workspace.folder / TABLE_FILE,
        rows,
        schema,
        progress=workspace.progress,
        rows_total=parameters.n_rows,
    )
    return WorkResult(
        files={"table": TABLE_FILE}, facts={"n_rows": n_rows, **_group_facts(synthesizer, parameters)}
    )


def _group_facts(synthesizer: Synthesizer, parameters: SampleParameters) -> Json:
    """Say what the rows of a controlled sample are worth."""
    control = parameters.control
    if control is None:
        return {}
    assert parameters.n_rows is not None
    shares = synthesizer.effective_shares(control)
    groups = describe_groups(control, shares, n_rows=parameters.n_rows, offset=parameters.offset)
    warnings = describe_weak_groups(control, groups)
    return {"groups": [asdict(group) for group in groups], "warnings": warnings}


def publish(
    session: Session, job: Job, parameters: SampleParameters, files: Mapping[str, StoredFile], facts: Json
) -> Json:
    """Add the dataset."""
    assert parameters.name is not None
    # Locked, so that the model is not deleted under the dataset that is being added.
    model = models.lock(session, job.project_id, ids.from_text("model", parameters.model_id))
    dataset = datasets.add_made(
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
    gate.hold_unreviewed(session, dataset)
    worth: Json = {name: facts[name] for name in ("groups", "warnings") if name in facts}
    return {"dataset_id": ids.to_text("dataset", dataset.id), **worth}


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
