# Generated from understudy_client/_async/resources.py by `make clients`. Do not edit.
"""Models, reports, API keys and projects of the synchronous client."""

from __future__ import annotations

import secrets
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Unpack

from understudy_client._generated import models, operations, requests
from understudy_client._sync.jobs import Jobs
from understudy_client._sync.transport import Transport
from understudy_client.formats import ROWS_FORMATS, download_format
from understudy_client.json_lines import LineParser
from understudy_client.sources import PathName


class Models:
    """Models of the project."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def get(self, model_id: str) -> models.TrainedModel:
        """Return a model."""
        return self._transport.send(operations.get_model(model_id))

    def list(self, **filters: Unpack[requests.ListModelsQuery]) -> Iterator[models.TrainedModel]:
        """Iterate over models, newest first."""
        return self._transport.items(operations.list_models(**filters))

    def rows(self, model_id: str, **query: Unpack[requests.SampleRowsQuery]) -> Generator[dict[str, Any]]:
        """Sample rows without a job, and iterate over them as dicts.

        `n` is the number of rows, and `offset` is the number of rows to skip. With the same `seed`, row k is
        the same in every call and in every sample of the model. After a lost connection, the iteration
        continues with the next row.
        """
        parser = LineParser()
        call = operations.sample_rows(model_id, **_with_seed({**query, "format": "jsonl"}))
        with closing(self._transport.chunks(call)) as chunks:
            for chunk in chunks:
                for row in parser.feed(chunk):
                    yield row

    def download(self, model_id: str, path: PathName) -> Path:
        """Download the file of a model, which `understudy.load` reads (scope `read_real`)."""
        target = Path(path)
        self._transport.save(operations.download_model(model_id), target)
        return target

    def download_rows(self, model_id: str, path: PathName, **query: Unpack[requests.SampleRowsQuery]) -> Path:
        """Sample rows to a file without a job. By default, the suffix of the path determines the format.

        Raises
        ------
        ValueError
            If `format` is missing and the suffix is not the name of a format.
        """
        target = Path(path)
        named = query if "format" in query else {**query, "format": download_format(target, ROWS_FORMATS)}
        self._transport.save(operations.sample_rows(model_id, **_with_seed(named)), target)
        return target

    def update(
        self, model_id: str, *, if_match: str | None = None, **changes: Unpack[requests.UpdateModel]
    ) -> models.TrainedModel:
        """Change the name or the labels of a model. A label with the value None is removed."""
        return self._transport.send(operations.update_model(model_id, changes, if_match=if_match))

    def delete(self, model_id: str, *, if_match: str | None = None) -> None:
        """Delete a model."""
        self._transport.send(operations.delete_model(model_id, if_match=if_match))


class Pipelines:
    """Pipelines, which train a model, sample from it and evaluate the sample."""

    def __init__(self, transport: Transport, jobs: Jobs) -> None:
        self._transport = transport
        self._jobs = jobs

    def create(self, **body: Unpack[requests.CreatePipeline]) -> models.Pipeline:
        """Create the jobs of a pipeline. Each job waits for its inputs."""
        return self._transport.send(operations.create_pipeline(body))

    def validate(self, **body: Unpack[requests.CreatePipeline]) -> models.ValidatedPipeline:
        """Validate a pipeline without creating jobs."""
        return self._transport.send(operations.validate_pipeline(body))

    def get(self, pipeline_id: str) -> models.Pipeline:
        """Return a pipeline with its jobs."""
        return self._transport.send(operations.get_pipeline(pipeline_id))

    def list(self, **filters: Unpack[requests.ListPipelinesQuery]) -> Iterator[models.Pipeline]:
        """Iterate over pipelines, newest first."""
        return self._transport.items(operations.list_pipelines(**filters))

    def update(
        self, pipeline_id: str, *, if_match: str | None = None, **changes: Unpack[requests.UpdateLabels]
    ) -> models.Pipeline:
        """Change the labels of a pipeline and of its jobs. A label of None is removed."""
        call = operations.update_pipeline(pipeline_id, changes, if_match=if_match)
        return self._transport.send(call)

    def wait(self, pipeline_id: str, timeout_seconds: float | None = None) -> models.Pipeline:
        """Wait until all jobs of a pipeline have succeeded, and return the pipeline.

        Parameters
        ----------
        timeout_seconds : float, optional
            Maximum time to wait. By default, there is no limit.

        Raises
        ------
        JobFailed
            If a job failed or was cancelled.
        JobTimeout
            If a job has not ended in time. The pipeline continues, and you can wait for it again.
        """
        deadline = None if timeout_seconds is None else time.monotonic() + timeout_seconds
        for stage in (self.get(pipeline_id)).stages:
            remaining = None if deadline is None else max(deadline - time.monotonic(), 0.0)
            (self._jobs.get(stage.id)).wait(remaining)
        return self.get(pipeline_id)

    def cancel(self, pipeline_id: str) -> models.Pipeline:
        """Cancel the queued jobs of a pipeline, and request that a running job stop."""
        return self._transport.send(operations.cancel_pipeline(pipeline_id))


class Reports:
    """Reports of the project."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def get(self, report_id: str) -> models.EvaluationReport:
        """Return a report."""
        return self._transport.send(operations.get_report(report_id))

    def list(self, **filters: Unpack[requests.ListReportsQuery]) -> Iterator[models.ReportSummary]:
        """Iterate over the summaries of reports, newest first."""
        return self._transport.items(operations.list_reports(**filters))

    def html(self, report_id: str, path: PathName) -> Path:
        """Download a report as an HTML page."""
        target = Path(path)
        self._transport.save(operations.download_report(report_id), target)
        return target

    def evidence(self, report_id: str, path: PathName) -> Path:
        """Download the signed evidence pack of a report."""
        target = Path(path)
        self._transport.save(operations.download_evidence(report_id), target)
        return target

    def update(
        self, report_id: str, *, if_match: str | None = None, **changes: Unpack[requests.UpdateLabels]
    ) -> models.EvaluationReport:
        """Change the labels of a report. A label with the value None is removed."""
        return self._transport.send(operations.update_report(report_id, changes, if_match=if_match))

    def delete(self, report_id: str, *, if_match: str | None = None) -> None:
        """Delete a report."""
        self._transport.send(operations.delete_report(report_id, if_match=if_match))


