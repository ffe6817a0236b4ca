"""Work for `impute` jobs: impute a table's missing values with a model."""

from __future__ import annotations

from understudy.parameters.impute import ImputeParameters
from understudy.synthesizers.base import SupportsImputation, unsupported_by_synthesizer
from understudy.synthesizers.contexts import SampleContext, root_tables
from understudy.synthesizers.files import load_model
from understudy.tables.formats import FORMATS
from understudy.tables.schema import DatasetSchema
from understudy.tables.source import ArrowSource, ParquetSource, TableSource
from understudy.work.base import WorkResult, Workspace
from understudy.work.tables import read_table, table_paths

TABLE_FILE = "table.parquet"


def work(workspace: Workspace, parameters: ImputeParameters) -> WorkResult:
    """Impute missing values and write the rows as a stream. Only the input table is held in memory."""
    assert parameters.seed is not None
    workspace.progress("reading", 0.0)
    synthesizer, _ = load_model(workspace.inputs["model"])
    if not isinstance(synthesizer, SupportsImputation):
        raise unsupported_by_synthesizer(synthesizer.name)
    ((table, schema),) = DatasetSchema.model_validate(workspace.context["schema"]).tables.items()
    (learned,) = root_tables(synthesizer.schema_)
    completed = synthesizer.impute(
        {learned: _source(workspace)},
        n_draws=parameters.n_draws,
        context=SampleContext(seed=parameters.seed),
    )
    n_rows = FORMATS["parquet"].write(
        workspace.folder / TABLE_FILE,
        (batch for _, batch in completed),
        schema.to_arrow(),
        progress=workspace.progress,
        rows_total=workspace.context["n_rows"],
    )
    role = workspace.context["roles"][table]
    return WorkResult(files={role: TABLE_FILE}, facts={"n_rows": {table: n_rows}})


def _source(workspace: Workspace) -> TableSource:
    paths = table_paths(workspace, "table")
    return ParquetSource(paths[0]) if len(paths) == 1 else ArrowSource(read_table(workspace, "table"))
