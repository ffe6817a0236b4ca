"""Work for `evaluate` jobs: score a synthetic table against a real table and write the report."""

from __future__ import annotations

import pyarrow as pa

from understudy.evaluation.comparison import ORIGINS, ComparisonTables
from understudy.evaluation.evidence.content import Provenance, collect
from understudy.evaluation.page.html import render_html
from understudy.evaluation.report import evaluate
from understudy.evaluation.verdict import Verdict, judge
from understudy.parameters.base import Json
from understudy.parameters.evaluate import EvaluateParameters
from understudy.parameters.policy import Policy
from understudy.tables.findings import Findings
from understudy.tables.inference import InferredTable
from understudy.tables.schema import DatasetSchema, TableSchema
from understudy.tables.split import Split
from understudy.tables.validation import conform
from understudy.work.base import WorkResult, Workspace
from understudy.work.tables import read_table, table_roles

JSON_FILE = "report.json"
HTML_FILE = "report.html"
EVIDENCE_FILE = "evidence.json"
CANARIES = "canaries"


def work(workspace: Workspace, parameters: EvaluateParameters) -> WorkResult:
    """Evaluate the tables, and write the report as JSON and HTML, and the content of the evidence pack."""
    assert parameters.seed is not None
    ((name, schema),) = DatasetSchema.model_validate(workspace.context["schema"]).tables.items()
    findings = Findings.model_validate(workspace.context["findings"]).table(name)
    inferred = InferredTable(schema, findings)
    workspace.progress("reading", 0.0)
    tables = _tables(workspace, inferred.schema)
    report = evaluate(
        ComparisonTables(**tables),
        inferred,
        options=parameters.options,
        seed=parameters.seed,
        progress=workspace.progress,
    )
    workspace.progress("writing", 0.0)
    (workspace.folder / JSON_FILE).write_text(report.model_dump_json(), encoding="utf-8")
    (workspace.folder / HTML_FILE).write_text(render_html(report), encoding="utf-8")
    evidence = collect(
        report,
        inferred,
        tables,
        Provenance(
            sources=workspace.context["sources"],
            split=_split(workspace),
            parameters={"evaluate": parameters.model_dump(mode="json"), **workspace.context["made_by"]},
        ),
    )
    (workspace.folder / EVIDENCE_FILE).write_text(evidence.model_dump_json(indent=2), encoding="utf-8")
    summary = {
        row.name: row.model_dump(mode="json", exclude={"name", "explanation"}, exclude_none=True)
        for row in report.summary()
    }
    gate_policy = Policy.model_validate(workspace.context["gate_policy"])
    at_gate = judge(gate_policy, report.metrics, overlap=report.overlap)
    files = {"report_json": JSON_FILE, "report_html": HTML_FILE, "evidence": EVIDENCE_FILE}
    facts = {
        "summary": summary,
        "verdict": _shortened(report.verdict),
        "gate": _shortened(at_gate),
        "is_holdout_shared": report.overlap is not None and report.overlap.is_shared,
    }
    return WorkResult(files=files, facts=facts)


def _shortened(verdict: Verdict) -> Json:
    """Return a verdict as JSON, with only the checks that did not pass."""
    short = verdict.model_dump(mode="json", exclude={"checks"})
    short["checks"] = [
        check.model_dump(mode="json", include={"metric", "outcome", "sentence"})
        for check in verdict.checks
        if check.outcome not in ("pass", "unscored")
    ]
    return short


def _tables(workspace: Workspace, schema: TableSchema) -> dict[str, pa.Table]:
    """Return the tables by role: real training rows, synthetic rows, and optional holdout and canaries."""
    tables = {role: read_table(workspace, role) for role in table_roles(workspace)}
    # The canary table has an additional column, and its columns already have the types of the schema.
    tables |= {
        role: conform(table, schema, ORIGINS[role]) for role, table in tables.items() if role != CANARIES
    }
    split = _split(workspace)
    if split is not None:
        tables["real"], holdout = split[0].divide(tables["real"], split[1])
        if holdout.num_rows:
            tables.setdefault("holdout", holdout)
    return tables


def _split(workspace: Workspace) -> tuple[Split, tuple[str, ...]] | None:
    """Return the split and the subject that training used, or None if training used no split."""
    context = workspace.context["split"]
    if context is None:
        return None
    (trained,) = DatasetSchema.model_validate(workspace.context["trained_schema"]).tables.values()
    return Split.model_validate(context), trained.subject