class ApiKeys:
    """API keys of the project (scope `admin`)."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def create(self, body: requests.CreateApiKey) -> models.NewApiKey:
        """Create a key. Only this response contains the key itself."""
        return self._transport.send(operations.create_api_key(body))

    def get(self, api_key_id: str) -> models.ApiKey:
        """Return the description of a key, without the key itself."""
        return self._transport.send(operations.get_api_key(api_key_id))

    def list(self, **query: Unpack[requests.ListApiKeysQuery]) -> Iterator[models.ApiKey]:
        """Iterate over keys, newest first, including those that have expired or were revoked."""
        return self._transport.items(operations.list_api_keys(**query))

    def update(
        self, api_key_id: str, *, if_match: str | None = None, **changes: Unpack[requests.UpdateApiKey]
    ) -> models.ApiKey:
        """Change the name or the expiry time of a key."""
        return self._transport.send(operations.update_api_key(api_key_id, changes, if_match=if_match))

    def rotate(self, api_key_id: str, **options: Unpack[requests.RotateApiKey]) -> models.NewApiKey:
        """Replace a key. The old one expires after `grace_seconds`."""
        return self._transport.send(operations.rotate_api_key(api_key_id, options))

    def revoke(self, api_key_id: str, *, if_match: str | None = None) -> None:
        """Revoke a key."""
        self._transport.send(operations.revoke_api_key(api_key_id, if_match=if_match))


class Project:
    """The project to which the API key belongs."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def get(self) -> models.Project:
        """Return the project."""
        return self._transport.send(operations.get_project())

    def update(
        self, *, if_match: str | None = None, **changes: Unpack[requests.UpdateProject]
    ) -> models.Project:
        """Change the name, the policy or the gate of the project (scope `admin`)."""
        return self._transport.send(operations.update_project(changes, if_match=if_match))

    def delete(self, *, name: str, if_match: str | None = None) -> None:
        """Delete the project with all its data (scope `admin`). Pass its name to confirm the deletion."""
        self._transport.send(operations.delete_project(name=name, if_match=if_match))

    def usage(self, **period: Unpack[requests.GetUsageQuery]) -> models.ProjectUsage:
        """Return the usage by day, for the last 30 days by default."""
        return self._transport.send(operations.get_usage(**period))

    def policies(self) -> models.PolicyCatalogue:
        """Return the policies for verdicts."""
        return self._transport.send(operations.list_policies())


class Projects:
    """All projects of the installation (scope `operator`)."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def create(self, body: requests.CreateProject) -> models.ManagedProject:
        """Create a project."""
        return self._transport.send(operations.create_project(body))

    def get(self, project_id: str) -> models.ManagedProject:
        """Return a project."""
        return self._transport.send(operations.get_managed_project(project_id))

    def list(self, **query: Unpack[requests.ListProjectsQuery]) -> Iterator[models.ManagedProject]:
        """Iterate over projects, newest first."""
        return self._transport.items(operations.list_projects(**query))

    def update(
        self,
        project_id: str,
        *,
        if_match: str | None = None,
        **changes: Unpack[requests.UpdateManagedProject],
    ) -> models.ManagedProject:
        """Change the name of a project or its limit on running jobs."""
        call = operations.update_managed_project(project_id, changes, if_match=if_match)
        return self._transport.send(call)

    def delete(self, project_id: str, *, name: str, if_match: str | None = None) -> None:
        """Delete a project with all its data. Pass the project's name as `name` to confirm the deletion."""
        call = operations.delete_managed_project(project_id, name=name, if_match=if_match)
        self._transport.send(call)

    def create_api_key(self, project_id: str, body: requests.CreateApiKey) -> models.NewApiKey:
        """Create an API key for a project."""
        return self._transport.send(operations.create_project_api_key(project_id, body))


# `Any` is the typed dict of the query.
def _with_seed(query: Mapping[str, Any]) -> Any:
    """Return the query with a seed, so that the same rows can be requested again after a lost connection."""
    return {"seed": secrets.randbits(53), **query}
