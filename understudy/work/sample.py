"""Work for `sample` jobs: sample rows from a model, optionally under constraints."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

import pyarrow as pa

from understudy.parameters.base import Json
from understudy.parameters.sample import SampleParameters
from understudy.parameters.sample_shard import SampleShardParameters
from understudy.progress import Progress
from understudy.synthesizers.base import SupportsConstraints, Synthesizer
from understudy.synthesizers.contexts import SampleContext, SamplePlan, plan_rows
from understudy.synthesizers.datasets import sample_table
from understudy.synthesizers.files import load_model
from understudy.synthesizers.groups import describe_groups, describe_weak_groups
from understudy.synthesizers.identifier_ranges import describe_identifiers
from understudy.tables.formats import FORMATS
from understudy.tables.schema import DatasetSchema, TableSchema
from understudy.work.base import WorkResult, Workspace

TABLE_FILE = "table.parquet"


def work(workspace: Workspace, parameters: SampleParameters) -> WorkResult:
    """Sample rows and write them as a stream, so that memory use does not grow with the number of rows."""
    assert parameters.n_rows is not None
    return _sample(workspace, parameters, 0, parameters.n_rows)


def work_shard(workspace: Workspace, parameters: SampleShardParameters) -> WorkResult:
    """Sample the rows of a shard. The facts about groups and identifiers describe the whole sample."""
    return _sample(workspace, parameters.sample, parameters.start, parameters.n_rows)


def _sample(workspace: Workspace, parameters: SampleParameters, start: int, n_rows: int) -> WorkResult:
    """Write `n_rows` rows of a sample, beginning with row `start`."""
    assert parameters.seed is not None
    assert parameters.n_rows is not None
    workspace.progress("reading", 0.0)
    synthesizer, _ = load_model(workspace.inputs["model"])
    ((table, schema),) = DatasetSchema.model_validate(workspace.context["schema"]).tables.items()
    whole = plan_rows(
        synthesizer.schema_,
        parameters.n_rows,
        offset=parameters.offset,
        constraints=parameters.constraints,
        id_start=parameters.id_start,
    )
    plan = plan_rows(
        synthesizer.schema_,
        n_rows,
        offset=parameters.offset + start,
        constraints=parameters.constraints,
        id_start=parameters.id_start,
    )
    n_written = FORMATS["parquet"].write(
        workspace.folder / TABLE_FILE,
        _counted(
            sample_table(synthesizer, plan, context=SampleContext(seed=parameters.seed)),
            workspace.progress,
            n_rows,
        ),
        schema.to_arrow(),
    )
    return WorkResult(
        files={workspace.context["roles"][table]: TABLE_FILE},
        facts={
            "n_rows": {table: n_written},
            **_group_facts(synthesizer, parameters),
            **_identifier_facts(schema, whole),
        },
    )


def _counted(
    batches: Iterator[pa.RecordBatch], progress: Progress, rows_total: int
) -> Iterator[pa.RecordBatch]:
    """Yield the batches, and report how many of the rows were sampled and written."""
    n_rows = 0
    progress("sampling", 0.0)
    for batch in batches:
        yield batch
        n_rows += batch.num_rows
        progress("sampling", min(1.0, n_rows / rows_total), rows_done=n_rows, rows_total=rows_total)


def _identifier_facts(schema: TableSchema, plan: SamplePlan) -> Json:
    """Return the options that make the next sample continue this sample's identifiers."""
    identifiers = describe_identifiers(schema, plan)
    if identifiers is None:
        return {}
    return {"identifiers": {**asdict(identifiers), "columns": list(identifiers.columns)}}


def _group_facts(synthesizer: Synthesizer, parameters: SampleParameters) -> Json:
    """Return the effective sample size of each group in a constrained sample, with warnings."""
    constraints = parameters.constraints
    if constraints is None:
        return {}
    assert parameters.n_rows is not None
    assert isinstance(synthesizer, SupportsConstraints)
    shares = synthesizer.effective_shares(constraints)
    groups = describe_groups(constraints, shares, n_rows=parameters.n_rows, offset=parameters.offset)
    warnings = describe_weak_groups(constraints, groups)
    return {"groups": [asdict(group) for group in groups], "warnings": warnings}
