"""Job kind `evaluate`, which scores a synthetic dataset against a real one and stores the report."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy.orm import Session

from understudy import ids
from understudy.db import artifacts, datasets, jobs, models, reports
from understudy.db.dataset_tables import Table
from understudy.db.reports import NewReport
from understudy.errors import InvalidInput
from understudy.evaluation.verdict import check_policy
from understudy.job_kinds import cost_model, gate, inputs
from understudy.job_kinds.base import Estimate, JobContext, JobKind, Limits, Phase, Plan, StoredFile
from understudy.parameters.base import Json
from understudy.parameters.evaluate import EvaluateParameters
from understudy.parameters.policy import PROJECT_POLICY, resolve_policy

if TYPE_CHECKING:
    from understudy.db.orm import Dataset, Model

CANARIES = "canaries"


def resolve(
    session: Session, project_id: UUID, parameters: EvaluateParameters, limits: Limits
) -> EvaluateParameters:
    """Check that the datasets are ready and have the named columns. Choose the policy and the seed."""
    tables = _ready_tables(session, project_id, parameters)
    real, *others = tables.values()
    _check_holdout(tables)
    for other in others:
        inputs.check_same_columns(real, other)
    known = set(inputs.column_names(real))
    for name, pointer in parameters.options.named_columns.items():
        if name not in known:
            raise InvalidInput(
                f"Dataset {parameters.dataset_id} has no column {name!r}. Use the name of one of its"
                " columns.",
                code="unknown_column",
                pointer=pointer,
            )
        if name in real.facts.table_schema.get("subject", ()):
            raise InvalidInput(
                f"Column {name!r} identifies the subject, so it is excluded from all metrics. Use another"
                f" column in `{pointer.split('/')[1]}`.",
                code="invalid_parameters",
                pointer=pointer,
            )
    is_own = parameters.policy == PROJECT_POLICY
    policy = gate.project_policy(session, project_id) if is_own else resolve_policy(parameters.policy)
    check_policy(policy)
    seed = inputs.new_seed() if parameters.seed is None else parameters.seed
    return parameters.model_copy(update={"seed": seed, "policy": policy})


def _check_holdout(tables: Mapping[str, Table]) -> None:
    real, holdout = tables["real"], tables.get("holdout")
    if holdout is not None and (holdout.dataset.id, holdout.name) == (real.dataset.id, real.name):
        raise InvalidInput(
            "The holdout is the real table itself. Use a dataset of rows that the model was not trained on,"
            " or omit 'holdout_dataset_id'.",
            code="invalid_parameters",
            pointer="/holdout_dataset_id",
        )


def _ready_tables(session: Session, project_id: UUID, parameters: EvaluateParameters) -> dict[str, Table]:
    """Return the tables by their roles in the work, starting with the real table."""
    named = {
        "real": parameters.dataset_id,
        "synthetic": parameters.synthetic_dataset_id,
        "holdout": parameters.holdout_dataset_id,
    }
    dataset_ids = {role: text for role, text in named.items() if text is not None}
    tables = inputs.open_tables(session, project_id, dataset_ids.values(), parameters.table)
    return dict(zip(dataset_ids, tables, strict=True))


def estimate(session: Session, project_id: UUID, parameters: EvaluateParameters) -> Estimate:
    """Return the estimated cost from the sizes of the tables."""
    tables = _ready_tables(session, project_id, parameters)
    return cost_model.estimate_evaluate(tables["real"], tables["synthetic"])


def plan(session: Session, job: JobContext, parameters: EvaluateParameters, limits: Limits) -> Plan:
    """Return the tables as inputs, with the split of the real table if a model was trained on it."""
    tables = _ready_tables(session, job.project_id, parameters)
    stored_files: dict[str, StoredFile] = {}
    for role, table in tables.items():
        stored_files |= inputs.table_files(session, table, role)
    real, synthetic = tables["real"], tables["synthetic"].dataset
    model = _model_behind(session, real, synthetic)
    context: Json = {
        "schema": real.dataset_schema,
        "findings": real.dataset_findings,
        "split": None,
        "made_by": {},
    }
    if model is not None:
        context["split"] = _split_of(model)
        context["trained_schema"] = model.dataset_schema
        context["made_by"] = {
            kind: jobs.get(session, job.project_id, made_by).parameters
            for kind, made_by in (("train", model.job_id), ("sample", synthetic.job_id))
        }
        canaries = artifacts.find(session, job.project_id, model.job_id, CANARIES)
        if canaries is not None:
            stored_files[CANARIES] = StoredFile(canaries.storage_key, canaries.sha256, canaries.size_bytes)
    context["sources"] = _sources(stored_files)
    for role, table in tables.items():
        context["sources"][role]["dataset_id"] = ids.to_text("dataset", table.dataset.id)
    context["gate_policy"] = gate.project_policy(session, job.project_id).model_dump(mode="json")
    return Plan(inputs=stored_files, context=context)


def _sources(stored_files: Mapping[str, StoredFile]) -> Json:
    """Return a SHA-256 digest for each role, computed from its file or from the digests of its parts."""
    digests: dict[str, list[bytes]] = {}
    for name, file in stored_files.items():
        digests.setdefault(name.partition(".")[0], []).append(file.sha256)
    return {
        role: {
            "file_sha256": (parts[0] if len(parts) == 1 else hashlib.sha256(b"".join(parts)).digest()).hex()
        }
        for role, parts in digests.items()
    }


def _model_behind(session: Session, real: Table, synthetic: Dataset) -> Model | None:
    """Return the model of a sample, if it was trained on the given real table."""
    # An imputed dataset has a model too, but its rows are not sampled from the model.
    if synthetic.model_id is None or synthetic.origin != "sample":
        return None
    model = models.get(session, synthetic.project_id, synthetic.model_id)
    is_same = model.dataset_id == real.dataset.id and real.name in model.tables
    return model if is_same else None


def _split_of(model: Model) -> Json:
    """Return the holdout split of the model's table. Older models without a unit were split by row."""
    by = model.card.get("holdout", {}).get("by", "row")
    return {"seed": model.seed, "holdout_fraction": model.holdout_fraction, "by": by}


