"""The JSON Schema of reports, written by ``python -m understudy.evaluation.report_schema``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from understudy.evaluation.report import Report

FILE = Path("docs/reference/report.schema.json")
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def report_schema() -> dict[str, Any]:
    """Return the JSON Schema for the output of `understudy evaluate --json` and `GET /v1/reports/{id}`."""
    schema = Report.model_json_schema(mode="serialization")
    return {"$schema": DIALECT, **schema}


if __name__ == "__main__":
    FILE.write_text(json.dumps(report_schema(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
