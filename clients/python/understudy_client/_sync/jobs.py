# Generated from understudy_client/_async/jobs.py by `make clients`. Do not edit.
"""Jobs of the synchronous client."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Generic, Self, TypeVar, Unpack, cast

from understudy_client._generated import models, operations, requests
from understudy_client._sync.backend import sleep
from understudy_client._sync.transport import Transport
from understudy_client.errors import JobFailed, JobTimeout
from understudy_client.event_stream import Event
from understudy_client.retries import DeadlineExceeded
from understudy_client.waiting import OnProgress, Wait

ResultT = TypeVar("ResultT", covariant=True)


class Job(Generic[ResultT]):
    """A job that you can wait for. The type parameter is the type of its result.

    Parameters
    ----------
    data : Job
        The most recent response of the service about the job.
    """

    def __init__(self, jobs: Jobs, data: models.Job) -> None:
        self._jobs = jobs
        self.data = data

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id} {self.kind} {self.state}>"

    @property
    def id(self) -> str:
        """ID of the job."""
        return self.data.id

    @property
    def kind(self) -> str:
        """Kind of the job, such as ``train``."""
        return self.data.kind

    @property
    def state(self) -> str:
        """State of the job when it was last read."""
        return self.data.state

    @property
    def progress(self) -> models.JobProgress | None:
        """Progress of the job when it was last read."""
        return self.data.progress

    @property
    def error(self) -> models.JobFailure | None:
        """Reason why the job failed or was cancelled."""
        return self.data.error

    @property
    def result(self) -> ResultT | None:
        """Result of the job, or None if it has not succeeded."""
        return cast("ResultT | None", self.data.result)

    def wait(self, timeout_seconds: float | None = None, on_progress: OnProgress | None = None) -> ResultT:
        """Wait until the job has ended, and return its result.

        Parameters
        ----------
        timeout_seconds : float, optional
            Maximum time to wait. By default, there is no limit.
        on_progress : callable, optional
            Function that is called with the progress of the job about once a second.

        Raises
        ------
        JobFailed
            If the job failed or was cancelled.
        JobTimeout
            If the job has not ended in time. The job continues, and you can wait for it again.
        """
        wait = Wait(timeout_seconds, on_progress)
        while not wait.has_ended(self.data):
            try:
                self.data = self._jobs.read(self.id, wait.held_seconds(), wait.deadline)
            except DeadlineExceeded as error:
                raise JobTimeout(self.data) from error.__cause__
            if self.state in ("queued", "running"):
                sleep(wait.pause_seconds())
        if self.state != "succeeded":
            raise JobFailed(self.data)
        return cast("ResultT", self.data.result)

    def refresh(self, *, held_seconds: float = 0.0) -> Self:
        """Read the job again.

        For up to `held_seconds`, the service can delay its response until the job has ended.
        """
        self.data = self._jobs.read(self.id, held_seconds)
        return self

    def cancel(self) -> Self:
        """Cancel the job."""
        self.data = self._jobs.send(operations.cancel_job(self.id))
        return self

    def retry(self) -> Self:
        """Queue the job again after it failed or was cancelled."""
        self.data = self._jobs.send(operations.retry_job(self.id))
        return self

    def delete(self) -> None:
        """Delete the job after it has ended."""
        self._jobs.delete(self.id)

    def events(self, last_event_id: str | None = None) -> Iterator[Event]:
        """Iterate over the events of the job until it has ended."""
        return self._jobs.events(self.id, last_event_id)


class Jobs:
    """Jobs of the project."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.send = transport.send

    def create(self, body: requests.JobRequest) -> Job[Any]:
        """Create a job of any kind."""
        return self.handle(self._transport.send(operations.create_job(body)))

    def train(self, dataset_id: str, **options: Unpack[requests.TrainOptions]) -> Job[models.TrainResult]:
        """Create a job that trains a model on a dataset."""
        return self.create({"kind": "train", "dataset_id": dataset_id, **options})

    def sample(self, model_id: str, **options: Unpack[requests.SampleOptions]) -> Job[models.SampleResult]:
        """Create a job that samples rows from a model."""
        return self.create({"kind": "sample", "model_id": model_id, **options})

    def impute(
        self, model_id: str, dataset_id: str, **options: Unpack[requests.ImputeOptions]
    ) -> Job[models.ImputeResult]:
        """Create a job that imputes the missing values of a dataset."""
        return self.create({"kind": "impute", "model_id": model_id, "dataset_id": dataset_id, **options})

    def evaluate(
        self, dataset_id: str, synthetic_dataset_id: str, **options: Unpack[requests.EvaluateOptions]
    ) -> Job[models.EvaluateResult]:
        """Create a job that evaluates a synthetic dataset against a real one."""
        return self.create(
            {
                "kind": "evaluate",
                "dataset_id": dataset_id,
                "synthetic_dataset_id": synthetic_dataset_id,
                **options,
            }
        )

    def probe(self, **options: Unpack[requests.ProbeOptions]) -> Job[models.OtherResult]:
        """Create a job that only waits, to check that the parts of the service work together."""
        return self.create({"kind": "probe", **options})

    def validate(self, body: requests.JobRequest) -> models.ValidatedJob:
        """Return the resolved parameters and the estimated cost of a job without creating it."""
        return self._transport.send(operations.validate_job(body))

    def get(self, job_id: str) -> Job[Any]:
        """Return a job."""
        return self.handle(self.read(job_id))

    def handle(self, data: models.Job) -> Job[Any]:
        """Return a handle for a job that has already been read."""
        return Job(self, data)

    def read(self, job_id: str, held_seconds: float = 0.0, deadline: float | None = None) -> models.Job:
        """Return the fields of a job.

        For up to `held_seconds`, the service can delay its response until the job has ended.
        """
        call = operations.get_job(job_id)
        return self._transport.send(call.waiting(held_seconds) if held_seconds else call, deadline)

    def list(self, **filters: Unpack[requests.ListJobsQuery]) -> Iterator[Job[Any]]:
        """Iterate over jobs, newest first."""
        for data in self._transport.items(operations.list_jobs(**filters)):
            yield self.handle(data)

    def update(
        self, job_id: str, *, if_match: str | None = None, **changes: Unpack[requests.UpdateLabels]
    ) -> Job[Any]:
        """Change the labels of a job. A label with the value None is removed."""
        call = operations.update_job(job_id, changes, if_match=if_match)
        return self.handle(self._transport.send(call))

    def cancel(self, job_id: str) -> Job[Any]:
        """Cancel a job."""
        return self.handle(self._transport.send(operations.cancel_job(job_id)))

    def retry(self, job_id: str) -> Job[Any]:
        """Queue a job again after it failed or was cancelled."""
        return self.handle(self._transport.send(operations.retry_job(job_id)))

    def delete(self, job_id: str, *, if_match: str | None = None) -> None:
        """Delete a job after it has ended."""
        self._transport.send(operations.delete_job(job_id, if_match=if_match))

    def events(self, job_id: str, last_event_id: str | None = None) -> Iterator[Event]:
        """Iterate over the events of a job until it has ended.

        An interrupted stream continues after the last event that arrived. Progress is reported in
        ``progress`` events, which have no ID.
        """
        return self._transport.events(job_id, last_event_id)

    def stored_events(
        self, job_id: str, **query: Unpack[requests.ListJobEventsQuery]
    ) -> Iterator[models.JobEvent]:
        """Iterate over the events that are stored now. Progress events are not stored."""
        return self._transport.items(operations.list_job_events(job_id, **query))
