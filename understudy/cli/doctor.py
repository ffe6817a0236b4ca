"""The command `doctor`."""

from __future__ import annotations

from pkgutil import resolve_name
from typing import Annotated

import typer

from understudy.cli.keys import open_service
from understudy.cli.service import DataDir
from understudy.cli.terminal import output, write_json
from understudy.errors import UnderstudyError
from understudy.services.findings import Finding

FAULTY = 1


def doctor(
    data_dir: DataDir = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the results as one JSON object.")] = False,
) -> int:
    """Check settings, database, broker, storage, disks, sandbox and key files, and suggest remedies.

    The exit status is 1 if a check fails.
    """
    try:
        with open_service(data_dir) as resources:
            # Resolved here because the base install lacks packages that the checks need.
            findings: list[Finding] = resolve_name("understudy.services.doctor:diagnose")(resources)
    except UnderstudyError as error:
        if error.code != "configuration":
            raise
        remedy = "Correct the setting, then run `understudy doctor` again."
        findings = [Finding("settings", error.detail, is_fault=True, remedy=remedy)]
    n_faults = sum(finding.is_fault for finding in findings)
    if as_json:
        write_json({"is_healthy": n_faults == 0, "findings": [_as_json(finding) for finding in findings]})
    else:
        for finding in findings:
            _show(finding)
    return FAULTY if n_faults else 0


def _state(finding: Finding) -> str:
    if finding.is_fault:
        return "fault"
    return "ok" if finding.remedy is None else "warning"


def _as_json(finding: Finding) -> dict[str, str | None]:
    return {
        "check": finding.check,
        "state": _state(finding),
        "detail": finding.detail,
        "remedy": finding.remedy,
    }


def _show(finding: Finding) -> None:
    console = output()
    console.print(f"{_state(finding):<8} {finding.check}: {finding.detail}", soft_wrap=True, markup=False)
    if finding.remedy is not None:
        console.print(f"         {finding.remedy}", soft_wrap=True, markup=False)
