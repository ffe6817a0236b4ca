"""Work of kind `impute`: completes a table with what a model draws for its missing values."""

from __future__ import annotations

import pyarrow.parquet as pq

from understudy.parameters.impute import ImputeParameters
from understudy.synthesizers.files import load_model
from understudy.tables.formats import FORMATS
from understudy.tables.schema import DatasetSchema
from understudy.tables.validation import conform
from understudy.work.base import WorkResult, Workspace

TABLE_FILE = "table.parquet"


def work(workspace: Workspace, parameters: ImputeParameters) -> WorkResult:
    """Draw what is missing and write the rows as they come: only the given table is held in memory."""
    assert parameters.seed is not None
    workspace.progress("reading", 0.0)
    synthesizer, _ = load_model(workspace.inputs["model"])
    ((name, schema),) = DatasetSchema.model_validate(workspace.context["schema"]).tables.items()
    table = conform(pq.read_table(workspace.inputs["table"]), schema)
    n_rows = FORMATS["parquet"].write(
        workspace.folder / TABLE_FILE,
        synthesizer.impute(table, seed=parameters.seed, n_draws=parameters.n_draws),
        schema.to_arrow(),
        progress=workspace.progress,
        rows_total=workspace.context["n_rows"],
    )
    role = workspace.context["roles"][name]
    return WorkResult(files={role: TABLE_FILE}, facts={"n_rows": {name: n_rows}})
