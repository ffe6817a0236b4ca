"""Clients of the application, over the same resources as everything else, and what they often need first."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv
import pytest
from starlette.testclient import TestClient

from app.main import create_app
from understudy.resources import Resources
from understudy.services.api_keys import create_api_key
from understudy.services.projects import create_project

Json = dict[str, Any]


@pytest.fixture
def app_client(resources: Resources) -> Iterator[TestClient]:
    """Make a client without a key."""
    with TestClient(create_app(resources)) as client:
        yield client


@pytest.fixture
def client(app_client: TestClient, resources: Resources) -> TestClient:
    """Make a client that may read and write in a project of its own."""
    app_client.headers["Authorization"] = f"Bearer {new_key(resources)}"
    return app_client


@pytest.fixture
def other_client(client: TestClient, resources: Resources) -> TestClient:
    """Make a client of another project, of the same application."""
    return TestClient(client.app, headers={"Authorization": f"Bearer {new_key(resources)}"})


@pytest.fixture
def csv_bytes(small_table: pa.Table) -> bytes:
    """Return the small table as CSV."""
    sink = io.BytesIO()
    pacsv.write_csv(small_table, sink)
    return sink.getvalue()


@pytest.fixture
def ready_dataset(client: TestClient, csv_bytes: bytes, run_jobs: Callable[[], int]) -> Json:
    """Upload a dataset and let it be read."""
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


def new_key(resources: Resources, *scopes: str) -> str:
    """Return the text of a key of a new project."""
    project = create_project(resources, "tests")
    return create_api_key(resources, project.id, "tests", scopes or ("read", "write"))[1]


def upload(client: TestClient, data: bytes, name: str = "small.csv", **form: str) -> Json:
    """Upload a file by form and return the answer's body."""
    response = client.post("/v1/datasets", files={"file": (name, data)}, data=form)
    assert response.status_code == 202, response.text
    body: Json = response.json()
    return body


def submit(client: TestClient, **parameters: Any) -> Json:
    """Ask for a job and return it."""
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
