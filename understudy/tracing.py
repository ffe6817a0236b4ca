"""OpenTelemetry traces from a request to its job, if they are configured.

If they are not configured, the SDK is not imported. Spans contain IDs, kinds and outcomes, but no values.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pkgutil import resolve_name
from typing import Any

from understudy.errors import UnderstudyError

# The traces of this process. The type is `Any` because the SDK is imported only if traces are configured.
_traces: Any = None


def configure_traces(endpoint: str | None, service: str) -> None:
    """Send the traces of this process to an OTLP/HTTP endpoint. Do nothing if the endpoint is None.

    A process that forks must call this function after the fork.

    Raises
    ------
    UnderstudyError
        With the code `configuration`, if the packages of the extra `otel` are not installed.
    """
    if endpoint is None:
        return
    try:
        exporter = resolve_name("opentelemetry.exporter.otlp.proto.http.trace_exporter:OTLPSpanExporter")
        batches = resolve_name("opentelemetry.sdk.trace.export:BatchSpanProcessor")
    except ImportError as error:
        raise UnderstudyError(
            "UNDERSTUDY_OTLP_ENDPOINT is set, but OpenTelemetry is not installed. "
            "Run `pip install '.[otel]'`, or unset the variable.",
            code="configuration",
        ) from error
    use_processor(batches(exporter(endpoint=endpoint)), service)


def use_processor(processor: Any, service: str) -> None:
    """Send the spans of this process to an SDK span processor. Its type is in an optional dependency."""
    global _traces
    _traces = resolve_name("understudy.trace_sdk:Traces")(processor, service)


def close_traces() -> None:
    """Send the spans that are still in memory, and record no more."""
    global _traces
    if _traces is not None:
        _traces.close()
        _traces = None


def current_context() -> str | None:
    """Return the context of the current span in the format of the header `traceparent`, or None."""
    context: str | None = None if _traces is None else _traces.current_context()
    return context


@contextmanager
def job_span(trace_context: str | None, **attributes: str | int) -> Iterator[Span]:
    """Record a job's span in the trace of the request that created the job."""
    with _span("job", trace_context, "CONSUMER") as span:
        for name, value in attributes.items():
            span.set(f"understudy.{name}", value)
        yield span


@contextmanager
def request_span(trace_context: str | None, method: str) -> Iterator[Span]:
    """Record a span of a request. It continues the trace of the request's `traceparent` header."""
    with _span(method, trace_context, "SERVER") as span:
        yield span


class Span:
    """A span for callers of this module. It does nothing if traces are not configured."""

    def __init__(self, span: Any = None) -> None:
        self._span = span

    def set(self, name: str, value: str | int) -> None:
        """Set an attribute, which must not contain a value from a caller."""
        if self._span is not None:
            self._span.set_attribute(name, value)

    def rename(self, name: str) -> None:
        """Change the name of the span."""
        if self._span is not None:
            self._span.update_name(name)


@contextmanager
def _span(name: str, trace_context: str | None, kind: str) -> Iterator[Span]:
    if _traces is None:
        yield Span()
        return
    with _traces.span(name, trace_context, kind) as span:
        yield Span(span)
