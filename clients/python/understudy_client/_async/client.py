"""The asynchronous client."""

from __future__ import annotations

from typing import Self

import httpx2

from understudy_client._async.datasets import AsyncDatasets
from understudy_client._async.jobs import AsyncJobs
from understudy_client._async.resources import (
    AsyncApiKeys,
    AsyncModels,
    AsyncPipelines,
    AsyncProject,
    AsyncProjects,
    AsyncReports,
)
from understudy_client._async.transport import AsyncTransport
from understudy_client._generated import operations
from understudy_client._generated.models import MetricCatalogue, SynthesizerCatalogue
from understudy_client.configuration import connection_of
from understudy_client.retries import Retries

TIMEOUT_SECONDS = 60.0


class AsyncClient:
    """A client of the service with asynchronous methods.

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
    transport : httpx2.AsyncBaseTransport, optional
        Transport of httpx2, for example to use a proxy or other certificates.
    """

    datasets: AsyncDatasets
    """Operations on datasets."""
    jobs: AsyncJobs
    """Operations on jobs."""
    pipelines: AsyncPipelines
    """Operations on pipelines."""
    models: AsyncModels
    """Operations on models."""
    reports: AsyncReports
    """Operations on reports."""
    project: AsyncProject
    """Operations on the project to which the API key belongs."""
    api_keys: AsyncApiKeys
    """Operations on the API keys of the project."""
    projects: AsyncProjects
    """Operations on all projects (scope `operator`)."""

    def __init__(
        self,
        url: str | None = None,
        api_key: str | None = None,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
        retries: Retries | None = None,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        address, headers = connection_of(url, api_key)
        http = httpx2.AsyncClient(base_url=address, headers=headers, transport=transport)
        self._transport = AsyncTransport(http, retries or Retries(), timeout_seconds)
        self.jobs = AsyncJobs(self._transport)
        self.datasets = AsyncDatasets(self._transport, self.jobs)
        self.pipelines = AsyncPipelines(self._transport, self.jobs)
        self.models = AsyncModels(self._transport)
        self.reports = AsyncReports(self._transport)
        self.project = AsyncProject(self._transport)
        self.api_keys = AsyncApiKeys(self._transport)
        self.projects = AsyncProjects(self._transport)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.close()

    async def synthesizers(self) -> SynthesizerCatalogue:
        """Return the synthesizers of the service and their capabilities."""
        return await self._transport.send(operations.list_synthesizers())

    async def metrics(self) -> MetricCatalogue:
        """Return the metrics of the service."""
        return await self._transport.send(operations.list_metrics())
