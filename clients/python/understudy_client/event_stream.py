"""Parser of server-sent events (WHATWG HTML, section 9.2) and the state of a stream that reconnects."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

# The types of events after which a stream ends.
ENDINGS = frozenset({"succeeded", "failed", "cancelled"})


@dataclass(frozen=True)
class Event:
    """An event of a job.

    Parameters
    ----------
    type : str
        Type, such as ``started``, ``progress`` or ``succeeded``.
    data : dict
        Content of the event.
    id : str or None
        ID to pass as `last_event_id`. ``progress`` events have no ID, because only the latest one matters.
    """

    type: str
    data: dict[str, Any]  # JSON
    id: str | None = None


@dataclass
class EventParser:
    """A parser of a byte stream, which may be split at any byte."""

    last_event_id: str | None = None
    has_ended: bool = False
    has_events: bool = False
    retry_seconds: float | None = None
    _rest: bytes = b""
    _fields: dict[str, list[str]] = field(default_factory=dict)

    def reconnect(self) -> None:
        """Discard the incomplete event of a lost connection."""
        self._rest, self._fields = b"", {}
        self.has_events = False

    def feed(self, chunk: bytes) -> Iterator[Event]:
        """Yield the events that a chunk completes."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            event = self._read_line(line.rstrip(b"\r").decode())
            if event is not None:
                yield event

    def _read_line(self, line: str) -> Event | None:
        if not line:
            return self._end_event()
        name, _, value = line.partition(":")
        if name == "retry" and value.strip().isdigit():
            self.retry_seconds = int(value) / 1000
        elif name:  # A line without a name is a comment.
            self._fields.setdefault(name, []).append(value.removeprefix(" "))
        return None

    def _end_event(self) -> Event | None:
        fields, self._fields = self._fields, {}
        if "data" not in fields:
            return None
        self.has_events = True
        type_ = fields.get("event", ["message"])[-1]
        event_id = fields["id"][-1] if "id" in fields else None
        self.last_event_id = event_id or self.last_event_id
        # The stream of a retried job also contains the last event of each earlier run, so an ending counts
        # only if no event follows it.
        self.has_ended = type_ in ENDINGS
        return Event(type_, json.loads("\n".join(fields["data"])), event_id)
