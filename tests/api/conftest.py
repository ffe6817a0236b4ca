"""HTTP clients that share resources with the other fixtures, and test data that many tests need."""

from __future__ import annotations

import io
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv
import pytest
import uvicorn
from httpx2 import Response
from starlette.testclient import TestClient

from app.main import create_app
from app.protocol import TimedProtocol
from app.server import StoppingServer
from tests.service import SECRET_KEY, execute, make_caller, url_of
from understudy.db.migrate import upgrade
from understudy.errors import CODES
from understudy.job_queue import ListQueue
from understudy.resources import Resources, open_resources
from understudy.sandbox import Sandbox
from understudy.services.api_keys import USUAL_SCOPES, Caller, create_api_key
from understudy.settings import Settings

Json = dict[str, Any]


@pytest.fixture
def app_client(resources: Resources) -> Iterator[TestClient]:
    """Create a client without an API key."""
    with TestClient(create_app(resources)) as client:
        yield client


@pytest.fixture
def client(app_client: TestClient, resources: Resources, caller: Caller) -> TestClient:
    """Create a client that can read and write in the project of `caller`."""
    app_client.headers["Authorization"] = f"Bearer {new_key(resources, caller)}"
    return app_client


@pytest.fixture
def other_client(client: TestClient, resources: Resources, other_caller: Caller) -> TestClient:
    """Create a client for another project in the same application."""
    return TestClient(client.app, headers={"Authorization": f"Bearer {new_key(resources, other_caller)}"})


@pytest.fixture(scope="session")
def shared_database(postgres: str) -> str:
    """Create a database that keeps its rows between tests, and return its URL."""
    execute(postgres, "create database understudy_api_tests")
    url = url_of(postgres, "understudy_api_tests")
    upgrade(url)
    return url


@pytest.fixture(scope="module")
def shared_resources(shared_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Resources]:
    """Open resources that all tests in a file share. Each test uses its own projects."""
    data_dir = tmp_path_factory.mktemp("data")
    settings = Settings(database_url=shared_database, secret_key=SECRET_KEY, data_dir=data_dir)
    resources = open_resources(settings, queue=ListQueue())
    yield resources
    resources.close()


@pytest.fixture(scope="module")
def shared_client(shared_resources: Resources) -> Iterator[TestClient]:
    """Create a client that can read and write, shared by all tests in a file."""
    key = new_key(shared_resources, make_caller(shared_resources))
    with TestClient(create_app(shared_resources), headers={"Authorization": f"Bearer {key}"}) as client:
        yield client


@pytest.fixture
def csv_bytes(small_table: pa.Table) -> bytes:
    """Return the small table as CSV."""
    sink = io.BytesIO()
    pacsv.write_csv(small_table, sink)
    return sink.getvalue()


@pytest.fixture
def ready_dataset(client: TestClient, csv_bytes: bytes, run_jobs: Callable[[], int]) -> Json:
    """Upload a dataset and run its `ingest` job."""
    uploaded = upload(client, csv_bytes)
    run_jobs()
    return get(client, f"/v1/datasets/{uploaded['dataset']['id']}")


@pytest.fixture
def trained_model(client: TestClient, ready_dataset: Json, run_jobs: Callable[[], int]) -> Json:
    """Train a model on the ready dataset."""
    job = submit(
        client, kind="train", dataset_id=ready_dataset["id"], synthesizer={"name": "independent"}, seed=7
    )
    run_jobs()
    result = get(client, f"/v1/jobs/{job['id']}")["result"]
    return get(client, f"/v1/models/{result['model_id']}")


def new_key(resources: Resources, caller: Caller, *scopes: str) -> str:
    """Create an API key in a caller's project and return the key."""
    return create_api_key(resources, caller.project_id, "tests", scopes or USUAL_SCOPES)[1]


def upload(client: TestClient, data: bytes, name: str = "small.csv", **form: str) -> Json:
    """Upload a file as a form and return the response body."""
    response = client.post("/v1/datasets", files={"file": (name, data)}, data=form)
    assert response.status_code == 202, response.text
    body: Json = response.json()
    return body


def submit(client: TestClient, **parameters: Any) -> Json:
    """Create a job and return it."""
    response = client.post("/v1/jobs", json=parameters)
    assert response.status_code == 202, response.text
    body: Json = response.json()
    return body


def get(client: TestClient, path: str) -> Json:
    """Return the body of a successful GET."""
    response = client.get(path)
    assert response.status_code == 200, response.text
    body: Json = response.json()
    return body


def assert_problem(response: Response, status: int, code: str, *words: str) -> Json:
    """Check the problem code of a response and the words in its detail, and return its body."""
    assert response.headers["content-type"] == "application/problem+json", response.text
    problem: Json = response.json()
    assert (response.status_code, problem["status"], problem["code"]) == (status, status, code), response.text
    assert problem["request_id"] == response.headers["x-request-id"]
    assert problem["title"] == CODES[code]
    for word in words:
        assert word in problem["detail"], problem["detail"]
    return problem


def assert_nothing_made(client: TestClient, resources: Resources) -> None:
    """Check that no rows, blobs or staged files exist."""
    assert get(client, "/v1/datasets")["data"] == []
    assert get(client, "/v1/jobs")["data"] == []
    assert list(resources.store.keys("")) == []
    assert list(resources.staging_folder.iterdir()) == []


@pytest.fixture
def address(resources: Resources) -> Iterator[tuple[str, int]]:
    """Serve the application, and return the host and the port."""
    with serving(resources, grace_seconds=5) as (_, address):
        yield address


@contextmanager
def serving(
    resources: Resources,
    *,
    pause_seconds: float = 0,
    grace_seconds: float = 20,
    sandbox: Sandbox | None = None,
) -> Iterator[tuple[StoppingServer, tuple[str, int]]]:
    """Serve the application in a thread. Call the server's `handle_exit` to simulate a signal."""
    config = uvicorn.Config(
        create_app(resources, sandbox), http=TimedProtocol, log_config=None, proxy_headers=False
    )
    server = StoppingServer(config, pause_seconds=pause_seconds, grace_seconds=grace_seconds)
    listener = socket.create_server(("127.0.0.1", 0))
    address = listener.getsockname()
    thread = Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        wait_until(lambda: server.started)
        yield server, address
    finally:
        server.handle_exit(signal.SIGTERM, None)
        thread.join()
        listener.close()


def wait_until(is_so: Callable[[], bool]) -> None:
    """Wait until a condition is true. Fail if it stays false."""
    for _ in range(1000):
        if is_so():
            return
        time.sleep(0.02)
    raise AssertionError("the condition did not become true")
