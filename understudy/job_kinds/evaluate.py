"""Kind `evaluate`: scores a synthetic dataset against a real one and stores the report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from understudy import ids
from understudy.db import datasets, models, reports
from understudy.errors import InvalidInput
from understudy.job_kinds import estimates, references
from understudy.job_kinds.base import (
    Estimate,
    Job,
    JobKind,
    JobParameters,
    Json,
    Limits,
    Plan,
    Seed,
    StoredFile,
    WorkResult,
    Workspace,
)

if TYPE_CHECKING:
    import pyarrow as pa
    from sqlalchemy.orm import Session

    from understudy.db.dataset_tables import Table
    from understudy.db.orm import Dataset

JSON_FILE = "report.json"
HTML_FILE = "report.html"


class EvaluateParameters(JobParameters):
    """Score a synthetic dataset."""

    kind: Literal["evaluate"]
    dataset_id: Annotated[str, Field(description="The real rows.", examples=["ds_01kaz7m2q5…"])]
    synthetic_dataset_id: Annotated[str, Field(description="The rows to score.")]
    holdout_dataset_id: Annotated[
        str | None,
        Field(
            description="Real rows that the model never saw. Left out: the model's own holdout, if the"
            " synthetic dataset was sampled from a model that was trained on the real one."
        ),
    ] = None
    table: Annotated[
        references.TableName,
        Field(description="Which table, of those of the datasets that have several."),
    ] = None
    target: Annotated[
        str | None, Field(description="A column to predict: shows what the synthetic rows are worth for it.")
    ] = None
    seed: Seed | None = None


def resolve(
    session: Session, project_id: UUID, parameters: EvaluateParameters, limits: Limits
) -> EvaluateParameters:
    """Check that the datasets are ready and have the same columns, the target among them; choose the seed."""
    real, *others = _ready_tables(session, project_id, parameters).values()
    for other in others:
        references.check_same_columns(real, other)
    if parameters.target is not None and parameters.target not in references.column_names(real.table_schema):
        raise InvalidInput(
            f"Dataset {parameters.dataset_id} has no column {parameters.target!r}; name one of its columns.",
            code="unknown_column",
            pointer="/target",
        )
    seed = references.new_seed() if parameters.seed is None else parameters.seed
    return parameters.model_copy(update={"seed": seed})


def _ready_tables(session: Session, project_id: UUID, parameters: EvaluateParameters) -> dict[str, Table]:
    """Return the tables by their roles in the work, the real one first."""
    named = {
        "real": parameters.dataset_id,
        "synthetic": parameters.synthetic_dataset_id,
        "holdout": parameters.holdout_dataset_id,
    }
    given = {role: text for role, text in named.items() if text is not None}
    tables = references.ready_tables(session, project_id, given.values(), parameters.table)
    return dict(zip(given, tables, strict=True))


def estimate(session: Session, project_id: UUID, parameters: EvaluateParameters) -> Estimate:
    """Judge by the sizes of the tables."""
    tables = _ready_tables(session, project_id, parameters)
    return estimates.of_evaluate(tables["real"], tables["synthetic"])


def plan(session: Session, job: Job, parameters: EvaluateParameters, limits: Limits) -> Plan:
    """Read the tables; tell the work how the model had split the real one, if it had."""
    tables = _ready_tables(session, job.project_id, parameters)
    inputs = {role: references.table_file(session, table) for role, table in tables.items()}
    real = tables["real"]
    split = _split(session, real, tables["synthetic"].dataset)
    return Plan(inputs=inputs, context={"schema": real.table_schema, "split": split})


def _split(session: Session, real: Table, synthetic: Dataset) -> Json | None:
    """Return how the model behind a synthetic dataset had split the real one; None if it was another's."""
    # An imputation was made with a model too, but its rows are not the model's.
    if synthetic.model_id is None or synthetic.origin != "sample":
        return None
    model = models.get(session, synthetic.project_id, synthetic.model_id)
    if (model.dataset_id, model.table_name) != (real.dataset.id, real.name):
        return None
    return {"seed": model.seed, "holdout_fraction": model.holdout_fraction}


def work(workspace: Workspace, parameters: EvaluateParameters) -> WorkResult:
    """Score, and write the report in both forms."""
    # The engine is loaded where it is used: the API imports this module and must stay small.
    from understudy.evaluation.options import EvaluationOptions
    from understudy.evaluation.page.html import render_html
    from understudy.evaluation.report import evaluate
    from understudy.tables.schema import Schema

    assert parameters.seed is not None
    schema = Schema.model_validate(workspace.context["schema"])
    workspace.progress("reading", 0.0)
    real, synthetic, holdout = _tables(workspace, schema)
    report = evaluate(
        real,
        synthetic,
        schema,
        holdout=holdout,
        options=EvaluationOptions(target=parameters.target),
        seed=parameters.seed,
        progress=workspace.progress,
    )
    workspace.progress("writing", 0.0)
    (workspace.folder / JSON_FILE).write_text(report.model_dump_json(), encoding="utf-8")
    (workspace.folder / HTML_FILE).write_text(render_html(report), encoding="utf-8")
    summary = {
        row.name: row.model_dump(mode="json", exclude={"name", "explanation"}, exclude_none=True)
        for row in report.summary()
    }
    files = {"report_json": JSON_FILE, "report_html": HTML_FILE}
    return WorkResult(files=files, facts={"summary": summary})


# Any: a Schema, whose module the API does not import.
def _tables(workspace: Workspace, schema: Any) -> tuple[pa.Table, pa.Table, pa.Table | None]:
    """Return the rows that the model was trained on, the synthetic ones, and those it never saw."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from understudy.evaluation.holdout import split_holdout
    from understudy.tables.validation import conform

    tables = {role: conform(pq.read_table(path), schema) for role, path in workspace.inputs.items()}
    real, holdout = tables["real"], tables.get("holdout")
    split = workspace.context["split"]
    if split is None:
        return real, tables["synthetic"], holdout
    is_holdout = split_holdout(real.num_rows, split["holdout_fraction"], split["seed"])
    if holdout is None and is_holdout.any():
        holdout = real.filter(pa.array(is_holdout))
    return real.filter(pa.array(~is_holdout)), tables["synthetic"], holdout


def publish(
    session: Session, job: Job, parameters: EvaluateParameters, files: Mapping[str, StoredFile], facts: Json
) -> Json:
    """Add the report."""
    # Locked, so that neither is deleted now; in the order of their ids, so that two reports never wait for
    # each other.
    texts = sorted({parameters.dataset_id, parameters.synthetic_dataset_id})
    locked = {text: datasets.lock(session, job.project_id, ids.from_text("dataset", text)) for text in texts}
    report = reports.add(
        session,
        project_id=job.project_id,
        job_id=job.id,
        dataset_id=locked[parameters.dataset_id].id,
        synthetic_dataset_id=locked[parameters.synthetic_dataset_id].id,
        summary=facts["summary"],
    )
    return {"report_id": ids.to_text("report", report.id)}


EVALUATE = JobKind(
    name="evaluate",
    summary="Score a synthetic dataset against a real one, for likeness, usefulness and privacy.",
    parameters=EvaluateParameters,
    resolve=resolve,
    plan=plan,
    work=work,
    publish=publish,
    estimate=estimate,
)
