"""Bodies of resources, as the service returns them."""

from __future__ import annotations

from typing import Any

TIME = "2026-12-01T00:00:00Z"


def job(state: str = "queued", **fields: Any) -> dict[str, Any]:
    """Return a job."""
    return {
        "id": "job_1",
        "kind": "train",
        "state": state,
        "parameters": {},
        "labels": {},
        "priority": 0,
        "created_at": TIME,
        "expires_at": TIME,
        **fields,
    }


def dataset(dataset_id: str = "ds_1", **fields: Any) -> dict[str, Any]:
    """Return a dataset."""
    return {
        "id": dataset_id,
        "name": "people",
        "state": "ready",
        "origin": "upload",
        "format": "csv",
        "labels": {},
        "tables": [],
        "job_id": "job_1",
        "created_at": TIME,
        "updated_at": TIME,
        **fields,
    }
