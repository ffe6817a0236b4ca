"""Tests of the Python client's requests: retries, idempotency keys, errors, conditions and pages."""

from __future__ import annotations

import threading
import time
import traceback

import httpx2
import pytest
from understudy_client import (
    ApiError,
    Client,
    ConnectionFailed,
    ErrorCode,
    InvalidRequest,
    JobFailed,
    JobTimeout,
    NotFound,
    PreconditionFailed,
    Retries,
    TooManyRequests,
    Unavailable,
    UnexpectedResponse,
    models,
)
from understudy_client.calls import Call
from understudy_client.retries import DeadlineExceeded, Tries

from tests.clients.conftest import Caller
from tests.clients.resources import dataset, job
from tests.clients.scripted_server import LOST, Request, Response, ScriptedServer, problem


def test_post_is_repeated_with_the_same_idempotency_key(api: Caller, server: ScriptedServer) -> None:
    server.script = [LOST, problem(503, "unavailable", Retry_After="0"), Response(202, job())]
    created = api.do(api.client.jobs.train("ds_1", seed=1))
    keys = {request.headers["Idempotency-Key"] for request in server.requests}
    assert (created.id, len(server.requests), len(keys)) == ("job_1", 3, 1)


def test_two_posts_have_different_idempotency_keys(api: Caller, server: ScriptedServer) -> None:
    server.script = [Response(202, job()), Response(202, job())]
    for _ in range(2):
        api.do(api.client.jobs.probe())
    assert len({request.headers["Idempotency-Key"] for request in server.requests}) == 2


def test_request_is_repeated_while_its_first_try_is_in_progress(api: Caller, server: ScriptedServer) -> None:
    server.script = [problem(409, "idempotency_in_progress", Retry_After="0"), Response(202, job())]
    assert api.do(api.client.jobs.probe()).id == "job_1"


def test_pause_is_at_least_as_long_as_retry_after() -> None:
    tries = Tries(Call("GET", "/", None), Retries(pause_seconds=0.5))
    assert 7.25 <= tries.after_refusal(503, {"Retry-After": "7"}, b"") <= 7.5


def test_pauses_grow_up_to_their_maximum() -> None:
    retries = Retries(pause_seconds=1, pause_seconds_max=4)
    longest = [max(retries.pause_before(n) for _ in range(200)) for n in (1, 2, 3, 4, 9)]
    assert all(0.9 * bound < pause <= bound for pause, bound in zip(longest, (1, 2, 4, 4, 4), strict=True))


def test_retry_after_beyond_the_maximum_pause_raises_an_error(api: Caller, server: ScriptedServer) -> None:
    server.script = [problem(429, "too_many_jobs", Retry_After="3600")]
    with pytest.raises(TooManyRequests) as raised:
        api.do(api.client.jobs.probe())
    assert raised.value.retry_after_seconds == 3600


def test_request_above_a_quota_that_only_the_caller_can_free_is_not_repeated(
    api: Caller, server: ScriptedServer
) -> None:
    server.script = [problem(429, "too_many_uploads", Retry_After="0")]
    with pytest.raises(TooManyRequests):
        api.do(api.client.datasets.get("ds_1"))
    assert len(server.requests) == 1


def test_service_that_never_responds_raises_a_connection_error(api: Caller, server: ScriptedServer) -> None:
    server.script = [LOST] * 4
    with pytest.raises(ConnectionFailed, match="/v1/datasets/ds_1"):
        api.do(api.client.datasets.get("ds_1"))
    assert server.script == []


@pytest.mark.parametrize("error", [httpx2.LocalProtocolError, httpx2.UnsupportedProtocol])
def test_request_with_a_permanent_error_is_not_repeated_and_the_error_hides_its_text(
    error: type[httpx2.TransportError],
) -> None:
    requests: list[httpx2.Request] = []

    def fail(request: httpx2.Request) -> httpx2.Response:
        requests.append(request)
        raise error("Illegal header value 'Bearer sk_secret'")

    with (
        Client("http://127.0.0.1:1", "sk_test", transport=httpx2.MockTransport(fail)) as client,
        pytest.raises(ConnectionFailed, match=error.__name__) as raised,
    ):
        client.project.get()
    assert len(requests) == 1
    assert "sk_secret" not in "".join(traceback.format_exception(raised.value))


def test_html_page_from_a_proxy_raises_unexpected_response(api: Caller, server: ScriptedServer) -> None:
    server.script = [Response(200, b"<html>", {"Content-Type": "text/html"})]
    with pytest.raises(UnexpectedResponse, match=r"GET /v1/datasets/ds_1 .*\(json_invalid\)"):
        api.do(api.client.datasets.get("ds_1"))


