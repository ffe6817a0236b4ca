# Generated from understudy_client/_async/client.py by `make clients`. Do not edit.
"""The synchronous client."""

from __future__ import annotations

from typing import Self

import httpx2

from understudy_client._generated import operations
from understudy_client._generated.models import MetricCatalogue, SynthesizerCatalogue
from understudy_client._sync.datasets import Datasets
from understudy_client._sync.jobs import Jobs
from understudy_client._sync.resources import (
    ApiKeys,
    Models,
    Pipelines,
    Project,
    Projects,
    Reports,
)
from understudy_client._sync.transport import Transport
from understudy_client.configuration import connection_of
from understudy_client.retries import Retries

TIMEOUT_SECONDS = 60.0


class Client:
    """A client of the service with synchronous methods.

    Parameters
    ----------
    url : str, optional
        Address of the service, such as ``http://127.0.0.1:8000``. By default, the environment variable
        ``UNDERSTUDY_URL``.
    api_key : str, optional
        API key. By default, the environment variable ``UNDERSTUDY_API_KEY``.
    timeout_seconds : float
        Time to wait for a response, or for the next bytes of a stream.
    retries : Retries, optional
        Policy for requests that fail because of the connection or because the service is overloaded.
    transport : httpx2.BaseTransport, optional
        Transport of httpx2, for example to use a proxy or other certificates.
    """

    datasets: Datasets
    """Operations on datasets."""
    jobs: Jobs
    """Operations on jobs."""
    pipelines: Pipelines
    """Operations on pipelines."""
    models: Models
    """Operations on models."""
    reports: Reports
    """Operations on reports."""
    project: Project
    """Operations on the project to which the API key belongs."""
    api_keys: ApiKeys
    """Operations on the API keys of the project."""
    projects: Projects
    """Operations on all projects (scope `operator`)."""

    def __init__(
        self,
        url: str | None = None,
        api_key: str | None = None,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
        retries: Retries | None = None,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        address, headers = connection_of(url, api_key)
        http = httpx2.Client(base_url=address, headers=headers, transport=transport)
        self._transport = Transport(http, retries or Retries(), timeout_seconds)
        self.jobs = Jobs(self._transport)
        self.datasets = Datasets(self._transport, self.jobs)
        self.pipelines = Pipelines(self._transport, self.jobs)
        self.models = Models(self._transport)
        self.reports = Reports(self._transport)
        self.project = Project(self._transport)
        self.api_keys = ApiKeys(self._transport)
        self.projects = Projects(self._transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def synthesizers(self) -> SynthesizerCatalogue:
        """Return the synthesizers of the service and their capabilities."""
        return self._transport.send(operations.list_synthesizers())

    def metrics(self) -> MetricCatalogue:
        """Return the metrics of the service."""
        return self._transport.send(operations.list_metrics())