def publish(
    session: Session,
    job: JobContext,
    parameters: EvaluateParameters,
    files: Mapping[str, StoredFile],
    facts: Json,
) -> Json:
    """Add the report, and apply the project's gate to the sample."""
    # Locks prevent the deletion of the datasets. They are acquired in the order of the IDs, so that two
    # reports cannot deadlock.
    texts = sorted({parameters.dataset_id, parameters.synthetic_dataset_id})
    locked = {text: datasets.lock(session, job.project_id, ids.from_text("dataset", text)) for text in texts}
    sample, real = locked[parameters.synthetic_dataset_id], locked[parameters.dataset_id]
    real_table, synthetic_table = inputs.match_tables(session, [real, sample], parameters.table)
    new = NewReport(
        dataset_id=real.id,
        synthetic_dataset_id=sample.id,
        tables=[{"real": real_table.name, "synthetic": synthetic_table.name}],
        summary=facts["summary"],
        verdict=facts["verdict"],
    )
    report = reports.add(session, job, new)
    if _is_of_its_own_data(session, sample, real):
        # A holdout that shares rows or subjects with the training rows cannot show a leak, so it must not end
        # a quarantine.
        is_whole = parameters.holdout_dataset_id is None and not facts["is_holdout_shared"]
        gate.apply_verdict(session, sample, report, facts["gate"], is_whole=is_whole)
    return {"report_id": ids.to_text("report", report.id), "verdict": facts["verdict"]["outcome"]}


def _is_of_its_own_data(session: Session, sample: Dataset, real: Dataset) -> bool:
    """Return whether a report compares a sample with the dataset that its model was trained on.

    Other reports do not measure the sample's privacy, and their datasets may differ for valid reasons.
    """
    if sample.origin != "sample" or sample.model_id is None:
        return False
    return models.get(session, sample.project_id, sample.model_id).dataset_id == real.id


# The weights are the usual shares of the phases in the duration.
PHASES = (Phase("reading", 2), Phase("scoring", 95), Phase("writing", 3))

EVALUATE = JobKind(
    name="evaluate",
    summary="Score a synthetic dataset against a real one for fidelity, usefulness, bias and privacy.",
    parameters=EvaluateParameters,
    resolve=resolve,
    plan=plan,
    work="understudy.work.evaluate:work",
    publish=publish,
    estimate=estimate,
    phases=lambda _: PHASES,
)