def test_unexpected_response_names_the_field_without_its_value(api: Caller, server: ScriptedServer) -> None:
    server.script = [Response(200, dataset(name=["sk_secret"]))]
    with pytest.raises(UnexpectedResponse, match="`name`: string_type") as raised:
        api.do(api.client.datasets.get("ds_1"))
    assert "sk_secret" not in "".join(traceback.format_exception(raised.value))


def test_validation_error_of_a_response_contains_no_values() -> None:
    with pytest.raises(ValueError, match="name") as raised:
        models.Dataset.model_validate(dataset(name=["sk_secret"]))
    assert "sk_secret" not in str(raised.value)


def test_spaces_around_the_address_and_the_key_are_removed(server: ScriptedServer) -> None:
    server.script = [Response(200, dataset())]
    with Client(f" {server.url}/\n", " sk_test\n") as client:
        client.datasets.get("ds_1")
    assert server.requests[0].headers["Authorization"] == "Bearer sk_test"


def test_error_has_the_fields_of_the_problem_document(api: Caller, server: ScriptedServer) -> None:
    server.script = [problem(422, "invalid_parameters")]
    with pytest.raises(InvalidRequest) as raised:
        api.do(api.client.jobs.sample("mdl_1", n_rows=0))
    error = raised.value
    assert (error.status, error.code, error.request_id) == (422, ErrorCode.INVALID_PARAMETERS, "req_1")
    assert (error.title, error.detail) == ("Title of invalid_parameters", "Detail of invalid_parameters.")
    assert (error.type, error.instance) == ("https://example.org/errors/invalid_parameters", "/v1/jobs")
    assert [item.pointer for item in error.errors] == ["/n_rows"]


def test_error_page_of_a_gateway_raises_an_api_error(api: Caller, server: ScriptedServer) -> None:
    server.script = [Response(502, b"<html>", {"Content-Type": "text/html"})] * 4
    with pytest.raises(Unavailable) as raised:
        api.do(api.client.datasets.get("ds_1"))
    assert (raised.value.status, raised.value.code) == (502, "unknown")


def test_if_match_contains_the_etag_that_was_read(api: Caller, server: ScriptedServer) -> None:
    server.script = [Response(200, dataset(), {"ETag": '"7"'}), problem(412, "precondition_failed")]
    read = api.do(api.client.datasets.get("ds_1"))
    with pytest.raises(PreconditionFailed):
        api.do(api.client.datasets.update("ds_1", if_match=read.etag, labels={"team": None}))
    assert server.requests[1].headers["If-Match"] == '"7"'
    assert server.requests[1].body == b'{"labels": {"team": null}}'


def test_conditional_change_is_not_repeated_if_its_response_is_lost(
    api: Caller, server: ScriptedServer
) -> None:
    server.script = [LOST]
    with pytest.raises(ConnectionFailed):
        api.do(api.client.datasets.update("ds_1", if_match='"7"', name="new"))
    assert len(server.requests) == 1


GATEWAY_STATUSES = [502, 504]


@pytest.mark.parametrize("status", GATEWAY_STATUSES)
def test_conditional_change_is_not_repeated_if_a_gateway_has_lost_its_response(
    api: Caller, server: ScriptedServer, status: int
) -> None:
    server.script = [Response(status, b"<html>")]
    with pytest.raises(Unavailable):
        api.do(api.client.datasets.update("ds_1", if_match='"7"', name="new"))
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", GATEWAY_STATUSES)
def test_other_requests_are_repeated_if_a_gateway_has_lost_their_response(
    api: Caller, server: ScriptedServer, status: int
) -> None:
    server.script = [Response(status, b"<html>"), Response(200, dataset(name="new"))]
    assert api.do(api.client.datasets.update("ds_1", name="new")).name == "new"
    server.script = [Response(status, b"<html>"), problem(404, "not_found")]
    assert api.do(api.client.datasets.delete("ds_1", if_match='"7"')) is None


def test_conditional_change_is_repeated_if_the_service_refused_it(
    api: Caller, server: ScriptedServer
) -> None:
    server.script = [problem(503, "unavailable", Retry_After="0"), Response(200, dataset(name="new"))]
    assert api.do(api.client.datasets.update("ds_1", if_match='"7"', name="new")).name == "new"


def test_deletion_succeeds_although_its_response_was_lost(api: Caller, server: ScriptedServer) -> None:
    server.script = [LOST, problem(404, "not_found"), problem(404, "not_found")]
    assert api.do(api.client.datasets.delete("ds_1", cascade=True)) is None
    assert server.requests[0].query == {"cascade": ["true"]}
    with pytest.raises(NotFound):
        api.do(api.client.datasets.delete("ds_1"))


