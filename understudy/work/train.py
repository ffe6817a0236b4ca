"""Work for `train` jobs: fit a synthesizer on a table without its holdout, and save it as a model file."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq

from understudy.evaluation.attacks.canaries import make_canaries, plant
from understudy.parameters.train import TrainParameters
from understudy.synthesizers import make_synthesizer
from understudy.synthesizers.contexts import FitContext
from understudy.synthesizers.files import save_model
from understudy.tables.findings import Findings
from understudy.tables.inference import examine
from understudy.tables.schema import DatasetSchema, TableSchema
from understudy.tables.source import ArrowSource
from understudy.tables.split import Split
from understudy.tables.validation import conform
from understudy.work.base import WorkResult, Workspace
from understudy.work.tables import read_table

MODEL_FILE = "model.safetensors"
CANARIES_FILE = "canaries.parquet"


def work(workspace: Workspace, parameters: TrainParameters) -> WorkResult:
    """Split off the holdout, fit a model on the other rows, and save it."""
    assert parameters.seed is not None
    dataset_schema = DatasetSchema.model_validate(workspace.context["schema"])
    ((name, declared),) = dataset_schema.tables.items()
    findings = Findings.model_validate(workspace.context["findings"])
    workspace.progress("reading", 0.0)
    # Parquet lacks some types, such as timestamps in seconds. The schema contains the original types.
    table = conform(read_table(workspace, "table"), declared)
    workspace.progress("reading", 0.5)
    # A fit does not infer the kinds in its schema, so columns that were not examined yet are examined here.
    examined = examine(table, declared, findings.table(name))
    schema = examined.schema
    whole = dataset_schema.model_copy(update={"tables": {name: schema}})
    split = Split.of(whole, holdout_fraction=parameters.holdout_fraction, seed=parameters.seed)
    training, holdout = split.divide(table, schema.subject)
    n_rows_held_out = holdout.num_rows
    # The deletion frees memory for the fit.
    del table, holdout
    files = {"model": MODEL_FILE}
    if parameters.canaries is not None:
        training = _planted(workspace, training, schema, parameters)
        files["canaries"] = CANARIES_FILE
    synthesizer = make_synthesizer(parameters.synthesizer).fit(
        {name: ArrowSource(training)},
        whole,
        context=FitContext(seed=parameters.seed, progress=workspace.progress),
    )
    workspace.progress("writing", 0.0)
    save_model(synthesizer, workspace.folder / MODEL_FILE, extra=split.model_dump())
    # `evaluate` repeats this split of the table; see `Split`.
    card = {**synthesizer.card(), "holdout": {"by": split.by, "n_rows": n_rows_held_out}}
    if parameters.canaries is not None:
        card["canaries"] = parameters.canaries.model_dump()
    facts = {
        "n_rows_trained": training.num_rows,
        "schema": whole.model_dump(mode="json"),
        "findings": findings.model_copy(update={"tables": {name: examined.findings}}).model_dump(mode="json"),
        "card": card,
    }
    return WorkResult(files=files, facts=facts)


def _planted(
    workspace: Workspace, training: pa.Table, schema: TableSchema, parameters: TrainParameters
) -> pa.Table:
    """Return the training rows with planted canaries, and write the canaries to a file."""
    assert parameters.canaries is not None
    assert parameters.seed is not None
    canaries = make_canaries(training, schema, n=parameters.canaries.n_canaries, seed=parameters.seed)
    pq.write_table(canaries, workspace.folder / CANARIES_FILE)
    return plant(training, canaries, repeats=parameters.canaries.n_repeats)
