"""The JSON of an event, which `GET /v1/events` returns and which is sent to webhooks."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

from understudy import ids

if TYPE_CHECKING:
    from understudy.db.orm_events import Event

Json = dict[str, Any]


def payload_of(event: Event) -> Json:
    """Return the JSON of an event: its ID, type and time, and `data` with resource IDs and codes."""
    noun, _, verb = event.type.partition(".")
    data = {f"{noun}_id": ids.to_text(noun, event.subject_id)}
    for reference in ("job", "dataset"):
        row_id = getattr(event, f"{reference}_id")
        if row_id is not None:
            data[f"{reference}_id"] = ids.to_text(reference, row_id)
    if event.kind is not None:
        data["kind"] = event.kind
    if noun == "job":
        data["state"] = verb
    if event.error_code is not None:
        data["error_code"] = event.error_code
    return {
        "id": ids.to_text("event", event.id),
        "type": event.type,
        "timestamp": event.created_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "data": data,
    }