def test_iteration_over_a_list_reads_all_pages(api: Caller, server: ScriptedServer) -> None:
    server.script = [
        Response(200, {"data": [dataset("ds_1"), dataset("ds_2")], "has_more": True, "next": "c/1"}),
        Response(200, {"data": [dataset("ds_3")], "has_more": False}),
    ]
    listed = api.do(api.client.datasets.list(label=["team:ops", "year:2026"], limit=2))
    assert [item.id for item in listed] == ["ds_1", "ds_2", "ds_3"]
    first, second = server.requests
    assert first.query == {"label": ["team:ops", "year:2026"], "limit": ["2"]}
    assert second.query == {**first.query, "after": ["c/1"]}


def test_wait_returns_the_result_and_reports_progress(api: Caller, server: ScriptedServer) -> None:
    running = job("running", progress={"phase": "fitting", "fraction": 0.4})
    done = job(
        "succeeded",
        progress={"phase": "done", "fraction": 1.0},
        result={"kind": "train", "model_id": "mdl_1"},
    )
    server.script = [Response(202, job()), Response(200, running), Response(200, done)]
    progress: list[tuple[str, float]] = []
    created = api.do(api.client.jobs.train("ds_1"))
    result = api.do(created.wait(on_progress=lambda at: progress.append((at.phase, at.fraction))))
    assert result.model_id == "mdl_1"
    assert progress == [("queued", 0.0), ("fitting", 0.4), ("done", 1.0)]
    assert server.requests[1].headers["Prefer"] == "wait=1"


def test_wait_for_a_failed_job_raises_its_error(api: Caller, server: ScriptedServer) -> None:
    failed = job("failed", error={"code": "out_of_memory", "detail": "The job used 9 GiB."})
    server.script = [Response(200, failed)]
    handle = api.do(api.client.jobs.get("job_1"))
    with pytest.raises(JobFailed, match="9 GiB") as raised:
        api.do(handle.wait())
    assert raised.value.code == ErrorCode.OUT_OF_MEMORY


def test_wait_ends_after_its_timeout(api: Caller, server: ScriptedServer) -> None:
    server.script = lambda _: Response(200, job("running"))
    handle = api.do(api.client.jobs.get("job_1"))
    with pytest.raises(JobTimeout, match="still running"):
        api.do(handle.wait(timeout_seconds=0.3))


@pytest.mark.parametrize("response", [LOST, problem(503, "unavailable")], ids=["lost", "refused"])
def test_wait_for_a_job_ends_after_its_timeout_although_the_service_is_unavailable(
    server: ScriptedServer, response: Response
) -> None:
    retries = Retries(tries_max=1000, pause_seconds_max=0.05)
    with Client(server.url, "sk_test", retries=retries) as client:
        server.script = [Response(200, job("running"))]
        handle = client.jobs.get("job_1")
        server.script = lambda _: response
        with pytest.raises(JobTimeout, match="still running") as raised:
            handle.wait(timeout_seconds=0.3)
    assert isinstance(raised.value.__cause__, ConnectionFailed | Unavailable)
    assert len(server.requests) > 2


def test_wait_for_a_job_ends_after_its_timeout_although_the_service_does_not_respond(
    api: Caller, server: ScriptedServer
) -> None:
    is_over = threading.Event()

    def silence(_: Request) -> Response:
        is_over.wait(60)
        return LOST

    server.script = [Response(200, job("running"))]
    handle = api.do(api.client.jobs.get("job_1"))
    server.script = silence
    start = time.monotonic()
    with pytest.raises(JobTimeout):
        api.do(handle.wait(timeout_seconds=0.1))
    assert time.monotonic() - start < 30
    is_over.set()


def test_retry_after_beyond_the_deadline_raises_an_error() -> None:
    tries = Tries(Call("GET", "/", None), Retries(), deadline=time.monotonic() + 5)
    assert tries.after_refusal(503, {"Retry-After": "1"}, b"") >= 1
    with pytest.raises(DeadlineExceeded):
        tries.after_refusal(503, {"Retry-After": "7"}, b"")


def test_unknown_kinds_and_fields_of_a_newer_service_are_kept(api: Caller, server: ScriptedServer) -> None:
    result = {"kind": "translate", "speed": 3}
    server.script = [Response(200, job("succeeded", kind="translate", result=result, colour="red"))]
    handle = api.do(api.client.jobs.get("job_1"))
    assert (handle.result.speed, handle.data.colour) == (3, "red")


def test_refused_request_raises_an_api_error(api: Caller, server: ScriptedServer) -> None:
    server.script = [problem(403, "forbidden")]
    with pytest.raises(ApiError, match=r"Detail of forbidden\. \(forbidden, request req_1\)"):
        api.do(api.client.project.get())
