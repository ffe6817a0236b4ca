"""Recomputation of a report from its data, and comparison with the signed report."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from understudy.evaluation.comparison import ORIGINS, ComparisonTables
from understudy.evaluation.evidence.content import Evidence, source_digest
from understudy.evaluation.report import Report, evaluate
from understudy.progress import Progress, no_progress
from understudy.tables.fingerprint import fingerprint
from understudy.tables.inference import InferredTable
from understudy.tables.validation import conform

# Relative and absolute tolerance for comparing numbers. Sums can differ in the last bits between processors.
TOLERANCE = 1e-9
# Maximum number of differences listed in the result.
N_DIFFERENCES_MAX = 20
# Fields that contain explanatory text, which later versions may word differently.
TEXTS = frozenset({"title", "summary", "sentence", "reason"})


@dataclass(frozen=True)
class Recomputation:
    """The result of a recomputation.

    Parameters
    ----------
    other_tables : tuple of str
        Roles of the tables that differ from the tables in the evidence. If any table differs, no report was
        computed.
    missing_tables : tuple of str
        Roles of the tables that are in the evidence but were not provided. If any table is missing, no report
        was computed.
    differences : tuple of str
        JSON pointers to the differences between the reports, at most `N_DIFFERENCES_MAX`.
    """

    other_tables: tuple[str, ...] = ()
    missing_tables: tuple[str, ...] = ()
    differences: tuple[str, ...] = ()

    @property
    def is_equal(self) -> bool:
        """Whether all numbers are equal to the numbers in the pack."""
        return not (self.other_tables or self.missing_tables or self.differences)


def recompute(
    evidence: Evidence, report: Report, files: Mapping[str, pa.Table], *, progress: Progress = no_progress
) -> Recomputation:
    """Recompute a report and compare it with the signed report.

    Parameters
    ----------
    files : mapping of role to pyarrow.Table
        The tables as they were read. The real table must include its holdout if the evidence contains a
        split.
    """
    tables = _split(evidence, files)
    missing = tuple(role for role in evidence.tables if role not in tables)
    others = tuple(
        role
        for role, known in evidence.tables.items()
        if role in tables and fingerprint(tables[role]) != known.content_sha256
    )
    if missing or others:
        return Recomputation(others, missing)
    again = evaluate(
        ComparisonTables(**tables),
        InferredTable(evidence.table_schema, evidence.findings),
        options=evidence.options,
        seed=evidence.seed,
        progress=progress,
    )
    # Different library versions are allowed because only the numbers are compared.
    signed, computed = (each.model_dump(mode="json", exclude={"versions"}) for each in (report, again))
    if evidence.source_sha256 != source_digest():
        signed = _without_texts(report.model_dump(mode="json", exclude={"versions"}, exclude_unset=True))
        computed = _as_stated(signed, computed)
    found = _differences("", signed, computed)
    return Recomputation(
        differences=tuple(where for where, _ in zip(found, range(N_DIFFERENCES_MAX), strict=False))
    )


def _split(evidence: Evidence, files: Mapping[str, pa.Table]) -> dict[str, pa.Table]:
    tables = {role: _conformed(evidence, role, table) for role, table in files.items()}
    if evidence.split is None or "real" not in tables:
        return tables
    whole = tables["real"]
    tables["real"], holdout = evidence.split.divide(whole, evidence.split_subject)
    if "holdout" in evidence.tables:
        tables.setdefault("holdout", holdout)
    return tables


def _conformed(evidence: Evidence, role: str, table: pa.Table) -> pa.Table:
    # The table of canaries has an additional column that marks the planted canaries.
    return table if role == "canaries" else conform(table, evidence.table_schema, ORIGINS[role])


# `Any` is a JSON value.
def _without_texts(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_texts(item) for name, item in value.items() if name not in TEXTS}
    return [_without_texts(item) for item in value] if isinstance(value, list) else value


# `Any` is a JSON value.
def _as_stated(signed: Any, computed: Any) -> Any:
    """Return the computed values, but only fields, metrics and checks that the signed report contains."""
    # Earlier versions of Understudy write null for values that they do not compute.
    if signed is None or (isinstance(signed, dict) and _is_earlier_loss(signed)):
        return signed
    if isinstance(signed, dict) and isinstance(computed, dict):
        return {name: _as_stated(item, computed[name]) for name, item in signed.items() if name in computed}
    if not isinstance(signed, list) or not isinstance(computed, list):
        return computed
    for key in ("metric", "name"):
        known = {item[key] for item in signed if isinstance(item, dict) and key in item}
        if known:
            computed = [item for item in computed if item.get(key) in known]
    if len(signed) != len(computed):
        return computed
    return [_as_stated(*pair) for pair in zip(signed, computed, strict=True)]


# `Any` is a JSON value.
def _is_earlier_loss(value: dict[str, Any]) -> bool:
    """Return whether the check is a loss check from a version that compared tables of different sizes."""
    return value.get("of") == "loss" and "outcome" in value and "loss_interval" not in value


# `Any` is a JSON value.
def _differences(where: str, signed: Any, computed: Any) -> Iterator[str]:
    """Yield JSON pointers to the differences between two JSON values."""
    if isinstance(signed, dict) and isinstance(computed, dict):
        for name in sorted(signed.keys() | computed.keys()):
            yield from _differences(f"{where}/{name}", signed.get(name), computed.get(name))
    elif isinstance(signed, list) and isinstance(computed, list) and len(signed) == len(computed):
        for number, pair in enumerate(zip(signed, computed, strict=True)):
            yield from _differences(f"{where}/{number}", *pair)
    elif isinstance(signed, float) and isinstance(computed, float):
        if not math.isclose(signed, computed, rel_tol=TOLERANCE, abs_tol=TOLERANCE):
            yield where
    elif signed != computed:
        yield where
