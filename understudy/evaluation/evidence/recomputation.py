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

# Relative and absolute tolerance of numbers: sums may differ in the last bits between processors.
TOLERANCE = 1e-9
# Maximum number of differences listed in the result.
N_DIFFERENCES_MAX = 20
# Fields with text for readers. Later versions may have a different wording.
TEXTS = frozenset({"title", "summary", "sentence", "reason"})


@dataclass(frozen=True)
class Recomputation:
    """The result of a recomputation.

    Parameters
    ----------
    other_tables : tuple of str
        Roles whose table differs from the one in the evidence. If there are any, nothing was computed.
    missing_tables : tuple of str
        Roles in the evidence whose table was not provided. If there are any, nothing was computed.
    differences : tuple of str
        JSON pointers to the differences between the reports, at most `N_DIFFERENCES_MAX`.
    """

    other_tables: tuple[str, ...] = ()
    missing_tables: tuple[str, ...] = ()
    differences: tuple[str, ...] = ()

    @property
    def is_equal(self) -> bool:
        """Whether all numbers are equal to those in the pack."""
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
    # Versions of libraries may differ, because only the numbers count.
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
    # Canaries have an additional column that marks those that were planted.
    return table if role == "canaries" else conform(table, evidence.table_schema, ORIGINS[role])


# Any: JSON.
def _without_texts(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_texts(item) for name, item in value.items() if name not in TEXTS}
    return [_without_texts(item) for item in value] if isinstance(value, list) else value


# Any: JSON.
def _as_stated(signed: Any, computed: Any) -> Any:
    """Return the computed values without the fields and checks that are missing in the signed report."""
    if isinstance(signed, dict) and isinstance(computed, dict):
        return {name: _as_stated(item, computed[name]) for name, item in signed.items() if name in computed}
    if not isinstance(signed, list) or not isinstance(computed, list):
        return computed
    known = {item["metric"] for item in signed if isinstance(item, dict) and "metric" in item}
    if known:
        computed = [item for item in computed if item["metric"] in known]
    if len(signed) != len(computed):
        return computed
    return [_as_stated(*pair) for pair in zip(signed, computed, strict=True)]


# Any: JSON.
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
