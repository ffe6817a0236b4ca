"""Traces with OpenTelemetry's SDK. Only `understudy.tracing` imports this module, if it needs traces."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.trace import Span, SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator


class Traces:
    """The traces of a process."""

    def __init__(self, processor: SpanProcessor, service: str) -> None:
        self._provider = TracerProvider(resource=Resource.create({"service.name": service}))
        self._provider.add_span_processor(processor)

    def close(self) -> None:
        """Send the spans that are still in memory."""
        self._provider.shutdown()

    def current_context(self) -> str | None:
        """Return the context of the current span as a `traceparent`."""
        carrier: dict[str, str] = {}
        TraceContextTextMapPropagator().inject(carrier)
        return carrier.get("traceparent")

    def span(self, name: str, trace_context: str | None, kind: str) -> AbstractContextManager[Span]:
        """Return a context manager that records a span in the trace of the given context."""
        carrier = {} if trace_context is None else {"traceparent": trace_context}
        parent = TraceContextTextMapPropagator().extract(carrier)
        tracer = self._provider.get_tracer("understudy")
        # The message of an exception can contain values, so it is not recorded.
        safe: dict[str, Any] = {"record_exception": False, "set_status_on_exception": False}
        return tracer.start_as_current_span(name, context=parent, kind=SpanKind[kind], **safe)
