"""Tests for the metrics and traces that requests and jobs produce."""

from __future__ import annotations

import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from app.http_metrics import REQUEST_SECONDS
from tests.api.conftest import Json, submit
from understudy import counters, tracing
from understudy.db import jobs
from understudy.ids import from_text
from understudy.resources import Resources
from understudy.services.api_keys import Caller
from understudy.services.metrics import ServiceCollector, serve_metrics

CANARY = "ZQMETRIC41XK"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def scrape(port: int) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as response:
        families = text_string_to_metric_families(response.read().decode())
        return {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in families
            for sample in family.samples
        }


def of(name: str, **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
    return name, frozenset(labels.items())


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    """Record the spans of this process."""
    exporter = InMemorySpanExporter()
    tracing.use_processor(SimpleSpanProcessor(exporter), "tests")
    yield exporter
    tracing.close_traces()


def test_metrics_count_jobs_attempts_and_requests(
    client: TestClient, resources: Resources, run_jobs: Callable[[], int]
):
    submit(client, kind="probe", labels={"team": CANARY})
    run_jobs()
    submit(client, kind="probe")
    client.get(f"/v1/jobs/{CANARY}")
    client.request("CANARYMETHOD", "/v1/jobs")
    before = counters.value("broker_errors")
    counters.count("broker_errors")

    port = serve_metrics([ServiceCollector(resources, 1), REQUEST_SECONDS], "127.0.0.1", free_port())
    assert port is not None
    samples = scrape(port)

    assert samples[of("understudy_jobs", kind="probe", state="succeeded")] == 1
    assert samples[of("understudy_queue_due_jobs", queue="default")] == 1
    assert samples[of("understudy_queue_oldest_due_seconds", queue="default")] >= 0
    assert samples[of("understudy_attempts_total", kind="probe", outcome="succeeded")] == 1
    assert samples[of("understudy_attempt_seconds_total", kind="probe", outcome="succeeded")] > 0
    assert samples[of("understudy_broker_errors_total")] == before + 1
    assert samples[of("understudy_database_up")] == samples[of("understudy_broker_up")] == 1
    assert samples[of("understudy_disk_free_bytes", disk="blobs")] > 0
    assert samples[of("understudy_store_up")] == 1
    assert samples[of("understudy_sandbox_walls_missing")] == 1
    route = {"method": "GET", "route": "/v1/jobs/{job_id}", "status": "404"}
    assert samples[of("understudy_http_request_seconds_count", **route)] >= 1
    labels = {value for _, pairs in samples for _, value in pairs}
    assert not any("CANARY" in value or CANARY in value for value in labels)


def test_second_process_serves_metrics_on_the_next_port(resources: Resources):
    first = free_port()
    with socket.create_server(("127.0.0.1", first)):
        second = serve_metrics([ServiceCollector(resources)], "127.0.0.1", first)
    assert second is not None
    assert second > first


def test_metrics_report_that_the_database_does_not_respond(
    resources: Resources, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("understudy.services.metrics.statistics.count_jobs", _unavailable)
    registry = CollectorRegistry()
    registry.register(ServiceCollector(resources))
    assert registry.get_sample_value("understudy_database_up") == 0
    assert registry.get_sample_value("understudy_broker_up") == 1


def _unavailable(*_: object) -> None:
    from understudy.errors import Unavailable

    raise Unavailable("The database does not respond. Repeat the call in a few seconds.")


def test_job_belongs_to_the_trace_of_its_request(
    client: TestClient,
    resources: Resources,
    caller: Caller,
    run_jobs: Callable[[], int],
    spans: InMemorySpanExporter,
):
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
    headers = {"traceparent": f"00-{trace_id}-00f067aa0ba902b7-01"}
    job: Json = client.post("/v1/jobs", json={"kind": "probe"}, headers=headers).json()
    run_jobs()

    recorded = {span.name: span for span in spans.get_finished_spans()}
    request, work = recorded["POST /v1/jobs"], recorded["job"]
    assert f"{request.context.trace_id:032x}" == f"{work.context.trace_id:032x}" == trace_id
    assert work.parent is not None
    assert work.parent.span_id == request.context.span_id
    assert work.attributes is not None
    assert dict(work.attributes) == {
        "understudy.job_id": job["id"],
        "understudy.kind": "probe",
        "understudy.attempt": 1,
    }
    with resources.sessions() as session:
        stored = jobs.get(session, caller.project_id, from_text("job", job["id"])).trace_context
    assert stored is not None
    assert trace_id in stored


def test_jobs_have_no_trace_context_if_traces_are_disabled(
    client: TestClient, resources: Resources, caller: Caller
):
    job = submit(client, kind="probe")
    with resources.sessions() as session:
        row = jobs.get(session, caller.project_id, from_text("job", job["id"]))
    assert row.trace_context is None


def test_the_sdk_is_not_imported_if_traces_are_disabled():
    code = "import app.main, workers.worker, sys; print('opentelemetry.sdk' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
